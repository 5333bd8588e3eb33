//! Puts the rules that were added while an earlier heatd ran into the chains of their channels.

use std::sync::Arc;

use heat_engine::{
    AddedSlot, Chain, Component, Limits, LoadError, Rule, Sandbox, SlotOverride, Snapshot,
    StoreError,
};
use tracing::{error, info};

/// Puts the slots that were added while heatd ran into the chain of their channel.
pub(super) fn with_added(
    chain: &mut Chain,
    sandbox: &Sandbox,
    snapshot: &Snapshot,
) -> Result<(), StoreError> {
    let mut added = snapshot.added_slots(&chain.channel)?;
    // One that the configuration has now is the configuration's.
    added.retain(|(slot, _)| !chain.rules.iter().any(|(name, _)| name == slot));
    // One may come after another one that was added.
    while !added.is_empty() {
        let is_here = |(_, it): &(String, SlotOverride)| {
            place(chain, it.added.as_ref().and_then(|it| it.after.as_deref())).is_some()
        };
        let next = added.iter().position(is_here).unwrap_or(0);
        let (slot, change) = added.remove(next);
        let Some(at) = change.added.clone() else { continue };
        match rule_of(&change, at.clone(), sandbox, snapshot)? {
            Ok(rule) => {
                let place = place(chain, at.after.as_deref()).unwrap_or(chain.rules.len());
                info!(channel = chain.channel, slot, digest = %rule.digest(), "slot goes on that was added while running");
                chain.rules.insert(place, (slot, rule));
            }
            Err(problem) => {
                error!(channel = chain.channel, slot, %problem, "the rule was added while running and cannot be loaded; it is left out");
            }
        }
    }
    Ok(())
}

/// Where a rule comes in that is called after this slot. None: the chain does not have it.
fn place(chain: &Chain, after: Option<&str>) -> Option<usize> {
    match after {
        None => Some(chain.rules.len()),
        Some(after) => chain.rules.iter().position(|(name, _)| name == after).map(|it| it + 1),
    }
}

fn rule_of(
    change: &SlotOverride,
    added: AddedSlot,
    sandbox: &Sandbox,
    snapshot: &Snapshot,
) -> Result<Result<Rule, LoadError>, StoreError> {
    let Some(bytes) = snapshot.component(change.digest)? else {
        let problem = "the store does not have its component".to_owned();
        return Ok(Err(LoadError::Refused(problem)));
    };
    let limits = Arc::new(Limits::default());
    let rule = Component::shared(sandbox, &limits, &bytes, &|_| true)
        .and_then(|component| Rule::new(sandbox, &limits, &component, &change.given));
    Ok(rule.map(|rule| rule.in_added_slot(added)))
}
