//! The loop of the engine's thread, and the events since the last commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heat_engine::wit::Event;
use heat_engine::{Decision, Engine, StoreError};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use super::outputs::EngineOutputs;
use crate::clock::now;
use crate::control::moderation::ChatOrder;
use crate::metrics::{EventSource, RejectReason};
use crate::queue::streams::Sign;
use crate::queue::{
    AckToken, After, Agenda, EngineAccess, Input, InputKind, StreamAnswer, Subscriptions, Task,
    ToSend,
};
use crate::view::gaps::Gap;

/// How many events one commit takes at most.
const GROUP: usize = 1024;

/// After this many unacknowledged messages the group is committed: a broker stops sending at some hundreds.
const MOST_RECEIPTS: usize = 64;

/// How often old blocks of the log are deleted.
const EXPIRY: Duration = Duration::from_secs(3600);

/// Runs until every sender of inputs is gone, then commits what is left. After an error of the store the engine must not go on.
pub(crate) fn run(
    mut engine: Engine,
    mut inputs: mpsc::Receiver<Input>,
    mut outlets: EngineOutputs,
) -> Result<(), StoreError> {
    let mut group = Group {
        engine: &mut engine,
        outlets: &mut outlets,
        ack_tokens: Vec::new(),
        answers: Vec::new(),
        afters: Vec::new(),
        subscriptions: Subscriptions::default(),
        stood: None,
        expired_at: None,
        open_since: None,
    };
    for named in group.engine.awaited() {
        let _ = group.outlets.unnamed.try_send(named);
    }
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
    outlets: &'a mut EngineOutputs,
    ack_tokens: Vec<AckToken>,
    /// Callers that wait for the state of a channel's stream.
    answers: Vec<(String, StreamAnswer)>,
    afters: Vec<After>,
    subscriptions: Subscriptions,
    /// The engine's count of slot changes when the statuses were last published.
    stood: Option<u64>,
    expired_at: Option<Instant>,
    open_since: Option<Instant>,
}

