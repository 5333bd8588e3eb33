//! What a changed file has in common with what runs: a file that says nothing new changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use heat_engine::{Digest, Given, Rule};

use super::chains::Configured;
use super::error::Error;
use super::handle::Control;

/// Why a changed file is no change of a slot.
pub(super) enum Same {
    /// It has what is live.
    Live,
    /// It has what it had when the configuration was read, or when it went live last.
    Configured,
}

impl Control {
    /// Whether a slot's file says nothing new with this component. What was set while live then goes on, over restarts, too.
    pub(super) fn same_as(&self, slot: &Configured, file: Digest) -> Option<Same> {
        let is_live = self.live_rule(slot).is_some_and(|live| live.digest() == file);
        if slot.rule.digest() == file {
            return Some(if is_live { Same::Live } else { Same::Configured });
        }
        if !is_live {
            return None;
        }
        // The configuration follows what is live: else a restart would find that it says something else, and drop what was set. Where its
        // settings do not fit, the deployment says so.
        self.take_as_configured(slot).ok().map(|()| Same::Live)
    }

    fn take_as_configured(&self, slot: &Configured) -> Result<(), Error> {
        let Some(live) = self.live_rule(slot) else { return Err(Error::Gone) };
        let limits = slot.rule.limits();
        let said = self.made(limits, live.component(), slot.rule.given())?;
        let said = if slot.rule.is_pinned() { said.pinned() } else { said };
        let (channel, name): (Arc<str>, _) = (slot.channel.as_str().into(), slot.slot.clone());
        let now = said.clone();
        self.change("slot.configured", move |access| {
            access.engine.configured_as(&channel, &name, &said)
        })?;
        self.configured.replace(&slot.channel, &slot.slot, now);
        Ok(())
    }

    /// The settings of a slot that were set otherwise while live than the configuration has them. Another rule has settings of its own.
    pub(super) fn set_live(&self, slot: &Configured) -> Vec<String> {
        let name = |rule: &Rule| rule.description().name.clone();
        let live = self.live_rule(slot).filter(|live| name(live) == name(&slot.rule));
        live.map(|live| differing(live.given(), slot.rule.given())).unwrap_or_default()
    }

    fn live_rule(&self, slot: &Configured) -> Option<Rule> {
        let (channel, name) = (slot.channel.clone(), slot.slot.clone());
        let found = self.change("slot.look", move |access| access.engine.inspect(&channel, &name));
        Some(found.ok()?.rule)
    }
}

/// The names of what only one of them has, or has otherwise.
fn differing(some: &[(String, Given)], others: &[(String, Given)]) -> Vec<String> {
    let only = |these: &[(String, Given)], those: &[(String, Given)]| {
        these.iter().filter(|it| !those.contains(it)).map(|it| it.0.clone()).collect::<Vec<_>>()
    };
    let names: BTreeSet<String> =
        only(some, others).into_iter().chain(only(others, some)).collect();
    names.into_iter().collect()
}
