//! Deploy: the one path of every change of a slot, whether it comes from the API, from a changed file, or from a shadow.

use std::sync::Arc;

use heat_engine::{
    Action, AuditEntry, ChangeError, ChangeRequest, Component, Digest, Given, Limits, Rule,
    SlotStatus, Snapshot, Swap, SwapTicket,
};
use tracing::warn;

use super::answers::{DeployAnswer, SlotAnswer};
use super::chains::{cannot, explain};
use super::check::check;
use super::clashes;
use super::error::Error;
use super::handle::{Control, Present};
use super::progress::Progress;
use super::request::{DeployRequest, RuleSource};

/// How many entries of a rule's state are copied in one task, between two groups of events.
const ROWS: usize = 500;

impl Control {
    /// Changes what runs in a slot. Until the flip, every failure leaves everything as it was.
    pub(crate) fn deploy(
        &self,
        wanted: &DeployRequest,
        progress: &Progress,
    ) -> Result<DeployAnswer, Error> {
        let mut order = ChangeRequest::new(wanted.source.action(), &wanted.by, "");
        order.configured = matches!(wanted.source, RuleSource::File(..));
        let done = self.begin(wanted).and_then(|begun| {
            let done = self.prepare(wanted, &begun, progress).and_then(|(swap, checked, state)| {
                order.note = format!("checked on {checked}");
                let now = swap.rule().clone();
                let standing = self.flip(swap, order.clone(), progress)?;
                if order.configured {
                    self.configured.replace(&wanted.channel, &wanted.slot, now);
                }
                Ok((standing, checked, state))
            });
            if done.is_err() {
                let (channel, slot) = (wanted.channel.clone(), wanted.slot.clone());
                let ticket = begun.ticket();
                self.on_engine_thread("swap.give-up", move |access| {
                    access.engine.give_up(&channel, &slot, ticket);
                    Ok(())
                })?;
            }
            done
        });
        let outcome = if done.is_ok() { "done" } else { "refused" };
        self.metrics.swapped(&wanted.slot, order.action.name(), outcome);
        match done {
            Ok((standing, checked, state)) => Ok(told(standing, checked, state)),
            Err(refusal) => {
                self.note_refusal(wanted, order, &refusal);
                Err(refusal)
            }
        }
    }

    /// Deploys again what was live in a slot before the rule that is live now.
    pub(crate) fn deploy_previous(
        &self,
        channel: &str,
        slot: &str,
        snapshot: &Snapshot,
        by: &str,
    ) -> Result<DeployAnswer, Error> {
        let audit = snapshot.audit(usize::MAX)?;
        let mine = audit.iter().rev().map(|(_, it)| it);
        let mine =
            mine.filter(|it| it.channel == channel && it.slot == slot && it.refused.is_none());
        let (digest, given) = before(mine).ok_or_else(|| {
            Error::because(format!(
                "the audit log knows of no rule in slot {slot} before the one that is live"
            ))
        })?;
        let digest = digest
            .ok_or_else(|| Error::because("the audit log does not say what was live before"))?;
        let Some(bytes) = snapshot.component(digest)? else {
            return Err(Error::because(format!("the store does not have the component {digest}")));
        };
        let source = RuleSource::Previous(bytes.into(), given);
        let wanted = DeployRequest {
            channel: channel.to_owned(),
            slot: slot.to_owned(),
            source,
            by: by.to_owned(),
        };
        let mut told = self.deploy(&wanted, &Progress::unheard())?;
        if told.state == "new" {
            told.message
                .push_str("; its state starts again, since another rule was there meanwhile");
        }
        Ok(told)
    }

    fn begin(&self, wanted: &DeployRequest) -> Result<SwapTicket, Error> {
        let (channel, slot) = (wanted.channel.clone(), wanted.slot.clone());
        let configured = matches!(wanted.source, RuleSource::File(..));
        self.change("swap.begin", move |access| match configured {
            true => access.engine.begin_as_configured(&channel, &slot),
            false => access.engine.begin(&channel, &slot),
        })
    }

    /// Loads and checks the new rule, and prepares its state. Returns the swap, what the rule was tried on, and what becomes of the state.
    fn prepare(
        &self,
        wanted: &DeployRequest,
        begun: &SwapTicket,
        progress: &Progress,
    ) -> Result<(Swap, String, &'static str), Error> {
        let rule = self.rule(wanted, begun, progress)?;
        if rule.digest() == begun.rule.digest() && rule.given() == begun.rule.given() && begun.is_on
        {
            return Err(Error::because("it is live already, with the same settings"));
        }
        let (slot, channel) = (&wanted.slot, &wanted.channel);
        begun.fits(&rule).map_err(Error::because)?;
        // Before the whole state is migrated: a rule that fails here has not paid for that.
        let present = Present { snapshot: Arc::clone(&begun.snapshot), rules: begun.chain.clone() };
        let checked = check(&self.sandbox, &present, slot, channel, &rule, progress)?;
        progress.step("migrate");
        let swap = begun.prepare(&self.sandbox, rule.clone()).map_err(Error::because)?;
        let (before, now) = (begun.rule.description(), rule.description());
        let state = match begun.keeps_state(&rule) {
            false => "new",
            true if before.state_version < now.state_version => "migrated",
            true => "kept",
        };
        Ok((swap, checked, state))
    }

