//! Who may ask for what, how often, and how much at one time. Nothing in here knows what is answered.
//!
//! Every request passes [`access`]: [`host_check`] first, then the token with [`auth_throttle`], its role ([`roles`]) and [`rate_limit`]. [`limits`] bounds
//! what is answered at one time.

pub(crate) mod access;
mod auth_throttle;
pub(crate) mod host_check;
pub(crate) mod limits;
mod rate_limit;
pub(crate) mod roles;
