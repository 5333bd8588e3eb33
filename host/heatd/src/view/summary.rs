//! Events for people: a line of chat as it is, anything else as a sentence.

use std::time::Duration;

use heat_engine::wit::{Happening, HypeTrain, HypeTrainStage, MqttMessage, Person, Tier};
use serde::Serialize;

use crate::view::gaps::words;

/// How much of an MQTT message's payload is shown, in characters.
const LONGEST_PAYLOAD: usize = 100;

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Summary {
    /// A line of chat. The text is unfiltered: a program that shows it on a terminal must remove control characters.
    /// `id` is Twitch's id of the line.
    Chat { id: String, name: String, login: String, text: String },
    /// Anything else: which kind it is of, and a sentence.
    Event { event: &'static str, text: String },
}

impl Summary {
    /// None for timers of rules and for faves: the rules' own entries show those.
    pub(crate) fn of(what: &Happening) -> Option<Self> {
        let event = |event, text| Some(Self::Event { event, text });
        match what {
            Happening::Chat(line) => Some(Self::Chat {
                id: line.message.clone(),
                name: line.person.name.clone(),
                login: line.person.login.clone(),
                text: line.text.clone(),
            }),
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
            Happening::Command(_) | Happening::Timer(_) | Happening::Fave(_) => None,
        }
    }

    /// Chat was not heard for a while.
    pub(crate) fn gap(long: Duration) -> Self {
        let text = format!("chat was away for {}: lines in between are missing", words(long));
        Self::Event { event: "gap", text }
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
        match Summary::of(what) {
            Some(Summary::Event { text, .. }) => text,
            other => panic!("{other:?}"),
        }
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
        assert_eq!(Summary::of(&Happening::Timer("cool".to_owned())), None);
    }
}
