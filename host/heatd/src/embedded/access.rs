//! Who may connect to the embedded broker, and which topics each may read and write.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use rmqtt::Result;
use rmqtt::codec::v5::SubscribeAckReason;
use rmqtt::hook::{Handler, HookResult, Parameter, ReturnType};
use rmqtt::topic::{Topic, TopicError};
use rmqtt::types::{AuthResult, LastWill, PublishAclResult, SubscribeAclResult};
use tracing::warn;

use crate::config::User;

/// What one user may do.
struct Rights {
    password: String,
    read: Vec<Topic>,
    write: Vec<Topic>,
}

/// All users. None at all: everybody may do everything, on loopback only.
#[derive(Clone)]
pub(super) struct Access(Arc<HashMap<String, Rights>>);

impl Access {
    pub(super) fn new(users: &[User], (own, password): (&str, &str)) -> Result<Self> {
        let filters = |texts: &[String]| {
            texts
                .iter()
                .map(|text| Topic::from_str(text))
                .collect::<std::result::Result<Vec<_>, TopicError>>()
        };
        let mut rights = HashMap::new();
        for user in users {
            let (read, write) = (filters(&user.read)?, filters(&user.write)?);
            rights
                .insert(user.name.clone(), Rights { password: user.password.clone(), read, write });
        }
        if !users.is_empty() {
            let all = vec![Topic::from_str("#")?];
            rights.insert(
                own.to_owned(),
                Rights { password: password.to_owned(), read: all.clone(), write: all },
            );
        }
        Ok(Self(Arc::new(rights)))
    }

    fn knows(&self, user: &str, password: &[u8]) -> bool {
        self.0.is_empty()
            || self.0.get(user).is_some_and(|rights| same(rights.password.as_bytes(), password))
    }

    fn may_read(&self, user: &str, topic: &str) -> bool {
        self.0.is_empty()
            || self
                .0
                .get(user)
                .is_some_and(|rights| rights.read.iter().any(|it| it.matches_str(topic)))
    }

    fn may_write(&self, user: &str, topic: &str) -> bool {
        self.0.is_empty()
            || self
                .0
                .get(user)
                .is_some_and(|rights| rights.write.iter().any(|it| it.matches_str(topic)))
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
