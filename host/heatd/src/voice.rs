//! heatd's voice in chat: lines that rules and people say, and what moderators do to people and lines, as the accounts of the configuration.
//!
//! - [`speakers`] says which account speaks or moderates where, [`rates`] when Twitch takes another line,
//! - [`mouth`] says lines one after the other, and drops what is too old, [`moderator`] bans, times out and deletes.

mod moderator;
mod mouth;
mod rates;
mod speakers;

pub(crate) use moderator::{LONGEST as LONGEST_TIMEOUT, ModerationError, Moderator};
pub(crate) use mouth::{Mouth, SayError, Says};
pub(crate) use speakers::Speakers;
