//! Adds and removes rules while heatd runs, each in a slot of its own that the configuration does not have.
//!
//! The store keeps each. It holds after a restart, until the configuration has a slot of that name.

use std::sync::Arc;

use heat_engine::{Action, AddedSlot, ChangeRequest, HOST, Limits, Rule};

use super::answers::{DeployAnswer, MessageAnswer, SlotAnswer};
use super::chains::cannot;
use super::channels::Channels;
use super::check::check;
use super::clashes;
use super::error::Error;
use super::handle::Control;
use super::progress::Progress;
use super::settings::Edit;
use crate::config::{SLOT_NAMES, is_slot_name};

/// A rule that is to be added.
pub(crate) struct NewRule {
    pub(crate) channel: String,
    pub(crate) slot: String,
    /// The slot after which it is called. None: after all others.
    pub(crate) after: Option<String>,
    pub(crate) component: Arc<[u8]>,
    pub(crate) settings: Edit,
    /// Who asks for it, for the audit log.
    pub(crate) by: String,
}

impl Control {
    /// Makes a rule that no slot has yet. It has no grants: only the configuration gives those.
    pub(super) fn new_rule(
        &self,
        channel: &str,
        component: &[u8],
        settings: &Edit,
        progress: &Progress,
    ) -> Result<Rule, Error> {
        let limits = Arc::new(Limits::default());
        let component = self.speed.load(&self.sandbox, &limits, component, progress)?;
        let given = settings.apply(&[]).map_err(Error::because)?;
        let rule = self.made(&limits, &component, &given)?;
        match cannot(&rule, channel, &self.speakers) {
            Some(why) => Err(Error::because(why)),
            None => Ok(rule),
        }
    }
}

impl Channels {
    /// Adds a rule. From the next event on it is called. It blocks: not to be called on the runtime's thread.
    pub(crate) fn add_rule(
        &self,
        wanted: &NewRule,
        progress: &Progress,
    ) -> Result<DeployAnswer, Error> {
        let NewRule { channel, slot, after, .. } = wanted;
        if !is_slot_name(slot) || slot == HOST {
            return Err(Error::Refused(format!("{slot:?} cannot name a slot; {SLOT_NAMES}")));
        }
        let added = AddedSlot { after: after.clone() };
        self.may_add(channel, slot, &added)?;
        let rule = self.live.new_rule(channel, &wanted.component, &wanted.settings, progress)?;
        let present = self.live.present(channel)?;
        clashes::refuse(&present.rules, slot, &rule)?;
        let checked = check(&self.live.sandbox, &present, slot, channel, &rule, progress)?;
        let order =
            ChangeRequest::new(Action::AddRule, &wanted.by, &format!("checked on {checked}"));
        let _one = self.changing.lock();
        // While this rule was checked, another one may have come into the slot.
        self.may_add(channel, slot, &added)?;
        // Before its first call, so that none is uncounted.
        self.registry.add_slot(channel, slot, &self.live.metrics);
        let (name, place): (Arc<str>, _) = (channel.as_str().into(), slot.clone());
        let standing = self.live.change("slot.add", move |access| {
            access.engine.add_slot(&name, &place, rule, added, &order)?;
            let mut standings = access.engine.slot_statuses().into_iter();
            Ok(standings.find(|it| *it.channel == *name && it.slot == place))
        });
        let standing = standing.and_then(|standing| standing.ok_or(Error::Gone));
        let standing = standing.inspect_err(|_| self.registry.remove_slot(channel, slot))?;
        let message = format!(
            "{} {} is live in slot {slot} of #{channel}; to keep it in heatd.toml, write a [[rule]] with slot = \"{slot}\" there",
            standing.name, standing.version
        );
        Ok(DeployAnswer { message, checked, state: "new", standing: SlotAnswer::of(standing) })
    }

    fn may_add(&self, channel: &str, slot: &str, added: &AddedSlot) -> Result<(), Error> {
        let (name, place, at) = (channel.to_owned(), slot.to_owned(), added.clone());
        self.live.change("slot.look", move |access| access.engine.may_add_slot(&name, &place, &at))
    }

    /// Removes a rule that was added while heatd ran. It blocks: not to be called on the runtime's thread.
    pub(crate) fn remove_rule(
        &self,
        channel: &str,
        slot: &str,
        by: &str,
    ) -> Result<MessageAnswer, Error> {
        let _one = self.changing.lock();
        if self.live.shadows.get(channel, slot).is_some() {
            self.live.drop_shadow(channel, slot, by)?;
        }
        let order = ChangeRequest::new(Action::RemoveRule, by, "");
        let (name, place) = (Arc::from(channel), slot.to_owned());
        self.live.change("slot.remove", move |access| {
            access.engine.remove_slot(&name, &place, &order)
        })?;
        self.registry.remove_slot(channel, slot);
        self.live.metrics.forget_slot(&Arc::from(channel), slot);
        Ok(MessageAnswer::new(format!(
            "the rule in slot {slot} of #{channel} is removed, with its state and its dead letters; what it has counted stays"
        )))
    }
}
