//! The account of made-up chat: what anyone who reads it must count.

use std::collections::{BTreeMap, BTreeSet};

use crate::recordings::Count;
use crate::twitch::user_id;

/// What the lines made so far must lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    pub messages: usize,
    /// User ids of everyone who wrote.
    pub users: BTreeSet<String>,
    /// The `?fave` commands in their order.
    pub faves: Vec<Fave>,
    words: BTreeMap<String, Uses>,
    emotes: BTreeMap<String, Uses>,
}

/// One `?fave` command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fave {
    /// Id of the message.
    pub message: String,
    pub user: String,
    pub login: String,
    /// What follows the command; empty for a bare one.
    pub item: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Uses {
    uses: usize,
    messages: usize,
    users: BTreeSet<String>,
}

impl Expected {
    /// How often a word stands between spaces, replies' mentions left out.
    pub fn word(&self, word: &str) -> Count {
        self.words.get(word).map(Uses::count).unwrap_or_default()
    }

    /// How often Twitch marked the emote of this name.
    pub fn emote(&self, name: &str) -> Count {
        self.emotes.get(name).map(Uses::count).unwrap_or_default()
    }

    pub(super) fn note(&mut self, id: &str, login: &str, text: &str) {
        let user = user_id(login);
        self.messages += 1;
        self.users.insert(user.clone());
        let words: Vec<&str> = text.split(' ').collect();
        note_uses(&mut self.words, &words, &user);
        let emotes: Vec<&str> =
            words.iter().copied().filter(|word| super::is_emote(word)).collect();
        note_uses(&mut self.emotes, &emotes, &user);
        if words[0] == "?fave" {
            let (message, login, item) = (id.to_owned(), login.to_owned(), words[1..].join(" "));
            self.faves.push(Fave { message, user, login, item });
        }
    }
}

fn note_uses(all: &mut BTreeMap<String, Uses>, words: &[&str], user: &str) {
    let distinct: BTreeSet<&str> = words.iter().copied().collect();
    for word in distinct {
        let uses = all.entry(word.to_owned()).or_default();
        uses.uses += words.iter().filter(|other| **other == word).count();
        uses.messages += 1;
        uses.users.insert(user.to_owned());
    }
}

impl Uses {
    fn count(&self) -> Count {
        Count { uses: self.uses, messages: self.messages, users: self.users.len(), without_id: 0 }
    }
}
