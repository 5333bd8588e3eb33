//! How much state a rule keeps.

/// How much state a rule keeps in a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StateUse {
    pub(crate) keys: u64,
    /// Of keys and values.
    pub(crate) bytes: u64,
}

impl StateUse {
    /// Counts a value of a key that takes the place of another.
    pub(crate) fn replace(&mut self, key: usize, before: Option<usize>, after: Option<usize>) {
        if let Some(before) = before {
            self.keys -= 1;
            self.bytes -= (key + before) as u64;
        }
        if let Some(after) = after {
            self.keys += 1;
            self.bytes += (key + after) as u64;
        }
    }
}
