//! The engine of Heat Level: rules decide, the engine commits.
//!
//! It knows no sockets, no tasks and no clock: events come in as values with their time, and what has to be shown and sent
//! goes out as values. In the order in which an event passes them:
//!
//! - [`Engine`] takes events in, knows duplicates, commits groups of events as one transaction,
//! - `channel` takes an event through the three phases of a channel's chain,
//! - `interest` says which rules take it, `slot` calls one rule and takes its answer,
//! - `guest` is a live instance with its limits, `views` what it can read, `effects` holds its answer against role and limits,
//! - `pending` and `overlay` are what is decided and not committed, `timers` when to be woken, `seen` the known ids,
//! - [`Store`], its `tables` and its `log` are what is kept, and `backup` copies it.
//!
//! Before any event: [`Sandbox`] compiles components, [`Component`] describes itself, [`Rule`] is a component with settings.
//! For whoever writes rules: [`cases`] plays them, and a [`Meter`] says what calls cost.

mod engine;

mod changed;
mod channel;
mod checkpoint;
mod conduct;
mod counting;
mod effects;
mod emotes;
mod forget;
#[cfg(test)]
mod fuzz;
mod gaps;
mod guest;
mod ids;
mod interest;
mod judge;
mod letters;
mod membership;
mod migration;
mod outputs;
mod overlay;
mod pace;
mod pending;
mod run;
mod seen;
mod series;
mod settle;
mod slot;
mod standing;
mod streams;
mod swap;
mod timers;
mod transfer;
mod undo;
mod views;
mod why;

mod backup;
mod disk;
mod log;
mod store;
mod tables;

mod digest;
mod limits;
mod rule;
mod sandbox;
mod settings;
mod ticker;
mod weight;

pub mod cases;
mod meter;

mod contract;
mod error;

pub use backup::{Contents, Progress};
pub use changed::{Action, Changed, Entered, Status};
pub use channel::Decision;
pub use digest::Digest;
pub use disk::DiskUse;
pub use effects::{effect_line, role_name, thousandths};
pub use engine::{Chain, Committed, Engine, OpenError, Outputs};
pub use error::{Fault, LoadError, SandboxError, StoreError};
pub use forget::{Forgetting, Lost, Mention, Who};
pub use interest::{check_filter, check_topic, matches};
pub use letters::Letter;
pub use limits::Limits;
pub use log::{Counted, Imported, Record};
pub use membership::{Membership, members};
pub use meter::{Doing, Measured, Meter};
pub use outputs::{HOST, STREAM_OUTPUT, state_name};
pub use pending::Say;
#[doc(hidden)]
pub use redb::StorageBackend;
pub use rule::{Component, Rule};
pub use run::{Changes, Library, Run, RunError, Seed};
#[doc(hidden)]
pub use sandbox::engine_config;
pub use sandbox::{Clock, STACK, Sandbox};
pub use series::{MostFaved, Point, Provider, Range, Resolution, Statistics, Total, What};
pub use settings::{Given, parse_duration};
pub use slot::{Answer, Cost};
pub use standing::Standing;
pub use store::{SCHEMA_VERSION, Store, reads_a_store};
pub use streams::PastStream;
pub use swap::{Begun, Handed, Order, Refused, Swap};
pub use tables::{SlotKey, Snapshot, Stream};
pub use transfer::{Brought, Counted as CountRow, Kind as CountKind};
pub use undo::{Undo, Which};
pub use why::{Cause, kind_of, person_of, why};

/// The contract of `wit/rule.wit` as Rust types: what events are made of, and what rules answer.
pub mod wit {
    pub use crate::contract::{
        Ability, Alarm, ChatLine, Cheer, ClipRequest, Command, Delivery, Description, Effect,
        Emote, EmoteProvider, Entry, Event, Fave, Gift, Happening, HypeTrain, HypeTrainStage,
        Interests, Kind, Message, MqttMessage, NewFave, Output, Person, Raid, Redemption, Role,
        Setting, SettingKind, SettingValue, Settings, Standing, Subscription, Tally, Tier,
    };
}
