//! Waiting for something to become true, without a guess at how long it takes.
//!
//! `HEAT_TEST_PATIENCE` is the longest wait in seconds, for slow machines; a wait that succeeds ends at once.

use std::fmt::Display;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

/// Short enough to cost no test noticeable time, long enough to leave the processor to what is awaited.
const PAUSE: Duration = Duration::from_millis(10);

/// The longest wait for anything: `HEAT_TEST_PATIENCE` in whole seconds, or 30.
pub fn patience() -> Duration {
    let seconds =
        std::env::var("HEAT_TEST_PATIENCE").ok().and_then(|text| text.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(30))
}

/// One look at something awaited: there, or not yet and how it stands.
pub trait Look {
    /// What the wait is for.
    type Found;

    /// The found value, or a description of the state that was seen instead.
    fn found(self) -> Result<Self::Found, String>;
}

impl Look for bool {
    type Found = ();

    fn found(self) -> Result<(), String> {
        self.then_some(()).ok_or_else(|| "not yet".to_owned())
    }
}

impl<T> Look for Option<T> {
    type Found = T;

    fn found(self) -> Result<T, String> {
        self.ok_or_else(|| "nothing yet".to_owned())
    }
}

impl<T, E: Display> Look for std::result::Result<T, E> {
    type Found = T;

    fn found(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:#}"))
    }
}

/// Looks again and again until there is something, or patience is over. The error says what was awaited and what the
/// last look saw.
pub fn eventually<L: Look>(what: impl Display, mut look: impl FnMut() -> L) -> Result<L::Found> {
    let start = Instant::now();
    loop {
        let last = match look().found() {
            Ok(found) => return Ok(found),
            Err(last) => last,
        };
        if start.elapsed() > patience() {
            return Err(impatient(what, &last));
        }
        thread::sleep(PAUSE);
    }
}

fn impatient(what: impl Display, last: &str) -> anyhow::Error {
    anyhow!("waited {} s for {what}; the last state was: {last}", patience().as_secs())
}

/// A value that threads change and others wait for, without polling.
#[derive(Debug, Default)]
pub(crate) struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Mutex::new(value), changed: Condvar::new() }
    }

    /// A panic in another thread is that thread's failure; the value is still worth a look.
    pub(crate) fn read(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the value and wakes everyone who waits for it.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.read());
        self.changed.notify_all();
        result
    }

    /// Waits as long as `hold` says so, without an end of patience: for threads that are woken when they must end.
    pub(crate) fn wait_while(&self, hold: impl FnMut(&mut T) -> bool) {
        drop(self.changed.wait_while(self.read(), hold).unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until `find` has something, or patience is over; then `describe` says how things stand.
    pub(crate) fn wait<R>(
        &self,
        what: impl Display,
        mut find: impl FnMut(&T) -> Option<R>,
        describe: impl FnOnce(&T) -> String,
    ) -> Result<R> {
        let mut found = None;
        let (value, _) = self
            .changed
            .wait_timeout_while(self.read(), patience(), |value| {
                found = find(value);
                found.is_none()
            })
            .unwrap_or_else(PoisonError::into_inner);
        found.ok_or_else(|| impatient(what, &describe(&value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_the_first_look_that_finds_something() -> Result<()> {
        let mut looks = 0;
        let found = eventually("the third look", || {
            looks += 1;
            (looks == 3).then_some("there")
        })?;
        assert_eq!((found, looks), ("there", 3));
        Ok(())
    }

    #[test]
    fn an_error_says_what_was_awaited_and_the_last_state() {
        let error = impatient("the file", "4 of 5 bytes").to_string();
        assert!(error.contains("for the file") && error.contains("4 of 5 bytes"), "{error}");
    }

    #[test]
    fn a_change_wakes_the_one_who_waits() -> Result<()> {
        let number = Watched::new(0);
        thread::scope(|scope| {
            scope.spawn(|| number.change(|number| *number = 7));
            number.wait("seven", |number| (*number == 7).then_some(()), |number| number.to_string())
        })
    }
}
