//! How many messages have been answered, watched from several threads; and load that goes by it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::mqtt::Publisher;

/// Nothing that is measured here is silent for so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// As many messages are sent in one write.
const BATCH: u64 = 64;

/// Counts answers. Clones count together.
#[derive(Clone)]
pub(crate) struct Answers(Arc<(Mutex<(u64, Instant)>, Condvar)>);

impl Answers {
    pub(crate) fn new() -> Self {
        Self(Arc::new((Mutex::new((0, Instant::now())), Condvar::new())))
    }

    /// One more message was answered.
    pub(crate) fn add(&self, at: Instant) {
        self.change(|count| *count + 1, at);
    }

    /// So many messages were answered in all; a count that runs behind changes nothing.
    pub(crate) fn set(&self, count: u64, at: Instant) {
        self.change(|before| count.max(*before), at);
    }

    fn change(&self, new: impl FnOnce(&u64) -> u64, at: Instant) {
        let (count, changed) = &*self.0;
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = (new(&count.0), at);
        changed.notify_all();
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits for so many answers, and says when the last of them came. It is an error if none comes for long.
    pub(crate) fn wait_for(&self, wanted: u64) -> Result<Instant> {
        let (count, changed) = &*self.0;
        let mut guard = count.lock().unwrap_or_else(PoisonError::into_inner);
        while guard.0 < wanted {
            let before = guard.0;
            let waited = changed.wait_timeout_while(guard, PATIENCE, |count| count.0 == before);
            guard = waited.unwrap_or_else(PoisonError::into_inner).0;
            ensure!(guard.0 > before, "{before} of {wanted} messages were answered, and no more");
        }
        Ok(guard.1)
    }
}

/// What a flood of messages goes to.
pub(crate) struct Target<'a> {
    pub(crate) topic: &'a str,
    pub(crate) answers: &'a Answers,
    /// How many messages may wait for an answer.
    pub(crate) window: u64,
}

/// Sends so many messages as fast as they are answered, and returns the time from the first to the last answer. All of them
/// are answered then: none was lost.
pub(crate) fn flood(
    publisher: &mut Publisher,
    target: &Target<'_>,
    messages: u64,
) -> Result<Duration> {
    let base = target.answers.count();
    let start = Instant::now();
    let mut sent = 0;
    while sent < messages {
        let batch = BATCH.min(messages - sent);
        // Room for the batch: all but a window of the messages before it are answered.
        let answered = (sent + batch).saturating_sub(target.window);
        target.answers.wait_for(base + answered)?;
        publisher.publish(target.topic, (sent..sent + batch).map(payload))?;
        sent += batch;
    }
    let last = target.answers.wait_for(base + messages)?;
    ensure!(target.answers.count() == base + messages, "more was answered than was asked");
    Ok(last.saturating_duration_since(start))
}

/// Sends one message, and returns the milliseconds until it was answered.
pub(crate) fn once(publisher: &mut Publisher, target: &Target<'_>, message: u64) -> Result<f64> {
    let base = target.answers.count();
    let start = Instant::now();
    publisher.publish(target.topic, std::iter::once(payload(message)))?;
    let answered = target.answers.wait_for(base + 1)?;
    Ok(answered.saturating_duration_since(start).as_secs_f64() * 1e3)
}

/// The title of a song; there are 200 of them.
fn payload(message: u64) -> String {
    format!("song number {}", message * 7919 % 200)
}
