//! Readiness and liveness: what `/readyz` and `/healthz` answer, with reasons and since when.
//!
//! Not ready: a source is lost, or the engine is behind; a restart would not help. Not alive: the engine's thread hangs, and
//! a restart is what helps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

/// A step of the engine takes milliseconds. With a dying disk a commit may take seconds.
const SLOW: Duration = Duration::from_secs(5);

/// If events wait this long, more come in than the rules can decide.
const LONG_WAIT: Duration = Duration::from_secs(10);

/// An engine that is this long at one step will not come back.
const HUNG: Duration = Duration::from_secs(60);

/// The state of every source, and of the engine. All times are measured by the monotonic clock.
pub(crate) struct Health {
    started: Instant,
    links: Mutex<LinkStates>,
    stopping: AtomicBool,
    waits_for_clock: AtomicBool,
    /// When the engine began its current step, in milliseconds since the start; 0 while it rests.
    step: AtomicU64,
    /// The task that the engine is at, by the name that its caller gave it; none while it decides on events.
    task: Mutex<Option<&'static str>>,
    /// How long the first event of the last group had waited, in milliseconds; 0 while nothing waits.
    wait: AtomicU64,
}

struct LinkStates {
    connections: usize,
    wanted_connections: usize,
    /// Channels that Twitch has confirmed.
    joined: BTreeSet<String>,
    /// Since when fewer connections to chat are up than wanted.
    chat_down: Option<Instant>,
    mqtt_down: Option<Instant>,
    /// Channels that Twitch does not confirm, and since when.
    unconfirmed: BTreeMap<String, Instant>,
}

impl Health {
    /// `connections`: how many connections to chat there shall be.
    pub(crate) fn new(connections: usize, now: Instant) -> Self {
        let links = LinkStates {
            connections: 0,
            wanted_connections: connections,
            joined: BTreeSet::new(),
            chat_down: (connections > 0).then_some(now),
            mqtt_down: Some(now),
            unconfirmed: BTreeMap::new(),
        };
        Self {
            started: now,
            links: Mutex::new(links),
            stopping: AtomicBool::new(false),
            waits_for_clock: AtomicBool::new(false),
            step: AtomicU64::new(0),
            task: Mutex::new(None),
            wait: AtomicU64::new(0),
        }
    }

