//! What the embedded broker knows: sessions and retained messages, and who may have how many of them. One lock, held for a moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use parking_lot::{Mutex, MutexGuard};
use rumqttc::{
    ConnectReturnCode, DisconnectReasonCode as Reason, Packet, RetainForwardRule, SubscribeFilter,
    SubscribeReasonCode,
};
use tokio::sync::Notify;

use super::access::{Access, Client};
use super::bounds::LONGEST_SESSION;
use super::message::Message;
use super::packets;
use super::refusals::Refusals;
use super::retained::Retained;
use super::session::{ClientSubscription, Room, Session};
use super::text;
use super::version::Version;
use crate::metrics::{BrokerFigures, Refused};

/// Whose session it is, and its client id. So nobody can take up the session of another user, whatever client id they name.
pub(super) type Key = (Client, Arc<str>);

/// A connection that has said who it is.
pub(super) struct Visit {
    pub(super) key: Key,
    /// No two connections have one.
    number: u64,
    /// There is something for it.
    pub(super) wake: Notify,
    /// Why it has to end.
    cut: Mutex<Option<Reason>>,
}

impl Visit {
    /// Why the connection has to end, if it has to.
    pub(super) fn is_cut(&self) -> Option<Reason> {
        *self.cut.lock()
    }

    fn end(&self, reason: Reason) {
        self.cut.lock().get_or_insert(reason);
        self.wake.notify_one();
    }
}

/// What a client asks for when it comes.
pub(super) struct Asked {
    pub(super) clean: bool,
    /// How long its session shall outlive the connection.
    pub(super) expiry: Duration,
    pub(super) receive_maximum: Option<u16>,
}

/// How a client is let in.
pub(super) struct Entered {
    pub(super) visit: Arc<Visit>,
    /// The number of its session.
    pub(super) session: u64,
    /// It has taken up the session that it had.
    pub(super) is_back: bool,
    /// How long its session will outlive the connection.
    pub(super) expiry: Duration,
}

#[derive(Default)]
struct HubState {
    sessions: BTreeMap<Key, (Session, Option<Arc<Visit>>)>,
    retained: Retained,
    /// The last number that was given to a session or to a connection.
    last: u64,
}

/// Shared by all connections.
pub(super) struct Hub {
    pub(super) access: Access,
    pub(super) refusals: Refusals,
    state: Mutex<HubState>,
}

impl HubState {
    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn of<'a>(
        &'a self,
        who: &'a Client,
    ) -> impl Iterator<Item = (&'a Key, &'a (Session, Option<Arc<Visit>>))> {
        self.sessions.iter().filter(move |((owner, _), _)| owner == who)
    }

    /// The session of this connection, unless another connection has it by now.
    fn session(&mut self, visit: &Visit) -> Option<&mut Session> {
        let (session, here) = self.sessions.get_mut(&visit.key)?;
        here.as_ref().is_some_and(|here| here.number == visit.number).then_some(session)
    }

    /// How long a session may be kept. The one that has been away for longest makes room.
    fn keep(&mut self, key: &Key, wanted: Duration, most: usize) -> Duration {
        let others = self
            .of(&key.0)
            .filter(|(other, (session, _))| *other != key && !session.expiry.is_zero());
        let others: Vec<(Key, Option<Instant>)> =
            others.map(|(key, (session, _))| (key.clone(), session.until)).collect();
        if wanted.is_zero() || others.len() < most {
            return wanted.min(if most == 0 { Duration::ZERO } else { LONGEST_SESSION });
        }
        let away = others.into_iter().filter_map(|(key, until)| Some((until?, key))).min();
        match away {
            Some((_, oldest)) => {
                self.sessions.remove(&oldest);
                wanted.min(LONGEST_SESSION)
            }
            None => Duration::ZERO,
        }
    }
}

