//! Any bytes as choices: how a target that wants values, and not text, makes them of an input.

/// Takes choices off the front of an input. When it is used up, every choice is the first one.
#[derive(Debug, Clone)]
pub struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    /// The choices of an input.
    pub fn of(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// Whether nothing is left to choose by.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// A number below this one, which is at most 256.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.clamp(1, 256)
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// A number: often small, sometimes at an edge, sometimes anything.
    pub fn number(&mut self) -> i64 {
        match self.below(4) {
            0 => i64::from(self.byte()),
            1 => -i64::from(self.byte()),
            2 => self.pick(&[i64::MIN, i64::MAX, 1_000, 1_000_000_000, 1_000_000_001, 1 << 53]),
            _ => i64::from_le_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    /// So many bytes, as far as there are any.
    pub fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (bytes, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        bytes
    }

    /// A text: short, sometimes very long, of any characters.
    pub fn text(&mut self) -> String {
        let length = self.below(24);
        let text = String::from_utf8_lossy(self.bytes(length)).into_owned();
        // Just below, at and beyond the limits of the engine.
        let times = self.pick(&[1, 1, 1, 1, 1, 1, 25, 50, 300]);
        text.repeat(times)
    }
}
