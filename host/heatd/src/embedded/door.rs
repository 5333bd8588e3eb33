//! The listener, and the sockets that have not said yet who they are. There are few places for those, and the oldest one makes room: who
//! says at once who they are gets in, however many others say nothing.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use parking_lot::{Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use tracing::warn;

use super::Core;
use super::bounds::{STRANGERS, STRANGERS_OF_ONE};
use super::connection::{From, serve};
use crate::metrics::Refused;

/// How long it is waited when the system gives no socket, before the next is asked for.
const BREATH: Duration = Duration::from_millis(200);

/// A socket that has not said who it is.
struct Stranger {
    number: u64,
    address: IpAddr,
    task: Option<AbortHandle>,
}

/// All of them, the oldest first.
#[derive(Default)]
struct Strangers {
    last: u64,
    waiting: VecDeque<Stranger>,
}

/// Those who are at the door.
#[derive(Clone, Default)]
pub(super) struct Door(Arc<Mutex<Strangers>>);

/// A place among them, until it is dropped.
pub(super) struct Place {
    door: Door,
    number: u64,
    address: IpAddr,
}

impl Place {
    pub(super) fn address(&self) -> IpAddr {
        self.address
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut strangers = self.door.lock();
        strangers.waiting.retain(|it| it.number != self.number);
    }
}

impl Door {
    fn lock(&self) -> MutexGuard<'_, Strangers> {
        self.0.lock()
    }

    /// Gives a socket a place, and returns who has to go for it.
    fn enter(&self, address: IpAddr) -> (Place, Option<AbortHandle>) {
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
        strangers.waiting.push_back(Stranger { number, address, task: None });
        let place = Place { door: self.clone(), number, address };
        (place, gone.and_then(|stranger| stranger.task))
    }

    /// The task of the socket that has this place, if it still has it.
    fn set(&self, number: u64, task: AbortHandle) {
        let mut strangers = self.lock();
        if let Some(stranger) = strangers.waiting.iter_mut().find(|it| it.number == number) {
            stranger.task = Some(task);
        }
    }
}

impl Strangers {
    /// The place of the oldest one from the address that has most of them.
    fn of_most(&self) -> Option<usize> {
        let count = |address| self.waiting.iter().filter(|it| it.address == address).count();
        let most = self.waiting.iter().rev().max_by_key(|it| count(it.address))?.address;
        self.waiting.iter().position(|it| it.address == most)
    }
}

/// Lets clients in for as long as heatd runs.
pub(super) async fn listen(listener: TcpListener, core: Arc<Core>) -> Result<()> {
    let door = Door::default();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "the embedded broker cannot take a connection");
                sleep(BREATH).await;
                continue;
            }
        };
        // Otherwise an answer waits until the other system has confirmed the one before. It matters to nobody else.
        let _ = stream.set_nodelay(true);
        let (place, gone) = door.enter(peer.ip());
        if let Some(task) = gone {
            task.abort();
            core.hub.refusals.note(Refused::Strangers, "", peer.ip());
        }
        let number = place.number;
        let task = tokio::spawn(serve(Arc::clone(&core), stream, From::Socket(place)));
        door.set(number, task.abort_handle());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_stranger_of_the_busiest_address_makes_room() {
        let door = Door::default();
        let address = |last| IpAddr::from([192, 168, 1, last]);
        let mut places: Vec<Place> =
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
