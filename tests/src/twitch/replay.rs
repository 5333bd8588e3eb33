//! Recorded or made-up lines, sent at the pace of their time stamps.

use std::thread;
use std::time::{Duration, Instant};

use super::{Server, To, connection};
use crate::irc::{Parts, without_line_end};

/// How fast lines follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As their `tmi-sent-ts` says.
    Real,
    /// So many times as fast.
    Times(f64),
    /// Without any pause: as fast as the clients read.
    AsFastAsPossible,
}

/// What became of the lines of a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Lines that went to one connection or more.
    pub sent: usize,
    /// Lines without a channel, or of a channel that nobody had joined.
    pub unheard: usize,
}

/// As many bytes as are sent at once when there are no pauses.
const BATCH: usize = 16 * 1024;

impl Server {
    /// Sends each line to the connections that joined its channel, and returns when the last one is sent.
    pub fn replay<L: AsRef<[u8]>>(
        &self,
        recording: impl IntoIterator<Item = L>,
        pace: Pace,
    ) -> Replayed {
        let mut batch = Batch {
            server: self,
            channel: String::new(),
            lines: Vec::new(),
            bytes: 0,
            done: Replayed::default(),
        };
        let mut clock = Clock { pace, first: None };
        for line in recording {
            let line = without_line_end(line.as_ref());
            let Some(parts) = Parts::of(line) else {
                continue;
            };
            if let Some(pause) =
                clock.pause(parts.tag("tmi-sent-ts").and_then(|time| time.parse().ok()))
            {
                batch.flush();
                thread::sleep(pause);
            }
            batch.add(parts.channel().unwrap_or_default(), line);
            if pace != Pace::AsFastAsPossible {
                batch.flush();
            }
        }
        batch.flush();
        batch.done
    }
}

/// Lines of one channel that wait to be sent together.
struct Batch<'a> {
    server: &'a Server,
    channel: String,
    lines: Vec<Vec<u8>>,
    bytes: usize,
    done: Replayed,
}

impl Batch<'_> {
    fn add(&mut self, channel: &str, line: &[u8]) {
        if channel != self.channel || self.bytes > BATCH {
            self.flush();
            self.channel = channel.to_owned();
        }
        self.bytes += line.len();
        self.lines.push(line.to_vec());
    }

    fn flush(&mut self) {
        let lines: Vec<&[u8]> = self.lines.iter().map(Vec::as_slice).collect();
        match connection::deliver(&self.server.hall, To::Channel(&self.channel), &lines) {
            0 => self.done.unheard += lines.len(),
            _ => self.done.sent += lines.len(),
        }
        self.lines.clear();
        self.bytes = 0;
    }
}

/// When the recording began, there and here.
struct Clock {
    pace: Pace,
    first: Option<(u64, Instant)>,
}

impl Clock {
    /// How long to wait for a line of this time. Recorded times run backwards now and then; such lines are due at once.
    fn pause(&mut self, time: Option<u64>) -> Option<Duration> {
        let speed = match self.pace {
            Pace::Real => 1.0,
            Pace::Times(speed) => speed,
            Pace::AsFastAsPossible => return None,
        };
        let time = time?;
        let (first, start) = *self.first.get_or_insert_with(|| (time, Instant::now()));
        let offset =
            Duration::from_secs_f64(time.saturating_sub(first) as f64 / 1000.0 / speed.max(0.001));
        let pause = (start + offset).saturating_duration_since(Instant::now());
        (!pause.is_zero()).then_some(pause)
    }
}
