//! A client that was let in: what belongs to its connection, and why that ends.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{DisconnectReasonCode as Reason, Packet};
use tokio::io::{AsyncRead, AsyncWrite};

use super::core::Core;
use super::hub::Visit;
use super::message::Message;
use super::packets;
use super::pending::Pending;
use super::strict::Fault;
use super::version::Version;
use super::wire::Wire;

/// Why a connection ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// The client has said goodbye.
    Goodbye,
    /// The client has said goodbye, and wants its will to be published.
    GoodbyeWithWill,
    /// It is closed or broken.
    Closed,
    /// The broker ends it.
    Cut(Reason),
    /// heatd ends, and the engine takes nothing any more: what is not acknowledged is sent again to the next heatd.
    Ending,
}

impl From<Fault> for End {
    fn from(Fault(reason): Fault) -> Self {
        Self::Cut(reason)
    }
}

/// A client that was let in.
pub(super) struct ClientConnection<S> {
    pub(super) core: Arc<Core>,
    pub(super) wire: Wire<S>,
    pub(super) version: Version,
    pub(super) largest: u32,
    pub(super) silence: Option<Duration>,
    pub(super) visit: Arc<Visit>,
    /// The number of its session.
    pub(super) session: u64,
    pub(super) will: Option<(Message, Duration)>,
    /// Topics that the client has given a number.
    pub(super) aliases: HashMap<u16, Arc<str>>,
    /// What was read and waits for its commit, in order.
    pub(super) pending: VecDeque<Pending>,
    pub(super) pending_bytes: usize,
}

impl<S: AsyncRead + AsyncWrite> ClientConnection<S> {
    /// Puts a packet behind what is to go out. False: the client does not take one as large.
    pub(super) fn send(&mut self, packet: Packet) -> bool {
        packets::write(packet, self.version, self.largest, &mut self.wire.output)
    }
}
