//! How many may watch at once: so many of each role, so that a link in the wrong hands locks out nobody who has another. And how many large
//! questions are answered at once: the others wait.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::tokens::Role;

/// The seats of viewers, moderators and owners. A page that is seen takes one.
const SEATS: [usize; 3] = [128, 24, 12];

/// How many questions that read much of the store are answered at once, whoever asks: a Raspberry Pi has four cores, and chat comes first.
const QUESTIONS: usize = 2;

/// Cheap to clone; all clones are the same seats.
#[derive(Clone)]
pub(crate) struct Seats {
    watchers: [Arc<Semaphore>; 3],
    questions: Arc<Semaphore>,
}

impl Default for Seats {
    fn default() -> Self {
        let watchers = SEATS.map(|count| Arc::new(Semaphore::new(count)));
        Self { watchers, questions: Arc::new(Semaphore::new(QUESTIONS)) }
    }
}

impl Seats {
    /// A seat for as long as it is held; none when all of the role are taken.
    pub(crate) fn take(&self, role: Role) -> Option<OwnedSemaphorePermit> {
        let [viewers, moderators, owners] = &self.watchers;
        let seats = match role {
            Role::Viewer => viewers,
            Role::Moderator => moderators,
            Role::Owner => owners,
        };
        Arc::clone(seats).try_acquire_owned().ok()
    }

    /// Waits until a large question can be answered, which it can for as long as this is held.
    pub(crate) async fn question(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.questions).acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_third_large_question_waits_until_one_is_answered() {
        let seats = Seats::default();
        let mut taken: Vec<_> =
            (0..QUESTIONS).map(|_| seats.question().now_or_never().unwrap()).collect();
        assert!(seats.question().now_or_never().is_none());
        taken.pop();
        assert!(seats.question().now_or_never().is_some_and(|turn| turn.is_some()));
    }

    #[test]
    fn a_full_house_of_viewers_leaves_room_for_the_others() {
        let seats = Seats::default();
        let taken: Vec<_> = std::iter::from_fn(|| seats.take(Role::Viewer)).collect();
        assert_eq!(taken.len(), SEATS[0]);
        assert!(seats.take(Role::Moderator).is_some() && seats.take(Role::Owner).is_some());
        drop(taken);
        assert!(seats.take(Role::Viewer).is_some());
    }
}
