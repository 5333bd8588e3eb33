//! Who may connect to the embedded broker, and which topics each may read and write.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use async_trait::async_trait;
use heat_engine::matches;
use parking_lot::Mutex;
use rmqtt::codec::v5::SubscribeAckReason;
use rmqtt::hook::{Handler, HookResult, Parameter, ReturnType};
use rmqtt::types::{AuthResult, ConnectInfo, LastWill, PublishAclResult, SubscribeAclResult};
use tracing::warn;

use crate::config::Embedded;

/// How many client ids of users are remembered: more than there can be sessions.
const CLIENT_IDS: usize = 1_024;

/// What one user may do.
struct Rights {
    /// None for clients without a user name.
    password: Option<String>,
    read: Vec<String>,
    write: Vec<String>,
}

/// Who may do what. By user name; the empty name stands for clients that give none.
#[derive(Clone)]
pub(super) struct Access {
    /// None: everybody may do everything, on loopback only.
    rights: Option<Arc<HashMap<String, Rights>>>,
    owners: Arc<Mutex<Owners>>,
}

/// Which user last connected with which client id, the latest last. A client id is the key to a session with its subscriptions
/// and waiting messages, so nobody else may come with it, and least of all a client without a name.
#[derive(Default)]
struct Owners(VecDeque<(String, String)>);

impl Access {
    pub(super) fn new(config: &Embedded, (own, password): (&str, &str)) -> Self {
        let owners = Arc::default();
        if config.is_open() {
            return Self { rights: None, owners };
        }
        let mut all = HashMap::new();
        for user in &config.users {
            let password = Some(user.password.clone());
            let (read, write) = (user.read.clone(), user.write.clone());
            all.insert(user.name.clone(), Rights { password, read, write });
        }
        if let Some(anonymous) = &config.anonymous {
            let (read, write) = (anonymous.read.clone(), anonymous.write.clone());
            all.insert(String::new(), Rights { password: None, read, write });
        }
        let (read, write) = (vec!["#".to_owned()], vec!["#".to_owned()]);
        all.insert(own.to_owned(), Rights { password: Some(password.to_owned()), read, write });
        Self { rights: Some(Arc::new(all)), owners }
    }

    fn knows(&self, user: &str, password: &[u8]) -> bool {
        let right = |rights: &Rights| match &rights.password {
            Some(wanted) => same(wanted.as_bytes(), password),
            None => true,
        };
        self.of(user, right)
    }

    fn may_read(&self, user: &str, filter: &str) -> bool {
        self.of(user, |rights| rights.read.iter().any(|allowed| covers(allowed, filter)))
    }

    pub(super) fn may_write(&self, user: &str, topic: &str) -> bool {
        self.of(user, |rights| rights.write.iter().any(|allowed| matches(allowed, topic)))
    }

    /// Whether this user may take up the session of this client id.
    fn may_be(&self, user: &str, client_id: &str) -> bool {
        // Nothing in here panics while the lock is held.
        let mut owners = self.owners.lock();
        self.rights.is_none() || owners.take(user, client_id)
    }

    fn of(&self, user: &str, may: impl FnOnce(&Rights) -> bool) -> bool {
        self.rights.as_ref().is_none_or(|rights| rights.get(user).is_some_and(may))
    }

    /// Whether a client may connect. rmqtt asks nobody whether a last will may be published, so it is asked here.
    fn admit(&self, client: &ConnectInfo) -> AuthResult {
        let user = client.username().map(ToString::to_string).unwrap_or_default();
        if !self.knows(&user, client.password().map(|it| it.as_ref()).unwrap_or_default()) {
            warn!(user, "the embedded broker refuses a client: unknown user or wrong password");
            return AuthResult::BadUsernameOrPassword;
        }
        let will = client.last_will().map(|will| match will {
            LastWill::V3(will) => will.topic.to_string(),
            LastWill::V5(will) => will.topic.to_string(),
        });
        if let Some(topic) = will.filter(|topic| !self.may_write(&user, topic)) {
            warn!(
                user,
                topic, "the embedded broker refuses a client: its last will is not allowed"
            );
            return AuthResult::NotAuthorized;
        }
        let client_id = client.id().client_id.to_string();
        if !self.may_be(&user, &client_id) {
            warn!(
                user,
                client_id, "the embedded broker refuses a client: another user has its client id"
            );
            return AuthResult::NotAuthorized;
        }
        AuthResult::Allow(false, None)
    }
}

impl Owners {
    /// Whether nobody else has the client id; then it belongs to this user. Sessions without a user are free for all.
    fn take(&mut self, user: &str, client_id: &str) -> bool {
        let place = self.0.iter().position(|(id, _)| id == client_id);
        if place.and_then(|place| self.0.get(place)).is_some_and(|(_, owner)| owner != user) {
            return false;
        }
        if let Some(place) = place {
            self.0.remove(place);
        }
        if !user.is_empty() {
            self.0.push_back((client_id.to_owned(), user.to_owned()));
        }
        if self.0.len() > CLIENT_IDS {
            self.0.pop_front();
        }
        true
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
            Parameter::ClientAuthenticate(client) => HookResult::AuthResult(self.0.admit(client)),
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
    use super::{CLIENT_IDS, Owners, covers};

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

    #[test]
    fn a_client_id_of_a_user_is_for_nobody_else() {
        let mut owners = Owners::default();
        assert!(owners.take("", "screen") && owners.take("", "screen"));
        assert!(owners.take("writer", "screen") && owners.take("writer", "screen"));
        assert!(!owners.take("", "screen") && !owners.take("deck", "screen"));
        for number in 0..2 * CLIENT_IDS {
            assert!(owners.take("deck", &number.to_string()));
        }
        assert_eq!(owners.0.len(), CLIENT_IDS);
    }
}
