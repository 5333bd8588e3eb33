//! Events for people: a line of chat as it is, anything else as a sentence.

use std::time::Duration;

use heat_engine::Provider;
use heat_engine::wit::{
    ChatLine, Emote, Happening, HypeTrain, HypeTrainStage, MqttMessage, Person, Tier,
};
use serde::Serialize;

use crate::view::colours::Colours;
use crate::view::gaps::words;

/// How much of an MQTT message's payload is shown, in characters.
const LONGEST_PAYLOAD: usize = 100;

/// One event. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Summary {
    /// A line of chat.
    Chat(Box<ChatEntry>),
    /// Anything else: which kind it is of, when it was, and a sentence.
    Event { event: &'static str, at: u64, text: String },
}

/// A line of chat. The text is unfiltered: a program that shows it on a terminal must remove control characters. What there is none of is left
/// out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ChatEntry {
    /// Twitch's id of the line.
    pub(crate) id: String,
    pub(crate) at: u64,
    pub(crate) name: String,
    pub(crate) login: String,
    pub(crate) text: String,
    /// What the person is in the channel: `broadcaster`, `moderator`, `vip`, `subscriber`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) badges: Vec<&'static str>,
    /// The colour of the name, as `#FF69B4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) colour: Option<String>,
    /// The emotes in the text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) emotes: Vec<EmotePlace>,
    /// Login of whom the line answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply_to: Option<String>,
    /// The channel where the line was written, in a shared chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shared_from: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) bits: u32,
    /// The person's first line in the channel ever.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) first: bool,
    /// Moderators have removed it.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) removed: bool,
}

/// An emote in a text: where it stands, from and to behind, in code points, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EmotePlace {
    from: u32,
    to: u32,
    provider: &'static str,
    /// The provider's id of it.
    id: String,
}

impl From<&Emote> for EmotePlace {
    fn from(emote: &Emote) -> Self {
        let provider = Provider::from(emote.provider).name();
        Self { from: emote.start, to: emote.end, provider, id: emote.id.clone() }
    }
}

fn is_zero(bits: &u32) -> bool {
    *bits == 0
}

fn is_false(value: &bool) -> bool {
    !*value
}

impl ChatEntry {
    fn of(line: &ChatLine, at: u64, colours: &Colours) -> Self {
        let standing = &line.standing;
        let badges = [
            (standing.broadcaster, "broadcaster"),
            (standing.moderator, "moderator"),
            (standing.vip, "vip"),
            (standing.subscription.is_some(), "subscriber"),
        ];
        Self {
            id: line.message.clone(),
            at,
            name: line.person.name.clone(),
            login: line.person.login.clone(),
            text: line.text.clone(),
            badges: badges.into_iter().filter(|it| it.0).map(|it| it.1).collect(),
            colour: colours.of(&line.person.id),
            emotes: line.emotes.iter().map(EmotePlace::from).collect(),
            reply_to: line.reply_to.clone(),
            shared_from: line.shared_from.clone(),
            bits: line.bits,
            first: standing.first_message,
            removed: false,
        }
    }
}

impl Summary {
    /// None for timers of rules and for faves: the rules' own entries show those.
    pub(crate) fn of(what: &Happening, at: u64, colours: &Colours) -> Option<Self> {
        match what {
            Happening::Chat(line) => Some(Self::Chat(Box::new(ChatEntry::of(line, at, colours)))),
            _ => {
                let (event, text) = sentence(what)?;
                Some(Self::Event { event, at, text })
            }
        }
    }

    /// Chat was not heard for a while, until now.
    pub(crate) fn gap(long: Duration, at: u64) -> Self {
        let text = format!("chat was away for {}: lines in between are missing", words(long));
        Self::Event { event: "gap", at, text }
    }
}

