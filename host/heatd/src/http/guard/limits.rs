//! Limits on what is answered at one time: watches of each role, large questions, requests of viewers and moderators.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::data::role::Role;

/// How many viewers, moderators and owners watch at once. Each role has watches of its own, so that a link in the wrong hands locks out
/// nobody who has another. A page that is open takes one.
const WATCHES: [usize; 3] = [128, 24, 12];

/// How many questions that read much of the store are answered at once, for all roles: a Raspberry Pi has four cores, and chat comes first.
const QUESTIONS: usize = 2;

/// How many requests of viewers are answered at once, and how many of moderators. Rules may run for an answer.
const REQUESTS: usize = 8;

/// Bounds on what is answered at one time. Cheap to clone; all clones are the same bounds.
#[derive(Clone)]
pub(crate) struct AnswerLimits {
    watches: [Arc<Semaphore>; 3],
    questions: Arc<Semaphore>,
    replays: Arc<Semaphore>,
}

impl Default for AnswerLimits {
    fn default() -> Self {
        let watches = WATCHES.map(|count| Arc::new(Semaphore::new(count)));
        let semaphore = |count| Arc::new(Semaphore::new(count));
        Self { watches, questions: semaphore(QUESTIONS), replays: semaphore(1) }
    }
}

impl AnswerLimits {
    /// A permit for a watch, valid while it is held. None if all of the role are taken.
    pub(crate) fn watch(&self, role: Role) -> Option<OwnedSemaphorePermit> {
        let [viewers, moderators, owners] = &self.watches;
        let watches = match role {
            Role::Viewer => viewers,
            Role::Moderator => moderators,
            Role::Owner => owners,
        };
        Arc::clone(watches).try_acquire_owned().ok()
    }

    /// The permit for a replay, valid while it is held. None if another one is under way.
    pub(crate) fn replay(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.replays).try_acquire_owned().ok()
    }

    /// Waits for a permit for a large question, valid while it is held.
    pub(crate) async fn question(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.questions).acquire_owned().await.ok()
    }
}

/// Bounds on requests of viewers and moderators; more of them wait. An owner's requests have no bound.
pub(crate) struct RequestLimits([Arc<Semaphore>; 2]);

impl Default for RequestLimits {
    fn default() -> Self {
        Self([REQUESTS, REQUESTS].map(|count| Arc::new(Semaphore::new(count))))
    }
}

/// The place of a request among those that are answered at one time, taken until the last clone is gone. Work that outlives the request's
/// future, on another thread, holds one until it ends.
#[derive(Clone, Default)]
pub(crate) struct Place {
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

impl RequestLimits {
    /// Waits for a place.
    pub(crate) async fn place(&self, role: Role) -> Place {
        let [viewers, moderators] = &self.0;
        let places = match role {
            Role::Viewer => viewers,
            Role::Moderator => moderators,
            Role::Owner => return Place::default(),
        };
        // They are never closed.
        Place { _permit: Arc::clone(places).acquire_owned().await.ok().map(Arc::new) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // What wants no token has no place to hold.
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_third_large_question_waits_until_one_is_answered() {
        let limits = AnswerLimits::default();
        let mut taken: Vec<_> =
            (0..QUESTIONS).map(|_| limits.question().now_or_never().unwrap()).collect();
        assert!(limits.question().now_or_never().is_none());
        taken.pop();
        assert!(limits.question().now_or_never().is_some_and(|turn| turn.is_some()));
    }

    #[test]
    fn a_second_replay_is_told_that_there_is_one() {
        let limits = AnswerLimits::default();
        let first = limits.replay();
        assert!(first.is_some() && limits.replay().is_none());
        drop(first);
        assert!(limits.replay().is_some());
    }

    #[test]
    fn as_many_viewers_as_may_watch_leave_room_for_the_others() {
        let limits = AnswerLimits::default();
        let taken: Vec<_> = std::iter::from_fn(|| limits.watch(Role::Viewer)).collect();
        assert_eq!(taken.len(), WATCHES[0]);
        assert!(limits.watch(Role::Moderator).is_some() && limits.watch(Role::Owner).is_some());
        drop(taken);
        assert!(limits.watch(Role::Viewer).is_some());
    }

    #[test]
    fn the_page_of_the_api_says_the_limits() {
        let page = include_str!("../../../../../docs/api.md");
        let [viewers, moderators, owners] = WATCHES;
        for says in [
            format!("{viewers} viewers, {moderators} moderators and {owners} owners watch at once"),
            format!("{REQUESTS} answers each for viewers and for moderators, {QUESTIONS} of"),
            "one replay at a time".to_owned(),
        ] {
            assert!(page.contains(&says), "docs/api.md does not say {says:?}");
        }
    }

    #[test]
    fn a_place_is_taken_until_the_work_that_holds_it_ends() {
        let limits = RequestLimits::default();
        let place = || limits.place(Role::Moderator).now_or_never();
        let mut taken: Vec<Place> = (0..REQUESTS).map(|_| place().unwrap()).collect();
        // The request is gone, and its work goes on.
        let at_work = taken[0].clone();
        drop(taken.remove(0));
        assert!(place().is_none(), "a ninth is answered");
        assert!(limits.place(Role::Viewer).now_or_never().is_some());
        assert!(limits.place(Role::Owner).now_or_never().is_some());
        drop(at_work);
        assert!(place().is_some());
    }
}
