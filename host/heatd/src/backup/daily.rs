//! The backup of the day: made as soon as heatd runs on a day that has none, and tried again while it fails.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::Backups;
use crate::clock::now;
use crate::control::{Progress, spawn_low_priority};
use crate::data::backups::{daily_name, prune};
use crate::shutdown::Shutdown;

/// How often it is asked which day it is. The clock may be set at any time, so nothing is reckoned ahead.
const LOOK: Duration = Duration::from_secs(30);

/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(600);

/// Makes backups until the shutdown.
pub(crate) async fn run(backups: Arc<Backups>, mut shutdown: Shutdown) -> Result<()> {
    let mut done = None;
    loop {
        let today = daily_name(now());
        let mut pause = LOOK;
        if backups.plan.keep > 0 && done.as_ref() != Some(&today) {
            let (answer, made) = oneshot::channel();
            let (backups, name) = (Arc::clone(&backups), today.clone());
            // Nobody waits for it any more when heatd stops.
            spawn_low_priority("backup", move || {
                let _ = answer.send(backups.of_the_day(&name));
            })?;
            let made = tokio::select! {
                made = made => made.unwrap_or(false),
                () = shutdown.begun() => return Ok(()),
            };
            match made {
                true => done = Some(today),
                false => pause = AGAIN,
            }
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = shutdown.begun() => return Ok(()),
        }
    }
}

impl Backups {
    /// Whether everything of this day is there now: what is missing is made, and then what is too old goes.
    fn of_the_day(&self, name: &str) -> bool {
        let file = self.plan.folder.join(name);
        if !file.exists() {
            let made = self.make(name, &Progress::unheard());
            self.note(made.as_ref().map(|(listed, _)| listed));
            if let Err(problem) = made {
                // At the end of heatd it is broken off, which is no failure.
                if self.live.inputs.strong_count() > 0 {
                    error!(
                        problem = format!("{problem:#}"),
                        "the backup of the day failed; it is tried again in 10 minutes"
                    );
                }
                return false;
            }
        }
        self.prune(&self.plan.folder);
        if let Some(also) = &self.plan.also {
            if !also.join(name).exists() && self.hand_over(&file, also).is_err() {
                return false;
            }
            self.prune(also);
        }
        self.lock_known().problem = None;
        true
    }

    fn prune(&self, folder: &std::path::Path) {
        match prune(folder, self.plan.keep) {
            Ok(0) => {}
            Ok(deleted) => info!(folder = %folder.display(), deleted, "old backups deleted"),
            Err(error) => {
                warn!(folder = %folder.display(), %error, "old backups cannot be deleted; see to the rights of the folder");
            }
        }
    }
}