impl Hub {
    pub(super) fn new(access: Access, refusals: Refusals) -> Self {
        Self { access, refusals, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, HubState> {
        // No await happens under this lock, and what is under it is whole after every call.
        self.state.lock()
    }

    /// Lets a client in, in place of the one with its client id if that is the same user's.
    pub(super) fn enter(&self, key: Key, asked: &Asked) -> Result<Entered, ConnectReturnCode> {
        let mut state = self.state();
        let share = self.access.share(&key.0);
        let id_of_user = |(who, id): &Key| *id == key.1 && matches!(who, Client::User(_));
        if key.0 == Client::Anybody && state.sessions.keys().any(id_of_user) {
            self.refusals.note(Refused::ClientId, &key.0, &key.1);
            return Err(ConnectReturnCode::NotAuthorized);
        }
        let others = state.of(&key.0).filter(|(other, (_, here))| **other != key && here.is_some());
        if others.count() >= share.clients {
            self.refusals.note(Refused::Clients, &key.0, &key.1);
            return Err(ConnectReturnCode::QuotaExceeded);
        }
        let expiry = state.keep(&key, asked.expiry, share.sessions);
        let visit = Arc::new(Visit {
            key: key.clone(),
            number: state.number(),
            wake: Notify::new(),
            cut: Mutex::default(),
        });
        let before = state.sessions.remove(&key);
        if let Some((_, Some(other))) = &before {
            other.end(Reason::SessionTakenOver);
        }
        let before = before.map(|(session, _)| session).filter(|session| {
            !asked.clean
                && session.until.is_none_or(|until| until > Instant::now())
                && !session.expiry.is_zero()
        });
        let is_back = before.is_some();
        let mut session = before.unwrap_or_else(|| Session::new(state.number()));
        session.expiry = expiry;
        session.begin(asked.receive_maximum);
        let number = session.number;
        state.sessions.insert(key, (session, Some(Arc::clone(&visit))));
        Ok(Entered { visit, session: number, is_back, expiry })
    }

    /// A connection has ended. Its will, if it has left one that is due, is returned.
    pub(super) fn leave(
        &self,
        visit: &Visit,
        will: Option<(Message, Duration)>,
    ) -> Option<Arc<Message>> {
        let mut state = self.state();
        let will = will.map(|(message, delay)| (Arc::new(message), delay));
        let Some(session) = state.session(visit) else {
            // Another connection goes on with the session.
            return will.filter(|(_, delay)| delay.is_zero()).map(|(message, _)| message);
        };
        if session.expiry.is_zero() {
            state.sessions.remove(&visit.key);
            return will.map(|(message, _)| message);
        }
        let now = Instant::now();
        session.until = Some(now + session.expiry);
        let (due, later) = match will {
            Some((message, delay)) if !delay.is_zero() => (None, Some((message, now + delay))),
            due => (due, None),
        };
        session.will = later;
        if let Some((_, here)) = state.sessions.get_mut(&visit.key) {
            *here = None;
        }
        due.map(|(message, _)| message)
    }

    /// Does something to the session of this connection, unless another one has it by now.
    pub(super) fn with<T>(&self, visit: &Visit, act: impl FnOnce(&mut Session) -> T) -> Option<T> {
        self.state().session(visit).map(act)
    }

    /// Subscribes a client to a filter, which is a valid one.
    pub(super) fn subscribe(
        &self,
        visit: &Visit,
        wanted: &SubscribeFilter,
        number: Option<usize>,
    ) -> SubscribeReasonCode {
        let (who, filter) = (&visit.key.0, &wanted.path);
        if filter.starts_with("$share/") {
            return SubscribeReasonCode::SharedSubscriptionsNotSupported;
        }
        if text::filter(filter).is_err() {
            self.refusals.note(Refused::Topic, who, filter);
            return SubscribeReasonCode::TopicFilterInvalid;
        }
        if !self.access.may_read(who, filter) {
            self.refusals.note(Refused::Read, who, filter);
            return SubscribeReasonCode::NotAuthorized;
        }
        let mut state = self.state();
        let all: usize = state.of(who).map(|(_, (session, _))| session.subscriptions.len()).sum();
        let is_full = all >= self.access.share(who).subscriptions;
        let Some(session) = state.session(visit) else {
            return SubscribeReasonCode::Unspecified;
        };
        if is_full && !session.subscriptions.contains_key(filter) {
            self.refusals.note(Refused::Subscriptions, who, filter);
            return SubscribeReasonCode::QuotaExceeded;
        }
        let subscription = ClientSubscription {
            qos: wanted.qos,
            nolocal: wanted.nolocal,
            as_published: wanted.preserve_retain,
            number,
        };
        let is_new = session.subscribe(filter, subscription);
        match wanted.retain_forward_rule {
            RetainForwardRule::OnEverySubscribe => session.replay(filter),
            RetainForwardRule::OnNewSubscribe if is_new => session.replay(filter),
            RetainForwardRule::OnNewSubscribe | RetainForwardRule::Never => {}
        }
        SubscribeReasonCode::Success(wanted.qos)
    }

    /// Keeps a message if it is to be kept, and passes it on to whoever has asked for it. `from`: the session that it comes from.
    /// What has no room to be kept is passed on all the same. Returns how many clients want it.
    pub(super) fn publish(&self, who: &Client, from: u64, message: &Arc<Message>) -> usize {
        let mut state = self.state();
        if message.retain && !state.retained.set(who, self.access.share(who), message) {
            self.refusals.note(Refused::Retained, who, &message.topic);
        }
        let wanting = state
            .sessions
            .iter()
            .filter_map(|(key, (session, _))| Some((key.clone(), session.wants(message, from)?)));
        let wanting: Vec<_> = wanting.collect();
        let clients = wanting.len();
        for (key, wanted) in wanting {
            let taken: usize = state.of(&key.0).map(|(_, (session, _))| session.bytes()).sum();
            let room = self.access.share(&key.0).waiting_bytes.saturating_sub(taken);
            let Some((session, here)) = state.sessions.get_mut(&key) else { continue };
            match (session.put(message, wanted, room), here) {
                (Room::Yes, Some(visit)) => visit.wake.notify_one(),
                (Room::Yes, None) => {}
                (Room::Missed, Some(visit)) => {
                    // Whoever comes back without a session subscribes again, and is shown how things stand.
                    session.expiry = Duration::ZERO;
                    visit.end(Reason::QuotaExceeded);
                    self.refusals.note(Refused::Reader, &key.0, &key.1);
                }
                (Room::Missed, None) | (Room::Dropped, _) => {
                    self.refusals.note(Refused::Waiting, &key.0, &key.1);
                }
            }
        }
        clients
    }

    /// Writes what waits for a client, until so many bytes are there.
    pub(super) fn fill(
        &self,
        visit: &Visit,
        (version, largest): (Version, u32),
        buffer: &mut BytesMut,
        enough: usize,
    ) {
        let mut state = self.state();
        let HubState { sessions, retained, .. } = &mut *state;
        let Some((session, Some(here))) = sessions.get_mut(&visit.key) else { return };
        if here.number != visit.number {
            return;
        }
        let now = Instant::now();
        while buffer.len() < enough {
            let Some(packet) = session.next(retained, now) else { return };
            let number = match &packet {
                Packet::Publish(publish) => publish.pkid,
                _ => 0,
            };
            if !packets::write(packet, version, largest, buffer) {
                session.give_up(number);
            }
        }
    }

    /// Ends what has had its time. What is returned is to be published: wills whose clients have not come back.
    pub(super) fn tick(&self, now: Instant) -> Vec<(Client, Arc<Message>)> {
        let mut state = self.state();
        state.retained.expire(now);
        let mut wills = Vec::new();
        state.sessions.retain(|(who, _), (session, here)| {
            let is_over = here.is_none() && session.until.is_some_and(|until| until <= now);
            let is_due = session.will.as_ref().is_some_and(|(_, at)| *at <= now);
            if (is_over || is_due)
                && let Some((message, _)) = session.will.take()
            {
                wills.push((who.clone(), message));
            }
            !is_over
        });
        wills
    }

    /// How much there is of everything.
    pub(super) fn figures(&self) -> BrokerFigures {
        let state = self.state();
        let sessions = || state.sessions.values();
        let (retained, retained_bytes) = state.retained.size();
        BrokerFigures {
            clients: sessions().filter(|(_, here)| here.is_some()).count(),
            sessions: sessions().count(),
            subscriptions: sessions().map(|(session, _)| session.subscriptions.len()).sum(),
            waiting_bytes: sessions().map(|(session, _)| session.bytes()).sum(),
            retained,
            retained_bytes,
        }
    }
}
