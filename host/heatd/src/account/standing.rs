//! How an account stands: for the API, the page, the log, metrics and MQTT.

use super::file::Login;
use crate::config::{AccountConfig, Feature};

/// An account of the configuration, and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AccountState {
    pub(crate) config: AccountConfig,
    pub(crate) standing: Standing,
}

/// How an account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody has logged in.
    LoggedOut,
    /// The login is good.
    LoggedIn {
        /// Features of the configuration for which the login lacks a scope: they were added later.
        missing: Vec<Feature>,
    },
    /// Twitch cannot be asked, and the token may have ended.
    Unsure { why: String },
    /// Twitch does not take the login any more: it was revoked, or was not used for too long.
    Lapsed { why: String },
}

impl Standing {
    /// As the file has it.
    pub(super) fn logged_in(login: &Login, config: &AccountConfig) -> Self {
        let has = |scope: &&str| login.scopes.iter().any(|it| it == scope);
        let lacks = |feature: &&Feature| !feature.need().scopes.iter().all(has);
        let missing = config.features.iter().filter(lacks).copied().collect();
        Self::LoggedIn { missing }
    }

    /// Whether there is a login that may be used.
    pub(crate) fn is_good(&self) -> bool {
        matches!(self, Self::LoggedIn { .. } | Self::Unsure { .. })
    }

    /// The word for it, in answers and figures.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::LoggedOut => "logged-out",
            Self::LoggedIn { .. } => "logged-in",
            Self::Unsure { .. } => "unsure",
            Self::Lapsed { .. } => "lapsed",
        }
    }
}

impl AccountState {
    /// The features of the configuration that the login covers.
    pub(crate) fn covered(&self) -> Vec<Feature> {
        let wanted = &self.config.features;
        match &self.standing {
            Standing::LoggedIn { missing } => {
                wanted.iter().filter(|it| !missing.contains(it)).copied().collect()
            }
            Standing::Unsure { .. } => wanted.clone(),
            Standing::LoggedOut | Standing::Lapsed { .. } => Vec::new(),
        }
    }

    /// The command that mends what is wrong. None: nothing is.
    pub(crate) fn command(&self) -> Option<String> {
        let login = &self.config.login;
        let is_missing = match &self.standing {
            Standing::LoggedIn { missing } => !missing.is_empty(),
            Standing::Unsure { .. } => false,
            Standing::LoggedOut | Standing::Lapsed { .. } => true,
        };
        is_missing.then(|| match self.config.is_bot {
            true => "heat login --bot".to_owned(),
            false => format!("heat login --channel {login}"),
        })
    }

    /// What everybody has to know, if there is anything: in a sentence with the command that mends it.
    pub(crate) fn problem(&self) -> Option<String> {
        let login = &self.config.login;
        let command = self.command().unwrap_or_default();
        match &self.standing {
            Standing::LoggedIn { missing } if missing.is_empty() => None,
            Standing::LoggedIn { missing } => {
                let names: Vec<_> = missing.iter().map(|it| it.need().name).collect();
                let names = names.join(", ");
                Some(format!("The login of {login} does not cover {names} yet: {command}"))
            }
            Standing::LoggedOut => Some(format!("Nobody is logged in as {login}: {command}")),
            Standing::Lapsed { why } => {
                Some(format!("Twitch no longer takes the login of {login} ({why}): {command}"))
            }
            Standing::Unsure { why } => {
                Some(format!("The login of {login} cannot be checked: {why}"))
            }
        }
    }
}
