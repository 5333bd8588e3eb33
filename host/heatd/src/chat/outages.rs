//! Outages: channels that are not heard at the moment, and since when. Twitch cannot repeat what was said meanwhile, so a gap is recorded
//! when a channel is heard again.

use std::collections::BTreeMap;

use crate::view::gaps::Since;

/// The channels of one connection, over all its attempts. Pure: time is an argument.
pub(super) struct Outages(BTreeMap<String, Since>);

impl Outages {
    /// No channel is known yet.
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// A channel is no longer heard. If it was not heard before, the earlier time holds.
    pub(super) fn lost(&mut self, channel: &str, from: u64, why: &str) {
        self.0.entry(channel.to_owned()).or_insert_with(|| (from, why.to_owned()));
    }

    /// A channel is heard again. Returns since when it was not; None if it is heard for the first time.
    pub(super) fn heard(&mut self, channel: &str) -> Option<Since> {
        self.0.remove(channel)
    }

    /// A channel is no longer wanted, so its gap is not recorded.
    pub(super) fn forget(&mut self, channel: &str) {
        self.0.remove(channel);
    }

    /// Takes out every channel that is not heard.
    pub(super) fn take_all(&mut self) -> BTreeMap<String, Since> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_begins_with_the_first_loss_and_ends_with_the_first_word() {
        let mut away = Outages::new();
        away.lost("seaside", 5, "stopped");
        away.lost("gone", 5, "stopped");
        away.forget("gone");
        away.lost("seaside", 9, "closed");
        assert_eq!(away.heard("seaside"), Some((5, "stopped".to_owned())));
        assert_eq!((away.heard("seaside"), away.heard("new")), (None, None));
        away.lost("new", 20, "closed");
        away.lost("new", 30, "silent");
        assert_eq!(
            away.take_all(),
            BTreeMap::from([("new".to_owned(), (20, "closed".to_owned()))])
        );
        assert_eq!(away.heard("gone"), None);
    }
}
