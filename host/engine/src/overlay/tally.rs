//! The counts of one channel, as far as they are known without the store.

use super::cache::ReadCache;
use crate::contract::Tally;
use crate::store::counts::TallyKey;

/// The counts of one channel, as far as they are known without the store.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) tallies: ReadCache<TallyKey, Tally>,
    /// By person's id: login and name, as last seen with a fave; none when the person is gone.
    pub(super) names: ReadCache<String, Option<(String, String)>>,
}

impl Counts {
    pub(super) fn written(&mut self) {
        self.tallies.written(|_| true);
        self.names.written(|_| true);
    }

    /// Whether something has to be written.
    pub(super) fn is_changed(&self) -> bool {
        !self.tallies.changes().is_empty() || !self.names.changes().is_empty()
    }
}
