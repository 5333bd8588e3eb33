//! The engine's thread: drains what is waiting, decides on each event in order, commits once.
//!
//! It never waits for what it feeds. Outputs are a value that changes; messages and receipts go into a mailbox, which is
//! bounded by the limit of the outbox and by the broker's inflight window. So nobody can wait for the engine while it waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heat_engine::wit::Event;
use heat_engine::{Decision, Engine, Outputs, Say, StoreError};
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

use crate::broker::Topics;
use crate::clock::now;
use crate::config::Kept;
use crate::control::Shadows;
use crate::control::moderation::{Asked, Moderation};
use crate::metrics::{Metrics, Refusal, Source};
use crate::queue::streams::{Sign, Streams};
use crate::queue::{After, Agenda, Answer, Desk, Input, Mail, Mailbox, Receipt, Taps, What};
use crate::view::feed::{Feed, States, Told};
use crate::view::gaps::{self, Gap};
use crate::view::roster::Roster;

/// The most events of one commit.
const GROUP: usize = 1024;

/// So many messages wait for their acknowledgement at most: a broker stops at some hundreds.
const MOST_RECEIPTS: usize = 64;

/// How often old blocks of the log are deleted.
const EXPIRY: Duration = Duration::from_secs(3600);

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
    pub(crate) moderation: Moderation,
    /// Topics that somebody takes.
    pub(crate) topics: watch::Sender<Arc<Topics>>,
    /// Rules that run beside what is live.
    pub(crate) shadows: Arc<Shadows>,
    /// How long a group that nobody waits for may stay open.
    pub(crate) flush: Duration,
    /// How long a group that somebody waits for may stay open, for others to share its commit.
    pub(crate) gather: Duration,
    /// How old the log may grow, in milliseconds.
    pub(crate) keep_log: u64,
    /// How long what is counted over time is kept.
    pub(crate) kept: Kept,
}

impl Outlets {
    /// What rules take by MQTT, and where it is said that a stream starts or ends.
    pub(crate) fn topics_of(&self, engine: &Engine) -> Topics {
        let mut topics = engine.topics();
        topics.extend(self.streams.topics(&self.roster.names()));
        topics.sort();
        topics
    }

    fn gap(&self, gap: Gap) {
        let long = gap.long();
        info!(channel = gap.channel, away = gaps::words(long), "chat was away");
        self.metrics.chat_gap(long);
        self.feed.tell(&gap.channel, Told::gap(long));
        self.roster.gaps.add(gap);
    }

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
        afters: Vec::new(),
        taps: Taps::default(),
        stood: None,
        expired_at: None,
        open_since: None,
    };
    group.engine.fire(now())?;
    group.end()?;
    while let Some(first) = inputs.blocking_recv() {
        group.outlets.metrics.group_begins(first.waited());
        group.take(first)?;
        for _ in 1..GROUP {
            if group.engine.is_full() {
                break;
            }
            let Ok(input) = inputs.try_recv() else { break };
            group.take(input)?;
        }
        group.end()?;
        group.outlets.metrics.health().engine_rests(inputs.len());
    }
    group.commit()?;
    group.engine.end(now())?;
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
    afters: Vec<After>,
    taps: Taps,
    /// How often slots had changed when it was last passed on how they stand.
    stood: Option<u64>,
    expired_at: Option<Instant>,
    open_since: Option<Instant>,
}

