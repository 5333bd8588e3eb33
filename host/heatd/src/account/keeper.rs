//! Keeps logins good: asks Twitch about each at the start and every hour, as Twitch wants it, and refreshes tokens before they end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;
use tracing::info;

use super::accounts::Accounts;
use super::oauth::{OauthError, Validated};
use super::standing::Standing;
use crate::backoff::Backoff;
use crate::clock::now;
use crate::shutdown::Shutdown;

/// How often a token is validated (dev.twitch.tv/docs/authentication/validate-tokens).
const HOUR: Duration = Duration::from_secs(3_600);

/// The first and the longest wait after Twitch could not be asked.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(600);

/// The task that keeps logins good.
pub(crate) struct Keeper {
    accounts: Arc<Accounts>,
}

impl Keeper {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self { accounts }
    }

    /// Runs until the shutdown. A refresh that has begun is not broken off: the token before is of no use then, and the new one would be lost.
    pub(crate) async fn run(self, mut shutdown: Shutdown) -> Result<()> {
        let mut backoff = Backoff::new(FIRST, LONGEST);
        let mut changed = self.accounts.watch();
        let mut is_adopted = false;
        loop {
            is_adopted = is_adopted || self.accounts.adopt().await;
            let wait = match self.look_after().await && is_adopted {
                true => {
                    backoff.reset();
                    self.accounts.next_look()
                }
                false => backoff.next(fastrand::f64()),
            };
            changed.borrow_and_update();
            tokio::select! {
                () = sleep(wait) => {}
                // A new login may end sooner than what was known.
                _ = changed.changed() => {}
                () = shutdown.begun() => return Ok(()),
            }
        }
    }

    /// Looks after all logins. False: Twitch could not be asked about one of them.
    async fn look_after(&self) -> bool {
        let mut all = true;
        for state in self.accounts.states().iter() {
            if state.standing.is_good() {
                all &= self.accounts.validate(&state.config.login).await;
            }
        }
        all
    }
}

impl Accounts {
    /// Asks Twitch whether a login is good, and refreshes it where it is not, or ends soon. False: Twitch could not be asked.
    async fn validate(&self, login: &str) -> bool {
        let mut token = match self.token(login, None).await {
            Ok(token) => token,
            Err(error) => return matches!(error, OauthError::Refused(_)),
        };
        for _ in 0..2 {
            match self.id.validate(&token).await {
                Ok(known) => return self.confirm(login, &known),
                // It was revoked, or ended early: one refresh decides.
                Err(OauthError::Refused(_)) => match self.token(login, Some(&token)).await {
                    Ok(fresh) => token = fresh,
                    Err(error) => return matches!(error, OauthError::Refused(_)),
                },
                Err(error) => {
                    if let Some(kept) = self.kept.lock().find(login).cloned() {
                        self.failed(login, &kept, &error);
                    }
                    return false;
                }
            }
        }
        let why = "Twitch takes neither the token nor a new one".to_owned();
        self.set(login, Standing::Lapsed { why });
        true
    }

    /// Takes over what Twitch says of a good token: its scopes, which the owner may have changed.
    fn confirm(&self, login: &str, known: &Validated) -> bool {
        let Some(wanted) = self.wanted(login) else { return true };
        let Some(mut kept) = self.kept.lock().find(login).cloned() else { return true };
        if known.user_id != kept.user_id {
            let why = format!("the token is now that of {}", known.login);
            self.set(login, Standing::Lapsed { why });
            return true;
        }
        let scopes = known.scopes.clone().unwrap_or_default();
        if scopes != kept.scopes {
            info!(login, "the scopes of a Twitch login have changed");
            kept.scopes = scopes;
            // What is on the disk is asked for again at the next start.
            let _ = self.kept.lock().keep(kept.clone());
        }
        self.set(login, Standing::logged_in(&kept, &wanted.config));
        true
    }

    /// How long nothing has to be done for any login.
    fn next_look(&self) -> Duration {
        let due = |login: &str| self.kept.lock().find(login).map(|it| it.refresh_at);
        let states = self.states();
        let good = states.iter().filter(|state| state.standing.is_good());
        let first = good.filter_map(|state| due(&state.config.login)).min();
        let left = first.map_or(HOUR, |first| Duration::from_millis(first.saturating_sub(now())));
        left.clamp(Duration::from_secs(1), HOUR)
    }
}
