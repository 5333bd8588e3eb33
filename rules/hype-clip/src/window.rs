//! The people of the last seconds, each counted once, by what they wrote.

use heat_rule::state::Stored;

use crate::past::Usual;
use crate::words::Words;

/// How many people are kept. Where more write, every second is left out and the others count twice, and so on: what is kept stays small however many come.
const MOST: usize = 256;

/// Fewer than this, and all of them are counted again.
const FEW: usize = 64;

/// The unit of time in which it is kept when somebody wrote, in milliseconds.
const TICK: u64 = 20;

/// What somebody counts who just writes. Weights are in tenths of it.
pub(crate) const ONE: u8 = 10;

/// Somebody who wrote.
struct Seen {
    /// When last, in ticks, from the beginning again after 65,536.
    at: u16,
    /// Two people of one mark count as one: of 200 some are lost, always alike.
    mark: u16,
    /// What they count, by the weightiest line.
    weight: u8,
}

pub(crate) struct Window {
    /// How many stretches as long as the window were before it, since 1970.
    pub(crate) number: u64,
    pub(crate) usual: Usual,
    pub(crate) words: Words,
    /// One of 2^shift people is kept.
    shift: u8,
    seen: Vec<Seen>,
}

impl Window {
    pub(crate) fn new(number: u64) -> Self {
        let (usual, words) = (Usual::default(), Words::default());
        Self { number, usual, words, shift: 0, seen: Vec::new() }
    }

    /// Counts a person. False for one who is counted already, or not among those that are kept.
    pub(crate) fn add(&mut self, now: u64, long: u64, id: &str, weight: u8) -> bool {
        self.expire(now, long);
        let (mark, at) = (mark(id), tick(now));
        if !is_kept(mark, self.shift) {
            return false;
        }
        if let Some(seen) = self.seen.iter_mut().find(|seen| seen.mark == mark) {
            *seen = Seen { at, mark, weight: seen.weight.max(weight) };
            return false;
        }
        self.seen.push(Seen { at, mark, weight });
        while self.seen.len() > MOST && self.shift < 8 {
            self.shift += 1;
            self.seen.retain(|seen| is_kept(seen.mark, self.shift));
        }
        true
    }

    /// Ends the stretch of time that this number stands for: what its people counted.
    pub(crate) fn end(&mut self, long: u64) -> u64 {
        self.expire((self.number + 1) * long, long);
        let total = self.total();
        if self.seen.len() < FEW {
            self.shift = self.shift.saturating_sub(1);
        }
        total
    }

    /// What all of them count, in tenths.
    fn total(&self) -> u64 {
        self.seen.iter().map(|seen| u64::from(seen.weight)).sum::<u64>() << self.shift
    }

    /// How many people there are.
    pub(crate) fn people(&self) -> u64 {
        (self.seen.len() as u64) << self.shift
    }

    /// Whether they count for more than usual, by far.
    pub(crate) fn is_unusual(&self) -> bool {
        self.usual.bound > 0 && self.total() >= self.usual.bound
    }

    fn expire(&mut self, now: u64, long: u64) {
        let (now, long) = (tick(now), (long / TICK) as u16);
        self.seen.retain(|seen| now.wrapping_sub(seen.at) <= long);
    }
}

fn tick(now: u64) -> u16 {
    // What is cut off are turns of the clock.
    (now / TICK) as u16
}

fn is_kept(mark: u16, shift: u8) -> bool {
    mark.trailing_zeros() >= u32::from(shift)
}

/// FNV-1a: the same on every machine, and spread evenly also for ids that are numbers in a row.
fn mark(id: &str) -> u16 {
    let hash = id
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 16)) as u16
}

impl Stored for Window {
    fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.number, self.usual.bound, self.usual.people, self.seen.len() as u64];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        bytes.push(self.shift);
        for Seen { at, mark, weight } in &self.seen {
            bytes.extend(at.to_le_bytes());
            bytes.extend(mark.to_le_bytes());
            bytes.push(*weight);
        }
        bytes.extend(self.words.to_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.split_at_checked(32)?;
        let number = |place: usize| u64::from_bytes(&numbers[place * 8..place * 8 + 8]);
        let (shift, rest) = rest.split_first()?;
        let (seen, words) =
            rest.split_at_checked(usize::try_from(number(3)?).ok()?.checked_mul(5)?)?;
        let short = |low: u8, high: u8| u16::from_le_bytes([low, high]);
        let read =
            |it: &[u8]| Seen { at: short(it[0], it[1]), mark: short(it[2], it[3]), weight: it[4] };
        Some(Self {
            number: number(0)?,
            usual: Usual { bound: number(1)?, people: number(2)? },
            words: Words::from_bytes(words)?,
            shift: (*shift).min(8),
            seen: seen.chunks_exact(5).map(read).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: u64 = 10_000;

    #[test]
    fn people_count_once_by_their_weightiest_line_and_not_for_longer_than_the_window() {
        let mut window = Window::new(0);
        assert!(window.add(0, LONG, "ann", 3));
        assert!(!window.add(1_000, LONG, "ann", 20) && window.add(2_000, LONG, "bob", ONE));
        assert_eq!((window.people(), window.total()), (2, 30));
        assert!(!window.add(3_000, LONG, "ann", ONE));
        assert_eq!(window.total(), 30);
        let mut kept = Window::from_bytes(&window.to_bytes()).unwrap();
        assert_eq!((kept.people(), kept.total()), (2, 30));
        kept.add(12_500, LONG, "cat", ONE);
        // ann wrote at 3 s, and bob at 2 s.
        assert_eq!((kept.people(), kept.total()), (2, 30));
    }

    #[test]
    fn thousands_of_people_are_counted_about_and_kept_in_little() {
        let mut window = Window::new(0);
        for id in 0..5_000_u64 {
            window.add(id, LONG, &format!("{}", 40_000_000 + id), ONE);
        }
        assert!((4_000..=6_000).contains(&window.people()), "{}", window.people());
        assert!(window.to_bytes().len() < 1_500);
        for stretch in 1..6 {
            window.number = stretch;
            window.end(LONG);
        }
        assert_eq!((window.people(), window.shift), (0, 0));
    }
}
