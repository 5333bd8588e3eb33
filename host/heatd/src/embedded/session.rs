//! One client's session: what it has subscribed to, what waits for it, and what is under way between it and the broker.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use heat_engine::matches;
use rumqttc::{Packet, PubRel, Publish, QoS};

use super::bounds::{MOST_WAITING, WINDOW};
use super::message::Message;
use super::retained::Retained;

/// How a client wants the messages of one filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientSubscription {
    pub(super) qos: QoS,
    /// What the client sends itself is not for it.
    pub(super) nolocal: bool,
    /// Whether a message says that it was sent to be kept.
    pub(super) as_published: bool,
    /// The number that the client has given to the subscription.
    pub(super) number: Option<usize>,
}

/// A message that waits for a client.
struct Waiting {
    message: Arc<Message>,
    qos: QoS,
    retain: bool,
    numbers: Vec<usize>,
}

/// A message that the client has been sent and has not acknowledged.
enum UnderWay {
    /// QoS 1 and 2, until the first acknowledgement.
    Sent(Waiting),
    /// QoS 2: the client has it, and has to say that it will not take it again.
    Released,
}

/// The retained messages that a new subscription asks for, as far as they are not sent.
struct Replay {
    filter: String,
    after: Option<Arc<str>>,
}

/// Whether a message has found room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Yes,
    /// It is dropped: the client has asked for it in a way in which messages may get lost.
    Dropped,
    /// It is dropped, and the client would not know that it has missed something that it has to know.
    Missed,
}

/// How a client wants a message, by all of its subscriptions together.
#[derive(Default)]
pub(super) struct Wanted {
    qos: QoS,
    as_published: bool,
    numbers: Vec<usize>,
}

fn greater(one: QoS, other: QoS) -> QoS {
    if one as u8 > other as u8 { one } else { other }
}

fn lesser(one: QoS, other: QoS) -> QoS {
    if (one as u8) < other as u8 { one } else { other }
}

/// What a client has of the broker.
pub(super) struct Session {
    /// No two sessions have one.
    pub(super) number: u64,
    pub(super) subscriptions: BTreeMap<String, ClientSubscription>,
    /// How long it outlives its connection.
    pub(super) expiry: Duration,
    /// Until when it is kept, while its client is away.
    pub(super) until: Option<Instant>,
    /// What is to be published, and when, unless the client comes back.
    pub(super) will: Option<(Arc<Message>, Instant)>,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    replays: VecDeque<Replay>,
    under_way: BTreeMap<u16, UnderWay>,
    /// What is sent again after the client has come back.
    again: VecDeque<u16>,
    /// Packet ids of QoS 2 that the client has not released.
    received: BTreeSet<u16>,
    last_packet: u16,
    /// How many messages the client takes without acknowledging any.
    window: usize,
}

