//! What outputs would show otherwise.

use std::collections::BTreeSet;

use heat_engine::{Rule, Run, Snapshot};

use super::error::Error;

/// Output, before, after.
pub(super) type Changed = Vec<(String, Option<String>, Option<String>)>;

/// What would be shown otherwise.
pub(super) fn differences(
    snapshot: &Snapshot,
    channel: &str,
    rules: &[(String, Rule)],
    run: &Run,
) -> Result<Changed, Error> {
    let mut changed = Vec::new();
    for (slot, _) in rules {
        let before = snapshot.shown_by(channel, slot)?;
        let after = run.shown().get(slot).cloned().unwrap_or_default();
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let (was, is) = (before.get(name).cloned(), after.get(name).cloned());
            let is = is.filter(|text| !text.is_empty());
            if was != is {
                changed.push((name.clone(), was, is));
            }
        }
    }
    Ok(changed)
}
