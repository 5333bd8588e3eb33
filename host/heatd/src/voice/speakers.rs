//! Which account speaks in a channel, and which moderates there, by the configuration alone.

use std::sync::Arc;

use crate::config::{AccountConfig, Feature};

/// The accounts of the configuration. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Speakers(Arc<[AccountConfig]>);

impl Speakers {
    pub(crate) fn new(accounts: &[AccountConfig]) -> Self {
        Self(accounts.into())
    }

    /// The account with this feature for a channel: the bot, if it has the feature, or else the channel's own.
    pub(crate) fn of(&self, channel: &str, feature: Feature) -> Option<&AccountConfig> {
        let able = || self.0.iter().filter(|it| it.features.contains(&feature));
        able().find(|it| it.is_bot).or_else(|| able().find(|it| it.login == channel))
    }

    /// The account that speaks in a channel.
    pub(crate) fn speaker(&self, channel: &str) -> Option<&AccountConfig> {
        self.of(channel, Feature::Say)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bot_speaks_everywhere_and_an_owner_at_home() {
        let account = |login: &str, is_bot, features: &[Feature]| AccountConfig {
            is_bot,
            login: login.to_owned(),
            features: features.to_vec(),
        };
        let owner = account("seaside", false, &[Feature::Say, Feature::Moderate]);
        let alone = Speakers::new(std::slice::from_ref(&owner));
        assert_eq!(alone.speaker("seaside"), Some(&owner));
        assert_eq!(alone.speaker("harbor"), None);
        let both = Speakers::new(&[owner.clone(), account("bot", true, &[Feature::Say])]);
        assert_eq!(both.speaker("seaside").map(|it| it.login.as_str()), Some("bot"));
        assert_eq!(both.of("seaside", Feature::Moderate), Some(&owner));
    }
}
