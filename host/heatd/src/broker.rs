//! The connection to the MQTT broker: messages in, outputs and messages out, again and again.
//!
//! A connection has two sides that run at once and never wait for each other: [`receiver`] polls, which is all that makes
//! progress on the socket, and [`sender`] sends. A new client is made for each connection, so nothing of an old one lingers; what
//! has to be repeated comes from the store, by way of [`outgoing`].

mod deliveries;
mod exposed;
#[cfg(test)]
mod fuzz;
mod incoming;
mod lost;
mod options;
mod outgoing;
mod prefixes;
mod receiver;
mod sender;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use heat_engine::Outputs;
use rumqttc::{AsyncClient, QoS};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::backoff::Backoff;
use crate::metrics::Metrics;
use crate::queue::{Input, Mailbox};
use crate::shutdown::Shutdown;
use deliveries::Deliveries;
pub(crate) use exposed::is_far;
pub(crate) use incoming::Routes;
use lost::Losses;
pub(crate) use options::Address;
use options::Size;
use outgoing::Outgoing;
pub(crate) use prefixes::Prefixes;
use receiver::Receiver;
use sender::Sender;
use shared::{GOODBYE, Shared};

/// How many requests may wait between the sender and the polling side.
const REQUESTS: usize = 64;

/// Everything that the connection to the broker needs.
pub(crate) struct Link {
    pub(crate) address: Address,
    pub(crate) prefix: String,
    pub(crate) routes: Routes,
    /// Below which prefixes there may be something at the broker.
    pub(crate) prefixes: Prefixes,
    pub(crate) outputs: watch::Receiver<Arc<Outputs>>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) inputs: mpsc::WeakSender<Input>,
    pub(crate) metrics: Metrics,
    /// True for the embedded broker: it hands messages to the engine by itself, so this connection takes retained ones only.
    pub(crate) only_retained: bool,
}

/// Keeps a connection until the engine has ended, then publishes the last outputs and disconnects. `shutdown` stops incoming messages only.
pub(crate) async fn run(link: Link, shutdown: Shutdown) -> Result<()> {
    let Link {
        address,
        prefix,
        routes,
        prefixes,
        mut outputs,
        mailbox,
        inputs,
        metrics,
        only_retained,
    } = link;
    let status = format!("{prefix}/status");
    let topics = routes.topics();
    let deliveries = Deliveries::default();
    let mut size = Size::default();
    let mut outgoing = Outgoing::new(&prefix);
    let mut receiver =
        Receiver::new(routes, inputs.clone(), metrics.clone(), shutdown, only_retained);
    let (outputs_of, status_topic) = (outputs.clone(), status.clone());
    let mut sender = Sender {
        outputs: outputs_of,
        mailbox,
        inputs,
        topics,
        status: status_topic,
        qos: if only_retained { QoS::AtMostOnce } else { QoS::AtLeastOnce },
        metrics: metrics.clone(),
        prefixes,
    };
    let mut losses = Losses::default();
    let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
    while outputs.has_changed().is_ok() {
        let options = options::options(&address, &status, size);
        let (client, mut event_loop) = AsyncClient::builder(options).capacity(REQUESTS).build();
        let shared = Shared::new(&deliveries);
        outgoing.reconnected();
        let lost = tokio::select! {
            lost = receiver.run(&mut event_loop, &shared) => lost,
            () = sender.run(&client, &shared, &mut outgoing) => {
                let farewell = async { while event_loop.poll().await.is_ok() {} };
                // A broker that does not get the farewell sees the connection close.
                let _ = timeout(GOODBYE, farewell).await;
                info!("broker left");
                return Ok(());
            }
        };
        if receiver.lasted() {
            backoff.reset();
        }
        metrics.mqtt_connected(false);
        size = size.after(&lost);
        let wait = backoff.next(fastrand::f64());
        warn!(
            reason = losses.explain(&lost, &address, receiver.connected_for()),
            wait_ms = wait.as_millis() as u64,
            "no connection to the broker"
        );
        tokio::select! {
            () = sleep(wait) => {}
            // Only the end of the engine resolves this.
            _ = outputs.wait_for(|_| false) => {}
        }
    }
    Ok(())
}
