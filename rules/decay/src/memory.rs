//! All that the rule remembers, in one value of the state.

use heat_rule::state::Stored;
use heat_rule::{Entry, Timestamp, half_life};

use crate::MEMORY;

/// What the rule remembers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Memory {
    /// The heat as it was at `at`.
    pub(crate) heat: f64,
    pub(crate) at: Timestamp,
    /// The half-life that it has fallen with, in milliseconds; [`UNKNOWN`] for that of the settings.
    pub(crate) half_life: u64,
    /// The greatest heat that was shown.
    pub(crate) record: u64,
    /// When the stream ended; 0 while it runs, or when nobody said.
    pub(crate) ended: Timestamp,
    /// When the timer is set for; 0 when it is not.
    pub(crate) wakes: Timestamp,
    /// The number and the record that are shown.
    pub(crate) shown: (u64, u64),
    /// The names of the outputs that show them and the level, a line each, and behind them the level that is shown. Empty when
    /// nothing is shown yet.
    pub(crate) outputs: String,
}

/// State of version 2 does not say with which half-life.
pub(crate) const UNKNOWN: u64 = u64::MAX;

impl Memory {
    /// Of a channel without faves.
    pub(crate) fn new(heat: f64, at: Timestamp) -> Self {
        let (record, ended, wakes) = (0, 0, 0);
        let (half_life, shown, outputs) = (UNKNOWN, (0, 0), String::new());
        Self { heat, at, half_life, record, ended, wakes, shown, outputs }
    }

    /// What has fallen until now has fallen with the half-life before: another one holds from here on.
    pub(crate) fn settle(&mut self, half_life: u64, now: Timestamp) {
        if self.half_life != half_life && self.half_life != UNKNOWN {
            let age = now.saturating_sub(self.at);
            self.set(half_life::left(self.heat, age, self.half_life), now);
        }
        self.half_life = half_life;
    }

    /// Sets the heat as it is now.
    pub(crate) fn set(&mut self, heat: f64, now: Timestamp) {
        (self.heat, self.at) = (heat, now);
    }
}

impl Stored for Memory {
    fn to_bytes(&self) -> Vec<u8> {
        let (shown, shown_record) = self.shown;
        let numbers =
            [self.at, self.record, self.ended, self.wakes, shown, shown_record, self.half_life];
        let mut bytes = Vec::with_capacity(64 + self.outputs.len());
        bytes.extend(self.heat.to_le_bytes());
        numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend(self.outputs.as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (heat, rest) = bytes.split_first_chunk::<8>()?;
        let (numbers, outputs) = rest.split_first_chunk::<56>()?;
        let number = |place: usize| u64::from_bytes(&numbers[place * 8..place * 8 + 8]);
        Some(Self {
            heat: f64::from_le_bytes(*heat),
            at: number(0)?,
            record: number(1)?,
            ended: number(2)?,
            wakes: number(3)?,
            shown: (number(4)?, number(5)?),
            half_life: number(6)?,
            outputs: String::from_utf8(outputs.to_vec()).ok()?,
        })
    }
}

/// Takes over the state of version 1: the heat and its time under one key, and the name of the output under another.
pub(crate) fn migrate(from: u32, key: String, value: Vec<u8>) -> Result<Vec<Entry>, String> {
    match (from, key.as_str()) {
        (1, "heat") => {
            let (heat, at) = <(f64, u64)>::from_bytes(&value)
                .ok_or("the kept heat is not what version 1 wrote")?;
            let value = Memory::new(heat, at).to_bytes();
            Ok(vec![Entry { key: MEMORY.to_owned(), value }])
        }
        // Shown again with the next fave or timer.
        (1, _) => Ok(Vec::new()),
        // Version 2 lacks the half-life, behind the other numbers.
        (2, MEMORY) => {
            let (numbers, outputs) = value
                .split_first_chunk::<56>()
                .ok_or("the kept heat is not what version 2 wrote")?;
            let value = [&numbers[..], &UNKNOWN.to_le_bytes(), outputs].concat();
            Ok(vec![Entry { key, value }])
        }
        _ => Ok(vec![Entry { key, value }]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_read_as_it_was_written() {
        let mut memory = Memory::new(2.5, 7);
        (memory.record, memory.ended, memory.wakes, memory.shown) = (9, 8, 10, (2, 9));
        (memory.outputs, memory.half_life) = ("heat\nlevel\n\nwarm".to_owned(), 600_000);
        assert_eq!(Memory::from_bytes(&memory.to_bytes()), Some(memory));
        assert_eq!(Memory::from_bytes(b"short"), None);
    }

    #[test]
    fn the_memory_of_version_2_is_taken_over_whatever_it_shows() {
        let mut memory = Memory::new(2.5, 7);
        (memory.record, memory.outputs) = (9, "heat\nlevel\n\nwarm".to_owned());
        let bytes = memory.to_bytes();
        let old = [&bytes[..56], &bytes[64..]].concat();
        let entries = migrate(2, MEMORY.to_owned(), old).unwrap();
        assert_eq!(Memory::from_bytes(&entries[0].value), Some(memory));
        assert!(migrate(2, MEMORY.to_owned(), vec![0; 55]).is_err());
    }

    #[test]
    fn another_half_life_holds_from_now_on() {
        let mut memory = Memory::new(8.0, 0);
        memory.settle(1_000, 0);
        memory.settle(10_000, 2_000);
        assert_eq!((memory.heat, memory.at, memory.half_life), (2.0, 2_000, 10_000));
        memory.settle(10_000, 5_000);
        assert_eq!((memory.heat, memory.at), (2.0, 2_000));
    }

    #[test]
    fn the_heat_of_version_1_is_taken_over() {
        let entries = migrate(1, "heat".to_owned(), (2.5f64, 7u64).to_bytes());
        let value = Memory::new(2.5, 7).to_bytes();
        assert_eq!(entries, Ok(vec![Entry { key: MEMORY.to_owned(), value }]));
        assert_eq!(migrate(1, "output".to_owned(), b"heat".to_vec()), Ok(Vec::new()));
        assert!(migrate(1, "heat".to_owned(), b"heat".to_vec()).is_err());
    }
}