    fn links(&self) -> MutexGuard<'_, LinkStates> {
        self.links.lock()
    }

    /// A connection to chat came up or went down.
    pub(crate) fn chat_connected(&self, up: bool, now: Instant) {
        let mut links = self.links();
        links.connections =
            if up { links.connections + 1 } else { links.connections.saturating_sub(1) };
        links.look(now);
    }

    /// Sets how many connections to chat are desired.
    pub(crate) fn connections_desired(&self, connections: usize, now: Instant) {
        let mut links = self.links();
        links.wanted_connections = connections;
        links.look(now);
    }

    pub(crate) fn mqtt_connected(&self, up: bool, now: Instant) {
        let mut links = self.links();
        links.mqtt_down = (!up).then(|| links.mqtt_down.unwrap_or(now));
    }

    /// Twitch has not confirmed a channel in time.
    pub(crate) fn channel_unconfirmed(&self, channel: &str, since: Instant) {
        self.links().unconfirmed.entry(channel.to_owned()).or_insert(since);
    }

    pub(crate) fn channel_joined(&self, channel: &str) {
        let mut links = self.links();
        links.unconfirmed.remove(channel);
        links.joined.insert(channel.to_owned());
    }

    /// A channel is no longer heard.
    pub(crate) fn channel_left(&self, channel: &str) {
        self.links().joined.remove(channel);
    }

    /// A channel is no longer wanted.
    pub(crate) fn channel_unwanted(&self, channel: &str) {
        self.links().unconfirmed.remove(channel);
    }

    /// Whether a channel is heard: `joined`, `joining`, or `unconfirmed` when Twitch was asked and does not answer.
    pub(crate) fn channel(&self, channel: &str) -> &'static str {
        let links = self.links();
        match (links.joined.contains(channel), links.unconfirmed.contains_key(channel)) {
            (true, _) => "joined",
            (false, true) => "unconfirmed",
            (false, false) => "joining",
        }
    }

    pub(crate) fn waits_for_clock(&self, waits: bool) {
        self.waits_for_clock.store(waits, Ordering::Relaxed);
    }

    pub(crate) fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// The engine begins a group of events; its first event has waited for `waited`.
    pub(crate) fn group_begins(&self, waited: Duration) {
        self.wait.store(milliseconds(waited), Ordering::Relaxed);
    }

    /// The engine begins with the next event, or with a commit.
    pub(crate) fn engine_steps(&self, now: Instant) {
        self.step.store(milliseconds(now - self.started).max(1), Ordering::Relaxed);
    }

    /// The engine begins with a task that somebody has asked for.
    pub(crate) fn task_begins(&self, name: &'static str, now: Instant) {
        *self.task.lock() = Some(name);
        self.engine_steps(now);
    }

    /// The engine is done with a task.
    pub(crate) fn task_ends(&self) {
        *self.task.lock() = None;
    }

    /// What the engine is at, for people.
    fn at(&self) -> String {
        let task = *self.task.lock();
        task.map_or_else(|| "at one step".to_owned(), |name| format!("at one step, {name},"))
    }

    /// The engine is done with everything, or with all but `waiting` events.
    pub(crate) fn engine_rests(&self, waiting: usize) {
        self.step.store(0, Ordering::Relaxed);
        if waiting == 0 {
            self.wait.store(0, Ordering::Relaxed);
        }
    }

    /// How long the engine has been at its current step.
    fn busy(&self, now: Instant) -> Duration {
        match self.step.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => (now - self.started).saturating_sub(Duration::from_millis(since)),
        }
    }

    /// Why heatd should be restarted; None while it is alive.
    pub(crate) fn hung(&self, now: Instant) -> Option<String> {
        let busy = self.busy(now);
        (busy >= HUNG)
            .then(|| format!("the engine has been {} for {}; it hangs", self.at(), told(busy)))
    }

    /// Every reason why heatd is not ready, with its duration; empty when it is ready.
    pub(crate) fn not_ready(&self, now: Instant) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.stopping.load(Ordering::Relaxed) {
            reasons.push("heatd is shutting down".to_owned());
        }
        if self.waits_for_clock.load(Ordering::Relaxed) {
            let reason = "the clock is behind the store; heatd waits for it to be set";
            reasons.push(reason.to_owned());
        }
        self.links().describe(now, &mut reasons);
        let (busy, wait) = (self.busy(now), self.wait.load(Ordering::Relaxed));
        if busy >= SLOW {
            let (at, busy) = (self.at(), told(busy));
            reasons.push(format!("the engine has been {at} for {busy}; is the disk in order?"));
        }
        if Duration::from_millis(wait) >= LONG_WAIT {
            let wait = told(Duration::from_millis(wait));
            reasons.push(format!(
                "events wait for the engine for {wait}: more comes in than the rules can take"
            ));
        }
        reasons
    }
}

impl LinkStates {
    /// Updates since when fewer connections are up than wanted.
    fn look(&mut self, now: Instant) {
        let is_down = self.connections < self.wanted_connections;
        self.chat_down = is_down.then(|| self.chat_down.unwrap_or(now));
    }

