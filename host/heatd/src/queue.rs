//! The doors of the engine's thread: what goes in, what a task can reach inside, and where the thread leaves what others send.
//!
//! [`input`] is everything that can happen to the engine, [`task`] work that somebody wants done between two events, [`subscriptions`] how a
//! run follows the engine's records. [`mailbox`] is what leaves after a commit. [`agenda`] says when the thread wants to be woken, and
//! [`ticks`] wakes it. [`streams`] reads the signs that a stream starts or ends.

mod agenda;
mod input;
mod mailbox;
pub(crate) mod streams;
mod subscriptions;
mod task;
pub(crate) mod ticks;

pub(crate) use agenda::Agenda;
pub(crate) use input::{AckToken, Input, InputKind, StreamAnswer, Topics};
pub(crate) use mailbox::{Mailbox, ToSend};
pub(crate) use subscriptions::{Subscriber, Subscription, Subscriptions, Update};
pub(crate) use task::{After, EngineAccess, Task};
