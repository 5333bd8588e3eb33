//! The connections: so many at once, and none for long that says nothing or reads nothing.
//!
//! axum's own loop has none of these bounds, so a few sockets that send or take a byte now and then would keep everybody else out.

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
use write_timeout::TimedStream;

/// How many connections there may be at once: two for each watch, and some for programs. Others wait until one ends.
pub(super) const CONNECTIONS: usize = 384;

/// How much of a request may wait to be read, in bytes. Once it is more, and there is no whole head in it, the request is refused.
const HEAD: usize = 64 << 10;

/// How long answers that are under way may take once heatd stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long nothing is taken in where the system has no room for another connection.
const REST: Duration = Duration::from_millis(200);

/// The fewest bytes in a second that a body has to bring, and that a client has to take of an answer, once the timeout is over.
const LEAST: f64 = 8192.0;

/// Serves until the shutdown. A request's head has to be there within `timeout`, and then the next one; an answer has to be read as it comes.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
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
        // Whoever watches gets each entry at once.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
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

/// A body on its way.
struct Slow {
    body: BodyDataStream,
    since: Instant,
    bytes: usize,
    timeout: Duration,
}

/// The request with a body that ends with an error when it comes too slowly.
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
