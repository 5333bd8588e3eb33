//! Starts shadows, drops them, and promotes one: the shadow takes the place of the live rule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use heat_engine::{Action, ChangeError, ChangeRequest, Changes, Rule, Run, SlotStatus};
use parking_lot::Mutex;
use tracing::{info, warn};

use super::answers::{MessageAnswer, PromoteAnswer, ShadowAnswer, SlotAnswer};
use super::error::Error;
use super::follow::{Beginning, follow, made_so_far, spawn_low_priority};
use super::handle::Control;
use super::progress::Progress;
use super::request::DeployRequest;
use super::shadows::{Seen, Shadow, output};
use crate::clock::now;
use crate::queue::Input;

/// How long the engine waits for a shadow's state. A shadow is hardly ever behind.
const HAND_OVER: Duration = Duration::from_millis(500);

impl Control {
    /// Starts a rule beside the one that is live in its slot. A shadow that is there already is dropped.
    pub(crate) fn shadow(
        &self,
        wanted: &DeployRequest,
        progress: &Progress,
    ) -> Result<ShadowAnswer, Error> {
        let (channel, slot) = (wanted.channel.clone(), wanted.slot.clone());
        let begun =
            self.change("shadow.look", move |access| access.engine.inspect(&channel, &slot))?;
        let rule = self.rule(wanted, &begun, progress)?;
        begun.fits(&rule).map_err(Error::because)?;
        if self.shadows.get(&wanted.channel, &wanted.slot).is_some() {
            self.drop_shadow(&wanted.channel, &wanted.slot, &wanted.by)?;
        }
        self.start_shadow(&wanted.channel, &wanted.slot, rule.clone())?;
        let (channel, slot, by) = (&wanted.channel, &wanted.slot, &wanted.by);
        info!(channel, rule = slot, digest = %rule.digest(), action = "shadow", by, "shadow started");
        let description = rule.description();
        let message = format!(
            "{} {} runs beside slot {} of #{}; it shows {}/OUTPUT",
            description.name, description.version, wanted.slot, wanted.channel, "shadow"
        );
        let shadow = self.shadows.told(&wanted.channel, &wanted.slot);
        Ok(ShadowAnswer { message, shadow })
    }

    /// Starts the shadows of a channel again from what is live now: they had followed events that were taken back.
    pub(super) fn begin_shadows_anew(&self, channel: &str) -> Result<(), Error> {
        for (slot, rule) in self.shadows.of(channel) {
            self.end_shadow(channel, &slot)?;
            self.start_shadow(channel, &slot, rule)?;
            info!(channel, slot, "the shadow starts again, without what was taken back");
        }
        Ok(())
    }

    fn start_shadow(&self, channel: &str, slot: &str, rule: Rule) -> Result<(), Error> {
        let (channel, slot) = (channel.to_owned(), slot.to_owned());
        let Beginning { snapshot, mut rules, subscription, subscriber } =
            self.begin_following(&channel)?;
        // A slot that is turned off can have a shadow, too; its rule is not among the live ones.
        if !rules.iter().any(|(name, _)| *name == slot) {
            rules.push((slot.clone(), rule.clone()));
        }
        let rule_of_slot = Some((slot.clone(), rule.clone()));
        let changes = Changes { rule: rule_of_slot, is_logged: true, ..Changes::default() };
        let mut run = Run::of_present(&self.sandbox, snapshot, &channel, &rules, changes)?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shadow = Shadow { rule, since: now(), subscription, seen: Arc::clone(&seen) };
        let before = self.shadows.all().insert((channel.clone(), slot.clone()), shadow);
        // Somebody else has started a shadow in this slot at the same time.
        if let Some(before) = before {
            self.stop_following(before.subscription)?;
        }
        let live = self.clone();
        let work = move || {
            let (mut told, mut named) = (true, BTreeSet::new());
            let note = |run: &mut Run, events: u64| {
                let shown = run.shown().get(&slot).cloned().unwrap_or_default();
                let mut seen = seen.lock();
                seen.events += events;
                let news = seen.shown != shown || !told;
                seen.shown = shown;
                drop(seen);
                told = !news || live.shadowed(&channel, run, &slot, &mut named);
                told
            };
            if let Err(error) = follow(&mut run, &subscriber, note) {
                warn!(channel, slot, %error, "the shadow cannot go on; it is dropped");
                live.shadows.end_this(&channel, &slot, &seen);
                live.tell_of_shadows();
            }
        };
        spawn_low_priority("shadow", work).map_err(Error::failed)
    }

