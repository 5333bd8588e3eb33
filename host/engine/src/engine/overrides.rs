//! Which of the two holds for a slot at the start: the configuration, or what was changed while running. The later one does.
//!
//! A change is kept with what the configuration said of the slot at that time. As long as it says the same, the change holds; once
//! somebody has written something else there, the configuration does.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::{error, info, warn};

use crate::engine::Engine;
use crate::error::{LoadError, SlotError, StoreError};
use crate::guest::component::Component;
use crate::guest::rule::Rule;
use crate::store::changes::{SlotOverride, Status};

impl Engine {
    /// The rule that a slot starts with, whether it is on, and what it showed when it was turned off.
    pub(crate) fn resolve_rule(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
        configured: Rule,
    ) -> Result<(Rule, Status, BTreeMap<String, String>), StoreError> {
        let Some(changed) = self.pending.overlay().snapshot().slot_override(channel, slot)? else {
            return Ok((configured, Status::On, BTreeMap::new()));
        };
        if configured.added.is_some() && changed.added.is_some() {
            // It was made from this very row.
            return Ok((configured, changed.status, changed.shown));
        }
        let over = if changed.added.is_some() {
            Some("the configuration has this slot now")
        } else if configured.pinned {
            Some("the configuration says that it alone decides")
        } else if changed.base != configured.base()? {
            Some("the configuration was changed since")
        } else {
            None
        };
        if let Some(why) = over {
            let channel = &**channel;
            warn!(channel, slot, why, "what was changed while running does not hold any more");
        } else {
            match self.changed_rule(&configured, &changed) {
                Err(SlotError::Store(error)) => return Err(error),
                Ok(rule) => {
                    let (channel, digest) = (&**channel, rule.digest());
                    info!(channel, slot, %digest, "slot goes on with what was changed while running");
                    return Ok((rule, changed.status, changed.shown));
                }
                Err(SlotError::Rule(problem)) => {
                    let channel = &**channel;
                    error!(channel, slot, %problem, "what was changed while running cannot be loaded; the configuration holds");
                }
            }
        }
        self.pending
            .overlay()
            .admin_rows()
            .changed
            .insert((Arc::clone(channel), slot.into()), None);
        // A rule of the same name goes on with the state, and thinks that this stands there.
        let same = self.pending.overlay().snapshot().owner(channel, slot)?;
        let same = same.is_some_and(|owner| owner.rule == configured.description().name);
        let shown = if same { changed.shown } else { BTreeMap::new() };
        Ok((configured, Status::On, shown))
    }

    fn changed_rule(
        &mut self,
        configured: &Rule,
        changed: &SlotOverride,
    ) -> Result<Rule, SlotError> {
        let component = if changed.digest == configured.digest() {
            Arc::clone(&configured.component)
        } else {
            let Some(bytes) = self.pending.overlay().snapshot().component(changed.digest)? else {
                let problem = "the store does not have its component".to_owned();
                return Err(LoadError::Refused(problem).into());
            };
            Component::shared(&self.sandbox, &configured.limits, &bytes, &|_| true)?
        };
        Ok(Rule::new(&self.sandbox, &configured.limits, &component, &changed.given)?)
    }
}
