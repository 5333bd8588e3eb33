//! The one path of every change of a slot: a component or settings from the API, from the folder of rules, or from a shadow.

use std::sync::Arc;

use heat_engine::wit::Ability;
use heat_engine::{
    Action, Begun, Component, Digest, Entered, Given, Limits, Order, Rule, Snapshot, Standing, Swap,
};
use serde_json::{Value, json};
use tracing::warn;

use super::check::check;
use super::{Edit, Live, Refusal, Steps};
use crate::control::chains::explain;

/// How many entries of a state are copied between two groups of events.
const ROWS: usize = 500;

/// What somebody wants in a slot.
pub(crate) struct Wanted {
    pub(crate) channel: String,
    pub(crate) slot: String,
    pub(crate) source: Source,
    /// Who wants it, for the audit log.
    pub(crate) by: String,
}

/// Where the new rule comes from.
#[derive(Clone)]
pub(crate) enum Source {
    /// A component, with the settings that are live.
    Component(Arc<[u8]>),
    /// What is live, with other settings.
    Settings(Edit),
    /// What the configuration says now, since its file was changed: the new component, and the rule as it was configured.
    File(Arc<[u8]>, Box<Rule>),
    /// What was live before, with the settings of that time; none: those of the configuration.
    Previous(Arc<[u8]>, Option<Vec<(String, Given)>>),
}

impl Source {
    fn action(&self) -> Action {
        match self {
            Self::Component(_) | Self::File(..) => Action::Deploy,
            Self::Settings(_) => Action::Settings,
            Self::Previous(..) => Action::RollBack,
        }
    }
}

impl Live {
    /// Puts something else into a slot, or says why not. Whatever happens before the flip leaves everything as it was.
    pub(crate) fn deploy(&self, wanted: &Wanted, steps: &Steps) -> Result<Value, Refusal> {
        let mut order = Order::new(wanted.source.action(), &wanted.by, "");
        order.configured = matches!(wanted.source, Source::File(..));
        let done = self.begin(wanted).and_then(|begun| {
            let done = self.prepare(wanted, &begun, steps).and_then(|(swap, checked, state)| {
                order.note = format!("checked on {checked}");
                let now = swap.rule().clone();
                let standing = self.flip(swap, order.clone(), steps)?;
                if order.configured {
                    self.configured.replace(&wanted.channel, &wanted.slot, now);
                }
                Ok((standing, checked, state))
            });
            if done.is_err() {
                let (channel, slot) = (wanted.channel.clone(), wanted.slot.clone());
                let ticket = begun.ticket();
                self.ask(move |desk| {
                    desk.engine.give_up(&channel, &slot, ticket);
                    Ok(())
                })?;
            }
            done
        });
        let outcome = if done.is_ok() { "done" } else { "refused" };
        self.metrics.swapped(&wanted.slot, order.action.name(), outcome);
        match done {
            Ok((standing, checked, state)) => Ok(told(&standing, &checked, state)),
            Err(refusal) => {
                self.note_refusal(wanted, order, &refusal);
                Err(refusal)
            }
        }
    }

    /// What was live in a slot before what is live now, deployed again.
    pub(crate) fn deploy_previous(
        &self,
        channel: &str,
        slot: &str,
        snapshot: &Snapshot,
        by: &str,
    ) -> Result<Value, Refusal> {
        let audit = snapshot.audit(usize::MAX)?;
        let mine = audit.iter().rev().map(|(_, it)| it);
        let mine =
            mine.filter(|it| it.channel == channel && it.slot == slot && it.refused.is_none());
        let (digest, given) = before(mine).ok_or_else(|| {
            Refusal::because(format!("nothing but what is live now was ever live in slot {slot}"))
        })?;
        let digest = digest
            .ok_or_else(|| Refusal::because("the audit log does not say what was live before"))?;
        let Some(bytes) = snapshot.component(digest)? else {
            return Err(Refusal::because(format!(
                "the store does not have the component {digest}"
            )));
        };
        let source = Source::Previous(bytes.into(), given);
        let wanted = Wanted {
            channel: channel.to_owned(),
            slot: slot.to_owned(),
            source,
            by: by.to_owned(),
        };
        let mut told = self.deploy(&wanted, &Steps::unheard())?;
        if told["state"] == "new"
            && let Some(done) = told["done"].as_str()
        {
            told["done"] = Value::from(format!(
                "{done}; its state begins anew, since another rule was there meanwhile"
            ));
        }
        Ok(told)
    }

    fn begin(&self, wanted: &Wanted) -> Result<Begun, Refusal> {
        let (channel, slot) = (wanted.channel.clone(), wanted.slot.clone());
        let configured = matches!(wanted.source, Source::File(..));
        Ok(self.ask(move |desk| match configured {
            true => desk.engine.begin_as_configured(&channel, &slot),
            false => desk.engine.begin(&channel, &slot),
        })??)
    }

    /// The new rule with the state that it begins with, on what it was tried, and what became of the state.
    fn prepare(
        &self,
        wanted: &Wanted,
        begun: &Begun,
        steps: &Steps,
    ) -> Result<(Swap, String, &'static str), Refusal> {
        let rule = self.rule(wanted, begun, steps)?;
        if rule.digest() == begun.rule.digest() && rule.given() == begun.rule.given() && begun.is_on
        {
            return Err(Refusal::because("it is live already, with the same settings"));
        }
        steps.step("migrate");
        let swap = begun.prepare(&self.sandbox, rule.clone()).map_err(Refusal::because)?;
        let (slot, channel) = (&wanted.slot, &wanted.channel);
        let checked = check(&self.sandbox, begun, slot, channel, &rule, steps)?;
        let (before, now) = (begun.rule.description(), rule.description());
        let state = match begun.keeps_state(&rule) {
            false => "new",
            true if before.state_version < now.state_version => "migrated",
            true => "kept",
        };
        Ok((swap, checked, state))
    }

