//! The steady stream of faves, from a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::stage::FAVES;
use super::watch::Shown;
use crate::mqtt::Publisher;

/// The item of the last message.
pub(super) const END: &str = "the end";

/// It weighs so much that what is shown tells that it has come: the most that a fave may weigh.
pub const END_WEIGHT: u64 = 10_000;

/// How many messages it is ahead of what is shown, at most. On a slow machine it would otherwise get so far ahead that what is
/// counted at once after a kill is as heavy as the last message.
const AHEAD: u64 = 1_000;

/// Between two messages.
const PAUSE: Duration = Duration::from_millis(2);

/// How many messages may wait for mosquitto's acknowledgement.
const WINDOW: usize = 32;

pub(super) struct Stream {
    stop: Arc<AtomicBool>,
    publisher: JoinHandle<Result<u64>>,
}

impl Stream {
    pub(super) fn start(port: u16, named: bool, shown: Shown) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let publisher = thread::spawn(move || publish(port, named, &shown, &stopped));
        Self { stop, publisher }
    }

    /// Ends it with a last message. Returns how many there were before that one; the broker has acknowledged them all.
    pub(super) fn end(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.publisher.join().map_err(|_| anyhow!("the publisher panicked"))?
    }
}

/// The item of a message, by its number.
pub(super) fn item(number: u64) -> String {
    format!("n{number}")
}

fn publish(port: u16, named: bool, shown: &Shown, stopped: &AtomicBool) -> Result<u64> {
    let mut publisher = Publisher::new(port, WINDOW);
    let mut number = 0;
    while !stopped.load(Ordering::Relaxed) {
        if number > shown.heat() + AHEAD {
            thread::sleep(PAUSE);
            continue;
        }
        let item = item(number);
        let payload = if named { format!(r#"{{"id":"{item}","item":"{item}"}}"#) } else { item };
        publisher.publish(FAVES, payload)?;
        number += 1;
        thread::sleep(PAUSE);
    }
    let end = format!(r#"{{"id":"end","item":"{END}","weight":{END_WEIGHT}}}"#);
    publisher.publish(FAVES, end)?;
    Ok(publisher.finish()? - 1)
}
