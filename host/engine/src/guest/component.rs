//! A component that is loaded, and the ones that are in use: channels that run the same one share it.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::contract::digest::Digest;
use crate::contract::{Description, RulePre};
use crate::guest::host::Host;

/// A component, compiled, linked and described.
pub struct Component {
    pub(super) pre: RulePre<Host>,
    /// As it was given; the store keeps what was ever live.
    pub(crate) bytes: Arc<[u8]>,
    /// The SHA-256 of the component.
    pub digest: Digest,
    /// What it says of itself, checked.
    pub description: Description,
}

/// The components that are in use. One that nobody uses any more is gone.
#[derive(Default)]
pub(crate) struct ComponentsInUse(Mutex<BTreeMap<Digest, Weak<Component>>>);

impl ComponentsInUse {
    pub(super) fn find(&self, digest: Digest) -> Option<Arc<Component>> {
        self.0.lock().get(&digest)?.upgrade()
    }

    /// Adds a component for others to use; returns the one that somebody else has loaded meanwhile, if there is one.
    pub(super) fn add(&self, component: Component) -> Arc<Component> {
        let mut components = self.0.lock();
        components.retain(|_, component| component.strong_count() > 0);
        let known = components.get(&component.digest).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let component = Arc::new(component);
            components.insert(component.digest, Arc::downgrade(&component));
            component
        })
    }

    pub(super) fn digests(&self) -> Vec<Digest> {
        let components = self.0.lock();
        let in_use = components.iter().filter(|(_, component)| component.strong_count() > 0);
        in_use.map(|(digest, _)| *digest).collect()
    }
}
