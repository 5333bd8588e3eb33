//! A run beside what is live, on a thread of its own with a low priority: it follows what happens, and can be asked for what it has made.

use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::Duration;

use heat_engine::{Record, Run, RunError};

use crate::clock::now;
use crate::queue::{Followed, Follower};

/// How long a follower without timers sleeps while nothing happens.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Runs this on a thread that gives way to the engine's.
pub(crate) fn aside(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let work = move || {
        // On Linux the niceness is of this thread alone.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(10);
        work();
    };
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// Follows what has happened so far, without waiting for more.
pub(super) fn catch_up(run: &mut Run, follower: &Follower) -> Result<(), RunError> {
    while let Ok(told) = follower.told.try_recv() {
        match told {
            Followed::Records(records) => {
                for record in &records {
                    run.follow(record)?;
                }
                follower.done(records.len());
            }
            Followed::Rules(rules) => run.learn(&rules),
            Followed::Asked(question) => question(run)?,
        }
    }
    Ok(())
}

/// How soon it is tried again to tell what could not be told.
const AGAIN: Duration = Duration::from_millis(100);

/// Follows until the engine lets go. After each part that happened, `seen` is told how many events it had; it says whether all is told.
pub(super) fn follow(
    run: &mut Run,
    follower: &Follower,
    mut seen: impl FnMut(&mut Run, u64) -> bool,
) -> Result<(), RunError> {
    let mut all_told = true;
    loop {
        let told = match follower.told.try_recv() {
            Err(TryRecvError::Empty) => {
                let until = run.next_wake().map(|at| at.saturating_sub(now()));
                let wait = until.map_or(LONGEST_SLEEP, Duration::from_millis).min(LONGEST_SLEEP);
                let wait = if all_told { wait } else { wait.min(AGAIN) };
                follower.told.recv_timeout(wait)
            }
            told => told.map_err(|_| RecvTimeoutError::Disconnected),
        };
        match told {
            Ok(Followed::Records(records)) => {
                let mut events = 0;
                for record in &records {
                    run.follow(record)?;
                    events += u64::from(matches!(record, Record::Event { .. }));
                }
                follower.done(records.len());
                all_told = seen(run, events);
            }
            Ok(Followed::Rules(rules)) => run.learn(&rules),
            Ok(Followed::Asked(question)) => question(run)?,
            Err(RecvTimeoutError::Timeout) => {
                if !run.pass(now())?.is_empty() || !all_told {
                    all_told = seen(run, 0);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}
