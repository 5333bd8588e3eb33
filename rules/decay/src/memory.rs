//! All that the rule remembers, in one value of the state.

use heat_rule::state::Stored;
use heat_rule::{Entry, Timestamp};

use crate::MEMORY;

/// What the rule remembers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Memory {
    /// The heat as it was at `at`.
    pub(crate) heat: f64,
    pub(crate) at: Timestamp,
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

impl Memory {
    /// Of a channel without faves.
    pub(crate) fn new(heat: f64, at: Timestamp) -> Self {
        let (record, ended, wakes) = (0, 0, 0);
        Self { heat, at, record, ended, wakes, shown: (0, 0), outputs: String::new() }
    }

    /// Sets the heat as it is now.
    pub(crate) fn set(&mut self, heat: f64, now: Timestamp) {
        (self.heat, self.at) = (heat, now);
    }
}

impl Stored for Memory {
    fn to_bytes(&self) -> Vec<u8> {
        let (shown, shown_record) = self.shown;
        let numbers = [self.at, self.record, self.ended, self.wakes, shown, shown_record];
        let mut bytes = Vec::with_capacity(56 + self.outputs.len());
        bytes.extend(self.heat.to_le_bytes());
        numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend(self.outputs.as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (heat, rest) = bytes.split_first_chunk::<8>()?;
        let (numbers, outputs) = rest.split_first_chunk::<48>()?;
        let number = |place: usize| u64::from_bytes(&numbers[place * 8..place * 8 + 8]);
        Some(Self {
            heat: f64::from_le_bytes(*heat),
            at: number(0)?,
            record: number(1)?,
            ended: number(2)?,
            wakes: number(3)?,
            shown: (number(4)?, number(5)?),
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
        memory.outputs = "heat\nlevel\n\nwarm".to_owned();
        assert_eq!(Memory::from_bytes(&memory.to_bytes()), Some(memory));
        assert_eq!(Memory::from_bytes(b"short"), None);
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
