//! The engine's thread: drains what is waiting, decides on each event in order, commits once.
//!
//! It never waits for what it feeds. Outputs are a value that changes; messages and receipts go into a mailbox, which is
//! bounded by the limit of the outbox and by the broker's inflight window. So nobody can wait for the engine while it waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use heat_engine::wit::{Event, Message};
use heat_engine::{Decision, Engine, Outputs, Say, StoreError, Stream};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tracing::{debug, info, warn};

use crate::clock::now;
use crate::feed::{Feed, States, Told};
use crate::metrics::Metrics;
use crate::roster::Roster;
use crate::streams::{Sign, Streams};

/// The most events of one commit.
const GROUP: usize = 1024;

/// How many bytes of messages that are sent at most once may wait for a connection: some ten thousand answers.
const PASSING: usize = 4 << 20;

/// How often old blocks of the log are deleted.
const EXPIRY: Duration = Duration::from_secs(3600);

/// The number of a received MQTT message, which is acknowledged after the commit.
pub(crate) type Receipt = u64;

/// Where somebody waits for what a stream is.
pub(crate) type Answer = oneshot::Sender<Option<Stream>>;

/// Everything that can happen to the engine.
pub(crate) struct Input {
    /// When heatd took it in, in milliseconds since 1970.
    now: u64,
    what: What,
}

enum What {
    Event {
        event: Box<Event>,
        receipt: Option<Receipt>,
    },
    /// An event after whose commit somebody is told what its channel's stream is.
    Asked {
        event: Box<Event>,
        answer: Answer,
    },
    Receipt(Option<Receipt>),
    Tick,
    Sent(u64),
}

impl Input {
    pub(crate) fn event(now: u64, event: Event) -> Self {
        Self { now, what: What::Event { event: Box::new(event), receipt: None } }
    }

    /// An event whose sender waits for an acknowledgement.
    pub(crate) fn with_receipt(now: u64, event: Event, receipt: Option<Receipt>) -> Self {
        Self { now, what: What::Event { event: Box::new(event), receipt } }
    }

    /// An event whose sender waits for what its channel's stream is then.
    pub(crate) fn with_answer(now: u64, event: Event, answer: Answer) -> Self {
        Self { now, what: What::Asked { event: Box::new(event), answer } }
    }

    /// A message that no rule takes: acknowledged in its turn.
    pub(crate) fn receipt_only(now: u64, receipt: Option<Receipt>) -> Self {
        Self { now, what: What::Receipt(receipt) }
    }

    /// A timer may be due, or a group may have waited long enough.
    pub(crate) fn tick(now: u64) -> Self {
        Self { now, what: What::Tick }
    }

    /// The broker has acknowledged this message of the outbox.
    pub(crate) fn sent(number: u64) -> Self {
        Self { now: now(), what: What::Sent(number) }
    }
}

/// When the engine wants to be woken.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Agenda {
    /// Of the next timer, in milliseconds since 1970.
    pub(crate) timer: Option<u64>,
    /// Of a group that has waited long enough. Not by the wall clock, which may be set.
    pub(crate) flush: Option<Instant>,
}

/// What has to leave, all of it durable.
#[derive(Default)]
pub(crate) struct Mail {
    pub(crate) messages: Vec<(u64, Message)>,
    /// To be sent at most once.
    pub(crate) passing: Vec<Message>,
    pub(crate) receipts: Vec<Receipt>,
}

impl Mail {
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.passing.is_empty() && self.receipts.is_empty()
    }
}

/// Where the engine's thread leaves what others have to send.
#[derive(Default)]
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    filled: Notify,
}

impl Mailbox {
    fn put(&self, new: Mail) {
        if new.is_empty() {
            return;
        }
        // Nothing in here panics, so a poisoned lock cannot be.
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        mail.messages.extend(new.messages);
        // Nobody takes them while no broker is connected; then the oldest answers are the least missed.
        mail.passing.extend(new.passing);
        let excess = oldest_beyond(PASSING, &mail.passing);
        mail.passing.drain(..excess);
        mail.receipts.extend(new.receipts);
        drop(mail);
        self.filled.notify_one();
    }

    /// Takes what is there; waits while there is nothing.
    pub(crate) async fn take(&self) -> Mail {
        loop {
            if let Some(mail) = self.take_now() {
                return mail;
            }
            self.filled.notified().await;
        }
    }