impl Session {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            subscriptions: BTreeMap::new(),
            expiry: Duration::ZERO,
            until: None,
            will: None,
            waiting: VecDeque::new(),
            bytes: 0,
            replays: VecDeque::new(),
            under_way: BTreeMap::new(),
            again: VecDeque::new(),
            received: BTreeSet::new(),
            last_packet: 0,
            window: WINDOW,
        }
    }

    /// The client is here, for the first time or again.
    pub(super) fn begin(&mut self, receive_maximum: Option<u16>) {
        self.window = receive_maximum.map_or(WINDOW, |most| WINDOW.min(most.into()));
        self.again = self.under_way.keys().copied().collect();
        (self.until, self.will) = (None, None);
    }

    /// What the messages that wait take in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds or changes a subscription, and says whether it is new.
    pub(super) fn subscribe(&mut self, filter: &str, subscription: ClientSubscription) -> bool {
        self.subscriptions.insert(filter.to_owned(), subscription).is_none()
    }

    /// Sends the retained messages of a filter, from the first one on.
    pub(super) fn replay(&mut self, filter: &str) {
        self.replays.retain(|replay| replay.filter != filter);
        self.replays.push_back(Replay { filter: filter.to_owned(), after: None });
    }

    pub(super) fn unsubscribe(&mut self, filter: &str) -> bool {
        self.replays.retain(|replay| replay.filter != filter);
        self.subscriptions.remove(filter).is_some()
    }

    /// How the client wants this message. None: it does not.
    pub(super) fn wants(&self, message: &Message, from: u64) -> Option<Wanted> {
        let mut wanted: Option<Wanted> = None;
        for (filter, subscription) in &self.subscriptions {
            let is_own = subscription.nolocal && from == self.number;
            if is_own || !matches(filter, &message.topic) {
                continue;
            }
            let wanted = wanted.get_or_insert_default();
            wanted.qos = greater(wanted.qos, subscription.qos);
            wanted.as_published |= subscription.as_published;
            wanted.numbers.extend(subscription.number);
        }
        wanted
    }

    /// Takes a message that the client wants. `room`: how many bytes may be added.
    pub(super) fn put(&mut self, message: &Arc<Message>, wanted: Wanted, room: usize) -> Room {
        let qos = lesser(wanted.qos, message.qos);
        if self.waiting.len() >= MOST_WAITING || message.size > room {
            // What is kept is a state: who misses a change of it would take the one before for the present one.
            let must = qos != QoS::AtMostOnce || message.retain;
            return if must { Room::Missed } else { Room::Dropped };
        }
        self.bytes += message.size;
        let (message, retain) = (Arc::clone(message), wanted.as_published && message.retain);
        self.waiting.push_back(Waiting { message, qos, retain, numbers: wanted.numbers });
        Room::Yes
    }

    /// The next packet for the client. None: there is none, or it has to acknowledge one first.
    pub(super) fn next(&mut self, retained: &Retained, now: Instant) -> Option<Packet> {
        while let Some(packet) = self.again.pop_front() {
            match self.under_way.get(&packet) {
                Some(UnderWay::Sent(it)) => {
                    let publish = it.message.publish(it.qos, it.retain, &it.numbers, now);
                    return Some(Packet::Publish(Publish { dup: true, pkid: packet, ..publish }));
                }
                Some(UnderWay::Released) => return Some(Packet::PubRel(PubRel::new(packet, None))),
                None => {}
            }
        }
        let is_full = self.under_way.len() >= self.window;
        let waiting = match self.replayed(retained, now, is_full) {
            Some(Some(replayed)) => replayed,
            Some(None) => return None,
            None => self.waited(now, is_full)?,
        };
        let Waiting { message, qos, retain, numbers } = &waiting;
        let mut publish = message.publish(*qos, *retain, numbers, now);
        if *qos != QoS::AtMostOnce {
            publish.pkid = self.free_packet();
            self.under_way.insert(publish.pkid, UnderWay::Sent(waiting));
        }
        Some(Packet::Publish(publish))
    }

    /// The next retained message of a new subscription; `Some(None)`: there is one, and it has to wait.
    fn replayed(
        &mut self,
        retained: &Retained,
        now: Instant,
        is_full: bool,
    ) -> Option<Option<Waiting>> {
        while let Some(replay) = self.replays.front_mut() {
            let found = retained.after(replay.after.as_deref()).find(|message| {
                matches(&replay.filter, &message.topic) && !message.has_expired(now)
            });
            let subscription = self.subscriptions.get(&replay.filter);
            let (Some(message), Some(subscription)) = (found, subscription) else {
                self.replays.pop_front();
                continue;
            };
            let qos = lesser(subscription.qos, message.qos);
            if is_full && qos != QoS::AtMostOnce {
                return Some(None);
            }
            replay.after = Some(Arc::clone(&message.topic));
            let numbers = subscription.number.into_iter().collect();
            let message = Arc::clone(message);
            return Some(Some(Waiting { message, qos, retain: true, numbers }));
        }
        None
    }

    fn waited(&mut self, now: Instant, is_full: bool) -> Option<Waiting> {
        loop {
            let first = self.waiting.front()?;
            if is_full && first.qos != QoS::AtMostOnce {
                return None;
            }
            let first = self.waiting.pop_front()?;
            self.bytes -= first.message.size;
            if !first.message.has_expired(now) {
                return Some(first);
            }
        }
    }

    /// A packet id that is not under way. There is one: far fewer are.
    fn free_packet(&mut self) -> u16 {
        loop {
            self.last_packet = self.last_packet.checked_add(1).unwrap_or(1);
            if !self.under_way.contains_key(&self.last_packet) {
                return self.last_packet;
            }
        }
    }

    /// A packet could not be written: it is larger than this client takes.
    pub(super) fn give_up(&mut self, packet: u16) {
        self.under_way.remove(&packet);
    }

    /// The client has acknowledged a message of QoS 1. False: with this packet id it was sent one of QoS 2.
    pub(super) fn acknowledged(&mut self, packet: u16) -> bool {
        let is_right = match self.under_way.get(&packet) {
            Some(UnderWay::Sent(it)) => it.qos == QoS::AtLeastOnce,
            Some(UnderWay::Released) => false,
            None => return true,
        };
        self.under_way.remove(&packet);
        is_right
    }

    /// The client has a message of QoS 2, or refuses it. False: with this packet id it was sent one of QoS 1.
    pub(super) fn has_arrived(&mut self, packet: u16, is_refused: bool) -> bool {
        let is_right = match self.under_way.get(&packet) {
            Some(UnderWay::Sent(it)) => it.qos == QoS::ExactlyOnce,
            Some(UnderWay::Released) | None => return true,
        };
        if is_refused {
            self.under_way.remove(&packet);
        } else {
            self.under_way.insert(packet, UnderWay::Released);
        }
        is_right
    }

    /// The client will not take a message of QoS 2 again. False: it has not said before that it has it.
    pub(super) fn completed(&mut self, packet: u16) -> bool {
        !matches!(self.under_way.remove(&packet), Some(UnderWay::Sent(_)))
    }

    /// Notes a packet id of QoS 2 that has come in, and says whether it is new.
    pub(super) fn receive(&mut self, packet: u16) -> bool {
        self.received.insert(packet)
    }

    /// How many messages of QoS 2 the client has not released.
    pub(super) fn unreleased(&self) -> usize {
        self.received.len()
    }

    /// The client releases a packet id of QoS 2.
    pub(super) fn release(&mut self, packet: u16) {
        self.received.remove(&packet);
    }
}
