//! An engine over a store in memory, to which the lines of a case happen, one after the other.

use std::sync::Arc;

use super::cast::{CaseError, Cast};
use super::line::Line;
use crate::chain::slot::Answer;
use crate::contract::limits::Limits;
use crate::contract::settings::Given;
use crate::contract::{Event, Happening};
use crate::engine::{Chain, Engine};
use crate::error::{LoadError, StoreError};
use crate::guest::component::Component;
use crate::guest::rule::Rule;
use crate::store::Store;

/// The channel of every case.
const CHANNEL: &str = "seaside";

/// The first of January 2026, in milliseconds since 1970: when every case begins.
const START: u64 = 1_767_225_600_000;

/// Timers that may come due in one line: a rule that wakes itself without end, and a month that passes, end here.
const MOST_TIMERS: usize = 50_000;

pub(super) struct Stage {
    engine: Engine,
    now: u64,
    events: u64,
}

/// An answer of the rule, and when it was given.
pub(super) type Told = (u64, Answer);

impl Stage {
    /// The cast in its chain, or why the rule refuses these settings.
    pub(super) fn open(
        cast: &Cast,
        settings: &[(String, Given)],
        instance_events: u32,
    ) -> Result<Self, CaseError> {
        let name = &cast.rule.description.name;
        if cast.companions.iter().any(|it| it.description.name == *name) {
            return Err(CaseError::SameName(name.clone()));
        }
        let limits = Arc::new(Limits { instance_events, ..cast.limits.clone() });
        let rule = |component: &Arc<Component>, settings| {
            let rule = Rule::new(&cast.sandbox, &limits, component, settings)?;
            Ok::<_, LoadError>((component.description.name.clone(), rule))
        };
        let companions = cast.companions.iter().map(|component| rule(component, &[]));
        let rules = companions.chain([rule(&cast.rule, settings)]).collect::<Result<Vec<_>, _>>();
        let rules = rules.map_err(CaseError::Refused)?;
        let chain = Chain { channel: CHANNEL.to_owned(), rules };
        let sandbox = Arc::clone(&cast.sandbox);
        let engine = Engine::open(sandbox, Store::in_memory()?, vec![chain], START)?;
        Ok(Self { engine, now: START, events: 0 })
    }

    /// Lets a line happen, and returns what every rule of the chain answered.
    pub(super) fn take(&mut self, line: Line) -> Result<Vec<Told>, CaseError> {
        match line {
            Line::Silent => Ok(Vec::new()),
            Line::Pass(milliseconds) => self.pass(milliseconds),
            Line::Happens(what) => Ok(self.happen(*what)?),
        }
    }

    fn happen(&mut self, what: Happening) -> Result<Vec<Told>, StoreError> {
        self.events += 1;
        let id = format!("event-{}-{}", self.now, self.events);
        let event = Event { id, channel: CHANNEL.to_owned(), at: self.now, what };
        let decision = self.engine.handle(self.now, event)?;
        Ok(decision.answers.into_iter().map(|answer| (self.now, answer)).collect())
    }

    /// Lets time pass from timer to timer.
    fn pass(&mut self, milliseconds: u64) -> Result<Vec<Told>, CaseError> {
        let end = self.now.saturating_add(milliseconds);
        let mut answers = Vec::new();
        let mut timers = 0;
        while let Some(at) = self.engine.next_wake().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            for decision in self.engine.fire(self.now)? {
                timers += 1;
                if timers > MOST_TIMERS {
                    return Err(CaseError::Endless(MOST_TIMERS));
                }
                answers.extend(decision.answers.into_iter().map(|answer| (self.now, answer)));
            }
        }
        self.now = end;
        Ok(answers)
    }

    /// Ends the group: what was decided is kept, and every instance goes.
    pub(super) fn end_group(&mut self) -> Result<(), StoreError> {
        self.engine.commit()?;
        self.engine.end_instances();
        Ok(())
    }
}