impl Group<'_> {
    fn take(&mut self, input: Input) -> Result<(), StoreError> {
        self.outlets.metrics.health().engine_steps(Instant::now());
        match input.what {
            What::Event { event, receipt } => {
                self.event(input.now, *event, None)?;
                self.receipts.extend(receipt);
            }
            What::Asked { event, answer } => {
                let channel = event.channel.clone();
                self.event(input.now, *event, Some(Source::Api))?;
                self.answers.push((channel, answer));
            }
            What::Ordered { event, answer } => {
                // It is no sign of a stream, and moderation is asked for by name.
                let decision = self.decide(input.now, *event, Source::Api)?;
                self.afters.push(Box::new(move || answer(decision)));
            }
            What::Receipt(receipt) => self.receipts.extend(receipt),
            What::Tick => {
                self.fire(input.now)?;
                self.end_silent_streams(input.now)?;
            }
            What::Sent(number) => self.engine.sent(number),
            What::Gap { channel, from, why } => {
                self.engine.gap(input.now, &channel, from, &why);
                self.outlets.gap(Gap { channel, from, until: input.now });
            }
            What::Task(task) => self.task(input.now, task)?,
            What::Shadowed => self.show(),
        }
        Ok(())
    }

    /// Does something between two events, which are all committed before.
    fn task(&mut self, now: u64, task: Task) -> Result<(), StoreError> {
        // It happens now, however long ago the last event was.
        self.fire(now)?;
        self.commit()?;
        let started = Instant::now();
        let (engine, afters) = (&mut *self.engine, &mut self.afters);
        task(&mut Desk { engine, taps: &mut self.taps, afters })?;
        self.outlets.metrics.task_done(started.elapsed());
        // While what it has put into a slot is there: followers have to know the rule.
        self.taps.tell(self.engine);
        Ok(())
    }

    fn fire(&mut self, now: u64) -> Result<(), StoreError> {
        for decision in self.engine.fire(now)? {
            self.outlets.metrics.event_came(Source::Timer);
            self.outlets.decided(None, &decision);
        }
        Ok(())
    }

    /// Decides on an event, and on what it says of the stream.
    fn event(&mut self, now: u64, event: Event, from: Option<Source>) -> Result<(), StoreError> {
        let stream = self.engine.stream(&event.channel);
        let before = self.outlets.streams.before(now, &event, stream);
        let after = self.outlets.streams.after(&event);
        match after {
            Sign::NotAllowed => self.outlets.metrics.refused(Refusal::NotAllowed),
            Sign::Unclear => {
                self.outlets.metrics.refused(Refusal::UnclearSign);
                let channel = &*event.channel;
                warn!(channel, "a sign of the stream says neither start nor end; it is left out");
            }
            _ => {}
        }
        match self.outlets.moderation.read(now, &event) {
            Asked::Nothing => {}
            Asked::NotAllowed => self.outlets.metrics.refused(Refusal::NotAllowed),
            Asked::Undo(wish) => self.outlets.moderation.take(&event.channel, wish),
        }
        let signs = [before, after];
        let [before, after] = signs.map(|sign| sign.event(&event.id, &event.channel, now));
        let from = from.unwrap_or_else(|| Source::of(&event.what));
        for (event, from) in
            [(before, Source::Stream), (Some(event), from), (after, Source::Stream)]
        {
            if let Some(event) = event {
                self.decide(now, event, from)?;
            }
        }
        Ok(())
    }

    fn decide(&mut self, now: u64, event: Event, from: Source) -> Result<Decision, StoreError> {
        self.outlets.metrics.event_came(from);
        let told = self.outlets.feed.note(&event);
        let decision = self.engine.handle(now, event)?;
        self.outlets.decided(told, &decision);
        Ok(decision)
    }

    fn end_silent_streams(&mut self, now: u64) -> Result<(), StoreError> {
        let engine = &*self.engine;
        let silent = self.outlets.streams.silent(now, |channel| is_live(engine, channel));
        for channel in silent {
            let cause = format!("silence:{channel}:{now}");
            if let Some(event) = Sign::Ends.event(&cause, &channel, now) {
                self.decide(now, event, Source::Stream)?;
            }
        }
        Ok(())
    }

    /// Whether the group has to be committed now.
    fn is_due(&self) -> bool {
        // Who asks by the API waits for the answer; a broker sends no more than some messages without an acknowledgement.
        let asked = !self.answers.is_empty() || !self.afters.is_empty();
        let waited = match self.open_since {
            Some(since) => since.elapsed() >= self.patience(),
            // Nothing to write, but there may be messages to acknowledge that were for no rule.
            None => !self.receipts.is_empty(),
        };
        asked || waited || self.receipts.len() >= MOST_RECEIPTS || self.engine.is_full()
    }

    /// How long the group may stay open.
    fn patience(&self) -> Duration {
        let awaited = self.engine.is_urgent() || !self.receipts.is_empty();
        if awaited { self.outlets.gather.min(self.outlets.flush) } else { self.outlets.flush }
    }

    /// Commits if somebody waits for it, or if the group has been open for long or is full.
    fn end(&mut self) -> Result<(), StoreError> {
        if self.engine.is_pending() && self.open_since.is_none() {
            self.open_since = Some(Instant::now());
        }
        self.taps.tell(self.engine);
        self.engine.count_series();
        if self.is_due() {
            self.commit()?;
        }
        let flush = self.open_since.map(|since| since + self.patience());
        self.expire()?;
        let engine = &*self.engine;
        let silence = self.outlets.streams.next(|channel| is_live(engine, channel));
        let timer = engine.next_wake().into_iter().chain(silence).chain(engine.next_close()).min();
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
        let kept = &self.outlets.kept;
        if !self.engine.expire_series(|resolution| kept.of(resolution))? {
            // There are so many that others would wait for long: the rest goes after the next group.
            self.expired_at = None;
        }
        self.outlets.metrics.log_begins(self.engine.snapshot()?.oldest()?);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.taps.tell(self.engine);
        let started = Instant::now();
        let metrics = &self.outlets.metrics;
        metrics.health().engine_steps(started);
        let (is_pending, records) = (self.engine.is_pending(), self.engine.pending_records());
        let committed = self.engine.commit()?;
        self.open_since = None;
        if is_pending {
            let (disk, outbox) = (self.engine.disk(), self.engine.outbox());
            metrics.committed(started.elapsed(), records, disk, outbox);
        }
        if metrics.log_is_unknown() {
            metrics.log_begins(self.engine.snapshot()?.oldest()?);
        }
        debug!(records, "committed");
        if committed.outputs_changed {
            self.show();
            // Whether a stream is live is an output as well.
            self.outlets.states.send_replace(Arc::new(self.outlets.roster.states(self.engine)));
        }
        self.afters.drain(..).for_each(|after| after());
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

impl Group<'_> {
    /// Passes on what is shown as of the last commit, and what shadows show beside it.
    fn show(&mut self) {
        let mut outputs = self.engine.outputs().clone();
        self.outlets.shadows.add_to(&mut outputs);
        self.outlets.outputs.send_replace(Arc::new(outputs));
        // The slots change far less often than what they show.
        let changes = self.engine.slot_changes();
        if self.stood.replace(changes) != Some(changes) {
            self.stand();
        }
    }

    /// Passes on how the slots stand, and which topics their rules take.
    fn stand(&self) {
        let standings = self.engine.standings();
        self.outlets.metrics.stand(&standings);
        self.outlets.roster.stand(standings);
        let topics = self.outlets.topics_of(self.engine);
        self.outlets.topics.send_if_modified(|known| {
            let news = **known != topics;
            if news {
                *known = Arc::new(topics);
            }
            news
        });
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
