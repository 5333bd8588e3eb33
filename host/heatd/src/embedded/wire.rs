//! The bytes of a connection: what has come in and is not read yet, and what is to go out.

use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::{Instant, timeout};

use super::bounds::{LARGEST_PACKET, PATIENCE};
use super::packets::{self, Greeting, NoGreeting};

/// How much is read ahead, at most.
const AHEAD: usize = LARGEST_PACKET as usize + 16;

/// How many bytes may wait to go out before nothing more is added, and nothing more is read.
pub(super) const ENOUGH: usize = 32 << 10;

/// How long a connection that ends may take to hear the last word.
const LAST_WORD: Duration = Duration::from_millis(500);

/// One connection.
pub(super) struct Wire<S> {
    reading: ReadHalf<S>,
    writing: WriteHalf<S>,
    pub(super) input: BytesMut,
    pub(super) output: BytesMut,
    /// When something came in last.
    pub(super) heard: Instant,
    /// Since when what is to go out has not gone on.
    stuck: Option<Instant>,
}

/// What has happened on a connection.
pub(super) enum Moved {
    Input,
    Output,
    Closed,
}

impl<S: AsyncRead + AsyncWrite> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        let (reading, writing) = split(stream);
        Self {
            reading,
            writing,
            input: BytesMut::new(),
            output: BytesMut::new(),
            heard: Instant::now(),
            stuck: None,
        }
    }

    /// Waits for the first packet.
    pub(super) async fn greet(&mut self) -> Result<Greeting, NoGreeting> {
        loop {
            if self.input.first().is_some_and(|first| first >> 4 != 1) {
                return Err(NoGreeting::Nothing);
            }
            match packets::next(&mut self.input) {
                Ok(Some(packet)) => return packets::greeting(packet),
                Ok(None) => {}
                Err(_) => return Err(NoGreeting::Nothing),
            }
            match self.reading.read_buf(&mut self.input).await {
                Ok(0) | Err(_) if self.input.is_empty() => return Err(NoGreeting::Gone),
                Ok(0) | Err(_) => return Err(NoGreeting::Nothing),
                Ok(_) => {}
            }
        }
    }

    /// Whether there is room for what an answer to another packet may be.
    pub(super) fn has_room(&self) -> bool {
        self.output.len() < ENOUGH
    }

    /// When the connection has to be given up because nothing is read at the other end.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.stuck.map(|since| since + PATIENCE)
    }

    /// Writes what is to go out and, with `reads`, takes in what comes. Cancelling loses nothing.
    pub(super) async fn go_on(&mut self, reads: bool) -> Moved {
        let reads = reads && self.input.len() < AHEAD;
        if self.output.is_empty() {
            self.stuck = None;
        } else {
            self.stuck.get_or_insert_with(Instant::now);
        }
        tokio::select! {
            written = self.writing.write(&self.output), if !self.output.is_empty() => match written {
                Ok(0) | Err(_) => Moved::Closed,
                Ok(bytes) => {
                    self.output.advance(bytes);
                    self.stuck = None;
                    Moved::Output
                }
            },
            read = self.reading.read_buf(&mut self.input), if reads => match read {
                Ok(0) | Err(_) => Moved::Closed,
                Ok(_) => {
                    self.heard = Instant::now();
                    Moved::Input
                }
            },
            else => std::future::pending().await,
        }
    }

    /// Says the last word and closes. What still comes in is thrown away, or the system would throw the last word away.
    pub(super) async fn close(mut self) {
        let last = async {
            self.writing.write_all(&self.output).await?;
            self.writing.shutdown().await?;
            let mut rest = [0; 4096];
            while self.reading.read(&mut rest).await? > 0 {}
            io::Result::Ok(())
        };
        // Whoever does not listen sees the connection close.
        let _ = timeout(LAST_WORD, last).await;
    }
}
