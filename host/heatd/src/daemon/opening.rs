//! Opens the store on a thread of its own. A small one is open in a moment; a large one on a slow card is verified for minutes, and heatd has to
//! give a sign of life meanwhile, and to end when it is asked to.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use heat_engine::Verification;
use tokio::sync::oneshot;
use tokio::time::{Instant, interval_at, timeout};
use tracing::info;

use super::prepared::Prepared;
use super::stored::Stored;

/// How long a start waits for the store before anything listens: whoever starts a second heatd hears of the store that is in use, and not of a port.
const FIRST: Duration = Duration::from_secs(1);

/// How often the log says how far the verification is.
const TOLD: Duration = Duration::from_secs(5);

/// A store that is being opened.
pub(super) struct Opening {
    stored: oneshot::Receiver<Result<Stored>>,
    verification: Verification,
}

impl Opening {
    /// The thread is left to itself when heatd ends before it is done: it has changed nothing, and the process takes it along.
    pub(super) fn begin(prepared: Prepared) -> Result<Self> {
        let verification = Verification::default();
        let (done, stored) = oneshot::channel();
        let watched = verification.clone();
        thread::Builder::new().name("opening".to_owned()).spawn(move || {
            // Nobody waits for it any more when heatd is asked to stop.
            let _ = done.send(Stored::open(prepared, &watched));
        })?;
        Ok(Self { stored, verification })
    }

    /// What can be asked how far it is.
    pub(super) fn verification(&self) -> Verification {
        self.verification.clone()
    }

    /// The store, if it is open in a moment.
    pub(super) async fn at_once(&mut self) -> Result<Option<Stored>> {
        match timeout(FIRST, &mut self.stored).await {
            Ok(stored) => stored.context(PANICKED)?.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// The store, however long it takes; the log says how far it is.
    pub(super) async fn done(mut self) -> Result<Stored> {
        let mut next = interval_at(Instant::now(), TOLD);
        loop {
            tokio::select! {
                stored = &mut self.stored => return stored.context(PANICKED)?,
                _ = next.tick() => if let Some(percent) = self.verification.percent() {
                    info!(percent, "the store is being verified");
                },
            }
        }
    }
}

const PANICKED: &str = "the thread that opens the store panicked";
