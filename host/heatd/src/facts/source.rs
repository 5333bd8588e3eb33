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