    /// Throws away what was to be sent at most once: nobody was there to send it.
    pub(crate) fn forget_passing(&self) {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner).passing.clear();
    }

    /// Takes what is there.
    pub(crate) fn take_now(&self) -> Option<Mail> {
        let mail = std::mem::take(&mut *self.mail.lock().unwrap_or_else(PoisonError::into_inner));
        (!mail.is_empty()).then_some(mail)
    }
}

/// How many of the first messages have to go so that the others have at most so many bytes.
fn oldest_beyond(most: usize, messages: &[Message]) -> usize {
    let sizes = messages
        .iter()
        .rev()
        .map(|message| size_of::<Message>() + message.topic.len() + message.payload.len());
    let mut bytes = 0;
    let kept = sizes.take_while(|size| {
        bytes += size;
        bytes <= most
    });
    messages.len() - kept.count()
}

/// What the engine's thread feeds.
pub(crate) struct Outlets {
    pub(crate) outputs: watch::Sender<Arc<Outputs>>,
    pub(crate) agenda: watch::Sender<Agenda>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) states: watch::Sender<Arc<States>>,
    pub(crate) metrics: Metrics,
    pub(crate) roster: Arc<Roster>,
    pub(crate) feed: Feed,
    pub(crate) streams: Streams,
    /// How long a group that nobody waits for may stay open.
    pub(crate) flush: Duration,
    /// How old the log may grow, in milliseconds.
    pub(crate) keep_log: u64,
}

impl Outlets {
    fn decided(&self, told: Option<Told>, decision: &Decision) {
        self.metrics.decided(decision);
        self.roster.decided(decision);
        self.feed.decided(told, decision);
    }
}

/// Runs until every sender of inputs is gone, then commits what is left. An error is the store's: the engine must not go on.
pub(crate) fn run(
    mut engine: Engine,
    mut inputs: mpsc::Receiver<Input>,
    mut outlets: Outlets,
) -> Result<(), StoreError> {
    let mut group = Group {
        engine: &mut engine,
        outlets: &mut outlets,
        receipts: Vec::new(),
        answers: Vec::new(),
        expired_at: None,
        open_since: None,
    };
    group.engine.fire(now())?;
    group.end()?;
    while let Some(first) = inputs.blocking_recv() {
        group.take(first)?;
        for _ in 1..GROUP {
            if group.engine.is_full() {
                break;
            }
            let Ok(input) = inputs.try_recv() else { break };
            group.take(input)?;
        }
        group.outlets.metrics.queue_depth(inputs.len());
        group.end()?;
    }
    group.commit()?;
    info!("the last events are committed");
    Ok(())
}

/// The events since the last commit.
struct Group<'a> {
    engine: &'a mut Engine,
    outlets: &'a mut Outlets,
    receipts: Vec<Receipt>,
    /// Who waits, with the channel.
    answers: Vec<(String, Answer)>,
    expired_at: Option<Instant>,
    open_since: Option<Instant>,
}

