//! A write timeout: a connection ends if the client does not read its answers.
//!
//! hyper has none. A few hundred clients that send a request and then read nothing, or a byte now and then, would keep everybody else out.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// The lowest speed, in bytes a second, of a body that comes in and of an answer that is read, once the timeout is over.
pub(super) const LEAST: f64 = 8192.0;

/// A stream whose writes fail after they were blocked for too long.
pub(super) struct TimedStream {
    stream: TcpStream,
    timeout: Duration,
    /// When the current write was blocked first.
    blocked: Option<Instant>,
    /// How long writes were blocked so far, minus the time that the written bytes may take at the lowest speed.
    debt: Duration,
    alarm: Pin<Box<Sleep>>,
}

impl TimedStream {
    pub(super) fn new(stream: TcpStream, timeout: Duration) -> Self {
        let alarm = Box::pin(sleep(timeout));
        Self { stream, timeout, blocked: None, debt: Duration::ZERO, alarm }
    }

    /// Passes the result of a write on, or fails it if the client is too slow.
    fn judge(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                let blocked = self.blocked.take().map(|since| since.elapsed()).unwrap_or_default();
                // A reset to zero here would let a client that reads a byte every few seconds stay for ever.
                let paid = Duration::from_secs_f64(bytes as f64 / LEAST);
                self.debt = (self.debt + blocked).saturating_sub(paid);
                Poll::Ready(Ok(bytes))
            }
            Poll::Pending => {
                let since = *self.blocked.get_or_insert_with(Instant::now);
                self.alarm.as_mut().reset(since + self.timeout.saturating_sub(self.debt));
                let alarm = self.alarm.as_mut().poll(context);
                alarm.map(|()| {
                    Err(io::Error::new(ErrorKind::TimedOut, "the client does not read its answer"))
                })
            }
            failed => failed,
        }
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::routing::get;
    use futures_util::stream::unfold;
    use heat_tests::patience::patience;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::oneshot;
    use tokio::time;

    use super::super::serve;
    use super::*;
    use crate::shutdown;

    /// How large a piece of the answer is, in bytes.
    const PIECE: usize = 64 << 10;

    /// A server with an answer of so many pieces, a connection on which it was asked for, and what resolves when the server lets the answer go.
    async fn asked(pieces: usize, timeout: Duration) -> (TcpStream, oneshot::Receiver<()>) {
        let (held, let_go) = oneshot::channel::<()>();
        let held = Arc::new(Mutex::new(Some(held)));
        let answer = move || {
            let held = held.lock().unwrap().take();
            let pieces = unfold((pieces, held), |(left, held)| async move {
                let left = left.checked_sub(1)?;
                Some((Ok::<_, Infallible>(Bytes::from(vec![b'7'; PIECE])), (left, held)))
            });
            async { Body::from_stream(pieces) }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (trigger, shutdown) = shutdown::channel();
        let router = Router::new().route("/", get(answer));
        tokio::spawn(async move {
            let _trigger = trigger;
            serve(listener, || router.clone(), timeout, shutdown).await
        });
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        (stream, let_go)
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_let_go() {
        let (_stream, let_go) = asked(usize::MAX, Duration::from_millis(300)).await;
        // The sender is dropped with the answer.
        assert!(time::timeout(patience(), let_go).await.is_ok(), "the answer is still there");
    }

    #[tokio::test]
    async fn a_client_that_reads_a_little_now_and_then_is_let_go_too() {
        let (mut stream, let_go) = asked(usize::MAX, Duration::from_secs(1)).await;
        let trickle = async {
            let mut byte = [0];
            while stream.read_exact(&mut byte).await.is_ok() {
                sleep(Duration::from_millis(100)).await;
            }
        };
        let ended = async {
            tokio::select! {
                _ = let_go => {}
                () = trickle => {}
            }
        };
        assert!(time::timeout(patience(), ended).await.is_ok(), "the answer is still there");
    }

    #[tokio::test]
    async fn a_client_that_reads_gets_all_of_it() {
        let (mut stream, _let_go) = asked(200, Duration::from_secs(5)).await;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.len() > 200 * PIECE, "{} bytes", answer.len());
    }
}
