//! Who may ask for a resource.

use axum::http::StatusCode;

use crate::data::role::Role;
use crate::data::tokens::Caller;
use crate::http::form::problem::Problem;

/// Who may ask for a resource, as the table of routes says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessRule {
    /// Everybody, without a token.
    Anybody,
    /// Programs on heatd's own machine, without a token. Requests through a proxy are refused.
    Machines,
    /// A token with at least this role.
    Holder(Role),
}

/// Refuses a caller whose role is not enough. `what` begins the sentence: "for this".
pub(crate) fn needs(caller: &Caller, role: Role, what: &str) -> Result<(), Problem> {
    if caller.role >= role {
        return Ok(());
    }
    let (name, has, role) = (&caller.name, caller.role.name(), role.name());
    let detail =
        format!("{what} the role {role} is needed, and the token {name:?} has the role {has}");
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}
