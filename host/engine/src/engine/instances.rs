//! The instances of rules that live on between commits: few, small, and for a short time.
//!
//! To make an instance takes longer than to call it, and faves that come alone have a commit each. The contract gives an instance 64 events; how
//! long it waits for them is the engine's business, and no rule can tell.

use crate::engine::Engine;

/// How long an instance may wait for its next event, in milliseconds.
const REST_MS: u64 = 3_000;

/// How many may wait.
const MOST: usize = 48;

/// How much memory those that wait may have together, in bytes.
const MOST_BYTES: usize = 48 << 20;

impl Engine {
    /// Ends instances that nobody has called for a while, and those that have waited longest where there are too many.
    pub(crate) fn end_rested(&mut self) {
        self.end_uncalled(self.now.saturating_sub(REST_MS));
        if let Some(since) = too_many(self.instances().collect()) {
            self.end_uncalled(since);
        }
    }

    /// Ends all of them.
    pub(crate) fn end_instances(&mut self) {
        self.end_uncalled(u64::MAX);
    }

    /// When [`Engine::fire`] has an instance to end, in milliseconds since 1970.
    pub fn next_rest(&self) -> Option<u64> {
        self.instances().map(|(called_at, _)| called_at.saturating_add(REST_MS)).min()
    }

    fn end_uncalled(&mut self, since: u64) {
        let slots = self.channels.values_mut().flat_map(|channel| &mut channel.slots);
        slots.for_each(|slot| slot.end_uncalled(since));
    }

    fn instances(&self) -> impl Iterator<Item = (u64, usize)> {
        let slots = self.channels.values().flat_map(|channel| &channel.slots);
        slots.flat_map(|slot| slot.instances())
    }
}

/// The time before which an instance must have been called last to be ended. None: all of them may wait.
fn too_many(mut waiting: Vec<(u64, usize)>) -> Option<u64> {
    let all: usize = waiting.iter().map(|(_, bytes)| bytes).sum();
    if waiting.len() <= MOST && all <= MOST_BYTES {
        return None;
    }
    waiting.sort_unstable_by_key(|(since, _)| std::cmp::Reverse(*since));
    let (mut number, mut bytes) = (0, 0_usize);
    let fits = |(_, more): &&(u64, usize)| {
        (number, bytes) = (number + 1, bytes.saturating_add(*more));
        number <= MOST && bytes <= MOST_BYTES
    };
    let stay = waiting.iter().take_while(fits).count();
    waiting.get(stay).map(|(since, _)| *since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_have_waited_longest_make_room() {
        let few: Vec<_> = (0..MOST as u64).map(|at| (at, 1 << 20)).collect();
        assert_eq!(too_many(few.clone()), None);
        let many: Vec<_> = (0..MOST as u64 + 3).map(|at| (at, 1000)).collect();
        assert_eq!(too_many(many), Some(2));
        let large: Vec<_> = few.into_iter().map(|(at, bytes)| (at, bytes * 2)).collect();
        assert_eq!(too_many(large), Some(MOST as u64 / 2 - 1));
        assert_eq!(too_many(vec![(7, MOST_BYTES + 1)]), Some(7), "not even one");
    }
}
