//! The Twitch accounts that heatd is logged in to: how a login begins and ends, and who keeps it good.
//!
//! - [`oauth`] speaks with Twitch's server for logins, [`file`] keeps tokens on disk, [`environment`] has those that a service manager hands over, and [`adopt`] takes them over,
//! - [`standing`] is how an account stands, for everybody who is told,
//! - [`accounts`] has them all, and gives out tokens,
//! - [`login`] takes a person through a login, which is [`pending`] until it ends; [`keeper`] validates and refreshes what is there.
//!
//! A token is used from [`accounts`] alone. A new refresh token is on the disk before its access token is used: it is good for one use.

mod accounts;
mod adopt;
mod environment;
mod file;
#[cfg(test)]
mod fuzz;
mod keeper;
mod login;
mod oauth;
mod pending;
mod standing;

pub(crate) use accounts::{Accounts, Credential};
pub(crate) use keeper::Keeper;
pub(crate) use login::LoginProblem;
pub(crate) use oauth::OauthError;
pub(crate) use pending::Begun;
pub(crate) use standing::AccountState;
