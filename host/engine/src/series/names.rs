//! What is counted, and the number that stands for it in a block.

use std::collections::HashMap;

use redb::{ReadableTable, WriteTransaction};

use crate::contract::EmoteProvider;
use crate::error::StoreError;
use crate::store::snapshot::Snapshot;
use crate::store::tables::NAMES;

/// The kinds below are those of emotes.
const OUTPUT: u8 = 4;

/// The numbers below stand for what every channel has.
const FIRST: u32 = 8;

/// What a series counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// Lines of chat.
    Messages,
    /// Faves.
    Faves,
    /// The last value of an output, in thousandths, where it is a number.
    Output(String),
    /// Uses of an emote.
    Emote(Provider, String),
}

/// Who defined an emote, in the order in which a word is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// Twitch itself.
    Twitch,
    /// FrankerFaceZ.
    FrankerFaceZ,
    /// BetterTTV.
    BetterTtv,
    /// 7TV.
    SevenTv,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Twitch, Self::FrankerFaceZ, Self::BetterTtv, Self::SevenTv];

    /// Its name in queries and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Twitch => "twitch",
            Self::FrankerFaceZ => "ffz",
            Self::BetterTtv => "bttv",
            Self::SevenTv => "7tv",
        }
    }
}

impl From<EmoteProvider> for Provider {
    fn from(provider: EmoteProvider) -> Self {
        match provider {
            EmoteProvider::Twitch => Self::Twitch,
            EmoteProvider::FrankerFaceZ => Self::FrankerFaceZ,
            EmoteProvider::BetterTtv => Self::BetterTtv,
            EmoteProvider::SevenTv => Self::SevenTv,
        }
    }
}

impl What {
    pub(super) const MESSAGES: u32 = 0;
    pub(super) const FAVES: u32 = 1;
}

/// Numbers for names, and back.
#[derive(Debug, Default, Clone)]
pub(crate) struct Names {
    /// By kind.
    numbers: [HashMap<Box<str>, u32>; 5],
    /// From the first number on: what it is, and the provider's id.
    known: Vec<(What, Box<str>)>,
    /// Which of them the store has to be told.
    new: Vec<u32>,
}

impl Names {
    /// Those of the store.
    pub(crate) fn read(snapshot: &Snapshot) -> Result<Self, StoreError> {
        let mut names = Self::default();
        for row in snapshot.tables.names()?.iter()? {
            let (_, value) = row?;
            let (kind, name, id) = value.value();
            names.enter(kind, name, id);
        }
        names.new.clear();
        Ok(names)
    }

    /// The number of an emote. The provider's id is the last one that it was seen with.
    pub(super) fn emote(&mut self, provider: EmoteProvider, name: &str, id: &str) -> u32 {
        let kind = Provider::from(provider) as u8;
        let Some(&number) = self.numbers[usize::from(kind)].get(name) else {
            return self.enter(kind, name, id);
        };
        let known = &mut self.known[(number - FIRST) as usize].1;
        if **known != *id {
            *known = id.into();
            self.new.push(number);
        }
        number
    }

    /// The number of an output.
    pub(super) fn output(&mut self, name: &str) -> u32 {
        match self.numbers[usize::from(OUTPUT)].get(name) {
            Some(&number) => number,
            None => self.enter(OUTPUT, name, ""),
        }
    }

    fn enter(&mut self, kind: u8, name: &str, id: &str) -> u32 {
        let number = FIRST + self.known.len() as u32;
        let what = match Provider::ALL.get(usize::from(kind)) {
            Some(provider) => What::Emote(*provider, name.to_owned()),
            None => What::Output(name.to_owned()),
        };
        let kind = usize::from(kind.min(OUTPUT));
        self.known.push((what, id.into()));
        self.numbers[kind].insert(name.into(), number);
        self.new.push(number);
        number
    }

    /// The number that stands for this, if it was ever counted.
    pub(super) fn number(&self, what: &What) -> Option<u32> {
        match what {
            What::Messages => Some(What::MESSAGES),
            What::Faves => Some(What::FAVES),
            What::Output(name) => self.numbers[usize::from(OUTPUT)].get(name.as_str()).copied(),
            What::Emote(provider, name) => {
                self.numbers[*provider as usize].get(name.as_str()).copied()
            }
        }
    }

    /// What a number stands for, with the provider's id of an emote.
    pub(super) fn what(&self, number: u32) -> Option<(What, &str)> {
        match number {
            What::MESSAGES => Some((What::Messages, "")),
            What::FAVES => Some((What::Faves, "")),
            _ => {
                let (what, id) = self.known.get(number.checked_sub(FIRST)? as usize)?;
                Some((what.clone(), id))
            }
        }
    }

    /// Whether the values of this number replace each other instead of adding up.
    pub(super) fn is_level(&self, number: u32) -> bool {
        let place = number.checked_sub(FIRST).map(|place| place as usize);
        place
            .and_then(|place| self.known.get(place))
            .is_some_and(|(what, _)| matches!(what, What::Output(_)))
    }

    /// Writes those that the store does not have.
    pub(super) fn write(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if self.new.is_empty() {
            return Ok(());
        }
        let mut table = transaction.open_table(NAMES)?;
        for &number in &self.new {
            let Some((what, id)) = self.what(number) else { continue };
            let (kind, name) = match &what {
                What::Emote(provider, name) => (*provider as u8, name.as_str()),
                What::Output(name) => (OUTPUT, name.as_str()),
                What::Messages | What::Faves => continue,
            };
            table.insert(number, (kind, name, id))?;
        }
        Ok(())
    }

    /// The store has them now.
    pub(super) fn written(&mut self) {
        self.new.clear();
    }
}
