//! Mutations of seeds, by chance from a fixed seed.

use fastrand::Rng;

/// An input grows no longer than this.
const LONGEST: usize = 16 << 10;

/// Numbers at which programs err, as text and as bytes.
const NUMBERS: [u64; 10] = [
    0,
    1,
    127,
    255,
    65_535,
    i32::MAX as u64,
    u32::MAX as u64,
    (1 << 53) + 1,
    i64::MAX as u64,
    u64::MAX,
];

/// Makes inputs of seeds and words.
pub(super) struct Mutator<'a> {
    random: Rng,
    seeds: Vec<&'a [u8]>,
    words: &'a [&'a str],
}

impl<'a> Mutator<'a> {
    pub(super) fn new(name: &str, seeds: Vec<&'a [u8]>, words: &'a [&'a str]) -> Self {
        let seed = name.bytes().fold(7, |sum: u64, byte| {
            sum.wrapping_mul(0x100_0000_01b3).wrapping_add(u64::from(byte))
        });
        Self { random: Rng::with_seed(seed), seeds, words }
    }

    /// A seed with one to eight changes.
    pub(super) fn next(&mut self) -> Vec<u8> {
        let mut input = self.seed().to_vec();
        for _ in 0..=self.random.usize(..8) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn seed(&mut self) -> &'a [u8] {
        if self.seeds.is_empty() { &[] } else { self.seeds[self.random.usize(..self.seeds.len())] }
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let here = self.random.usize(..=input.len());
        let length = self.random.usize(..=(input.len() - here).min(32));
        match self.random.u8(..10) {
            0 => drop(input.drain(here..here + length)),
            1 => {
                let piece = input[here..here + length].to_vec();
                let times = if self.random.u8(..20) == 0 { 300 } else { 2 };
                input.splice(here..here, piece.repeat(times));
            }
            2 | 3 if here < input.len() => input[here] ^= 1 << self.random.u8(..8),
            4 if here < input.len() => input[here] = self.random.u8(..),
            5 => input.insert(here, self.random.u8(..)),
            6 => {
                let number = NUMBERS[self.random.usize(..NUMBERS.len())];
                let bytes = match self.random.u8(..3) {
                    0 => number.to_string().into_bytes(),
                    1 => format!("-{number}").into_bytes(),
                    _ => number.to_le_bytes()[..1 << self.random.u8(..4)].to_vec(),
                };
                input.splice(here..here + length, bytes);
            }
            7 => {
                let other = self.seed();
                let from = self.random.usize(..=other.len());
                input.splice(here.., other[from..].iter().copied());
            }
            _ if !self.words.is_empty() => {
                let word = self.words[self.random.usize(..self.words.len())];
                let end = if self.random.bool() { here + length } else { here };
                input.splice(here..end, word.bytes());
            }
            _ => {}
        }
    }
}
