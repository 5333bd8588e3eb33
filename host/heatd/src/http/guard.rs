//! Who may use what, and how often. Nothing in here knows what is answered.
//!
//! [`access`] is what every request of the API passes: [`host_check`] first, then the token, then [`roles`] and [`rate_limit`].

pub(crate) mod access;
mod auth_throttle;
mod host_check;
pub(crate) mod limits;
mod rate_limit;
pub(crate) mod roles;
