//! Who may connect to the embedded broker, and which topics each may read and write.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use heat_engine::matches;
use rmqtt::codec::v5::SubscribeAckReason;
use rmqtt::hook::{Handler, HookResult, Parameter, ReturnType};
use rmqtt::types::{AuthResult, LastWill, PublishAclResult, SubscribeAclResult};
use tracing::warn;

use crate::config::User;

/// What one user may do.
struct Rights {
    password: String,
    read: Vec<String>,
    write: Vec<String>,
}

/// All users. None at all: everybody may do everything, on loopback only.
#[derive(Clone)]
pub(super) struct Access(Arc<HashMap<String, Rights>>);

impl Access {
    pub(super) fn new(users: &[User], (own, password): (&str, &str)) -> Self {
        let rights = |user: &User| {
            let (read, write) = (user.read.clone(), user.write.clone());
            (user.name.clone(), Rights { password: user.password.clone(), read, write })
        };
        let mut all: HashMap<String, Rights> = users.iter().map(rights).collect();
        if !users.is_empty() {
            let (read, write) = (vec!["#".to_owned()], vec!["#".to_owned()]);
            all.insert(own.to_owned(), Rights { password: password.to_owned(), read, write });
        }
        Self(Arc::new(all))
    }

    fn knows(&self, user: &str, password: &[u8]) -> bool {
        self.0.is_empty()
            || self.0.get(user).is_some_and(|rights| same(rights.password.as_bytes(), password))
    }

    fn may_read(&self, user: &str, filter: &str) -> bool {
        let may = |rights: &Rights| rights.read.iter().any(|allowed| covers(allowed, filter));
        self.0.is_empty() || self.0.get(user).is_some_and(may)
    }

    fn may_write(&self, user: &str, topic: &str) -> bool {
        let may = |rights: &Rights| rights.write.iter().any(|allowed| matches(allowed, topic));
        self.0.is_empty() || self.0.get(user).is_some_and(may)
    }
}

/// Whether everything that a filter asks for is in what is allowed. A wildcard asks for more than any name.
fn covers(allowed: &str, asked: &str) -> bool {
    if asked.starts_with('$') && !allowed.starts_with('$') {
        return false;
    }
    let (mut allowed, mut asked) = (allowed.split('/'), asked.split('/'));
    loop {
        match (allowed.next(), asked.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
}

/// Compares in a time that depends on the lengths only, so that nobody can guess a password letter by letter.
fn same(one: &[u8], other: &[u8]) -> bool {
    let different = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && std::hint::black_box(different) == 0
}

/// Answers the broker's questions.
pub(super) struct Guard(pub(super) Access);

#[async_trait]
impl Handler for Guard {
    async fn hook(&self, question: &Parameter, answer: Option<HookResult>) -> ReturnType {
        let answer = match question {
            Parameter::ClientAuthenticate(client) => {
                let user = client.username().map(ToString::to_string).unwrap_or_default();
                let known = self
                    .0
                    .knows(&user, client.password().map(|it| it.as_ref()).unwrap_or_default());
                // rmqtt asks nobody whether a last will may be published, so it is asked here.
                let will = client.last_will().is_none_or(|will| {
                    let topic = match will {
                        LastWill::V3(will) => will.topic.to_string(),
                        LastWill::V5(will) => will.topic.to_string(),
                    };
                    self.0.may_write(&user, &topic)
                });
                HookResult::AuthResult(match (known, will) {
                    (true, true) => AuthResult::Allow(false, None),
                    (true, false) => AuthResult::NotAuthorized,
                    (false, _) => {
                        warn!(
                            user,
                            "the embedded broker refuses a client: unknown user or wrong password"
                        );
                        AuthResult::BadUsernameOrPassword
                    }
                })
            }
            Parameter::ClientSubscribeCheckAcl(session, subscribe) => {
                let user = session.username().map(ToString::to_string).unwrap_or_default();
                HookResult::SubscribeAclResult(
                    match self.0.may_read(&user, &subscribe.topic_filter) {
                        true => SubscribeAclResult::new_success(subscribe.opts.qos(), None),
                        false => SubscribeAclResult::new_failure(SubscribeAckReason::NotAuthorized),
                    },
                )
            }
            Parameter::MessagePublishCheckAcl(session, message) => {
                let user = session.username().map(ToString::to_string).unwrap_or_default();
                HookResult::PublishAclResult(match self.0.may_write(&user, &message.topic) {
                    true => PublishAclResult::allow(),
                    false => PublishAclResult::rejected(false, None),
                })
            }
            _ => return (true, answer),
        };
        (false, Some(answer))
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_wildcard_asks_for_more_than_any_name() {
        for (allowed, asked, expected) in [
            ("heat/#", "heat/v1/+/heat", true),
            ("heat/#", "heat", true),
            ("heat/+", "heat/x", true),
            ("heat/+", "heat/+", true),
            ("heat/+", "heat/#", false),
            ("+", "#", false),
            ("heat/x", "heat/+", false),
            ("#", "$SYS/#", false),
        ] {
            assert_eq!(covers(allowed, asked), expected, "{allowed} {asked}");
        }
    }
}
