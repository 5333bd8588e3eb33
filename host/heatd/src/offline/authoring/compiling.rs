//! Says that a rule is being compiled, when that takes long: what Python makes takes half a minute, and silence looks like a fault.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::terminal;

/// What is over sooner needs no word.
const WORTH_SAYING: Duration = Duration::from_secs(1);

/// How often it is said again.
const AGAIN: Duration = Duration::from_secs(10);

/// A compilation under way. It is over when this is dropped.
pub(super) struct Compiling {
    _under_way: SyncSender<()>,
}

impl Compiling {
    pub(super) fn begin(file: &Path, bytes: usize) -> Self {
        let (under_way, over) = sync_channel(0);
        let what = format!("compiling {} ({:.1} MB)", file.display(), bytes as f64 / 1e6);
        let begun = Instant::now();
        thread::spawn(move || {
            let mut wait = WORTH_SAYING;
            while over.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let seconds = begun.elapsed().as_secs();
                terminal::say(&match wait == WORTH_SAYING {
                    true => format!("{what}, once for all cases\n"),
                    false => format!("{what}, {seconds} s so far\n"),
                });
                wait = AGAIN;
            }
        });
        Self { _under_way: under_way }
    }
}
