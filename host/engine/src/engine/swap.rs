//! Another rule in a slot, between two events: begun, prepared off the engine's thread, flipped, and rolled back.
//!
//! The new rule gets a generation of its own: the state before, copied or migrated. What the rule before writes meanwhile is taken
//! over once more at the flip. The rule before goes on over its own generation while the new one is on probation, so going back loses
//! nothing.

mod flip;
mod turn;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::chain::migration::{MigratedState, Migration};
use crate::contract::Entry;
use crate::contract::effects::role_name;
use crate::error::{LoadError, StoreError};
use crate::guest::rule::Rule;
use crate::guest::sandbox::Sandbox;
use crate::store::snapshot::Snapshot;
use crate::store::tables::{Owner, SlotKey};

/// A swap that has begun: what is needed to prepare it off the engine's thread.
pub struct SwapTicket {
    /// The slot as it is now.
    pub rule: Rule,
    /// All rules of the channel that run, by slot.
    pub chain: Vec<(String, Rule)>,
    /// The store as of the last commit.
    pub snapshot: Arc<Snapshot>,
    /// Whether the slot is called now.
    pub is_on: bool,
    ticket: u64,
    before: Arc<SlotKey>,
    after: Arc<SlotKey>,
    owner: Owner,
}

/// A swap that is ready.
pub struct Swap {
    ticket: u64,
    rule: Rule,
    before: Arc<SlotKey>,
    after: Arc<SlotKey>,
    owner: Owner,
    /// None: the state before is that of another rule.
    moved: Option<MigratedState>,
    /// What is not in the new generation yet.
    left: Vec<Entry>,
    /// Timers, where they are not those of the rule before.
    alarms: Option<Vec<(String, u64)>>,
    /// What the new rule shows at once.
    shown: BTreeMap<String, String>,
}

impl Swap {
    /// Login of the channel.
    pub fn channel(&self) -> &str {
        &self.before.channel
    }

    /// Name of the slot.
    pub fn slot(&self) -> &str {
        &self.before.slot
    }

    /// The rule that takes the slot.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// How many entries of the state are not copied yet.
    pub fn left(&self) -> usize {
        self.left.len()
    }
}

impl SwapTicket {
    /// Takes the state over for this rule. Takes as long as the state is large.
    pub fn prepare(&self, sandbox: &Sandbox, rule: Rule) -> Result<Swap, LoadError> {
        self.fits(&rule)?;
        let stored = |error: StoreError| LoadError::State(error.to_string());
        let moved = match Migration::of(sandbox, &rule, &self.owner)? {
            None => None,
            Some(mut migration) => {
                let entries = self.snapshot.entries(&self.before).map_err(stored)?;
                Some(migration.all(&rule, entries)?)
            }
        };
        let left = moved.iter().flat_map(|moved| moved.entries.values().flatten().cloned());
        Ok(Swap {
            ticket: self.ticket,
            left: left.collect(),
            rule,
            before: Arc::clone(&self.before),
            after: Arc::clone(&self.after),
            owner: self.owner.clone(),
            moved,
            alarms: None,
            shown: BTreeMap::new(),
        })
    }

    /// The number of the swap, with which it can be given up.
    pub fn ticket(&self) -> u64 {
        self.ticket
    }

    /// Whether a rule can be in this slot at all.
    pub fn fits(&self, rule: &Rule) -> Result<(), LoadError> {
        let (now, then) = (rule.description().role, self.rule.description().role);
        if now == then {
            return Ok(());
        }
        let (now, then) = (role_name(now), role_name(then));
        let problem = format!("it is a {now}, and the slot {} is for a {then}", self.before.slot);
        Err(LoadError::Refused(problem))
    }

    /// A swap to a rule that has made its state elsewhere.
    pub fn handed(&self, rule: Rule, state: RuleState) -> Swap {
        let mut moved = MigratedState::default();
        for entry in &state.entries {
            moved.usage.replace(entry.key.len(), None, Some(entry.value.len()));
        }
        Swap {
            ticket: self.ticket,
            rule,
            before: Arc::clone(&self.before),
            after: Arc::clone(&self.after),
            owner: self.owner.clone(),
            moved: Some(moved),
            left: state.entries,
            alarms: Some(state.alarms),
            shown: state.shown,
        }
    }

    /// Whether a rule keeps what the rule before has stored.
    pub fn keeps_state(&self, rule: &Rule) -> bool {
        self.owner.rule.is_empty() || self.owner.rule == rule.description().name
    }
}

/// What a rule has made of the events elsewhere: in a run.
#[derive(Debug, Clone, Default)]
pub struct RuleState {
    /// Its state.
    pub entries: Vec<Entry>,
    /// Its timers.
    pub alarms: Vec<(String, u64)>,
    /// What it shows.
    pub shown: BTreeMap<String, String>,
}