impl Group<'_> {
    fn take(&mut self, input: Input) -> Result<(), StoreError> {
        self.outlets.metrics.health().engine_steps(Instant::now());
        match input.what {
            InputKind::Event { event, ack_token } => {
                self.event(input.now, *event, None)?;
                self.ack_tokens.extend(ack_token);
            }
            InputKind::Asked { event, answer } => {
                let channel = event.channel.clone();
                self.event(input.now, *event, Some(EventSource::Api))?;
                self.answers.push((channel, answer));
            }
            InputKind::Ordered { event, answer } => {
                // An order by the API neither starts a stream nor takes anything back: the API has resources of their own for that.
                let decision = self.decide(input.now, *event, EventSource::Api)?;
                self.afters.push(Box::new(move || answer(decision)));
            }
            InputKind::AckToken(ack_token) => self.ack_tokens.extend(ack_token),
            InputKind::Tick => {
                self.fire(input.now)?;
                self.end_silent_streams(input.now)?;
            }
            InputKind::Sent(number) => self.engine.sent(number)?,
            InputKind::Gap { channel, from, why } => {
                self.engine.gap(input.now, &channel, from, &why);
                self.outlets.gap(Gap { channel, from, until: input.now });
            }
            InputKind::Task(task) => self.task(input.now, task)?,
            InputKind::Shadowed => self.show(),
        }
        Ok(())
    }

    /// Runs a task between two events. Everything before it is committed first.
    fn task(&mut self, now: u64, task: Task) -> Result<(), StoreError> {
        // Timers first: the task happens now, and not at the time of the last event.
        self.fire(now)?;
        self.commit()?;
        let (started, name) = (Instant::now(), task.name);
        self.outlets.metrics.task_begins(name, started);
        let (engine, afters) = (&mut *self.engine, &mut self.afters);
        (task.work)(&mut EngineAccess { engine, subscriptions: &mut self.subscriptions, afters })?;
        let took = started.elapsed();
        self.outlets.metrics.task_done(name, took);
        debug!(task = name, took_us = took.as_micros() as u64, "done between two events");
        // Before anything else changes the slots: followers have to get the rule that the task has put into one.
        self.subscriptions.tell(self.engine);
        Ok(())
    }

    fn fire(&mut self, now: u64) -> Result<(), StoreError> {
        for decision in self.engine.fire(now)? {
            self.outlets.metrics.event_came(EventSource::Timer);
            self.outlets.decided(None, &decision);
        }
        Ok(())
    }

    /// Decides on an event, and on the start or end of the stream that it signals.
    fn event(
        &mut self,
        now: u64,
        event: Event,
        from: Option<EventSource>,
    ) -> Result<(), StoreError> {
        let stream = self.engine.stream(&event.channel);
        let before = self.outlets.streams.before(now, &event, stream);
        let after = self.outlets.streams.after(&event);
        match after {
            Sign::NotAllowed => self.outlets.metrics.refused(RejectReason::NotAllowed),
            Sign::Unclear => {
                self.outlets.metrics.refused(RejectReason::UnclearSign);
                let channel = &*event.channel;
                warn!(channel, "a sign of the stream says neither start nor end; it is left out");
            }
            _ => {}
        }
        self.order(now, &event);
        let signs = [before, after];
        let [before, after] = signs.map(|sign| sign.event(&event.id, &event.channel, now));
        let from = from.unwrap_or_else(|| EventSource::of(&event.what));
        for (event, from) in
            [(before, EventSource::Stream), (Some(event), from), (after, EventSource::Stream)]
        {
            if let Some(event) = event {
                self.decide(now, event, from)?;
            }
        }
        Ok(())
    }

    /// Hands on what a moderator orders of heatd itself, or answers at once why it cannot be done.
    fn order(&mut self, now: u64, event: &Event) {
        let answer = match self.outlets.moderation.read(now, event) {
            ChatOrder::Nothing => None,
            ChatOrder::NotAllowed => {
                self.outlets.metrics.refused(RejectReason::NotAllowed);
                None
            }
            ChatOrder::Misspelt(answer) => {
                let channel = &*event.channel;
                warn!(channel, answer, "a moderator's order is not understood");
                Some(answer)
            }
            ChatOrder::Undo(wish) => self.outlets.moderation.take(&event.channel, wish),
        };
        if let Some(answer) = answer {
            self.outlets.feed.say(&event.channel, &answer);
            self.engine.say(&event.channel, &answer);
        }
    }

    fn decide(
        &mut self,
        now: u64,
        event: Event,
        from: EventSource,
    ) -> Result<Decision, StoreError> {
        self.outlets.metrics.event_came(from);
        let (told, id) = (self.outlets.feed.note(&event), event.id.clone());
        let decision = self.engine.handle(now, event)?;
        self.outlets.raw_log.decided(&id, &decision);
        self.outlets.decided(told, &decision);
        Ok(decision)
    }

    fn end_silent_streams(&mut self, now: u64) -> Result<(), StoreError> {
        let engine = &*self.engine;
        let silent = self.outlets.streams.silent(now, |channel| is_live(engine, channel));
        for channel in silent {
            let cause = format!("silence:{channel}:{now}");
            if let Some(event) = Sign::Ends.event(&cause, &channel, now) {
                self.decide(now, event, EventSource::Stream)?;
            }
        }
        Ok(())
    }

    /// Whether the open group must be committed now.
    fn is_due(&self) -> bool {
        // A caller of the API waits for its answer, and a broker stops sending after some unacknowledged messages.
        let asked = !self.answers.is_empty() || !self.afters.is_empty();
        let waited = match self.open_since {
            Some(since) => since.elapsed() >= self.patience(),
            // There is nothing to write. There may be messages to acknowledge that no rule takes.
            None => !self.ack_tokens.is_empty(),
        };
        asked || waited || self.ack_tokens.len() >= MOST_RECEIPTS || self.engine.is_full()
    }

    /// How long the open group may wait for its commit.
    fn patience(&self) -> Duration {
        let awaited = self.engine.is_urgent() || !self.ack_tokens.is_empty();
        if awaited { self.outlets.gather.min(self.outlets.flush) } else { self.outlets.flush }
    }

    /// Commits if somebody waits for it, or if the group is old or full.
    fn end(&mut self) -> Result<(), StoreError> {
        if self.engine.is_pending() && self.open_since.is_none() {
            self.open_since = Some(Instant::now());
        }
        self.subscriptions.tell(self.engine);
        self.engine.count_series();
        if self.is_due() {
            self.commit()?;
        }
        let flush = self.open_since.map(|since| since + self.patience());
        self.expire()?;
        let engine = &*self.engine;
        let silence = self.outlets.streams.next(|channel| is_live(engine, channel));
        let due = [engine.next_wake(), silence, engine.next_close(), engine.next_rest()];
        let timer = due.into_iter().flatten().min();
        self.outlets.agenda.send_replace(Agenda { timer, flush });
        Ok(())
    }

    /// Deletes old blocks of the log and of the series, once an hour.
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
            // There are so many old rows that events would wait. The rest is deleted after the next group.
            self.expired_at = None;
        }
        self.outlets.metrics.log_begins(self.engine.snapshot()?.oldest()?);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.subscriptions.tell(self.engine);
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
            // Whether a stream is live is an output, too, so this cannot have changed without one.
            self.outlets.states.send_replace(Arc::new(self.outlets.registry.states(self.engine)));
        }
        self.afters.drain(..).for_each(|after| after());
        for (channel, answer) in self.answers.drain(..) {
            // The caller may be gone.
            let _ = answer.send(self.engine.stream(&channel));
        }
        for named in committed.unnamed {
            // When there are too many, they are known as soon as they write in chat.
            let _ = self.outlets.unnamed.try_send(named);
        }
        committed.says.into_iter().for_each(|say| self.outlets.says.put(say));
        self.outlets.mailbox.put(ToSend {
            messages: committed.messages,
            passing: committed.passing,
            ack_tokens: std::mem::take(&mut self.ack_tokens),
        });
        Ok(())
    }
}

impl Group<'_> {
    /// Publishes the outputs as of the last commit, with those of shadows.
    fn show(&mut self) {
        let mut outputs = self.engine.outputs().clone();
        self.outlets.shadows.add_to(&mut outputs);
        self.outlets.outputs.send_replace(Arc::new(outputs));
        // Slots change far less often than outputs, and their statuses are more to copy.
        let changes = self.engine.slot_changes();
        if self.stood.replace(changes) != Some(changes) {
            self.stand();
        }
    }

    /// Publishes the status of all slots, and which topics their rules take.
    fn stand(&self) {
        let standings = self.engine.slot_statuses();
        self.outlets.metrics.stand(&standings);
        self.outlets.registry.stand(standings);
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
