//! The doors of the engine's thread: what goes in, what a task finds inside, and where the thread leaves what others have to send.
//!
//! [`input`] is everything that can happen, [`desk`] what a task has before it, [`mailbox`] what leaves after a commit, [`agenda`] when the thread is to be woken. [`streams`] reads the
//! signs that a stream starts or ends, [`ticks`] wakes the thread.

mod agenda;
mod desk;
mod input;
mod mailbox;
pub(crate) mod streams;
pub(crate) mod ticks;

pub(crate) use agenda::Agenda;
pub(crate) use desk::{After, EngineAccess, Subscriber, Subscription, Subscriptions, Task, Update};
pub(crate) use input::{AckToken, Input, InputKind, StreamAnswer, Topics};
pub(crate) use mailbox::{Mailbox, ToSend};
