//! Which clients may connect to the embedded broker, and which topics each may read and write.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use heat_engine::matches;
use rumqttc::ConnectAuth;

use super::bounds::{ANONYMOUS, EVERYBODY, OWN, Share, USER};
use crate::config::Embedded;

/// Whose a client is. What belongs to one is out of reach for all others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Client {
    /// heatd itself, which comes by no socket.
    Own,
    /// Somebody who has said their password.
    User(Arc<str>),
    /// Anybody else.
    Anybody,
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("heatd itself"),
            Self::User(name) => f.write_str(name),
            Self::Anybody => f.write_str("(without a password)"),
        }
    }
}

/// What one user may do.
struct Rights {
    /// None for clients without a user name.
    password: Option<String>,
    read: Vec<String>,
    write: Vec<String>,
}

/// What each user may do. None: everybody may do everything, on loopback only.
pub(super) struct Access(Option<HashMap<Client, Rights>>);

impl Access {
    pub(super) fn new(config: &Embedded) -> Self {
        if config.is_open() {
            return Self(None);
        }
        let mut all = HashMap::new();
        for user in &config.users {
            let password = Some(user.password.clone());
            let (read, write) = (user.read.clone(), user.write.clone());
            all.insert(Client::User(user.name.as_str().into()), Rights { password, read, write });
        }
        if let Some(anonymous) = &config.anonymous {
            let (read, write) = (anonymous.read.clone(), anonymous.write.clone());
            all.insert(Client::Anybody, Rights { password: None, read, write });
        }
        Self(Some(all))
    }

    /// Whose a client is that says this. None: the name is nobody's, or the password is wrong.
    pub(super) fn log_in(&self, auth: &ConnectAuth) -> Option<Client> {
        let Some(all) = &self.0 else { return Some(Client::Anybody) };
        let (user, password) = match auth {
            ConnectAuth::None => ("", None),
            ConnectAuth::Username { username } => (username.as_str(), None),
            ConnectAuth::Password { password } => ("", Some(password)),
            ConnectAuth::UsernamePassword { username, password } => {
                (username.as_str(), Some(password))
            }
        };
        let who = match user {
            "" => Client::Anybody,
            name => Client::User(name.into()),
        };
        let rights = all.get(&who)?;
        let password = password.map(|it| it.as_ref()).unwrap_or_default();
        let is_right = match &rights.password {
            Some(wanted) => same(wanted.as_bytes(), password),
            None => true,
        };
        is_right.then_some(who)
    }

    pub(super) fn may_read(&self, who: &Client, filter: &str) -> bool {
        self.of(who, |rights| rights.read.iter().any(|allowed| covers(allowed, filter)))
    }

    pub(super) fn may_write(&self, who: &Client, topic: &str) -> bool {
        self.of(who, |rights| rights.write.iter().any(|allowed| matches(allowed, topic)))
    }

    /// How much of the broker is theirs.
    pub(super) fn share(&self, who: &Client) -> &'static Share {
        match who {
            Client::Own => &OWN,
            Client::User(_) => &USER,
            Client::Anybody if self.0.is_none() => &EVERYBODY,
            Client::Anybody => &ANONYMOUS,
        }
    }

    fn of(&self, who: &Client, may: impl FnOnce(&Rights) -> bool) -> bool {
        *who == Client::Own || self.0.as_ref().is_none_or(|rights| rights.get(who).is_some_and(may))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Anonymous, User};

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
    fn a_name_is_its_users_with_the_password_and_nobody_is_heatd() {
        let name = "deck".to_owned();
        let (read, write) = (vec!["deck/#".to_owned()], Vec::new());
        let user = User { name, password: "secret".to_owned(), read, write };
        let anonymous = Anonymous { read: Vec::new(), write: vec!["new-heat".to_owned()] };
        let access = Access::new(&Embedded {
            users: vec![user],
            anonymous: Some(anonymous),
            ..Embedded::default()
        });
        let log_in = |username: &str, password: &str| {
            let (username, password) = (username.to_owned(), password.to_owned().into());
            access.log_in(&ConnectAuth::UsernamePassword { username, password })
        };
        let deck = Client::User("deck".into());
        assert_eq!(log_in("deck", "secret"), Some(deck.clone()));
        assert_eq!(log_in("deck", "Secret"), None);
        assert_eq!(log_in("deck", ""), None);
        assert_eq!(log_in("heatd", ""), None);
        assert_eq!(access.log_in(&ConnectAuth::None), Some(Client::Anybody));
        assert!(access.may_read(&deck, "deck/a") && !access.may_read(&Client::Anybody, "deck/a"));
        assert!(
            access.may_write(&Client::Anybody, "new-heat") && !access.may_write(&deck, "new-heat")
        );
        assert!(access.may_write(&Client::Own, "heat/v1/status"));
        assert_ne!(access.share(&deck), access.share(&Client::Anybody));
    }
}
