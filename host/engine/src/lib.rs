//! The engine of Heat Level: rules decide, the engine commits.
//!
//! It knows no sockets, no tasks and no clock: events come in as values with their time, and what has to be shown and sent
//! goes out as values. In the order in which an event passes them:
//!
//! - [`Engine`] takes events in, knows duplicates, commits groups of events as one transaction,
//! - `chain` takes an event through the three phases of a channel's chain,
//! - `contract::interest` says which rules take it, `chain::slot` calls one rule and takes its answer,
//! - `guest` is a live instance with its limits, `guest::views` what it can read, `contract::effects` holds its answer against role and limits,
//! - `chain::pending` and `overlay` are what is decided and not committed, `chain::timers` when to be woken, `engine::seen` the known ids,
//! - [`Store`], its `tables` and its `log` are what is kept, and `store::backup` copies it.
//!
//! Before any event: [`Sandbox`] compiles components, [`Component`] describes itself, [`Rule`] is a component with settings.
//! For whoever writes rules: [`cases`] plays them, and a [`Meter`] says what calls cost.

mod error;

mod contract;

mod store;

mod overlay;

mod guest;
mod series;

mod chain;

mod engine;

pub mod cases;
mod run;

#[cfg(test)]
mod fuzz;

pub use chain::Decision;
pub use chain::pending::Say;
pub use chain::slot::{Answer, Cost};
pub use chain::stream::{HOST, STREAM_OUTPUT, state_name};
pub use contract::digest::Digest;
pub use contract::effects::{effect_line, role_name, thousandths};
pub use contract::event::{kind_of, person_of};
pub use contract::interest::{check_filter, check_topic, matches};
pub use contract::limits::Limits;
pub use contract::settings::{Given, parse_duration};
pub use engine::commit::Committed;
pub use engine::import::Brought;
pub use engine::order::{Order, Refused};
pub use engine::standing::Standing;
pub use engine::swap::{Begun, Handed, Swap};
pub use engine::undo::{Undo, Which};
pub use engine::{Chain, Engine, OpenError, Outputs};
pub use error::{Fault, LoadError, SandboxError, StoreError};
pub use guest::meter::{Doing, Measured, Meter};
pub use guest::rule::{Component, Rule};
#[doc(hidden)]
pub use guest::sandbox::engine_config;
pub use guest::sandbox::{Clock, STACK, Sandbox};
#[doc(hidden)]
pub use redb::StorageBackend;
pub use run::error::RunError;
pub use run::library::Library;
pub use run::seed::Seed;
pub use run::why::{Cause, why};
pub use run::{Changes, Run};
pub use series::names::{Provider, What};
pub use series::query::{Point, Range, Statistics, Total};
pub use series::resolution::Resolution;
pub use series::top::MostFaved;
pub use store::Store;
pub use store::backup::{Contents, Progress};
pub use store::changed::{Action, Changed, Entered, Status};
pub use store::counts::{Counted as CountRow, Kind as CountKind};
pub use store::disk::DiskUse;
pub use store::forget::strip::Lost;
pub use store::forget::who::Who;
pub use store::forget::{Forgetting, Mention};
pub use store::guard::reads_a_store;
pub use store::letter::Letter;
pub use store::membership::{Membership, members};
pub use store::record::{Counted, Imported, Record};
pub use store::schema::SCHEMA_VERSION;
pub use store::snapshot::Snapshot;
pub use store::tables::{SlotKey, Stream};

/// The contract of `wit/rule.wit` as Rust types: what events are made of, and what rules answer.
pub mod wit {
    pub use crate::contract::{
        Ability, Alarm, ChatLine, Cheer, ClipRequest, Command, Delivery, Description, Effect,
        Emote, EmoteProvider, Entry, Event, Fave, Gift, Happening, HypeTrain, HypeTrainStage,
        Interests, Kind, Message, MqttMessage, NewFave, Output, Person, Raid, Redemption, Role,
        Setting, SettingKind, SettingValue, Settings, Standing, Subscription, Tally, Tier,
    };
}