    /// The rule that a source makes of what is live.
    pub(super) fn rule(
        &self,
        wanted: &Wanted,
        begun: &Begun,
        steps: &Steps,
    ) -> Result<Rule, Refusal> {
        let limits = begun.rule.limits();
        let rule = match &wanted.source {
            Source::File(bytes, said) => {
                let component = self.speed.load(&self.sandbox, said.limits(), bytes, steps)?;
                let rule = Rule::new(&self.sandbox, said.limits(), &component, said.given());
                let rule = rule.map_err(Refusal::because)?;
                if said.is_pinned() { rule.pinned() } else { rule }
            }
            Source::Settings(edit) => {
                let given = edit.apply(begun.rule.given()).map_err(Refusal::because)?;
                let component = begun.rule.component();
                self.made(limits, component, &given)?
            }
            Source::Previous(bytes, given) => {
                let component = self.speed.load(&self.sandbox, limits, bytes, steps)?;
                let configured = || self.configured.find(&wanted.channel, &wanted.slot);
                let given = given.clone().or_else(|| Some(configured()?.rule.given().to_vec()));
                let given = given.unwrap_or_default();
                self.made(limits, &component, &given)?
            }
            Source::Component(bytes) => {
                let component = self.speed.load(&self.sandbox, limits, bytes, steps)?;
                // Settings belong to a rule: another one begins with its own defaults.
                let same = component.description.name == begun.rule.description().name;
                let given = if same { begun.rule.given() } else { &[] };
                self.made(limits, &component, given)?
            }
        };
        match cannot(&rule) {
            Some(why) => Err(Refusal::because(why)),
            None => Ok(rule),
        }
    }

    fn made(
        &self,
        limits: &Arc<Limits>,
        component: &Arc<Component>,
        given: &[(String, Given)],
    ) -> Result<Rule, Refusal> {
        let made = Rule::new(&self.sandbox, limits, component, given);
        made.map_err(|error| Refusal::because(explain(&error, component)))
    }

    /// Copies the state, a part at a time, and flips between two events.
    pub(super) fn flip(
        &self,
        swap: Swap,
        order: Order,
        steps: &Steps,
    ) -> Result<Standing, Refusal> {
        let mut swap = swap;
        let all = swap.left() as u64;
        let mut is_copied = false;
        while !is_copied {
            steps.progress("copy", all - swap.left() as u64, all);
            (swap, is_copied) = self.ask(move |desk| {
                let is_copied = desk.engine.copy(&mut swap, ROWS)?;
                Ok((swap, is_copied))
            })?;
        }
        let (channel, slot) = (swap.channel().to_owned(), swap.slot().to_owned());
        let (standing, _swap) = self.ask(move |desk| {
            let flipped = desk.engine.flip_lent(&mut swap, &order)?;
            let standing = flipped.map(|()| {
                let standings = desk.engine.standings();
                standings.into_iter().find(|it| it.channel == channel && it.slot == slot)
            });
            Ok((standing, swap))
        })?;
        let standing = standing?;
        standing.ok_or(Refusal::Gone)
    }

    /// A refusal is in the audit log too.
    pub(super) fn note_refusal(&self, wanted: &Wanted, order: Order, refusal: &Refusal) {
        let (channel, slot) = (wanted.channel.clone(), wanted.slot.clone());
        let why = refusal.to_string();
        warn!(channel, slot, why, by = wanted.by, "a change of a rule is refused");
        // Where heatd stops, nobody reads it.
        let _ = self.ask(move |desk| {
            desk.engine.enter(&channel, &slot, None, None, &order, Some(why));
            Ok(())
        });
    }
}

/// What was live before what is live now: the changes that were not rolled back lie on each other. Below the first of them lies what
/// the configuration says, with its settings.
fn before<'a>(
    changes: impl Iterator<Item = &'a Entered>,
) -> Option<(Option<Digest>, Option<Vec<(String, Given)>>)> {
    let mut stack: Vec<&Entered> = Vec::new();
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

/// What a rule is of no use without, if heatd cannot give it.
pub(crate) fn cannot(rule: &Rule) -> Option<String> {
    // Nothing can be given so far: chat is read without a login.
    let what = match rule.needs().first()? {
        Ability::Say => "says lines in chat",
        Ability::Clip => "makes clips",
    };
    Some(format!("with these settings it {what}, and heatd has no login to Twitch yet"))
}

fn told(standing: &Standing, checked: &str, state: &str) -> Value {
    let Standing { channel, slot, name, version, state: now, .. } = standing;
    let probation = if *now == "probation" { ", on probation for at least a minute" } else { "" };
    let done = format!("{name} {version} is live in slot {slot} of #{channel}{probation}");
    json!({ "done": done, "checked": checked, "state": state, "standing": standing_json(standing) })
}

/// A standing with its channel.
pub(crate) fn standing_json(standing: &Standing) -> Value {
    let mut value = serde_json::to_value(standing).unwrap_or_default();
    value["channel"] = Value::from(standing.channel.clone());
    value
}
