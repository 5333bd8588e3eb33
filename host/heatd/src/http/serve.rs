//! Accepts connections: a bounded number at once, and with timeouts for clients that send nothing or read nothing.
//!
//! axum's own loop has no such bounds. A few hundred sockets that send or read a byte now and then would keep everybody else out.

mod write_timeout;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use futures_util::StreamExt;
use futures_util::stream::unfold;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{self, Instant, sleep};
use tracing::{debug, warn};

use crate::shutdown::Shutdown;
use write_timeout::{LEAST, TimedStream};

/// How many connections may be open at once: two for each watch, and some for programs. Further ones wait until one ends.
pub(super) const CONNECTIONS: usize = 384;

/// The size of the read buffer, in bytes. A request whose head does not fit into it is refused.
const HEAD: usize = 64 << 10;

/// How long heatd waits at its end for answers that are being sent.
const FAREWELL: Duration = Duration::from_secs(5);

/// The pause after the system refuses to accept a connection, for lack of descriptors as a rule.
const REST: Duration = Duration::from_millis(200);

/// Serves until the shutdown; `router` is asked for each connection. `timeout` is for the head of each request, and for answers that are not read.
pub(super) async fn serve(
    listener: TcpListener,
    router: impl Fn() -> Router,
    timeout: Duration,
    mut shutdown: Shutdown,
) -> Result<()> {
    let (graceful, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS)));
    let mut end = shutdown.clone();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => return Some((place, stream)),
                    Err(error) => {
                        warn!(%error, "a connection cannot be taken in");
                        sleep(REST).await;
                    }
                }
            }
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            () = shutdown.begun() => break,
        };
        let Some((place, stream)) = accepted else { break };
        // Without this the system would hold small events back to send them together.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(timeout)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(TimedStream::new(stream, timeout)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    end.begun().await;
    // A watcher that does not read would hold up the shutdown.
    let _ = time::timeout(FAREWELL, graceful.shutdown()).await;
    Ok(())
}

/// A body that is being received.
struct Slow {
    body: BodyDataStream,
    since: Instant,
    bytes: usize,
    timeout: Duration,
}

/// Makes the body of a request end with an error if it comes too slowly.
pub(super) fn paced(request: Request, timeout: Duration) -> Request {
    request.map(|body| {
        let slow = Slow { body: body.into_data_stream(), since: Instant::now(), bytes: 0, timeout };
        Body::from_stream(unfold(slow, |mut slow| async move {
            let frame = slow.next().await?;
            Some((frame, slow))
        }))
    })
}

impl Slow {
    async fn next(&mut self) -> Option<Result<axum::body::Bytes, axum::BoxError>> {
        let late = || Some(Err("the body of the request comes too slowly".into()));
        let Ok(frame) = time::timeout(self.timeout, self.body.next()).await else { return late() };
        let frame = match frame? {
            Ok(frame) => frame,
            Err(error) => return Some(Err(error.into())),
        };
        self.bytes += frame.len();
        let beyond = self.since.elapsed().saturating_sub(self.timeout);
        if (self.bytes as f64) < beyond.as_secs_f64() * LEAST {
            return late();
        }
        Some(Ok(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_say_how_many_connections_there_may_be() {
        let says = format!("{CONNECTIONS} connections");
        for (name, page) in [
            ("api.md", include_str!("../../../../docs/api.md")),
            ("promises.md", include_str!("../../../../docs/promises.md")),
            ("security.md", include_str!("../../../../docs/security.md")),
        ] {
            assert!(page.contains(&says), "docs/{name} does not say {says:?}");
        }
    }
}
