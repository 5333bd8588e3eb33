//! How many may watch at once: so many of each role, so that a link in the wrong hands locks out nobody who has another.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::tokens::Role;

/// The seats of viewers, moderators and owners. A page that is seen takes one.
const SEATS: [usize; 3] = [128, 24, 12];

/// Cheap to clone; all clones are the same seats.
#[derive(Clone)]
pub(crate) struct Seats([Arc<Semaphore>; 3]);

impl Default for Seats {
    fn default() -> Self {
        Self(SEATS.map(|count| Arc::new(Semaphore::new(count))))
    }
}

impl Seats {
    /// A seat for as long as it is held; none when all of the role are taken.
    pub(super) fn take(&self, role: Role) -> Option<OwnedSemaphorePermit> {
        let [viewers, moderators, owners] = &self.0;
        let seats = match role {
            Role::Viewer => viewers,
            Role::Moderator => moderators,
            Role::Owner => owners,
        };
        Arc::clone(seats).try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
