//! The broker inside heatd, so that nothing else need be installed: MQTT 3.1, 3.1.1 and 5 on one listener, in memory.
//!
//! It keeps retained messages and sessions while the daemon runs; the outputs come back from the store at each start.
//! For the demo and for one machine. What clients may take up of it is in [`bounds`], and whose that is, in [`hub`].
//! A client passes the [`door`], is let in by [`admission`], and is served by a [`connection`], which reads what [`strict`] and the codec
//! let through ([`packets`]), passes messages to the engine ([`inlet`]) and to the others ([`hub`], [`session`], [`retained`]).

mod access;
mod admission;
mod bounds;
mod client;
mod connection;
mod core;
mod door;
#[cfg(test)]
mod fuzz;
mod hub;
mod incoming;
mod inlet;
pub(crate) mod locate;
mod message;
mod packets;
mod pending;
mod refusals;
mod retained;
mod session;
mod settling;
mod strict;
mod text;
mod version;
mod waiting;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::config::{Anonymous, Embedded};
use access::Access;
use connection::{From, serve};
use core::Core;
use hub::Hub;
pub(crate) use inlet::Inlet;
use refusals::Refusals;

/// How many bytes may be on their way between heatd and its own broker, each way.
const PIPE: usize = 64 << 10;

/// The running broker.
struct RunningBroker {
    task: JoinHandle<Result<()>>,
    entrance: LocalEntrance,
}

/// How heatd itself gets in: by no socket, as nobody else can, and so it may do everything.
struct LocalEntrance(Arc<Core>);

impl LocalEntrance {
    /// heatd's end of a new connection.
    fn connect(&self) -> DuplexStream {
        let (own, broker) = tokio::io::duplex(PIPE);
        tokio::spawn(serve(Arc::clone(&self.0), broker, From::Within));
        own
    }
}

/// Binds the listener and starts to serve.
async fn start(config: &Embedded, inlet: Inlet) -> Result<RunningBroker> {
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("failed to listen on {} for MQTT; is another broker there?", config.listen)
    })?;
    let address = listener.local_addr()?;
    let users = config.users.len();
    info!(%address, users, "embedded broker listens");
    if let Some(anonymous) = &config.anonymous {
        tell_who_may_what(anonymous, address);
    }
    let refusals = Refusals::new(inlet.metrics.clone());
    let hub = Hub::new(Access::new(config), refusals);
    let core = Arc::new(Core { hub, inlet });
    let entrance = LocalEntrance(Arc::clone(&core));
    let task = tokio::spawn(async move {
        tokio::select! {
            ended = door::listen(listener, Arc::clone(&core)) => ended,
            () = core.keep_in_order() => Ok(()),
        }
    });
    Ok(RunningBroker { task, entrance })
}

fn tell_who_may_what(anonymous: &Anonymous, address: SocketAddr) {
    let Anonymous { read, write } = anonymous;
    let whom = match address.ip().is_loopback() {
        true => "every program on this machine",
        false => "every machine that reaches this address",
    };
    warn!(%address, whom, ?read, ?write, "the embedded broker is open without a password, for these topics");
}