impl Group<'_> {
    fn take(&mut self, input: Input) -> Result<(), StoreError> {
        match input.what {
            What::Event { event, receipt } => {
                self.event(input.now, *event)?;
                self.receipts.extend(receipt);
            }
            What::Asked { event, answer } => {
                let channel = event.channel.clone();
                self.event(input.now, *event)?;
                self.answers.push((channel, answer));
            }
            What::Receipt(receipt) => self.receipts.extend(receipt),
            What::Tick => {
                for decision in self.engine.fire(input.now)? {
                    self.outlets.decided(None, &decision);
                }
                self.end_silent_streams(input.now)?;
            }
            What::Sent(number) => self.engine.sent(number),
        }
        Ok(())
    }

    /// Decides on an event, and on what it says of the stream.
    fn event(&mut self, now: u64, event: Event) -> Result<(), StoreError> {
        let stream = self.engine.stream(&event.channel);
        let before = self.outlets.streams.before(now, &event, stream);
        let after = self.outlets.streams.after(&event);
        match after {
            Sign::NotAllowed => self.outlets.metrics.command_not_allowed(),
            Sign::Unclear => {
                let channel = &*event.channel;
                warn!(channel, "a sign of the stream says neither start nor end; it is left out");
            }
            _ => {}
        }
        let signs = [before, after];
        let [before, after] = signs.map(|sign| sign.event(&event.id, &event.channel, now));
        for event in before.into_iter().chain([event]).chain(after) {
            self.decide(now, event)?;
        }
        Ok(())
    }

    fn decide(&mut self, now: u64, event: Event) -> Result<(), StoreError> {
        let told = self.outlets.feed.note(&event);
        let decision = self.engine.handle(now, event)?;
        self.outlets.decided(told, &decision);
        Ok(())
    }

    fn end_silent_streams(&mut self, now: u64) -> Result<(), StoreError> {
        let engine = &*self.engine;
        let silent = self.outlets.streams.silent(now, |channel| is_live(engine, channel));
        for channel in silent {
            let cause = format!("silence:{channel}:{now}");
            if let Some(event) = Sign::Ends.event(&cause, &channel, now) {
                self.decide(now, event)?;
            }
        }
        Ok(())
    }

    /// Commits if somebody waits for it, or if the group has been open for long or is full.
    fn end(&mut self) -> Result<(), StoreError> {
        if self.engine.is_pending() && self.open_since.is_none() {
            self.open_since = Some(Instant::now());
        }
        let due = self.open_since.is_some_and(|since| since.elapsed() >= self.outlets.flush);
        let awaited = !self.receipts.is_empty() || !self.answers.is_empty();
        if self.engine.is_urgent() || awaited || due || self.engine.is_full() {
            self.commit()?;
        }
        let flush = self.open_since.map(|since| since + self.outlets.flush);
        self.expire()?;
        let engine = &*self.engine;
        let silence = self.outlets.streams.next(|channel| is_live(engine, channel));
        let timer = engine.next_wake().into_iter().chain(silence).min();
        self.outlets.agenda.send_replace(Agenda { timer, flush });
        Ok(())
    }

    /// Deletes what the log need no longer hold, once an hour.
    fn expire(&mut self) -> Result<(), StoreError> {
        if self.expired_at.is_some_and(|at| at.elapsed() < EXPIRY) {
            return Ok(());
        }
        self.expired_at = Some(Instant::now());
        let blocks = self.engine.expire_log(now().saturating_sub(self.outlets.keep_log))?;
        if blocks > 0 {
            info!(blocks, "old blocks of the log deleted");
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let started = Instant::now();
        let records = self.engine.pending_records();
        let committed = self.engine.commit()?;
        self.open_since = None;
        self.outlets.metrics.committed(started.elapsed());
        debug!(records, "committed");
        if committed.outputs_changed {
            self.outlets.outputs.send_replace(Arc::new(self.engine.outputs().clone()));
            // Whether a stream is live is an output as well.
            self.outlets.states.send_replace(Arc::new(self.outlets.roster.states(self.engine)));
        }
        for (channel, answer) in self.answers.drain(..) {
            // Who has asked may be gone.
            let _ = answer.send(self.engine.stream(&channel));
        }
        committed.says.iter().for_each(cannot_say);
        self.outlets.mailbox.put(Mail {
            messages: committed.messages,
            passing: committed.passing,
            receipts: std::mem::take(&mut self.receipts),
        });
        Ok(())
    }
}

fn is_live(engine: &Engine, channel: &str) -> bool {
    engine.stream(channel).is_some_and(|stream| stream.live)
}

/// Chat is read without a login, and nobody may speak without one.
fn cannot_say(say: &Say) {
    let (channel, text) = (&*say.channel, &say.text);
    warn!(channel, text, "a rule wants to say this in chat, and heatd has no login to chat");
}

#[cfg(test)]
mod tests {
    use heat_engine::wit::{Delivery, Message};

    use super::oldest_beyond;

    #[test]
    fn the_oldest_messages_go_when_there_is_no_room() {
        let size = |bytes: usize| Message {
            topic: "t".to_owned(),
            payload: vec![0; bytes],
            delivery: Delivery::AtMostOnce,
        };
        let messages: Vec<Message> = [500, 10, 500].map(size).into();
        assert_eq!(oldest_beyond(10_000, &messages), 0);
        assert_eq!(oldest_beyond(800, &messages), 1);
        assert_eq!(oldest_beyond(600, &messages), 2);
        assert_eq!(oldest_beyond(100, &messages), 3);
        assert_eq!(oldest_beyond(0, &[]), 0);
    }
}
