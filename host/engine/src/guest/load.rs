//! Loads components: compiled, linked, and asked what they are. Takes milliseconds for a small rule and far longer for a large one, so it
//! is not done on the engine's thread.

use std::sync::Arc;

use crate::contract::Description;
use crate::contract::digest::Digest;
use crate::contract::limits::Limits;
use crate::contract::settings::check_schema;
use crate::error::{Fault, LoadError, reason_of};
use crate::guest::Guest;
use crate::guest::code_cache::{StillWanted, packed};
use crate::guest::component::Component;
use crate::guest::sandbox::{Sandbox, may_be_as_large};
use crate::guest::weight::may_weigh;

impl Component {
    /// Compiles the bytes and asks the component what it is.
    pub fn load(sandbox: &Sandbox, limits: &Limits, bytes: &[u8]) -> Result<Self, LoadError> {
        Self::load_while(sandbox, limits, bytes, &|_| true)
    }

    /// The same for a component that is one for all channels: what was loaded already and is still in use is shared. While it is
    /// compiled, `still_wanted` is asked whether anybody waits for it.
    pub fn shared(
        sandbox: &Sandbox,
        limits: &Limits,
        bytes: &[u8],
        still_wanted: &StillWanted<'_>,
    ) -> Result<Arc<Self>, LoadError> {
        if let Some(component) = sandbox.components().find(Digest::of(bytes)) {
            // The rule that loaded it first may have larger limits than this one.
            Self::check_bounds(limits, bytes)?;
            return Ok(component);
        }
        let component = Self::load_while(sandbox, limits, bytes, still_wanted)?;
        Ok(sandbox.components().add(component))
    }

    /// Refuses what no compiler would make a rule of: what is no component, or larger than these limits allow.
    pub fn check_bounds(limits: &Limits, bytes: &[u8]) -> Result<(), LoadError> {
        may_be_as_large(bytes, limits)?;
        may_weigh(bytes, limits)
    }

    fn load_while(
        sandbox: &Sandbox,
        limits: &Limits,
        bytes: &[u8],
        still_wanted: &StillWanted<'_>,
    ) -> Result<Self, LoadError> {
        let pre = sandbox.compile(bytes, limits, still_wanted)?;
        let describe = |fault: Fault| LoadError::Describe(fault.cut().to_string());
        let mut guest = Guest::new(sandbox, &pre, &Arc::new(limits.clone()), &Arc::default(), None)
            .map_err(describe)?;
        let description = guest.describe().map_err(describe)?;
        check(&description).map_err(|why| LoadError::Describe(reason_of(&why)))?;
        Ok(Self { pre, bytes: bytes.into(), digest: Digest::of(bytes), description })
    }
}

impl Sandbox {
    /// What the process that compiles does: loads a component as it will be loaded, here, and hands over its code for the sandbox
    /// that has asked.
    pub fn compile_for_another(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, LoadError> {
        let component = Component::load(self, limits, bytes)?;
        packed(component.pre.instance_pre().component())
            .map_err(|error| LoadError::Compiler(format!("{error:#}")))
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
