//! A rule: a component that has described itself, with settings that it accepts. Made off the engine's thread.

use std::sync::Arc;

use crate::contract::digest::Digest;
use crate::contract::interest::Interest;
use crate::contract::limits::Limits;
use crate::contract::settings::{Given, resolve};
use crate::contract::{Ability, Description, RulePre, Settings};
use crate::error::{Fault, LoadError, StoreError, reason_of};
use crate::guest::Guest;
use crate::guest::component::Component;
use crate::guest::host::Host;
use crate::guest::sandbox::Sandbox;
use crate::store::changes::AddedSlot;
use crate::store::log::encode;

/// A component with settings: what a slot of a channel runs. Cheap to clone.
#[derive(Clone)]
pub struct Rule {
    pub(crate) component: Arc<Component>,
    /// The settings that somebody gave, without the defaults.
    pub(crate) given: Arc<[(String, Given)]>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) interest: Arc<Interest>,
    pub(crate) pinned: bool,
    pub(crate) added: Option<AddedSlot>,
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
        let taken = guest.takes(&settings).map_err(|fault| match fault {
            Fault::Error(why) => LoadError::Refused(reason_of(&why)),
            fault => fails(fault),
        })?;
        let interest = Interest::new(taken).map_err(|why| LoadError::Refused(reason_of(&why)))?;
        Ok(Self {
            component: Arc::clone(component),
            given: given.into(),
            settings,
            limits: Arc::clone(limits),
            interest: Arc::new(interest),
            pinned: false,
            added: None,
        })
    }

    /// The configuration alone decides on this slot: it cannot be changed while running.
    pub fn pinned(mut self) -> Self {
        self.pinned = true;
        self
    }

    /// Its slot was added while running: the configuration does not have it.
    pub fn in_added_slot(mut self, added: AddedSlot) -> Self {
        self.added = Some(added);
        self
    }

    /// Whether the configuration alone decides on this slot.
    pub fn is_pinned(&self) -> bool {
        self.pinned
    }

    /// The component, for another rule that runs it.
    pub fn component(&self) -> &Arc<Component> {
        &self.component
    }

    /// The bytes of the component.
    pub fn bytes(&self) -> &[u8] {
        &self.component.bytes
    }

    /// The same rule, each instance of which is called for so many events.
    pub fn for_groups_of(&self, instance_events: u32) -> Self {
        let limits = Arc::new(Limits { instance_events, ..(*self.limits).clone() });
        Self { limits, ..self.clone() }
    }

    /// The commands that it takes.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.interest.commands.iter().map(|(_, command)| command.as_str())
    }

    /// What a call of this rule may use.
    pub fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// The settings that somebody gave, without the defaults.
    pub fn given(&self) -> &[(String, Given)] {
        &self.given
    }

    /// Every setting, with its value.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The component and what it was given, as one digest: what a configuration says of a slot.
    pub(crate) fn base(&self) -> Result<Digest, StoreError> {
        Ok(Digest::of(&encode(&(self.digest(), &*self.given))?))
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
}
