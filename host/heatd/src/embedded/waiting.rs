//! The places of sockets that have not said who they are. There is a bound on all of them and on those of one address; past it the oldest goes.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::task::AbortHandle;

use super::bounds::{STRANGERS, STRANGERS_OF_ONE};

/// A socket that has not said who it is.
struct WaitingSocket {
    number: u64,
    address: IpAddr,
    task: Option<AbortHandle>,
}

/// All of them, the oldest first.
#[derive(Default)]
struct WaitingSockets {
    last: u64,
    waiting: VecDeque<WaitingSocket>,
}

/// Those who are at the door.
#[derive(Clone, Default)]
pub(super) struct Door(Arc<Mutex<WaitingSockets>>);

/// A place among them, until it is dropped.
pub(super) struct WaitingPlace {
    door: Door,
    pub(super) number: u64,
    address: IpAddr,
}

impl WaitingPlace {
    pub(super) fn address(&self) -> IpAddr {
        self.address
    }
}

impl Drop for WaitingPlace {
    fn drop(&mut self) {
        let mut strangers = self.door.lock();
        strangers.waiting.retain(|it| it.number != self.number);
    }
}

impl Door {
    fn lock(&self) -> MutexGuard<'_, WaitingSockets> {
        self.0.lock()
    }

    /// Gives a socket a place, and returns who has to go for it.
    pub(super) fn enter(&self, address: IpAddr) -> (WaitingPlace, Option<AbortHandle>) {
        let mut strangers = self.lock();
        let of_one = strangers.waiting.iter().filter(|it| it.address == address).count();
        let goes = if of_one >= STRANGERS_OF_ONE {
            strangers.waiting.iter().position(|it| it.address == address)
        } else if strangers.waiting.len() >= STRANGERS {
            strangers.of_most()
        } else {
            None
        };
        let gone = goes.and_then(|place| strangers.waiting.remove(place));
        strangers.last += 1;
        let number = strangers.last;
        strangers.waiting.push_back(WaitingSocket { number, address, task: None });
        let place = WaitingPlace { door: self.clone(), number, address };
        (place, gone.and_then(|stranger| stranger.task))
    }

    /// The task of the socket that has this place, if it still has it.
    pub(super) fn set(&self, number: u64, task: AbortHandle) {
        let mut strangers = self.lock();
        if let Some(stranger) = strangers.waiting.iter_mut().find(|it| it.number == number) {
            stranger.task = Some(task);
        }
    }
}

impl WaitingSockets {
    /// The place of the oldest one from the address that has most of them.
    fn of_most(&self) -> Option<usize> {
        let count = |address| self.waiting.iter().filter(|it| it.address == address).count();
        let most = self.waiting.iter().rev().max_by_key(|it| count(it.address))?.address;
        self.waiting.iter().position(|it| it.address == most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_stranger_of_the_busiest_address_makes_room() {
        let door = Door::default();
        let address = |last| IpAddr::from([192, 168, 1, last]);
        let mut places: Vec<WaitingPlace> =
            (0..STRANGERS_OF_ONE).map(|_| door.enter(address(1)).0).collect();
        places.extend((0..STRANGERS_OF_ONE / 2).map(|_| door.enter(address(2)).0));
        assert_eq!(door.lock().waiting.len(), STRANGERS_OF_ONE * 3 / 2);
        // One address alone has no more than its part.
        let first = places[0].number;
        places.push(door.enter(address(1)).0);
        assert!(door.lock().waiting.iter().all(|it| it.number != first));
        while door.lock().waiting.len() < STRANGERS {
            let last = u8::try_from(places.len()).unwrap_or(255);
            places.push(door.enter(address(last)).0);
        }
        let second = places[1].number;
        places.push(door.enter(address(3)).0);
        let strangers = door.lock();
        assert_eq!(strangers.waiting.len(), STRANGERS);
        assert!(strangers.waiting.iter().all(|it| it.number != second));
        drop(strangers);
        drop(places);
        assert!(door.lock().waiting.is_empty());
    }
}
