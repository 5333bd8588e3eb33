//! One client's connection, from its first packet to its end: one task, which reads, writes, and waits for commits.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rumqttc::DisconnectReasonCode as Reason;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};

use super::admission::{Admitted, refusal};
use super::bounds::{GREETING, LARGEST_PACKET, PENDING_BYTES, RECEIVE_MAXIMUM};
use super::client::{ClientConnection, End};
use super::core::Core;
use super::packets::{self, NoGreeting};
use super::pending::Settled;
use super::strict::Fault;
use super::waiting::WaitingPlace;
use super::wire::{ENOUGH, Moved, Wire};
use crate::metrics::Refused;

/// Where a connection comes from.
pub(super) enum From {
    /// heatd itself.
    Within,
    /// A socket, which has a place among those that have not said who they are.
    Socket(WaitingPlace),
}

/// Serves a connection until it ends.
pub(super) async fn serve<S: AsyncRead + AsyncWrite>(core: Arc<Core>, stream: S, from: From) {
    let mut wire = Wire::new(stream);
    let address = match &from {
        From::Within => String::new(),
        From::Socket(place) => place.address().to_string(),
    };
    let greeting = match timeout(GREETING, wire.greet()).await {
        Ok(Ok(greeting)) => greeting,
        Ok(Err(stranger)) => return turn_away(&core, wire, stranger, &address).await,
        Err(_) => return core.hub.refusals.note(Refused::Silence, "", address),
    };
    let version = greeting.version;
    let is_own = matches!(from, From::Within);
    match core.admit(greeting, is_own) {
        Ok(admitted) => {
            let Admitted { entered, will, answer, largest, silence } = admitted;
            let mut connection = ClientConnection {
                core,
                wire,
                version,
                largest,
                silence,
                visit: entered.visit,
                session: entered.session,
                will,
                aliases: HashMap::new(),
                pending: VecDeque::new(),
                pending_bytes: 0,
            };
            let is_told = connection.send(answer);
            // It is no stranger any more.
            drop(from);
            let end = match is_told {
                true => connection.run().await,
                false => End::Closed,
            };
            connection.end(end).await;
        }
        Err(code) => {
            packets::write(refusal(code), version, LARGEST_PACKET, &mut wire.output);
            wire.close().await;
        }
    }
}

async fn turn_away<S: AsyncRead + AsyncWrite>(
    core: &Core,
    mut wire: Wire<S>,
    stranger: NoGreeting,
    address: &str,
) {
    match stranger {
        NoGreeting::Gone => return,
        NoGreeting::Nothing => {}
        NoGreeting::OtherVersion => packets::other_version(&mut wire.output),
    }
    core.hub.refusals.note(Refused::Packet, "", address);
    wire.close().await;
}

impl<S: AsyncRead + AsyncWrite> ClientConnection<S> {
    async fn run(&mut self) -> End {
        loop {
            if let Err(end) = self.read().await {
                return end;
            }
            if let Some(reason) = self.visit.is_cut() {
                return End::Cut(reason);
            }
            let limits = (self.version, self.largest);
            self.core.hub.fill(&self.visit, limits, &mut self.wire.output, ENOUGH);
            if let Err(end) = self.wait().await {
                return end;
            }
        }
    }

    /// Takes the packets that have come in, as far as there is room for what comes of them.
    async fn read(&mut self) -> Result<(), End> {
        while self.may_read() {
            let Some(packet) = packets::next(&mut self.wire.input)? else { break };
            let is_goodbye = packet[0] == 0xE0 && packet.len() < 4;
            let packet = match packets::read(packet, self.version) {
                // A client that says goodbye is gone, whatever else it says.
                Err(Fault(Reason::MalformedPacket)) if is_goodbye => return Err(End::Closed),
                packet => packet?,
            };
            self.take(packet).await?;
        }
        Ok(())
    }

    fn may_read(&self) -> bool {
        self.wire.has_room()
            && self.pending.len() < usize::from(RECEIVE_MAXIMUM)
            && self.pending_bytes < PENDING_BYTES
    }

    /// Waits for the next thing to do.
    async fn wait(&mut self) -> Result<(), End> {
        let reads = self.may_read();
        let silent = self.silence.filter(|_| reads).map(|silence| self.wire.heard + silence);
        let stuck = self.wire.deadline();
        let deadline = silent.into_iter().chain(stuck).min();
        let timer = async {
            match deadline {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let settled = tokio::select! {
            moved = self.wire.go_on(reads) => {
                return match moved {
                    Moved::Input | Moved::Output => Ok(()),
                    Moved::Closed => Err(End::Closed),
                };
            }
            settled = Settled::first(&mut self.pending) => settled,
            () = self.visit.wake.notified() => return Ok(()),
            () = timer => return Err(self.late(stuck)),
        };
        self.settle(settled)
    }

    /// Why the time is over.
    fn late(&self, stuck: Option<Instant>) -> End {
        if stuck.is_some_and(|at| at <= Instant::now()) {
            let (who, id) = &self.visit.key;
            self.core.hub.refusals.note(Refused::Reader, who, id);
            // Nobody reads what it would be told.
            return End::Closed;
        }
        End::Cut(Reason::KeepAliveTimeout)
    }

    async fn end(mut self, end: End) {
        let will = match end {
            End::Goodbye | End::Ending => None,
            End::GoodbyeWithWill | End::Closed | End::Cut(_) => self.will.take(),
        };
        if let End::Cut(reason) = end {
            packets::farewell(reason, self.version, &mut self.wire.output);
            if matches!(reason, Reason::MalformedPacket | Reason::ProtocolError) {
                let (who, id) = &self.visit.key;
                self.core.hub.refusals.note(Refused::Packet, who, id);
            }
        }
        if let Some(will) = self.core.hub.leave(&self.visit, will) {
            self.core.publish(&self.visit.key.0, will).await;
        }
        self.wire.close().await;
    }
}
