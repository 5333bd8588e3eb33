//! A requested change of a slot: what to put into it, where it comes from, and who asks.

use std::sync::Arc;

use heat_engine::{Action, Given, Rule};

use super::settings::Edit;

/// A requested change of a slot.
pub(crate) struct DeployRequest {
    pub(crate) channel: String,
    pub(crate) slot: String,
    pub(crate) source: RuleSource,
    /// Who asks for it, for the audit log.
    pub(crate) by: String,
}

/// Where the new rule comes from.
#[derive(Clone)]
pub(crate) enum RuleSource {
    /// A new component. It keeps the live settings if it is a version of the same rule, with these changes.
    Component(Arc<[u8]>, Edit),
    /// The live component with other settings.
    Settings(Edit),
    /// A file of the configuration that has changed: the new component, and the rule as it was configured.
    File(Arc<[u8]>, Box<Rule>),
    /// The component that was live before, with its settings of that time. None: with those of the configuration.
    Previous(Arc<[u8]>, Option<Vec<(String, Given)>>),
}

impl RuleSource {
    pub(super) fn action(&self) -> Action {
        match self {
            Self::Component(..) | Self::File(..) => Action::Deploy,
            Self::Settings(_) => Action::Settings,
            Self::Previous(..) => Action::RollBack,
        }
    }
}
