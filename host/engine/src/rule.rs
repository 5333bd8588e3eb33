//! A loaded rule: a component that has described itself, with settings that it accepts. Made off the engine's thread.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::contract::{Ability, Description, Entry, RulePre, Settings};
use crate::digest::Digest;
use crate::effects::check_entry;
use crate::error::{Fault, LoadError, reason_of};
use crate::guest::{Guest, Host};
use crate::interest::Interest;
use crate::limits::Limits;
use crate::sandbox::Sandbox;
use crate::settings::{Given, check_schema, resolve};

/// A component, compiled, linked and described.
pub struct Component {
    pre: RulePre<Host>,
    /// The SHA-256 of the component.
    pub digest: Digest,
    /// What it says of itself, checked.
    pub description: Description,
}

impl Component {
    /// Compiles the bytes and asks the component what it is. Takes milliseconds for a small rule, more on a Pi: not on the
    /// engine's thread.
    pub fn load(sandbox: &Sandbox, limits: &Limits, bytes: &[u8]) -> Result<Self, LoadError> {
        let pre = sandbox.compile(bytes, limits)?;
        let describe = |fault: Fault| LoadError::Describe(fault.cut().to_string());
        let mut guest = Guest::new(sandbox, &pre, &Arc::new(limits.clone()), &Arc::default(), None)
            .map_err(describe)?;
        let description = guest.describe(sandbox).map_err(describe)?;
        sandbox.ticker().disarm();
        check(&description).map_err(|why| LoadError::Describe(reason_of(&why)))?;
        Ok(Self { pre, digest: Digest::of(bytes), description })
    }
}

fn check(description: &Description) -> Result<(), String> {
    let name = &description.name;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 32 || !name.chars().all(plain) {
        return Err(format!(
            "its name {name:?} is not 1 to 32 lower-case letters, digits and hyphens"
        ));
    }
    for (what, text, longest) in
        [("version", &description.version, 32), ("summary", &description.summary, 500)]
    {
        if text.len() > longest || text.contains(char::is_control) {
            return Err(format!(
                "its {what} is longer than {longest} bytes, or has control characters"
            ));
        }
    }
    check_schema(&description.settings)
}

/// A component with settings: what a slot of a channel runs.
pub struct Rule {
    pub(crate) component: Arc<Component>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) interest: Interest,
}

impl Rule {
    /// Holds the settings against the component's schema, and asks what the rule takes with them.
    pub fn new(
        sandbox: &Sandbox,
        limits: &Arc<Limits>,
        component: &Arc<Component>,
        given: &[(String, Given)],
    ) -> Result<Self, LoadError> {
        let settings = Arc::new(resolve(&component.description.settings, given)?);
        let fails = |fault: Fault| LoadError::Describe(fault.cut().to_string());
        let mut guest =
            Guest::new(sandbox, &component.pre, limits, &settings, None).map_err(fails)?;
        let taken = guest.takes(sandbox, &settings).map_err(fails)?;
        sandbox.ticker().disarm();
        let taken = taken.map_err(|why| LoadError::Refused(reason_of(&why)))?;
        let interest = Interest::new(taken).map_err(|why| LoadError::Refused(reason_of(&why)))?;
        Ok(Self {
            component: Arc::clone(component),
            settings,
            limits: Arc::clone(limits),
            interest,
        })
    }

    /// What the component says of itself.
    pub fn description(&self) -> &Description {
        &self.component.description
    }

    /// What the rule is of no use without.
    pub fn needs(&self) -> &[Ability] {
        &self.interest.needs
    }

    /// The SHA-256 of the component.
    pub fn digest(&self) -> Digest {
        self.component.digest
    }

    pub(crate) fn pre(&self) -> &RulePre<Host> {
        &self.component.pre
    }

    /// Rewrites entries of an older state version, all or none.
    pub(crate) fn migrate(
        &self,
        sandbox: &Sandbox,
        from: u32,
        entries: &[Entry],
    ) -> Result<Vec<Entry>, LoadError> {
        let migrated = self.rewrite(sandbox, from, entries).map_err(LoadError::State);
        sandbox.ticker().disarm();
        migrated
    }

    fn rewrite(
        &self,
        sandbox: &Sandbox,
        from: u32,
        entries: &[Entry],
    ) -> Result<Vec<Entry>, String> {
        let fails = |fault: Fault| fault.cut().to_string();
        let mut guest =
            Guest::new(sandbox, self.pre(), &self.limits, &self.settings, None).map_err(fails)?;
        let mut migrated = Migrated::default();
        for entry in entries {
            let answer = guest.migrate(sandbox, from, entry).map_err(fails)?;
            let answer =
                answer.map_err(|why| format!("key {:?}: {}", entry.key, reason_of(&why)))?;
            migrated.fuel = migrated.fuel.saturating_add(guest.fuel_used());
            migrated.add(answer, &self.limits)?;
        }
        Ok(migrated.entries)
    }
}

/// What a migration has made so far, held against the limits at each step: it may be asked for 100,000 keys.
#[derive(Default)]
struct Migrated {
    entries: Vec<Entry>,
    keys: BTreeSet<String>,
    bytes: u64,
    fuel: u64,
}

impl Migrated {
    fn add(&mut self, entries: Vec<Entry>, limits: &Limits) -> Result<(), String> {
        for entry in entries {
            check_entry(&entry, limits)?;
            self.bytes += (entry.key.len() + entry.value.len()) as u64;
            if !self.keys.insert(entry.key.clone()) {
                return Err(format!("it makes the key {:?} twice", entry.key));
            }
            self.entries.push(entry);
        }
        if self.keys.len() as u64 > limits.state_keys || self.bytes > limits.state_bytes {
            return Err("it makes more state than a rule may keep".to_owned());
        }
        if self.fuel > limits.migration_fuel {
            let most = limits.migration_fuel;
            return Err(format!("rewriting it takes more than {most} units of fuel"));
        }
        Ok(())
    }
}
