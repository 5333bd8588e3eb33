//! The registry of shadows: rules that run beside the live ones, and show under names of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use heat_engine::{Outputs, Rule};
use parking_lot::Mutex;

use super::answers::ShadowStatus;
use crate::queue::Subscription;

/// All shadows, by channel and slot.
#[derive(Default)]
pub(crate) struct Shadows(Mutex<BTreeMap<(String, String), Shadow>>);

/// One shadow.
#[derive(Clone)]
pub(crate) struct Shadow {
    pub(super) rule: Rule,
    pub(super) since: u64,
    pub(super) subscription: Subscription,
    pub(super) seen: Arc<Mutex<Seen>>,
}

/// What a shadow has made so far.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) events: u64,
    pub(super) shown: BTreeMap<String, String>,
}

impl Shadows {
    pub(super) fn all(&self) -> parking_lot::MutexGuard<'_, BTreeMap<(String, String), Shadow>> {
        self.0.lock()
    }

    pub(super) fn get(&self, channel: &str, slot: &str) -> Option<Shadow> {
        self.all().get(&(channel.to_owned(), slot.to_owned())).cloned()
    }

    pub(super) fn end(&self, channel: &str, slot: &str) -> Option<Shadow> {
        self.all().remove(&(channel.to_owned(), slot.to_owned()))
    }

    /// Removes this shadow, unless another one has taken its slot.
    pub(super) fn end_this(&self, channel: &str, slot: &str, seen: &Arc<Mutex<Seen>>) {
        let key = (channel.to_owned(), slot.to_owned());
        let mut all = self.all();
        if all.get(&key).is_some_and(|shadow| Arc::ptr_eq(&shadow.seen, seen)) {
            all.remove(&key);
        }
    }

    /// The slot and the rule of each shadow of a channel.
    pub(super) fn of(&self, channel: &str) -> Vec<(String, Rule)> {
        let all = self.all();
        let mine = all.iter().filter(|((of, _), _)| of == channel);
        mine.map(|((_, slot), shadow)| (slot.clone(), shadow.rule.clone())).collect()
    }

    /// Adds the outputs of all shadows.
    pub(crate) fn add_to(&self, outputs: &mut Outputs) {
        for ((channel, _), shadow) in &*self.all() {
            let seen = shadow.seen.lock();
            for (name, text) in &seen.shown {
                let key = (channel.as_str().into(), output(name));
                outputs.insert(key, Some(text.clone()).filter(|text| !text.is_empty()));
            }
        }
    }

    /// The shadow of a slot, as the API shows it.
    pub(crate) fn told(&self, channel: &str, slot: &str) -> Option<ShadowStatus> {
        let shadow = self.get(channel, slot)?;
        let description = shadow.rule.description();
        let seen = shadow.seen.lock();
        Some(ShadowStatus {
            name: description.name.clone(),
            version: description.version.clone(),
            digest: shadow.rule.digest().to_string(),
            since: shadow.since,
            events: seen.events,
            outputs: seen.shown.clone(),
        })
    }
}

/// The name of a shadow's output. No rule can show under such a name.
pub(super) fn output(name: &str) -> String {
    format!("shadow/{name}")
}
