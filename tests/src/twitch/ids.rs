//! Ids of people, channels and messages, and the time: what a line needs that nobody has to choose.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The id that a person has in every line of this server.
pub fn user_id(login: &str) -> String {
    (100_000_000 + hash(login) % 900_000_000).to_string()
}

/// The id of a channel, which is the user id of its broadcaster.
pub fn room_id(channel: &str) -> String {
    user_id(channel.trim_start_matches('#'))
}

/// An id that no other line has, also none of an earlier run: a daemon with an old store would drop it as known.
pub(super) fn new_message_id() -> String {
    static RUN: OnceLock<u64> = OnceLock::new();
    static LINES: AtomicU64 = AtomicU64::new(0);
    let run = RUN.get_or_init(milliseconds_now);
    let (line, process) = (LINES.fetch_add(1, Ordering::Relaxed), std::process::id() & 0xfff);
    format!("{:08x}-{:04x}-4{process:03x}-8000-{line:012x}", run >> 16 & 0xffff_ffff, run & 0xffff)
}

pub(super) fn milliseconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}

/// FNV-1a: the same on every machine and in every run.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_messages_have_the_same_id() {
        let ids: BTreeSet<String> = (0..1000).map(|_| new_message_id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 36));
    }

    #[test]
    fn a_person_keeps_the_id_and_a_channel_has_that_of_its_owner() {
        assert_eq!(user_id("ann"), user_id("ann"));
        assert_ne!(user_id("ann"), user_id("bob"));
        assert_eq!(room_id("#ann"), user_id("ann"));
    }
}
