//! Retained messages, in memory: a flat, sorted map of topics, so that no depth of a topic and no number of levels is walked.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use super::access::Client;
use super::bounds::Share;
use super::message::Message;

/// What is kept for each topic, and what each of those who sent it takes up.
#[derive(Default)]
pub(super) struct Retained {
    topics: BTreeMap<Arc<str>, (Arc<Message>, Client)>,
    used: BTreeMap<Client, Used>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Used {
    topics: usize,
    bytes: usize,
}

impl Retained {
    /// Keeps a message, or with an empty one deletes what was kept. False: the share of `who` is used up, and nothing has changed.
    pub(super) fn set(&mut self, who: &Client, share: &Share, message: &Arc<Message>) -> bool {
        let before = self.topics.get(&message.topic);
        if message.payload.is_empty() {
            self.remove(&message.topic);
            return true;
        }
        // What is replaced makes room if it was one's own.
        let freed = before.filter(|(_, owner)| owner == who).map(|(message, _)| message.size);
        let used = self.used.get(who).copied().unwrap_or_default();
        let topics = used.topics + 1 - usize::from(freed.is_some());
        let bytes = used.bytes + message.size - freed.unwrap_or_default();
        if topics > share.retained || bytes > share.retained_bytes {
            return false;
        }
        self.remove(&message.topic);
        let used = self.used.entry(who.clone()).or_default();
        used.topics += 1;
        used.bytes += message.size;
        let entry = (Arc::clone(message), who.clone());
        self.topics.insert(Arc::clone(&message.topic), entry);
        true
    }

    fn remove(&mut self, topic: &str) {
        let Some((message, who)) = self.topics.remove(topic) else { return };
        if let Some(used) = self.used.get_mut(&who) {
            used.topics -= 1;
            used.bytes -= message.size;
        }
    }

    /// The messages of the topics after this one, in order.
    pub(super) fn after(&self, topic: Option<&str>) -> impl Iterator<Item = &Arc<Message>> {
        let from = topic.map_or(Bound::Unbounded, Bound::Excluded);
        self.topics.range::<str, _>((from, Bound::Unbounded)).map(|(_, (message, _))| message)
    }

    /// Forgets what its senders wanted to be kept until now.
    pub(super) fn expire(&mut self, now: Instant) {
        let old = self.topics.values().filter(|(message, _)| message.has_expired(now));
        let old: Vec<Arc<str>> = old.map(|(message, _)| Arc::clone(&message.topic)).collect();
        old.iter().for_each(|topic| self.remove(topic));
    }

    /// How many topics there are, and what they take in memory.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.topics.len(), self.used.values().map(|used| used.bytes).sum())
    }
}

#[cfg(test)]
mod tests {
    use rumqttc::{Publish, QoS};

    use super::super::bounds::{ANONYMOUS, USER};
    use super::*;

    fn message(topic: &str, payload: &[u8]) -> Arc<Message> {
        let publish = Publish::new(topic, QoS::AtMostOnce, payload.to_vec(), None);
        Arc::new(Message::of(&Publish { retain: true, ..publish }, topic.into()))
    }

    #[test]
    fn who_has_used_up_a_share_keeps_what_is_there_and_others_go_on() {
        let (mut retained, anybody) = (Retained::default(), Client::Anybody);
        for number in 0..ANONYMOUS.retained {
            assert!(retained.set(&anybody, &ANONYMOUS, &message(&format!("a/{number}"), b"x")));
        }
        assert!(!retained.set(&anybody, &ANONYMOUS, &message("b", b"x")));
        assert!(retained.set(&anybody, &ANONYMOUS, &message("a/7", b"y")));
        assert!(retained.set(&Client::User("deck".into()), &USER, &message("b", b"x")));
        assert!(retained.set(&anybody, &ANONYMOUS, &message("a/7", b"")));
        assert!(retained.set(&anybody, &ANONYMOUS, &message("c", b"x")));
        assert_eq!(retained.size().0, ANONYMOUS.retained + 1);
    }

    #[test]
    fn bytes_are_bounded_too_and_come_back() {
        let (mut retained, anybody) = (Retained::default(), Client::Anybody);
        let large = vec![b'x'; 60_000];
        let kept = (0..1000)
            .take_while(|number| {
                retained.set(&anybody, &ANONYMOUS, &message(&number.to_string(), &large))
            })
            .count();
        assert!(kept > 10 && retained.size().1 <= ANONYMOUS.retained_bytes, "{kept}");
        for number in 0..kept {
            assert!(retained.set(&anybody, &ANONYMOUS, &message(&number.to_string(), b"")));
        }
        assert_eq!(retained.size(), (0, 0));
    }

    #[test]
    fn a_reader_goes_on_after_the_last_topic_that_it_saw() {
        let mut retained = Retained::default();
        for topic in ["a", "b/c", "b", "d"] {
            assert!(retained.set(&Client::Own, &USER, &message(topic, b"x")));
        }
        let after = |topic| -> Vec<&str> { retained.after(topic).map(|it| &*it.topic).collect() };
        assert_eq!(after(None), ["a", "b", "b/c", "d"]);
        assert_eq!(after(Some("b")), ["b/c", "d"]);
        assert!(after(Some("z")).is_empty());
    }
}
