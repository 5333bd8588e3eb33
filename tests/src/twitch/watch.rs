//! What the scripted server has seen of its clients, and waiting for it.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::connection::{self, Connection};
use super::{Hall, Server, To, bare};
use crate::irc::Parts;

/// A line that a client sent.
#[derive(Debug, Clone)]
pub struct Received {
    pub connection: usize,
    pub at: Instant,
    /// Without its line end.
    pub line: String,
}

/// A channel that a client asked to join.
#[derive(Debug, Clone)]
pub struct Join {
    pub connection: usize,
    pub at: Instant,
    /// Without the `#`.
    pub channel: String,
}

impl Server {
    /// Sends `PING` to every connection and waits until each has answered.
    pub fn ping(&self) -> Result<()> {
        let (asked, before) = {
            let hall = self.hall.read();
            (hall.numbers(Connection::is_present), hall.received.len())
        };
        connection::deliver(&self.hall, To::Everyone, &[b"PING :tmi.twitch.tv"]);
        let answered = |hall: &Hall, number| {
            hall.received[before..].iter().any(|received| {
                received.connection == number
                    && received.line.trim_start_matches(':').starts_with("PONG")
            })
        };
        let missing = |hall: &Hall| {
            asked.iter().copied().filter(|number| !answered(hall, *number)).collect::<Vec<_>>()
        };
        self.hall.wait(
            "every client's PONG",
            |hall| missing(hall).is_empty().then_some(()),
            |hall| format!("no answer from connections {:?}", missing(hall)),
        )
    }

    /// Every line received so far.
    pub fn received(&self) -> Vec<Received> {
        self.hall.read().received.clone()
    }

    /// Waits for a line; those that came before count too.
    pub fn wait_for(&self, is_it: impl Fn(&Received) -> bool) -> Result<Received> {
        let mut seen = 0;
        let find = |hall: &Hall| {
            let found = hall.received[seen..].iter().find(|received| is_it(received)).cloned();
            seen = hall.received.len();
            found
        };
        self.hall.wait("a line from a client", find, Hall::last_lines)
    }

    /// Every channel that was asked for, in the order of asking; those of one line have the same time.
    pub fn joins(&self) -> Vec<Join> {
        let hall = self.hall.read();
        hall.received.iter().flat_map(Received::joins).collect()
    }

    /// How many connections are open now, logged in or not.
    pub fn connections(&self) -> usize {
        self.hall.read().numbers(Connection::is_open).len()
    }

    /// How many connections there have been.
    pub fn connections_made(&self) -> usize {
        self.hall.read().connections.len()
    }

    /// Waits until so many connections, or more, are logged in at the same time.
    pub fn wait_connected(&self, number: usize) -> Result<()> {
        self.hall.wait(
            format!("{number} clients logged in"),
            |hall| (hall.numbers(Connection::is_welcome).len() >= number).then_some(()),
            Hall::last_lines,
        )
    }

    /// Waits until no connection is open.
    pub fn wait_disconnected(&self) -> Result<()> {
        self.hall.wait(
            "every client gone",
            |hall| hall.numbers(Connection::is_open).is_empty().then_some(()),
            |hall| format!("open connections {:?}", hall.numbers(Connection::is_open)),
        )
    }

    /// Waits until an open connection has joined the channel, and returns its number. What is said from then on is
    /// sent to it.
    pub fn wait_joined(&self, channel: &str) -> Result<usize> {
        let channel = bare(channel);
        let find =
            |hall: &Hall| hall.numbers(|connection| connection.has_joined(channel)).last().copied();
        self.hall.wait(format!("a client in #{channel}"), find, Hall::last_lines)
    }

    /// Waits until no open connection is in the channel.
    pub fn wait_parted(&self, channel: &str) -> Result<()> {
        let channel = bare(channel);
        let inside = |hall: &Hall| hall.numbers(|connection| connection.has_joined(channel));
        let find = |hall: &Hall| inside(hall).is_empty().then_some(());
        self.hall.wait(format!("nobody in #{channel}"), find, Hall::last_lines)
    }

    /// An error unless exactly so many lines that start with this were received. For what must not happen.
    pub fn require_count(&self, start: &str, count: usize) -> Result<()> {
        let received = self.received();
        let found = received.iter().filter(|received| received.line.starts_with(start)).count();
        ensure!(
            found == count,
            "expected {count} lines that start with {start:?}, received {found}"
        );
        Ok(())
    }
}

impl Hall {
    /// How things stand, for the message of a wait that failed.
    fn last_lines(&self) -> String {
        let last = self.received.iter().rev().take(8).rev();
        let lines: Vec<String> = last
            .map(|received| format!("\n  {}: {}", received.connection, received.line))
            .collect();
        format!(
            "open connections {:?}, last lines{}",
            self.numbers(Connection::is_open),
            lines.concat()
        )
    }
}

impl Received {
    fn joins(&self) -> Vec<Join> {
        let parts = Parts::of(self.line.as_bytes()).filter(|parts| parts.command == b"JOIN");
        let list = parts.and_then(|parts| parts.params.first().copied()).unwrap_or_default();
        let channels = list.split(|byte| *byte == b',').filter_map(|name| name.strip_prefix(b"#"));
        let channels = channels.map(|channel| String::from_utf8_lossy(channel).into_owned());
        channels.map(|channel| Join { connection: self.connection, at: self.at, channel }).collect()
    }
}
