//! Which rules each channel has, and how often each was called there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use heat_engine::{Chain, Decision, Engine, role_name};

use crate::feed::States;

/// The channels in the order of the configuration.
pub(crate) struct Roster(pub(crate) Vec<Listed>);

/// A channel with its rules, in the order of its chain.
pub(crate) struct Listed {
    pub(crate) channel: Arc<str>,
    pub(crate) rules: Vec<RuleFacts>,
}

/// What a rule is, and how often it was called since the start.
pub(crate) struct RuleFacts {
    pub(crate) slot: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) role: &'static str,
    /// SHA-256 of the component, in hexadecimal.
    pub(crate) digest: String,
    pub(crate) calls: AtomicU64,
    pub(crate) failures: AtomicU64,
}

impl Roster {
    pub(crate) fn new(chains: &[Chain]) -> Self {
        let rule = |(slot, rule): &(String, heat_engine::Rule)| RuleFacts {
            slot: slot.clone(),
            name: rule.description().name.clone(),
            version: rule.description().version.clone(),
            role: role_name(rule.description().role),
            digest: rule.digest().to_string(),
            calls: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        };
        let listed = chains.iter().map(|chain| Listed {
            channel: chain.channel.to_lowercase().into(),
            rules: chain.rules.iter().map(rule).collect(),
        });
        Self(listed.collect())
    }

    pub(crate) fn find(&self, channel: &str) -> Option<&Listed> {
        self.0.iter().find(|listed| &*listed.channel == channel)
    }

    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        self.0.iter().map(|listed| Arc::clone(&listed.channel)).collect()
    }

    /// What the engine knows of the channels' streams.
    pub(crate) fn states(&self, engine: &Engine) -> States {
        let stream =
            |listed: &Listed| Some((Arc::clone(&listed.channel), engine.stream(&listed.channel)?));
        self.0.iter().filter_map(stream).collect()
    }

    /// Counts the calls of one decision.
    pub(crate) fn decided(&self, decision: &Decision) {
        let Some(listed) = self.find(&decision.channel) else { return };
        for answer in &decision.answers {
            let Some(rule) = listed.rules.iter().find(|rule| *rule.slot == *answer.slot) else {
                continue;
            };
            rule.calls.fetch_add(1, Ordering::Relaxed);
            rule.failures.fetch_add(u64::from(answer.outcome.is_err()), Ordering::Relaxed);
        }
    }
}
