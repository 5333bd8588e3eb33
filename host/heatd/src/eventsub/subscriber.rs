//! Subscribes a session to what its account is to hear, and removes what a session of before has left behind.

use tracing::{debug, info, warn};

use super::former::FormerSessions;
use super::wanted::WantedType;
use crate::helix::{Helix, HelixError};

/// How many requests are made at once: all must be there within ten seconds, over any line.
const AT_ONCE: usize = 6;

/// What came of subscribing.
#[derive(Debug, Default)]
pub(super) struct Subscribed {
    /// What the session hears now.
    pub(super) heard: Vec<WantedType>,
    /// What it does not, and why.
    pub(super) refused: Vec<(WantedType, String)>,
    /// The account's login is of no use any more.
    pub(super) is_logged_out: bool,
}

/// What subscribing needs.
pub(super) struct EventSubscriber<'a> {
    pub(super) helix: &'a Helix,
    pub(super) former: &'a FormerSessions,
    pub(super) account: &'a str,
    /// The session that is to hear it.
    pub(super) session: &'a str,
}

/// Why one subscription is not made.
enum Trouble {
    /// Something of before is in the way: it exists already, or there are too many.
    InTheWay(String),
    Refused(String),
    NoLogin(String),
}

impl EventSubscriber<'_> {
    /// Subscribes to all of these. What is in the way of a former session is deleted, once.
    pub(super) async fn subscribe(&self, wanted: Vec<WantedType>) -> Subscribed {
        let mut done = Subscribed::default();
        let in_the_way = self.all(wanted, &mut done).await;
        if in_the_way.is_empty() || done.is_logged_out {
            done.refused.extend(in_the_way);
            return done;
        }
        let orphans = self.remove_orphans().await;
        if orphans == 0 {
            // They are another program's.
            done.refused.extend(in_the_way);
            return done;
        }
        let wanted = in_the_way.into_iter().map(|(wanted, _)| wanted).collect();
        let left = self.all(wanted, &mut done).await;
        done.refused.extend(left);
        done
    }

    /// Tries all of these, and returns those that something is in the way of.
    async fn all(
        &self,
        wanted: Vec<WantedType>,
        done: &mut Subscribed,
    ) -> Vec<(WantedType, String)> {
        let mut in_the_way = Vec::new();
        for some in wanted.chunks(AT_ONCE) {
            let asked = some.iter().map(|it| self.one(it));
            let answers = futures_util::future::join_all(asked).await;
            for (wanted, answer) in some.iter().cloned().zip(answers) {
                match answer {
                    Ok(()) => done.heard.push(wanted),
                    Err(Trouble::InTheWay(why)) => in_the_way.push((wanted, why)),
                    Err(Trouble::Refused(why)) => done.refused.push((wanted, why)),
                    Err(Trouble::NoLogin(why)) => {
                        done.is_logged_out = true;
                        done.refused.push((wanted, why));
                    }
                }
            }
            if done.is_logged_out {
                break;
            }
        }
        in_the_way
    }

    async fn one(&self, wanted: &WantedType) -> Result<(), Trouble> {
        let kind = (wanted.kind, wanted.version);
        let made =
            self.helix.subscribe(self.account, self.session, kind, &wanted.condition()).await;
        match made {
            Ok(made) => {
                let (cost, most) = (made.total_cost, made.max_total_cost);
                debug!(account = self.account, kind = wanted.kind, cost, most, "subscribed");
                Ok(())
            }
            Err(HelixError::Refused { status: 409 | 429, why }) => Err(Trouble::InTheWay(why)),
            Err(HelixError::NoLogin(why)) => Err(Trouble::NoLogin(why)),
            Err(error) => Err(Trouble::Refused(error.to_string())),
        }
    }

    /// Deletes the subscriptions of former sessions of this heatd, and those that Twitch itself calls ended. Returns how many.
    async fn remove_orphans(&self) -> usize {
        let rows = match self.helix.subscriptions(self.account).await {
            Ok(rows) => rows,
            Err(error) => {
                warn!(account = self.account, %error, "Twitch does not say what is subscribed already");
                return 0;
            }
        };
        let is_orphan = |session: &str, status: &str| {
            session != self.session && (self.former.has(session) || status != "enabled")
        };
        let mut removed = 0;
        for row in rows {
            if !row.session().is_some_and(|session| is_orphan(session, &row.status)) {
                continue;
            }
            match self.helix.unsubscribe(self.account, &row.id).await {
                // Gone already.
                Ok(()) | Err(HelixError::Refused { status: 404, .. }) => removed += 1,
                Err(error) => {
                    warn!(account = self.account, %error, "a subscription of before stays");
                }
            }
        }
        if removed > 0 {
            info!(
                account = self.account,
                removed, "subscriptions of a session of before are removed"
            );
        }
        removed
    }
}