    fn describe(&self, now: Instant, reasons: &mut Vec<String>) {
        let wanted = self.wanted_connections;
        if let Some(since) = self.chat_down {
            let (up, down) = (self.connections, told(now - since));
            reasons.push(match wanted {
                1 => format!("chat is not connected, for {down}"),
                _ => {
                    format!(
                        "chat is not connected, for {down}: {up} of {wanted} connections are up"
                    )
                }
            });
        }
        for (channel, since) in &self.unconfirmed {
            let since = told(now - *since);
            reasons.push(format!(
                "Twitch has not confirmed the channel {channel} for {since}; is its name right?"
            ));
        }
        if let Some(since) = self.mqtt_down {
            let down = told(now - since);
            reasons.push(format!("the MQTT broker is not connected, for {down}"));
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// As people say it: `42 s`, `3 min`, `5 h`.
fn told(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ready(connections: usize, now: Instant) -> Health {
        let health = Health::new(connections, now);
        (0..connections).for_each(|_| health.chat_connected(true, now));
        health.mqtt_connected(true, now);
        assert!(health.not_ready(now).is_empty());
        health
    }

    #[test]
    fn a_lost_source_is_named_with_its_time_until_it_is_back() {
        let start = Instant::now();
        let (health, later) = (ready(2, start), start + 7 * SECOND);
        health.chat_connected(false, start);
        health.mqtt_connected(false, start + SECOND);
        // It is lost since the first failure, however many follow.
        health.mqtt_connected(false, start + 5 * SECOND);
        health.channel_unconfirmed("nobody", start + 3 * SECOND);
        assert_eq!(
            health.not_ready(later),
            [
                "chat is not connected, for 7 s: 1 of 2 connections are up",
                "Twitch has not confirmed the channel nobody for 4 s; is its name right?",
                "the MQTT broker is not connected, for 6 s",
            ]
        );
        assert_eq!(health.hung(later), None, "a restart would not help");
        health.chat_connected(true, later);
        health.mqtt_connected(true, later);
        health.channel_joined("nobody");
        assert!(health.not_ready(later).is_empty());
    }

    #[test]
    fn an_engine_that_stays_at_one_step_is_not_ready_and_then_not_alive() {
        let start = Instant::now();
        let health = ready(1, start);
        let began = start + SECOND;
        health.group_begins(Duration::ZERO);
        health.engine_steps(began);
        assert!(health.not_ready(began + SLOW - SECOND).is_empty());
        let reasons = health.not_ready(began + SLOW);
        assert!(reasons.len() == 1 && reasons[0].contains("at one step for 5 s"), "{reasons:?}");
        assert_eq!(health.hung(began + HUNG - SECOND), None);
        assert!(health.hung(began + HUNG).is_some());
        // The next event is progress, and rest is no hanging.
        health.engine_steps(began + HUNG);
        assert!(health.not_ready(began + HUNG).is_empty());
        health.engine_rests(0);
        assert_eq!(health.hung(began + 100 * HUNG), None);
        assert!(health.not_ready(began + 100 * HUNG).is_empty());
    }

    #[test]
    fn a_task_that_does_not_end_is_named() {
        let start = Instant::now();
        let health = ready(1, start);
        health.task_begins("swap.copy", start + SECOND);
        let reasons = health.not_ready(start + SECOND + SLOW);
        assert!(
            reasons[0].contains("the engine has been at one step, swap.copy, for 5 s"),
            "{reasons:?}"
        );
        let hung = health.hung(start + SECOND + HUNG);
        assert!(hung.is_some_and(|reason| reason.contains("swap.copy")));
        // What comes after a task is not blamed on it.
        health.task_ends();
        health.engine_steps(start + 2 * HUNG);
        let hung = health.hung(start + 3 * HUNG);
        assert!(hung.is_some_and(|reason| !reason.contains("swap.copy")));
    }

    #[test]
    fn an_engine_that_events_wait_for_is_not_ready_until_nothing_waits() {
        let start = Instant::now();
        let health = ready(1, start);
        health.group_begins(LONG_WAIT);
        health.engine_rests(5);
        assert!(health.not_ready(start)[0].contains("events wait for the engine for 10 s"));
        health.engine_rests(0);
        assert!(health.not_ready(start).is_empty());
    }
}
