//! What a notification is: an event for rules, something for people, or nothing. Pure. Facts: dev.twitch.tv/docs/eventsub/eventsub-reference.
//!
//! Fields are read one by one. A notification that lacks what its event needs is one that is not known, and is told so.

use heat_engine::wit::{
    Cheer, Gift, Happening, HypeTrain, HypeTrainStage, Raid, Redemption, Subscription,
};

use super::fields::Fields;
use super::frame::Notification;
use super::said::line;

/// What became of a notification.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decoded {
    /// An event of a channel, by the channel's id. `only_here`: chat never tells it, though it tells others of its kind.
    Event { channel: String, id: String, what: Box<Happening>, only_here: bool },
    /// Lines of chat that are gone: one by its id, all of a person by their login, or all.
    Deleted { channel: String, message: Option<String>, person: Option<String> },
    /// The stream's title and category.
    Title { channel: String, title: String, category: String },
    /// Known, and of no use for rules: why.
    Passed(&'static str),
    /// Not known, or without what it needs.
    Unknown,
}

/// Kinds that are known and tell rules nothing.
const PASSED: [(&str, &str); 5] = [
    ("channel.subscription.end", "rules are not told of it"),
    ("channel.chat.notification", "chat tells it"),
    ("channel.shared_chat.begin", "lines of a shared chat say so themselves"),
    ("channel.shared_chat.update", "lines of a shared chat say so themselves"),
    ("channel.shared_chat.end", "lines of a shared chat say so themselves"),
];

pub(super) fn told(notification: &Notification) -> Decoded {
    let kind = notification.kind.as_str();
    match PASSED.iter().find(|(it, _)| *it == kind) {
        Some((_, why)) => Decoded::Passed(why),
        None => {
            decoded(kind, notification, Fields(&notification.event)).unwrap_or(Decoded::Unknown)
        }
    }
}

fn decoded(kind: &str, notification: &Notification, event: Fields<'_>) -> Option<Decoded> {
    let channel = match kind {
        "channel.raid" => event.text("to_broadcaster_user_id")?,
        _ => event.text("broadcaster_user_id")?,
    };
    let with_id = |id: Option<String>, what| {
        // What has an id of its own keeps it: the same thing told by two subscriptions is one.
        let id = id.unwrap_or_else(|| notification.id.clone());
        // A power-up is bits without a line.
        let only_here =
            kind == "channel.bits.use" && event.text("type").as_deref() != Some("cheer");
        Some(Decoded::Event { channel: channel.clone(), id, what: Box::new(what), only_here })
    };
    let happened = |what| with_id(None, what);
    let reward = event.inside("reward");
    match kind {
        "channel.follow" => happened(Happening::Follow(event.person("user")?)),
        // A gift is told by itself.
        "channel.subscribe" if event.flag("is_gift") => {
            Some(Decoded::Passed("the gift is told by itself"))
        }
        "channel.subscribe" => happened(subscription(event, false)?),
        "channel.subscription.message" => happened(subscription(event, true)?),
        "channel.subscription.gift" => happened(gift(event)?),
        "channel.cheer" | "channel.bits.use" => happened(cheer(event)?),
        "channel.raid" => happened(Happening::Raid(Raid {
            person: event.person("from_broadcaster_user")?,
            viewers: event.number("viewers")?,
        })),
        "channel.channel_points_custom_reward_redemption.add" => {
            let (title, id) = (reward.text("title")?, reward.text("id")?);
            with_id(event.text("id"), redemption(event, title, id)?)
        }
        "channel.channel_points_automatic_reward_redemption.add" => {
            // These have no title and no id: their type stands for both.
            let name = reward.text("type")?;
            with_id(event.text("id"), redemption(event, name.clone(), name)?)
        }
        "channel.hype_train.begin" => happened(train(event, HypeTrainStage::Begin)?),
        "channel.hype_train.progress" => happened(train(event, HypeTrainStage::Progress)?),
        "channel.hype_train.end" => happened(train(event, HypeTrainStage::End)?),
        "stream.online" if event.text("type").is_none_or(|it| it == "live") => {
            happened(Happening::StreamStart)
        }
        // A rerun, say.
        "stream.online" => Some(Decoded::Passed("it is not live")),
        "stream.offline" => happened(Happening::StreamEnd),
        "channel.chat.message" => {
            let id = event.text("source_message_id").or_else(|| event.text("message_id"))?;
            with_id(Some(id), Happening::Chat(line(event)?))
        }
        "channel.update" => Some(Decoded::Title {
            title: event.text("title").unwrap_or_default(),
            category: event.text("category_name").unwrap_or_default(),
            channel,
        }),
        "channel.chat.clear" => Some(Decoded::Deleted { channel, message: None, person: None }),
        "channel.chat.clear_user_messages" => Some(Decoded::Deleted {
            person: Some(event.text("target_user_login")?),
            channel,
            message: None,
        }),
        "channel.ban" => Some(Decoded::Deleted {
            person: Some(event.text("user_login")?),
            channel,
            message: None,
        }),
        "channel.chat.message_delete" => Some(Decoded::Deleted {
            message: Some(event.text("message_id")?),
            channel,
            person: None,
        }),
        _ => None,
    }
}

fn subscription(event: Fields<'_>, renewed: bool) -> Option<Happening> {
    Some(Happening::Subscription(Subscription {
        person: event.person("user")?,
        tier: event.tier("tier"),
        months: event.number("cumulative_months").unwrap_or(0),
        renewed,
        text: event.inside("message").text("text").unwrap_or_default(),
    }))
}

fn gift(event: Fields<'_>) -> Option<Happening> {
    Some(Happening::Gift(Gift {
        person: event.person("user").filter(|_| !event.flag("is_anonymous")),
        tier: event.tier("tier"),
        count: event.number("total").filter(|count| *count > 0)?,
        receiver: None,
    }))
}

/// Bits of any kind: cheers, and since 2025 power-ups, which no line of chat carries.
fn cheer(event: Fields<'_>) -> Option<Happening> {
    let message = event.inside("message");
    Some(Happening::Cheer(Cheer {
        person: event.person("user").filter(|_| !event.flag("is_anonymous")),
        bits: event.number("bits").filter(|bits| *bits > 0)?,
        // The older kind has the text itself.
        text: message.text("text").or_else(|| event.text("message")).unwrap_or_default(),
    }))
}

fn redemption(event: Fields<'_>, title: String, id: String) -> Option<Happening> {
    let reward = event.inside("reward");
    // Version 2 of the automatic kind names it otherwise.
    let cost = reward.number("cost").or_else(|| reward.number("channel_points"));
    let said = || event.inside("message").text("text");
    Some(Happening::Redemption(Redemption {
        person: event.person("user")?,
        reward: title,
        reward_id: id,
        cost: cost.unwrap_or(0),
        text: event.text("user_input").or_else(said).unwrap_or_default(),
    }))
}

fn train(event: Fields<'_>, stage: HypeTrainStage) -> Option<Happening> {
    let points = event.number("progress").or_else(|| event.number("total"));
    Some(Happening::HypeTrain(HypeTrain {
        train: event.text("id")?,
        stage,
        level: event.number("level").unwrap_or(1).max(1),
        points: points.map_or(0, u64::from),
        goal: event.number("goal").map_or(0, u64::from),
    }))
}

#[cfg(test)]
mod tests;
