//! What an account can be logged in for: each feature with the scopes that Twitch wants for it, and why, in plain words.
//!
//! Scopes: dev.twitch.tv/docs/authentication/scopes; which event type wants which: dev.twitch.tv/docs/eventsub/eventsub-subscription-types.

use serde::Serialize;

/// Something that heatd can do with a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Feature {
    Follows,
    Subscriptions,
    Cheers,
    Rewards,
    HypeTrain,
    Chat,
    Say,
    Moderate,
    Clips,
}

/// A feature for people, and what Twitch wants for it.
pub(crate) struct Need {
    pub(crate) feature: Feature,
    /// As the configuration has it.
    pub(crate) name: &'static str,
    pub(crate) scopes: &'static [&'static str],
    /// What heatd does with it, as the person who agrees is told.
    pub(crate) why: &'static str,
}

/// All of them, in the order of [`Feature`].
pub(crate) const NEEDS: [Need; 9] = [
    Need {
        feature: Feature::Follows,
        name: "follows",
        scopes: &["moderator:read:followers"],
        why: "hears who follows the channel",
    },
    Need {
        feature: Feature::Subscriptions,
        name: "subscriptions",
        scopes: &["channel:read:subscriptions"],
        why: "hears of subscriptions and gifts",
    },
    Need { feature: Feature::Cheers, name: "cheers", scopes: &["bits:read"], why: "hears of bits" },
    Need {
        feature: Feature::Rewards,
        name: "rewards",
        scopes: &["channel:read:redemptions"],
        why: "hears which channel point rewards are taken",
    },
    Need {
        feature: Feature::HypeTrain,
        name: "hype-train",
        scopes: &["channel:read:hype_train"],
        why: "hears how far Twitch's hype train is",
    },
    Need {
        feature: Feature::Chat,
        name: "chat",
        scopes: &["user:read:chat"],
        why: "hears lines while chat itself is away, and which are deleted",
    },
    Need {
        feature: Feature::Say,
        name: "say",
        scopes: &["user:write:chat"],
        why: "says lines in chat: what rules answer, and heat say",
    },
    Need {
        feature: Feature::Moderate,
        name: "moderate",
        scopes: &["moderator:manage:banned_users", "moderator:manage:chat_messages"],
        why: "bans, times out and deletes when a moderator asks: heat ban, heat timeout, heat delete",
    },
    Need {
        feature: Feature::Clips,
        name: "clips",
        scopes: &["clips:edit"],
        why: "makes clips that rules ask for",
    },
];

impl Feature {
    pub(crate) fn need(self) -> &'static Need {
        // The rows are in the order of the features: a test holds that.
        &NEEDS[self as usize]
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        NEEDS.iter().find(|need| need.name == name).map(|need| need.feature)
    }
}

/// The scopes that these features want, each once, in the order of the alphabet.
pub(crate) fn scopes(features: &[Feature]) -> Vec<&'static str> {
    let mut scopes: Vec<_> = features.iter().flat_map(|it| it.need().scopes).copied().collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_has_its_row_and_its_name() {
        for need in &NEEDS {
            assert_eq!(need.feature.need().feature, need.feature);
            assert_eq!(Feature::of_name(need.name), Some(need.feature));
            assert!(!need.scopes.is_empty() && !need.why.is_empty());
            let json = serde_json::to_string(&need.feature).unwrap();
            assert_eq!(json, format!("{:?}", need.name));
        }
        assert_eq!(Feature::of_name("everything"), None);
    }

    #[test]
    fn only_the_scopes_of_the_wanted_features_are_asked_for() {
        assert_eq!(scopes(&[]), Vec::<&str>::new());
        let wanted = [Feature::Say, Feature::Follows, Feature::Say];
        assert_eq!(scopes(&wanted), ["moderator:read:followers", "user:write:chat"]);
    }
}
