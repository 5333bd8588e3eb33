//! The control plane: what is done to rules, channels and counts while heatd runs. Every call here may wait, so it runs on a thread that may.
//!
//! Reading order: [`handle`] is what callers hold, [`ask`] the way to the engine's thread. [`deploy`] is the path of every change of a slot, with [`compile`] and
//! [`check`] on it. [`follow`] keeps a run beside what is live: [`shadow`] shows such a run, [`undo`] and [`forget`] adopt its state. [`replay`] and
//! [`simulate`] say what would happen; [`command`] gives a moderator's order, [`turn`] turns a slot off or brings back what was in it, [`retry`] makes failed calls again. [`export`] and [`import`] move counts and the log. [`chains`] loads what is configured, and [`clashes`] finds rules that show the same. [`channels`] adds and
//! removes channels, [`slots`] rules, [`folder`] deploys changed files, [`moderation`] takes moderators' orders from chat. [`logins`] tells people how Twitch logins stand.

mod added;
mod answers;
mod ask;
pub(crate) mod chains;
pub(crate) mod channels;
mod check;
mod clashes;
mod command;
mod compile;
mod deploy;
mod differences;
mod error;
mod export;
pub(crate) mod folder;
mod follow;
mod forget;
mod handle;
mod import;
pub(crate) mod logins;
pub(crate) mod moderation;
mod outputs;
mod people;
mod progress;
mod replay;
mod request;
mod retry;
mod same;
mod settings;
mod shadow;
mod shadows;
mod simulate;
mod slots;
mod turn;
mod undo;

pub(crate) use answers::{MessageAnswer, ShadowStatus};
pub(crate) use error::Error;
pub(crate) use export::ExportScope;
pub(crate) use follow::spawn_low_priority;
pub(crate) use forget::Forgotten;
pub(crate) use handle::Control;
pub(crate) use import::Import;
pub(crate) use outputs::must_be_there;
pub(crate) use people::known_as;
pub(crate) use progress::Progress;
pub(crate) use replay::Replayed;
pub(crate) use request::{DeployRequest, RuleSource};
pub(crate) use settings::{Edit, as_json, as_toml, quoted};
pub(crate) use shadows::Shadows;
pub(crate) use simulate::Imagined;
pub(crate) use slots::NewRule;
pub(crate) use undo::Undone;
