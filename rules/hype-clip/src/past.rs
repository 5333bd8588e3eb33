//! How much the people of each bucket before counted, and what is usual by that.

use heat_rule::state::Stored;

use crate::configured::Configured;
use crate::window::ONE;

/// By how much the mean deviation of what is normally distributed is larger than the median of the deviations.
const NORMAL: f64 = 1.4826;

/// What the people of each bucket counted, in tenths, oldest first.
#[derive(Default)]
pub(crate) struct Past(Vec<u16>);

/// What is usual.
#[derive(Default)]
pub(crate) struct Usual {
    /// What is unusual, in tenths. 0 as long as too little is known.
    pub(crate) bound: u64,
    /// How many people there usually are.
    pub(crate) people: u64,
}

impl Past {
    /// Adds a bucket, and as many empty ones behind it; at most `memory` are kept. After a silence as long as that nothing is known.
    pub(crate) fn add(&mut self, counted: u64, empty: u64, memory: usize) {
        if empty >= memory as u64 {
            self.0.clear();
            return;
        }
        self.0.push(u16::try_from(counted).unwrap_or(u16::MAX));
        self.0.extend((0..empty).map(|_| 0));
        let surplus = self.0.len().saturating_sub(memory);
        self.0.drain(..surplus);
    }

    /// What is usual: the median, and above it as many deviations as the settings have. A deviation is never less than chance alone makes it, by
    /// which numbers as small as these are as far from their mean as its root.
    pub(crate) fn usual(&self, settings: &Configured) -> Usual {
        if self.0.len() < settings.warm_up {
            return Usual::default();
        }
        let one = f64::from(ONE);
        let people: Vec<f64> = self.0.iter().map(|counted| f64::from(*counted) / one).collect();
        let usual = median(people.clone());
        let far = median(people.iter().map(|people| (people - usual).abs()).collect());
        let deviation = (NORMAL * far).max(usual.sqrt()).max(1.0);
        let bound = (usual + settings.sensitivity * deviation).max(settings.people as f64);
        Usual { bound: (bound * one).ceil() as u64, people: usual.round() as u64 }
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    match numbers.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => numbers[half],
        _ => (numbers[half - 1] + numbers[half]) / 2.0,
    }
}

impl Stored for Past {
    fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|people| people.to_le_bytes()).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let number = |pair: &[u8]| Some(u16::from_le_bytes(pair.try_into().ok()?));
        bytes.chunks(2).map(number).collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outburst_moves_the_median_little() {
        assert_eq!(median(vec![4.0, 3.0, 5.0, 4.0, 90.0]), 4.0);
        assert_eq!(median(vec![4.0, 3.0]), 3.5);
        assert_eq!(median(Vec::new()), 0.0);
    }

    #[test]
    fn silence_is_past_too_and_a_long_one_forgets() {
        let mut past = Past::default();
        past.add(3, 2, 5);
        past.add(4, 1, 5);
        assert_eq!(past.0, [3, 0, 0, 4, 0]);
        past.add(7, 0, 5);
        assert_eq!(past.0, [0, 0, 4, 0, 7]);
        past.add(1, 5, 5);
        assert!(past.0.is_empty());
    }
}
