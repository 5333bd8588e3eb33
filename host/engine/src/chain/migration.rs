//! A rule's state on its way to the next generation: copied, or rewritten by the rule when its state version has risen.

use std::collections::BTreeMap;

use crate::chain::usage::StateUse;
use crate::contract::Entry;
use crate::contract::effects::check_entry;
use crate::error::{Fault, LoadError, reason_of};
use crate::guest::Guest;
use crate::guest::rule::Rule;
use crate::guest::sandbox::Sandbox;
use crate::store::tables::Owner;

/// Rewrites keys one by one, for as long as it lives.
pub(crate) struct Migration {
    /// None: the entries are taken over as they are.
    rewriting: Option<(u32, Guest)>,
    /// What rewriting has used so far: it may be asked for 100,000 keys.
    fuel: u64,
}

/// What became of the keys of the generation before.
#[derive(Default)]
pub(crate) struct MigratedState {
    /// Key before -> entries now.
    pub(crate) entries: BTreeMap<String, Vec<Entry>>,
    pub(crate) usage: StateUse,
}

impl Migration {
    /// Prepares to take over what `owner` has left. None: the state is that of another rule, and is not taken over.
    pub(crate) fn of(
        sandbox: &Sandbox,
        rule: &Rule,
        owner: &Owner,
    ) -> Result<Option<Self>, LoadError> {
        let description = rule.description();
        if !owner.rule.is_empty() && owner.rule != description.name {
            return Ok(None);
        }
        let (before, version) = (owner.version, description.state_version);
        if before > version {
            return Err(LoadError::State(format!(
                "it is of state version {before}, and the component knows versions up to {version}"
            )));
        }
        let rewriting = match before < version {
            false => None,
            true => {
                let guest = Guest::new(sandbox, rule.pre(), &rule.limits, &rule.settings, None)
                    .map_err(|fault| LoadError::State(fault.cut().to_string()))?;
                Some((before, guest))
            }
        };
        Ok(Some(Self { rewriting, fuel: 0 }))
    }

    /// One entry, as the new generation has it.
    pub(crate) fn entry(&mut self, rule: &Rule, entry: Entry) -> Result<Vec<Entry>, LoadError> {
        let Some((from, guest)) = &mut self.rewriting else { return Ok(vec![entry]) };
        let refused = |problem: String| LoadError::State(problem);
        let rewritten = guest.migrate(*from, &entry).map_err(|fault| match fault {
            Fault::Error(why) => refused(format!("key {:?}: {}", entry.key, reason_of(&why))),
            fault => refused(fault.cut().to_string()),
        })?;
        self.fuel = self.fuel.saturating_add(guest.fuel_used());
        let most = rule.limits.migration_fuel;
        if self.fuel > most {
            return Err(refused(format!("rewriting it takes more than {most} units of fuel")));
        }
        for entry in &rewritten {
            check_entry(entry, &rule.limits).map_err(refused)?;
        }
        Ok(rewritten)
    }

    /// All entries, or why not.
    pub(crate) fn all(
        &mut self,
        rule: &Rule,
        entries: Vec<Entry>,
    ) -> Result<MigratedState, LoadError> {
        let mut moved = MigratedState::default();
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        for entry in entries {
            let key = entry.key.clone();
            let rewritten = self.entry(rule, entry)?;
            for entry in &rewritten {
                moved.usage.replace(entry.key.len(), None, Some(entry.value.len()));
                if sizes.insert(entry.key.clone(), entry.value.len()).is_some() {
                    let problem = format!("it makes the key {:?} twice", entry.key);
                    return Err(LoadError::State(problem));
                }
            }
            moved.entries.insert(key, rewritten);
        }
        let limits = &rule.limits;
        if moved.usage.keys > limits.state_keys || moved.usage.bytes > limits.state_bytes {
            return Err(LoadError::State("it makes more state than a rule may keep".to_owned()));
        }
        Ok(moved)
    }
}
