//! The engine of Heat Level: rules decide, the engine commits.
//!
//! It knows no sockets, no tasks and no clock: events come in as values with their time, and what has to be shown and sent
//! goes out as values.
//!
//! Each folder may import the ones before it in this list, and nothing else (`tests/tests/layers.rs` holds that):
//!
//! 1. `error`: errors, by who must act,
//! 2. `contract`: what events, settings and effects are and may be,
//! 3. `store`: rows and transactions; [`Store`] writes, a [`Snapshot`] reads,
//! 4. `overlay`: what is decided and not yet committed, over a snapshot,
//! 5. `series`: what is counted over time; and `guest`: runs wasmtime. Its `bounds` and `weight` say whether a component may be compiled,
//!    [`Sandbox`] compiles it or has another process do so, [`Component`] describes itself, [`Rule`] is a component with settings,
//! 6. `chain`: the slots of one channel decide on one event, in three phases,
//! 7. `engine`: [`Engine`] takes events in, knows duplicates, and commits groups of events as one transaction,
//! 8. `run`: a [`Run`] is a copy of a channel from which nothing is sent and nothing kept; [`cases`] plays rules for their authors.
//!
//! The way of an event: `Engine::handle`, `Channel::decide`, `Slot::call`, `Guest::handle`, `Slot::take`, and at last `Engine::commit`.

mod error;

mod contract;

mod store;

mod overlay;

mod series;

mod guest;

mod chain;

mod engine;

mod run;

pub mod cases;

#[cfg(test)]
mod fuzz;

pub use chain::Decision;
pub use chain::pending::{LineRef, Say};
pub use chain::slot::{Answer, Cost};
pub use chain::stream::{HOST, STREAM_OUTPUT, state_name};
pub use contract::digest::Digest;
pub use contract::effects::{effect_line, is_notice, role_name, thousandths};
pub use contract::event::{ORDER_ID, is_order, kind_of, person_of};
pub use contract::interest::{check_filter, check_topic, matches};
pub use contract::limits::Limits;
pub use contract::settings::{Given, length, parse_duration};
pub use contract::typed::{after_command, command_word, composed, is_invisible};
pub use engine::commit::Committed;
pub use engine::import::ImportSummary;
pub use engine::rename::{FormerLogin, RoomNews, rename_channel};
pub use engine::request::{ChangeError, ChangeRequest};
pub use engine::status::SlotStatus;
pub use engine::swap::{RuleState, Swap, SwapTicket};
pub use engine::undo::{Undo, UndoTarget};
pub use engine::{Chain, Engine, OpenError, Outputs};
pub use error::{Fault, LoadError, SandboxError, StoreError};
pub use guest::code_cache::{CompileJob, Compiler, StillWanted};
pub use guest::component::Component;
pub use guest::meter::{Doing, Measured, Meter};
pub use guest::rule::Rule;
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
pub use store::changes::{Action, AddedSlot, AuditEntry, SlotOverride, Status};
pub use store::counts::{CountKind, CountRow};
pub use store::dead_letter::DeadLetter;
pub use store::disk::DiskUse;
pub use store::forget::strip::ErasureSummary;
pub use store::forget::who::{Identity, IdentityError, Namesake};
pub use store::forget::{Erasure, Mention};
pub use store::guard::reads_a_store;
pub use store::history::pattern::TextPattern;
pub use store::history::person::{NameSeen, PersonHistory};
pub use store::history::{FAVE, Found, FoundKind, HistoryPage, HistoryQuery};
pub use store::membership::{ChannelOverride, members};
pub use store::record::{CountedFave, Imported, Record};
pub use store::schema::SCHEMA_VERSION;
pub use store::snapshot::Snapshot;
pub use store::streams::PastStream;
pub use store::tables::{SlotKey, Stream};
pub use store::verification::Verification;

/// The contract of `wit/rule.wit` as Rust types: what events are made of, and what rules answer.
pub mod wit {
    pub use crate::contract::{
        Ability, Alarm, ChatLine, Cheer, ClipRequest, Command, Delivery, Description, Effect,
        Emote, EmoteProvider, Entry, Event, Fave, Gift, Happening, HypeTrain, HypeTrainStage,
        Interests, Kind, Message, MqttMessage, NewFave, Output, Person, Raid, Redemption, Role,
        Setting, SettingKind, SettingValue, Settings, Standing, Subscription, Tally, Tier,
    };
}
