//! Where a run finds the rules that the log speaks of.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::contract::Settings;
use crate::contract::digest::Digest;
use crate::contract::settings::Given;
use crate::error::LoadError;
use crate::guest::component::Component;
use crate::guest::rule::Rule;
use crate::guest::sandbox::Sandbox;
use crate::run::error::RunError;
use crate::store::snapshot::Snapshot;

/// Where a run finds the rules of the log: those that are live, and all that ever were.
pub struct Library {
    pub(super) sandbox: Arc<Sandbox>,
    snapshot: Arc<Snapshot>,
    live: BTreeMap<String, Rule>,
    components: HashMap<Digest, Arc<Component>>,
    without: BTreeSet<Digest>,
}

impl Library {
    /// A library that knows the rules which run, by slot.
    pub fn new(sandbox: &Arc<Sandbox>, snapshot: Arc<Snapshot>, live: &[(String, Rule)]) -> Self {
        let components = live.iter().map(|(_, rule)| (rule.digest(), Arc::clone(&rule.component)));
        Self {
            sandbox: Arc::clone(sandbox),
            snapshot,
            components: components.collect(),
            live: live.iter().cloned().collect(),
            without: BTreeSet::new(),
        }
    }

    /// Whether a rule runs in this slot now.
    pub(super) fn is_live(&self, slot: &str) -> bool {
        self.live.contains_key(slot)
    }

    /// Takes note of rules that run now.
    pub(super) fn learn(&mut self, live: &[(String, Rule)]) {
        for (slot, rule) in live {
            self.components.insert(rule.digest(), Arc::clone(&rule.component));
            self.live.insert(slot.clone(), rule.clone());
        }
    }

    /// Does without this component: what is live now stands in for it.
    pub fn without(&mut self, component: Option<Digest>) {
        self.without.extend(component);
    }

    /// Components that were taken back: what is live now stands in for them.
    pub(super) fn forget(&mut self, without: &BTreeSet<Digest>) {
        self.without.extend(without);
    }

    pub(super) fn rule(
        &mut self,
        slot: &str,
        digest: Digest,
        settings: &Settings,
    ) -> Result<Rule, RunError> {
        if self.without.contains(&digest)
            && let Some(rule) = self.live.get(slot)
        {
            return Ok(rule.clone());
        }
        let refused =
            |error: LoadError| RunError::Rule { slot: slot.to_owned(), problem: error.to_string() };
        let limits = self.live.get(slot).map(|rule| Arc::clone(&rule.limits)).unwrap_or_default();
        let component = match self.components.get(&digest) {
            Some(component) => Arc::clone(component),
            None => {
                let Some(bytes) = self.snapshot.component(digest)? else {
                    let problem = format!("the store does not have the component {digest}");
                    return Err(RunError::Rule { slot: slot.to_owned(), problem });
                };
                let component = Component::shared(&self.sandbox, &limits, &bytes, &|_| true);
                let component = component.map_err(refused)?;
                self.components.insert(digest, Arc::clone(&component));
                component
            }
        };
        let given: Vec<(String, Given)> =
            settings.iter().map(|(name, value)| (name.clone(), Given::of(value))).collect();
        Rule::new(&self.sandbox, &limits, &component, &given).map_err(refused)
    }
}