    /// Makes the rule of a source, which may build on the rule that is live.
    pub(super) fn rule(
        &self,
        wanted: &DeployRequest,
        begun: &SwapTicket,
        progress: &Progress,
    ) -> Result<Rule, Error> {
        let limits = begun.rule.limits();
        let rule = match &wanted.source {
            RuleSource::File(bytes, said) => {
                let component = self.speed.load(&self.sandbox, said.limits(), bytes, progress)?;
                let rule = Rule::new(&self.sandbox, said.limits(), &component, said.given());
                let rule = rule.map_err(Error::because)?;
                if said.is_pinned() { rule.pinned() } else { rule }
            }
            RuleSource::Settings(edit) => {
                let given = edit.apply(begun.rule.given()).map_err(Error::because)?;
                let component = begun.rule.component();
                self.made(limits, component, &given)?
            }
            RuleSource::Previous(bytes, given) => {
                let component = self.speed.load(&self.sandbox, limits, bytes, progress)?;
                let configured = || self.configured.find(&wanted.channel, &wanted.slot);
                let given = given.clone().or_else(|| Some(configured()?.rule.given().to_vec()));
                let given = given.unwrap_or_default();
                self.made(limits, &component, &given)?
            }
            RuleSource::Component(bytes, edit) => {
                let component = self.speed.load(&self.sandbox, limits, bytes, progress)?;
                // Settings belong to a rule: another one begins with its own defaults.
                let same = component.description.name == begun.rule.description().name;
                let given = if same { begun.rule.given() } else { &[] };
                let given = edit.apply(given).map_err(Error::because)?;
                self.made(limits, &component, &given)?
            }
        };
        match cannot(&rule, &wanted.channel, &self.speakers) {
            Some(why) => Err(Error::because(why)),
            None => clashes::refuse(&begun.chain, &wanted.slot, &rule).map(|()| rule),
        }
    }

    pub(super) fn made(
        &self,
        limits: &Arc<Limits>,
        component: &Arc<Component>,
        given: &[(String, Given)],
    ) -> Result<Rule, Error> {
        let made = Rule::new(&self.sandbox, limits, component, given);
        made.map_err(|error| Error::because(explain(&error, component)))
    }

    /// Copies the state in parts, and flips to the new rule between two events.
    pub(super) fn flip(
        &self,
        swap: Swap,
        order: ChangeRequest,
        progress: &Progress,
    ) -> Result<SlotStatus, Error> {
        let mut swap = swap;
        let all = swap.left() as u64;
        let mut is_copied = false;
        while !is_copied {
            progress.part("copy", all - swap.left() as u64, all);
            (swap, is_copied) = self.on_engine_thread("swap.copy", move |access| {
                let is_copied = access.engine.copy(&mut swap, ROWS)?;
                Ok((swap, is_copied))
            })?;
        }
        let (channel, slot) = (swap.channel().to_owned(), swap.slot().to_owned());
        let (flipped, standing, _swap) = self.on_engine_thread("swap.flip", move |access| {
            let flipped = access.engine.flip_in_place(&mut swap, &order);
            let mut standings = access.engine.slot_statuses().into_iter();
            let standing = standings.find(|it| it.channel == channel && it.slot == slot);
            // The swap comes back also where it is rejected: to let go of a large state takes a while.
            match flipped {
                Ok(()) => Ok((None, standing, swap)),
                Err(ChangeError::Rejected(why)) => Ok((Some(why), None, swap)),
                Err(ChangeError::Store(error)) => Err(error),
            }
        })?;
        if let Some(why) = flipped {
            return Err(Error::Refused(why));
        }
        standing.ok_or(Error::Gone)
    }

    /// Records a refused change in the audit log and in heatd's log.
    pub(super) fn note_refusal(
        &self,
        wanted: &DeployRequest,
        order: ChangeRequest,
        refusal: &Error,
    ) {
        let (channel, slot) = (wanted.channel.clone(), wanted.slot.clone());
        let why = refusal.to_string();
        warn!(channel, slot, why, by = wanted.by, "a change of a rule is refused");
        // Where heatd stops, nobody reads it.
        let _ = self.on_engine_thread("audit.refusal", move |access| {
            access.engine.audit(&channel, &slot, None, None, &order, Some(why));
            Ok(())
        });
    }
}

/// Finds what was live before the current rule, by going through the audit log: a change is pushed on a stack, a rollback pops one. Below
/// the first change lies what the configuration says.
fn before<'a>(
    changes: impl Iterator<Item = &'a AuditEntry>,
) -> Option<(Option<Digest>, Option<Vec<(String, Given)>>)> {
    let mut stack: Vec<&AuditEntry> = Vec::new();
    for change in changes {
        match change.action {
            Action::Deploy | Action::Promote | Action::Settings => stack.push(change),
            Action::RollBack => drop(stack.pop()),
            _ => {}
        }
    }
    let top = stack.pop()?;
    Some(match stack.pop() {
        Some(below) => (below.to, Some(below.given.clone())),
        None => (top.from, None),
    })
}

fn told(standing: SlotStatus, checked: String, state: &'static str) -> DeployAnswer {
    let SlotStatus { channel, slot, name, version, state: now, .. } = &standing;
    let probation = if *now == "probation" { ", on probation for at least a minute" } else { "" };
    let message = format!("{name} {version} is live in slot {slot} of #{channel}{probation}");
    DeployAnswer { message, checked, state, standing: SlotAnswer::of(standing) }
}
