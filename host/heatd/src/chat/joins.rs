//! How fast channels may be joined. Twitch allows 20 joins in 10 seconds for a user (dev.twitch.tv/docs/chat, rate limits);
//! a careful client takes 18 in 12.5 seconds, over all its connections and after reconnects too.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

const JOINS: usize = 18;
const WINDOW: Duration = Duration::from_millis(12_500);

/// The joins of the last window, shared by every connection.
#[derive(Clone, Default)]
pub(crate) struct Joins(Arc<Mutex<Vec<Instant>>>);

impl Joins {
    /// Waits until one more channel may be joined.
    pub(crate) async fn next(&self) {
        while let Err(free_at) = self.take(Instant::now()) {
            sleep_until(free_at).await;
        }
    }

    /// Takes a join, or says when one will be free.
    fn take(&self, now: Instant) -> Result<(), Instant> {
        // No await happens under this lock.
        let mut joins = self.0.lock();
        joins.retain(|at| *at + WINDOW > now);
        match joins.first() {
            Some(oldest) if joins.len() >= JOINS => Err(*oldest + WINDOW),
            _ => {
                joins.push(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nineteenth_join_waits_for_the_window_to_pass() {
        let (joins, start) = (Joins::default(), Instant::now());
        for _ in 0..JOINS {
            assert_eq!(joins.take(start), Ok(()));
        }
        assert_eq!(joins.take(start + Duration::from_secs(1)), Err(start + WINDOW));
        assert_eq!(joins.take(start + WINDOW), Ok(()));
    }
}