    /// Publishes what a shadow shows. New output names are registered with the engine, which clears outputs that nobody shows any more.
    /// False when the queue is full: then the caller must try again.
    fn shadowed(&self, channel: &str, run: &Run, slot: &str, named: &mut BTreeSet<String>) -> bool {
        let names = run.shown().get(slot).into_iter().flat_map(BTreeMap::keys);
        let new: Vec<String> = names.filter(|name| !named.contains(*name)).cloned().collect();
        let Some(inputs) = self.inputs.upgrade() else { return true };
        // Only for new names, because everything is committed before a task. It must not wait for room in the queue: that could take longer than
        // a promotion waits for this shadow.
        if !new.is_empty() {
            let (channel, outputs) = (channel.to_owned(), new.clone());
            let task = Input::task("shadow.name-outputs", move |access| {
                outputs.iter().for_each(|name| access.engine.name_output(&channel, &output(name)));
                Ok(())
            });
            if inputs.try_send(task).is_err() {
                return false;
            }
            named.extend(new);
        }
        inputs.try_send(Input::shadowed()).is_ok()
    }

    fn tell_of_shadows(&self) {
        if let Some(inputs) = self.inputs.upgrade() {
            let _ = inputs.blocking_send(Input::shadowed());
        }
    }

    /// Ends a shadow, as somebody wants.
    pub(crate) fn drop_shadow(
        &self,
        channel: &str,
        slot: &str,
        by: &str,
    ) -> Result<MessageAnswer, Error> {
        let rule = self.end_shadow(channel, slot)?;
        info!(channel, rule = slot, digest = %rule.digest(), action = "drop", by, "shadow dropped");
        Ok(MessageAnswer::new(format!("the shadow of slot {slot} is dropped")))
    }

    /// Ends a shadow, and returns the rule that it ran.
    fn end_shadow(&self, channel: &str, slot: &str) -> Result<Rule, Error> {
        let Some(shadow) = self.shadows.end(channel, slot) else { return Err(no_shadow(slot)) };
        self.stop_following(shadow.subscription)?;
        self.tell_of_shadows();
        Ok(shadow.rule)
    }

    /// Drops every shadow of a channel that is being removed.
    pub(crate) fn drop_shadows(&self, channel: &str) -> Result<(), Error> {
        for (slot, _) in self.shadows.of(channel) {
            self.end_shadow(channel, &slot)?;
        }
        Ok(())
    }

    /// Makes a shadow the live rule, with the state that it has made.
    pub(crate) fn promote(
        &self,
        channel: &str,
        slot: &str,
        by: &str,
    ) -> Result<PromoteAnswer, Error> {
        let shadow = self.shadows.get(channel, slot).ok_or_else(|| no_shadow(slot))?;
        let order = ChangeRequest::new(Action::Promote, by, "");
        let (name, of) = (channel.to_owned(), slot.to_owned());
        let (rule, subscription) = (shadow.rule.clone(), shadow.subscription);
        let standing = self.change("shadow.promote", move |access| {
            let begun = access.engine.begin(&name, &of)?;
            let (slot, timeout) = (of.clone(), HAND_OVER);
            let handed =
                made_so_far(&subscription, timeout, move |run| run.hand_over(&slot)).flatten();
            let Some(handed) = handed else {
                access.engine.give_up(&name, &of, begun.ticket());
                let problem = "the shadow is behind what happens; try again in a moment";
                return Err(ChangeError::Rejected(problem.to_owned()));
            };
            access.engine.flip(begun.handed(rule, handed), &order)?;
            let mut standings = access.engine.slot_statuses().into_iter();
            Ok(standings.find(|it| it.channel == name && it.slot == of))
        });
        let outcome = if standing.is_ok() { "done" } else { "refused" };
        self.metrics.swapped(slot, "promote", outcome);
        let standing: SlotStatus = standing?.ok_or(Error::Gone)?;
        self.end_shadow(channel, slot)?;
        let message = format!(
            "the shadow is live in slot {slot} of #{channel}, with the state that it has made"
        );
        Ok(PromoteAnswer { message, standing: SlotAnswer::of(standing) })
    }
}

fn no_shadow(slot: &str) -> Error {
    Error::because(format!("nothing runs beside slot {slot}; `heat rules shadow FILE` begins it"))
}
