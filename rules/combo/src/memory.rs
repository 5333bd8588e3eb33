//! The combo that is under way.

use heat_rule::state::Stored;

/// How many people a combo remembers, so that its value stays small. In a longer one its first people count again.
const REMEMBERED: usize = 200;

/// An emote, and the people who said it one after another.
pub(crate) struct Combo {
    pub(crate) emote: String,
    /// How many there are.
    pub(crate) people: u64,
    /// The ids of the last of them.
    ids: Vec<String>,
}

impl Combo {
    /// One that nobody has joined.
    pub(crate) fn of(emote: &str) -> Self {
        Self { emote: emote.to_owned(), people: 0, ids: Vec::new() }
    }

    /// Counts a person. False for one who is in it.
    pub(crate) fn join(&mut self, id: &str) -> bool {
        if self.ids.iter().any(|other| other == id) {
            return false;
        }
        if self.ids.len() == REMEMBERED {
            self.ids.remove(0);
        }
        self.ids.push(id.to_owned());
        self.people += 1;
        true
    }
}

impl Stored for Combo {
    fn to_bytes(&self) -> Vec<u8> {
        (self.emote.clone(), (self.people, self.ids.clone())).to_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (emote, (people, ids)) = Stored::from_bytes(bytes)?;
        Some(Self { emote, people, ids })
    }
}