/// The kind of what happened, and a sentence that tells it. None for lines of chat, timers of rules, and faves.
pub(crate) fn sentence(what: &Happening) -> Option<(&'static str, String)> {
    let event = |event, text| Some((event, text));
    match what {
        Happening::Subscription(sub) => {
            let again = if sub.renewed { " again" } else { "" };
            let months = match sub.months {
                0 | 1 => String::new(),
                months => format!(", {months} months in all"),
            };
            let (who, tier) = (&sub.person.name, tier(sub.tier));
            let text = format!("{who} subscribes{again} {tier}{months}");
            event("subscription", said(text, &sub.text))
        }
        Happening::Gift(gift) => {
            let (giver, tier) = (somebody(gift.person.as_ref()), tier(gift.tier));
            let what = match (gift.count, &gift.receiver) {
                (1, Some(receiver)) => format!("a subscription to {}", receiver.name),
                (1, None) => "a subscription".to_owned(),
                (count, _) => format!("{count} subscriptions"),
            };
            event("gift", format!("{giver} gives {what} {tier}"))
        }
        Happening::Cheer(cheer) => {
            let text =
                format!("{} cheers with {} bits", somebody(cheer.person.as_ref()), cheer.bits);
            event("cheer", said(text, &cheer.text))
        }
        Happening::Raid(raid) => {
            let (name, viewers) = (&raid.person.name, raid.viewers);
            event("raid", format!("{name} raids with {viewers} viewers"))
        }
        Happening::Follow(person) => event("follow", format!("{} follows", person.name)),
        Happening::Redemption(taken) => {
            let (name, reward, cost) = (&taken.person.name, &taken.reward, taken.cost);
            let text = format!("{name} takes {reward:?} for {cost} points");
            event("redemption", said(text, &taken.text))
        }
        Happening::HypeTrain(train) => event("hype-train", hype_train(train)),
        Happening::StreamStart => event("stream-start", "the stream starts".to_owned()),
        Happening::StreamEnd => event("stream-end", "the stream ends".to_owned()),
        Happening::Mqtt(message) => event("mqtt", mqtt(message)),
        Happening::Chat(_) | Happening::Command(_) | Happening::Timer(_) | Happening::Fave(_) => {
            None
        }
    }
}

fn somebody(person: Option<&Person>) -> &str {
    person.map_or("somebody", |person| &person.name)
}

fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Prime => "with Prime",
        Tier::One => "of tier 1",
        Tier::Two => "of tier 2",
        Tier::Three => "of tier 3",
    }
}

fn said(sentence: String, text: &str) -> String {
    if text.is_empty() { sentence } else { format!("{sentence}: {text}") }
}

fn hype_train(train: &HypeTrain) -> String {
    let HypeTrain { level, points, goal, .. } = train;
    match train.stage {
        HypeTrainStage::Begin => format!("a hype train starts, level {level}, {points} of {goal}"),
        HypeTrainStage::Progress => format!("hype train: level {level}, {points} of {goal}"),
        HypeTrainStage::End => format!("the hype train ends on level {level}"),
    }
}

fn mqtt(message: &MqttMessage) -> String {
    let payload = String::from_utf8_lossy(&message.payload);
    let cut = match payload.char_indices().nth(LONGEST_PAYLOAD) {
        Some((end, _)) => format!("{}…", &payload[..end]),
        None => payload.into_owned(),
    };
    format!("message on {}: {cut}", message.topic)
}

#[cfg(test)]
mod tests {
    use heat_engine::wit::{Gift, Raid, Subscription};

    use super::*;

    fn person(name: &str) -> Person {
        Person { id: "1".to_owned(), login: name.to_lowercase(), name: name.to_owned() }
    }

    fn sentence(what: &Happening) -> String {
        super::sentence(what).map(|(_, text)| text).unwrap_or_default()
    }

    #[test]
    fn each_event_is_one_sentence() {
        let sub = Subscription {
            person: person("Ann"),
            tier: Tier::Two,
            months: 7,
            renewed: true,
            text: "hi".to_owned(),
        };
        assert_eq!(
            sentence(&Happening::Subscription(sub)),
            "Ann subscribes again of tier 2, 7 months in all: hi"
        );
        let gift = |count, receiver| {
            Happening::Gift(Gift { person: None, tier: Tier::One, count, receiver })
        };
        assert_eq!(sentence(&gift(5, None)), "somebody gives 5 subscriptions of tier 1");
        assert_eq!(
            sentence(&gift(1, Some(person("Bob")))),
            "somebody gives a subscription to Bob of tier 1"
        );
        let raid = Raid { person: person("Cat"), viewers: 120 };
        assert_eq!(sentence(&Happening::Raid(raid)), "Cat raids with 120 viewers");
    }

    #[test]
    fn a_long_payload_is_cut_and_bad_bytes_are_no_panic() {
        let payload = [b"\xFF".to_vec(), "ä".repeat(1000).into_bytes()].concat();
        let message = MqttMessage { topic: "deck/fave".to_owned(), payload, retained: false };
        let text = sentence(&Happening::Mqtt(message));
        assert!(text.chars().count() < 130 && text.ends_with('…'), "{text}");
    }

    #[test]
    fn timers_and_faves_are_not_told() {
        assert_eq!(Summary::of(&Happening::Timer("cool".to_owned()), 0, &Colours::default()), None);
    }
}
