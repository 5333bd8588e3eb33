//! The declared source of each kind of fact. docs/sources.md has it as a table, and a test holds that against this.

use heat_engine::wit::Happening;

/// Who is believed about a kind of fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FactSource {
    /// Chat alone tells it.
    Chat,
    /// EventSub alone tells it.
    EventSub,
    /// Both tell it. Chat is believed while it is heard, EventSub otherwise.
    ChatThenEventSub,
    /// Neither: it comes from elsewhere.
    Elsewhere,
}

/// Who is believed about this.
pub(crate) fn source(what: &Happening) -> FactSource {
    match what {
        Happening::Chat(_)
        | Happening::Subscription(_)
        | Happening::Gift(_)
        | Happening::Cheer(_)
        | Happening::Raid(_) => FactSource::ChatThenEventSub,
        Happening::Command(_) => FactSource::Chat,
        Happening::Follow(_) | Happening::Redemption(_) | Happening::HypeTrain(_) => {
            FactSource::EventSub
        }
        // Get Streams tells them, too, and people: the state of the stream decides what is new.
        Happening::StreamStart | Happening::StreamEnd => FactSource::EventSub,
        Happening::Mqtt(_) | Happening::Timer(_) | Happening::Fave(_) => FactSource::Elsewhere,
    }
}

/// What makes two tellings one fact, beside the time at which it happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum FactKey {
    /// A line has the same id everywhere.
    Line(String),
    Subscription(String),
    /// Who gives how many; no id for somebody without a name.
    Gift(Option<String>, u32),
    Cheer(Option<String>, u32),
    Raid(String),
}

/// What makes this one fact with what the other source tells; none for what only one tells.
pub(super) fn key(id: &str, what: &Happening) -> Option<FactKey> {
    Some(match what {
        Happening::Chat(_) => FactKey::Line(id.to_owned()),
        Happening::Subscription(it) => FactKey::Subscription(it.person.id.clone()),
        Happening::Gift(it) => FactKey::Gift(it.person.as_ref().map(|it| it.id.clone()), it.count),
        Happening::Cheer(it) => FactKey::Cheer(it.person.as_ref().map(|it| it.id.clone()), it.bits),
        Happening::Raid(it) => FactKey::Raid(it.person.id.clone()),
        _ => return None,
    })
}

impl FactKey {
    /// Whether the key alone decides, whatever the times are.
    pub(super) fn is_exact(&self) -> bool {
        matches!(self, Self::Line(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of docs/sources.md: the kind of event, and who is believed.
    fn documented() -> Vec<(String, String)> {
        let page = include_str!("../../../../docs/sources.md");
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        let mut found = Vec::new();
        for row in rows {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            for kind in cells[1].split(':').next().unwrap().split(", ") {
                found.push((kind.trim_matches('`').to_owned(), cells[4].to_owned()));
            }
        }
        found
    }

    #[test]
    fn the_page_says_who_is_believed() {
        let words = |source: FactSource| match source {
            FactSource::Chat => "chat",
            FactSource::EventSub => "EventSub",
            FactSource::ChatThenEventSub => "chat, then EventSub",
            FactSource::Elsewhere => "neither",
        };
        let mut told: Vec<_> = examples()
            .iter()
            .map(|event| {
                (heat_engine::kind_of(event).to_owned(), words(source(&event.what)).to_owned())
            })
            .collect();
        told.retain(|(_, words)| words != "neither");
        let mut documented = documented();
        told.sort();
        documented.sort();
        assert_eq!(told, documented);
    }

    /// One of each kind.
    fn examples() -> Vec<heat_engine::wit::Event> {
        use heat_engine::cases::chat_line;
        use heat_engine::wit::{
            Cheer, Command, Event, Gift, HypeTrain, HypeTrainStage, Raid, Redemption, Subscription,
            Tier,
        };
        let line = chat_line("ann", "hi").unwrap();
        let (person, text) = (line.person.clone(), String::new());
        let (name, arguments) = ("?fave".to_owned(), String::new());
        let train = HypeTrain {
            train: "t".to_owned(),
            stage: HypeTrainStage::Begin,
            level: 1,
            points: 0,
            goal: 1,
        };
        let whats = vec![
            Happening::Chat(line.clone()),
            Happening::Command(Command { name, arguments, line }),
            Happening::Subscription(Subscription {
                person: person.clone(),
                tier: Tier::One,
                months: 1,
                renewed: false,
                text: text.clone(),
            }),
            Happening::Gift(Gift { person: None, tier: Tier::One, count: 1, receiver: None }),
            Happening::Cheer(Cheer { person: None, bits: 1, text: text.clone() }),
            Happening::Raid(Raid { person: person.clone(), viewers: 1 }),
            Happening::Follow(person.clone()),
            Happening::Redemption(Redemption {
                person,
                reward: text.clone(),
                reward_id: text.clone(),
                cost: 1,
                text,
            }),
            Happening::HypeTrain(train),
            Happening::StreamStart,
            Happening::StreamEnd,
            Happening::Timer(String::new()),
        ];
        let event = |what| Event { id: String::new(), channel: String::new(), at: 0, what };
        whats.into_iter().map(event).collect()
    }
}
