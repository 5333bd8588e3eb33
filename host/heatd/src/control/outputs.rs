//! Refuses the name of an output that a channel does not have, and lists the outputs that it has.

use std::collections::BTreeSet;

use heat_engine::{Rule, Snapshot};

use super::error::Error;

/// Refuses the name of an output that no rule of the channel shows. To be asked where nothing was found of it: what the log has is there, too.
/// Where nothing is shown yet, any name may come.
pub(crate) fn must_be_there(
    output: &str,
    snapshot: &Snapshot,
    channel: &str,
    rules: &[(String, Rule)],
) -> Result<(), Error> {
    let mut known = BTreeSet::new();
    for (slot, _) in rules {
        known.extend(snapshot.shown_by(channel, slot)?.into_keys());
    }
    if known.is_empty() || known.contains(output) {
        return Ok(());
    }
    let known: Vec<String> = known.into_iter().collect();
    Err(Error::Unknown(format!("there is no output {output}; there are {}", known.join(", "))))
}
