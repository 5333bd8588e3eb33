//! Finds out who people are whom faves name by login alone: `?heat add 5 @ann` counts for the same person as what ann writes in chat.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::helix::{Helix, HelixError};
use crate::queue::Input;
use crate::shutdown::Shutdown;

/// How long to wait for others, so that many names are one question.
const GATHER: Duration = Duration::from_millis(200);

/// How long to wait after Twitch could not be asked.
const AGAIN: Duration = Duration::from_secs(60);

/// How many names wait at most. The others are known as soon as they write in chat.
pub(crate) const MOST: usize = 1_000;

/// A channel, and a login.
pub(crate) type Unnamed = (Arc<str>, String);

/// What the task needs.
pub(crate) struct Names {
    pub(crate) helix: Arc<Helix>,
    pub(crate) unnamed: mpsc::Receiver<Unnamed>,
    pub(crate) inputs: mpsc::Sender<Input>,
}

impl Names {
    /// Asks Twitch for the ids, as long as an account is logged in, until the shutdown.
    pub(crate) async fn run(mut self, mut shutdown: Shutdown) -> Result<()> {
        let mut waiting: BTreeSet<Unnamed> = BTreeSet::new();
        let mut changed = self.helix.accounts().watch();
        let mut wait = None;
        loop {
            tokio::select! {
                named = self.unnamed.recv() => match named {
                    Some(named) if waiting.len() < MOST => {
                        waiting.insert(named);
                        wait = wait.or(Some(GATHER));
                    }
                    Some(_) => {}
                    None => return Ok(()),
                },
                () = sleep(wait.unwrap_or_default()), if wait.is_some() && !waiting.is_empty() => {
                    wait = None;
                    let Some(account) = self.account() else { continue };
                    if let Err(error) = self.ask(&account, &mut waiting).await {
                        warn!(%error, names = waiting.len(), "Twitch does not say who somebody is; it is asked again");
                        wait = Some(AGAIN);
                    }
                }
                _ = changed.changed() => wait = Some(GATHER),
                () = shutdown.begun() => return Ok(()),
            }
        }
    }

    fn account(&self) -> Option<String> {
        self.helix.accounts().able().into_iter().next().map(|(config, _)| config.login)
    }

    async fn ask(&self, account: &str, waiting: &mut BTreeSet<Unnamed>) -> Result<(), HelixError> {
        let mut logins: Vec<String> = waiting.iter().map(|(_, login)| login.clone()).collect();
        logins.dedup();
        let people = self.helix.people(account, &logins).await?;
        for (channel, login) in std::mem::take(waiting) {
            let Some(person) = people.iter().find(|it| it.login == login).cloned() else {
                debug!(login, "Twitch knows nobody of this name");
                continue;
            };
            let task = Input::task("names.identify", move |access| {
                access.engine.identify(&channel, &person)?;
                Ok(())
            });
            if self.inputs.send(task).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}
