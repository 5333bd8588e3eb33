//! Follows what happens with a run beside what is live, and lets the engine adopt what the run has made. Undo, forgetting and shadows share this.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use heat_engine::{ChangeError, Record, Rule, RuleState, Run, RunError, Snapshot, StoreError};
use tracing::warn;

use super::error::Error;
use super::handle::Control;
use crate::clock::now;
use crate::queue::{EngineAccess, Subscriber, Subscription, Update};

/// How long the engine waits for a run that has followed it to the present.
const HAND_OVER: Duration = Duration::from_secs(2);

/// The longest sleep of a subscriber while nothing happens.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Runs `work` on a new thread with low priority, so that the engine's thread comes first.
pub(crate) fn spawn_low_priority(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<()> {
    let work = move || {
        // On Linux the niceness is of this thread alone.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(10);
        work();
    };
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// What a run begins from, and the records that it has to follow from there on.
pub(super) struct Beginning {
    /// The store as of the last commit.
    pub(super) snapshot: Arc<Snapshot>,
    /// The rules that are live, in the order in which they are called.
    pub(super) rules: Vec<(String, Rule)>,
    /// The engine's end: by it the run is asked, and let go.
    pub(super) subscription: Subscription,
    /// The run's end: all that happens after the snapshot.
    pub(super) subscriber: Subscriber,
}

impl Control {
    /// From this moment on what happens in a channel is kept for a run that begins from here.
    pub(super) fn begin_following(&self, channel: &str) -> Result<Beginning, Error> {
        let name = channel.to_owned();
        self.on_engine_thread("run.begin", move |access| {
            // In one task, so that no record is both in the snapshot and in the subscription, or in neither.
            let (subscription, subscriber) = access.subscriptions.open(&name);
            let rules = access.engine.rules(&name).unwrap_or_default();
            Ok(Beginning {
                snapshot: Arc::new(access.engine.snapshot()?),
                rules,
                subscription,
                subscriber,
            })
        })
    }

    /// Nothing is kept for this run any more.
    pub(super) fn stop_following(&self, subscription: Subscription) -> Result<(), Error> {
        self.on_engine_thread("run.end", move |access| {
            access.subscriptions.close(&subscription);
            Ok(())
        })
    }

    /// Lets `work` make a run from the present, and stops following whatever comes of it.
    pub(super) fn with_run<V>(
        &self,
        channel: &str,
        work: impl FnOnce(Beginning) -> Result<V, Error>,
    ) -> Result<V, Error> {
        let beginning = self.begin_following(channel)?;
        let subscription = beginning.subscription.clone();
        let done = work(beginning);
        self.stop_following(subscription)?;
        done
    }

    /// Hands what a run has made to `adopt`, on the engine's thread and between two events that both have seen. `behind` is what to
    /// say when the run cannot keep up with what happens: then nothing is adopted.
    pub(super) fn hand_over<V: Send + 'static>(
        &self,
        name: &'static str,
        mut run: Run,
        (subscription, subscriber): (Subscription, Subscriber),
        behind: String,
        adopt: impl FnOnce(&mut EngineAccess<'_>, BTreeMap<String, RuleState>) -> Result<V, StoreError>
        + Send
        + 'static,
    ) -> Result<V, Error> {
        // Here, and not on the engine's thread: that shall wait only for what happens from here on.
        catch_up(&mut run, &subscriber)?;
        // On a thread of its own the run goes on to follow while the engine asks it.
        spawn_low_priority(name, move || {
            if let Err(error) = follow(&mut run, &subscriber, |_, _| true) {
                warn!(run = name, %error, "the run cannot go on");
            }
        })
        .map_err(Error::failed)?;
        self.change(name, move |access| {
            match made_so_far(&subscription, HAND_OVER, Run::hand_over_all) {
                Some(made) => Ok(adopt(access, made)?),
                None => Err(ChangeError::Rejected(behind)),
            }
        })
    }
}

/// Asks a run, from the engine's thread, for what it has made of everything so far. None: it is gone, or takes longer than `timeout`.
/// The engine stands still meanwhile.
pub(super) fn made_so_far<M: Send + 'static>(
    subscription: &Subscription,
    timeout: Duration,
    make: impl FnOnce(&mut Run) -> Result<M, StoreError> + Send + 'static,
) -> Option<M> {
    let (answer, made) = sync_channel(1);
    let is_there = subscription.ask(Box::new(move |run| {
        // The engine may have given up waiting.
        let _ = answer.send(make(run)?);
        Ok(())
    }));
    if is_there { made.recv_timeout(timeout).ok() } else { None }
}

/// Follows all records so far, without waiting for more.
fn catch_up(run: &mut Run, subscriber: &Subscriber) -> Result<(), RunError> {
    while let Ok(told) = subscriber.told.try_recv() {
        match told {
            Update::Records(records) => {
                for record in &records {
                    run.follow(record)?;
                }
                subscriber.done(records.len());
            }
            Update::Rules(rules) => run.learn(&rules),
            Update::Asked(question) => question(run)?,
        }
    }
    Ok(())
}

/// How soon a publication that failed is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// Follows until the engine drops the subscriber. Calls `seen` after each group of records with the number of its events; `seen` returns
/// whether everything is published, and is called again soon if not.
pub(super) fn follow(
    run: &mut Run,
    subscriber: &Subscriber,
    mut seen: impl FnMut(&mut Run, u64) -> bool,
) -> Result<(), RunError> {
    let mut all_told = true;
    loop {
        let told = match subscriber.told.try_recv() {
            Err(TryRecvError::Empty) => {
                let until = run.next_wake().map(|at| at.saturating_sub(now()));
                let wait = until.map_or(LONGEST_SLEEP, Duration::from_millis).min(LONGEST_SLEEP);
                let wait = if all_told { wait } else { wait.min(AGAIN) };
                subscriber.told.recv_timeout(wait)
            }
            told => told.map_err(|_| RecvTimeoutError::Disconnected),
        };
        match told {
            Ok(Update::Records(records)) => {
                let mut events = 0;
                for record in &records {
                    run.follow(record)?;
                    events += u64::from(matches!(record, Record::Event { .. }));
                }
                subscriber.done(records.len());
                all_told = seen(run, events);
            }
            Ok(Update::Rules(rules)) => run.learn(&rules),
            Ok(Update::Asked(question)) => question(run)?,
            Err(RecvTimeoutError::Timeout) => {
                if !run.advance_to(now())?.is_empty() || !all_told {
                    all_told = seen(run, 0);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}
