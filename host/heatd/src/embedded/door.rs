//! The listener, and the sockets that have not said yet who they are. There are few places for those, and the oldest one makes room: who
//! says at once who they are gets in, however many others say nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tracing::warn;

use super::connection::{From, serve};
use super::core::Core;
use super::waiting::Door;
use crate::metrics::Refused;

/// How long it is waited when the system gives no socket, before the next is asked for.
const BREATH: Duration = Duration::from_millis(200);

/// Lets clients in for as long as heatd runs.
pub(super) async fn listen(listener: TcpListener, core: Arc<Core>) -> Result<()> {
    let door = Door::default();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "the embedded broker cannot take a connection");
                sleep(BREATH).await;
                continue;
            }
        };
        // Otherwise an answer waits until the other system has confirmed the one before. It matters to nobody else.
        let _ = stream.set_nodelay(true);
        let (place, gone) = door.enter(peer.ip());
        if let Some(task) = gone {
            task.abort();
            core.hub.refusals.note(Refused::Strangers, "", peer.ip());
        }
        let number = place.number;
        let task = tokio::spawn(serve(Arc::clone(&core), stream, From::Socket(place)));
        door.set(number, task.abort_handle());
    }
}
