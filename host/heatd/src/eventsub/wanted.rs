//! Which types of events an account is to hear, by what its login covers. Pure. Facts: dev.twitch.tv/docs/eventsub/eventsub-subscription-types.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::config::{AccountConfig, Feature};

/// Channels that are read, by their ids at Twitch.
pub(super) type ChannelIds = BTreeMap<String, String>;

/// One subscription that there shall be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WantedType {
    pub(super) kind: &'static str,
    pub(super) version: &'static str,
    /// The id of the channel.
    pub(super) channel: String,
    /// A further field of the condition, and the id of the account in it.
    also: Option<(&'static str, String)>,
}

/// What the condition of a type names besides the channel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Also {
    Nothing,
    Moderator,
    Reader,
}

/// Types that need no feature: every channel's own account hears them. None of them needs a scope.
const ALWAYS: [(&str, &str, Also); 7] = [
    ("stream.online", "1", Also::Nothing),
    ("stream.offline", "1", Also::Nothing),
    ("channel.update", "2", Also::Nothing),
    ("channel.raid", "1", Also::Nothing),
    ("channel.shared_chat.begin", "1", Also::Nothing),
    ("channel.shared_chat.update", "1", Also::Nothing),
    ("channel.shared_chat.end", "1", Also::Nothing),
];

/// The types that a feature needs.
fn types(feature: Feature) -> &'static [(&'static str, &'static str, Also)] {
    match feature {
        Feature::Follows => &[("channel.follow", "2", Also::Moderator)],
        Feature::Subscriptions => &[
            ("channel.subscribe", "1", Also::Nothing),
            ("channel.subscription.message", "1", Also::Nothing),
            ("channel.subscription.gift", "1", Also::Nothing),
        ],
        // Takes the place of channel.cheer, and has power-ups, too.
        Feature::Cheers => &[("channel.bits.use", "1", Also::Nothing)],
        Feature::Rewards => &[
            ("channel.channel_points_custom_reward_redemption.add", "1", Also::Nothing),
            ("channel.channel_points_automatic_reward_redemption.add", "2", Also::Nothing),
        ],
        Feature::HypeTrain => &[
            ("channel.hype_train.begin", "2", Also::Nothing),
            ("channel.hype_train.progress", "2", Also::Nothing),
            ("channel.hype_train.end", "2", Also::Nothing),
        ],
        Feature::Chat => &[
            ("channel.chat.message", "1", Also::Reader),
            ("channel.chat.notification", "1", Also::Reader),
            ("channel.chat.clear", "1", Also::Reader),
            ("channel.chat.clear_user_messages", "1", Also::Reader),
            ("channel.chat.message_delete", "1", Also::Reader),
        ],
        Feature::Say | Feature::Moderate | Feature::Clips => &[],
    }
}

/// What an account shall hear. `covered`: the features that its login covers; `account`: its id; `rooms`: the channels that it hears of.
pub(super) fn wanted(
    config: &AccountConfig,
    covered: &[Feature],
    account: &str,
    rooms: &ChannelIds,
) -> Vec<WantedType> {
    let always = if config.is_bot { &[] } else { &ALWAYS[..] };
    let types: Vec<_> =
        always.iter().chain(covered.iter().flat_map(|feature| types(*feature))).collect();
    let of_room = |channel: &String| {
        let make = |(kind, version, also): &&(&'static str, &'static str, Also)| {
            let also = match also {
                Also::Nothing => None,
                Also::Moderator => Some(("moderator_user_id", account.to_owned())),
                Also::Reader => Some(("user_id", account.to_owned())),
            };
            WantedType { kind, version, channel: channel.clone(), also }
        };
        types.iter().map(make).collect::<Vec<_>>()
    };
    rooms.keys().flat_map(of_room).collect()
}

impl WantedType {
    /// The condition, as Twitch wants it.
    pub(super) fn condition(&self) -> Map<String, Value> {
        let field = match self.kind {
            "channel.raid" => "to_broadcaster_user_id",
            _ => "broadcaster_user_id",
        };
        let mut condition = Map::from_iter([(field.to_owned(), json!(self.channel))]);
        if let Some((field, account)) = &self.also {
            condition.insert((*field).to_owned(), json!(account));
        }
        condition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(is_bot: bool, features: &[Feature]) -> Vec<WantedType> {
        let config =
            AccountConfig { is_bot, login: "seaside".to_owned(), features: features.to_vec() };
        let rooms = ChannelIds::from([("11".to_owned(), "seaside".to_owned())]);
        wanted(&config, features, "11", &rooms)
    }

    #[test]
    fn a_channel_hears_what_needs_no_scope_and_what_its_features_need() {
        let kinds = |all: Vec<WantedType>| all.into_iter().map(|it| it.kind).collect::<Vec<_>>();
        assert_eq!(kinds(of(false, &[])).len(), 7);
        let follows = of(false, &[Feature::Follows]);
        let follow = follows.iter().find(|it| it.kind == "channel.follow").unwrap();
        let condition = json!({ "broadcaster_user_id": "11", "moderator_user_id": "11" });
        assert_eq!((Value::Object(follow.condition()), follow.version), (condition, "2"));
        let raid = follows.iter().find(|it| it.kind == "channel.raid").unwrap();
        assert_eq!(Value::Object(raid.condition()), json!({ "to_broadcaster_user_id": "11" }));
        assert_eq!(kinds(of(true, &[Feature::Say])), Vec::<&str>::new());
        assert_eq!(kinds(of(true, &[Feature::Chat])).len(), 5);
    }
}
