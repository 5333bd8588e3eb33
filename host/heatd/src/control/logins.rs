//! Tells people how Twitch logins stand: a notice in each channel that one is for, and a figure for each account.

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::mpsc;

use crate::account::{AccountState, Accounts};
use crate::metrics::Metrics;
use crate::queue::{EngineAccess, Input};
use crate::shutdown::Shutdown;
use crate::view::registry::ChannelRegistry;

/// The name of the notice: it is shown as `notice-login`.
const NOTICE: &str = "login";

/// What the task needs.
pub(crate) struct LoginNotices {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) registry: Arc<ChannelRegistry>,
    pub(crate) inputs: mpsc::WeakSender<Input>,
    pub(crate) metrics: Metrics,
}

impl LoginNotices {
    /// Tells how things stand at the start, and each change until the shutdown.
    pub(crate) async fn run(self, mut shutdown: Shutdown) -> Result<()> {
        let mut changed = self.accounts.watch();
        loop {
            let states = Arc::clone(&changed.borrow_and_update());
            for state in states.iter() {
                self.metrics.account_up(&state.config.login, state.problem().is_none());
            }
            let texts = self.registry.names().into_iter().map(|channel| {
                let text = text(&states, &channel);
                (channel, text)
            });
            let texts: Vec<_> = texts.collect();
            let task = move |access: &mut EngineAccess<'_>| {
                for (channel, text) in texts {
                    access.engine.notice(&channel, NOTICE, text);
                }
                Ok(())
            };
            let Some(inputs) = self.inputs.upgrade() else { return Ok(()) };
            if inputs.send(Input::task("login.notice", task)).await.is_err() {
                return Ok(());
            }
            drop(inputs);
            tokio::select! {
                told = changed.changed() => if told.is_err() { return Ok(()) },
                () = shutdown.begun() => return Ok(()),
            }
        }
    }
}

/// What the people of a channel have to know of logins. None: nothing.
fn text(states: &[AccountState], channel: &str) -> Option<String> {
    let concerns = |state: &&AccountState| state.config.is_bot || state.config.login == channel;
    let problems: Vec<String> =
        states.iter().filter(concerns).filter_map(AccountState::problem).collect();
    (!problems.is_empty()).then(|| problems.join(" "))
}
