//! The people of some seconds, each counted once.

use heat_rule::state::Stored;

use crate::past::Usual;
use crate::words::Words;

/// How many bytes of marks there are, eight people each. Two people of one mark count as one: of 200 people some five are lost, in every bucket alike,
/// and the value stays small however many come.
const MARKS: usize = 512;

pub(crate) struct Bucket {
    /// How many buckets were before it, since 1970.
    pub(crate) number: u64,
    pub(crate) people: u64,
    pub(crate) usual: Usual,
    pub(crate) words: Words,
    marks: Vec<u8>,
}

impl Bucket {
    pub(crate) fn new(number: u64, usual: Usual, words: Words) -> Self {
        Self { number, people: 0, usual, words, marks: vec![0; MARKS] }
    }

    /// Counts a person. False for one who is counted already.
    pub(crate) fn add(&mut self, id: &str) -> bool {
        let place = mark(id) % (MARKS * 8);
        let bit = 1 << (place % 8);
        if self.marks[place / 8] & bit != 0 {
            return false;
        }
        self.marks[place / 8] |= bit;
        self.people += 1;
        true
    }

    /// Whether there are more people than usual, by far.
    pub(crate) fn is_unusual(&self) -> bool {
        self.usual.bound > 0 && self.people >= self.usual.bound
    }
}

/// FNV-1a: the same on every machine, and spread evenly also for ids that are numbers in a row.
fn mark(id: &str) -> usize {
    let hash = id
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash as usize
}

impl Stored for Bucket {
    fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.number, self.people, self.usual.bound, self.usual.people];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        bytes.extend(&self.marks);
        bytes.extend(self.words.to_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.split_at_checked(32)?;
        let (marks, words) = rest.split_at_checked(MARKS)?;
        let number = |place: usize| u64::from_bytes(&numbers[place * 8..place * 8 + 8]);
        let usual = Usual { bound: number(2)?, people: number(3)? };
        Some(Self {
            number: number(0)?,
            people: number(1)?,
            usual,
            words: Words::from_bytes(words)?,
            marks: marks.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_count_once_and_few_are_lost() {
        let mut bucket = Bucket::new(0, Usual::default(), Words::default());
        for _ in 0..3 {
            (0..200).for_each(|id| {
                bucket.add(&format!("{}", 40_000_000 + id));
            });
        }
        assert!((190..=200).contains(&bucket.people), "{}", bucket.people);
        let kept = Bucket::from_bytes(&bucket.to_bytes()).unwrap();
        assert_eq!((kept.people, kept.marks), (bucket.people, bucket.marks));
    }
}
