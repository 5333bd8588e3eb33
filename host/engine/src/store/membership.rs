//! Channels that were added or removed while heatd ran, as rows, and which channels hold.
//!
//! A change is kept with whether the configuration named the channel then. As long as it still does, or still does not, the change
//! holds.

use std::collections::BTreeMap;

use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::store::log::decode;
use crate::store::snapshot::Snapshot;

/// That a channel was added or removed while running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelOverride {
    /// Whether it was added; removed otherwise.
    pub added: bool,
    /// Whether the configuration named it at that time.
    pub configured: bool,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// What each slot showed when it was removed: a rule shows only what changes.
    pub(crate) shown: BTreeMap<String, BTreeMap<String, String>>,
}

impl Snapshot {
    /// Every channel that was added or removed while running, by login.
    pub fn channel_overrides(&self) -> Result<BTreeMap<String, ChannelOverride>, StoreError> {
        let mut found = BTreeMap::new();
        for row in self.tables.channel_overrides()?.iter()? {
            let (channel, value) = row?;
            found.insert(channel.value().to_owned(), decode(value.value())?);
        }
        Ok(found)
    }
}

/// The channels that hold, of those that the configuration names and those that were changed while running: in the order of the
/// configuration, then in that in which they were added.
pub fn members(configured: &[String], changed: &BTreeMap<String, ChannelOverride>) -> Vec<String> {
    let is_removed = |name: &String| changed.get(name).is_some_and(|it| !it.added && it.configured);
    let mut members: Vec<String> =
        configured.iter().filter(|name| !is_removed(name)).cloned().collect();
    let mut added: Vec<_> = changed
        .iter()
        .filter(|(name, it)| it.added && !it.configured && !configured.contains(name))
        .collect();
    added.sort_by_key(|(_, it)| it.at);
    members.extend(added.into_iter().map(|(name, _)| name.clone()));
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_holds_until_the_configuration_says_something_else() {
        let change = |added, configured, at| ChannelOverride {
            added,
            configured,
            at,
            shown: BTreeMap::new(),
        };
        let changed = BTreeMap::from([
            ("later".to_owned(), change(true, false, 9)),
            ("early".to_owned(), change(true, false, 3)),
            ("gone".to_owned(), change(false, true, 4)),
            // Added again by hand after it was removed by hand.
            ("back".to_owned(), change(true, true, 5)),
        ]);
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let of = |configured: &[&str]| members(&names(configured), &changed);
        assert_eq!(of(&["plain", "gone", "back"]), names(&["plain", "back", "early", "later"]));
        // It was taken out of the configuration, after it was removed or added by hand there.
        assert_eq!(of(&["plain"]), names(&["plain", "early", "later"]));
        // The configuration names it now: in its place there, and only once.
        assert_eq!(of(&["later", "plain"]), names(&["later", "plain", "early"]));
    }
}
