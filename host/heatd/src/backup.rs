//! Backups: made while heatd runs, each day and when somebody asks, and verified before they count.
//!
//! [`crate::data::backups`] knows their names and folders, [`daily`] makes one of each day. [`crate::offline::restore`] is the way back.

pub(crate) mod daily;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use anyhow::{Context, Result};
use heat_engine::{Contents, StoreError};
use parking_lot::{Mutex, MutexGuard};
use tracing::{info, warn};

use crate::clock::now;
use crate::config::BackupPlan;
use crate::control::{Control, Error, Progress, spawn_low_priority};
use crate::data::backups::{self, BackupEntry, asked_name, finish, list};

/// Knows which backups exist, and makes new ones.
pub(crate) struct Backups {
    plan: BackupPlan,
    /// The file that is copied.
    store: PathBuf,
    live: Control,
    /// Held while one is made: two at once would only be slower.
    turn: Mutex<()>,
    known: Mutex<BackupStatus>,
}

/// What the status shows about backups.
#[derive(Debug, Clone, Default)]
pub(crate) struct BackupStatus {
    /// The last good one.
    pub(crate) last: Option<BackupEntry>,
    /// Why the last try failed, until one succeeds.
    pub(crate) problem: Option<String>,
}

/// A backup that was made.
pub(crate) struct Made {
    pub(crate) listed: BackupEntry,
    pub(crate) contents: Contents,
    /// Where the second copy is, or why there is none. `None`: no second folder is configured.
    pub(crate) also: Option<Result<PathBuf, String>>,
}

/// A backup for one download. Its file is deleted when this is dropped.
pub(crate) struct Passing {
    pub(crate) file: File,
    pub(crate) bytes: u64,
    pub(crate) name: String,
    path: PathBuf,
}

impl Drop for Passing {
    fn drop(&mut self) {
        // The next backup deletes what is left.
        let _ = fs::remove_file(&self.path);
    }
}

impl Backups {
    pub(crate) fn new(plan: BackupPlan, store: PathBuf, live: Control) -> Self {
        let last = list(&plan.folder).unwrap_or_default().into_iter().next();
        if let Some(last) = &last {
            live.metrics.backed_up(last.at);
        }
        let known = Mutex::new(BackupStatus { last, problem: None });
        Self { plan, store, live, turn: Mutex::default(), known }
    }

    /// The last backup, and the last problem.
    pub(crate) fn known(&self) -> BackupStatus {
        self.lock_known().clone()
    }

    fn lock_known(&self) -> MutexGuard<'_, BackupStatus> {
        self.known.lock()
    }

    /// Makes a backup on request, on a thread with low priority, and waits for it.
    pub(crate) fn ask(self: &Arc<Self>, progress: &Progress) -> Result<Made, Error> {
        let (backups, progress) = (Arc::clone(self), progress.clone());
        self.spawn_low_priority(move || {
            let made = backups.make(&asked_name(now()), &progress);
            backups.note(made.as_ref().map(|(listed, _)| listed));
            let (listed, contents) = made?;
            let also = backups.plan.also.as_deref();
            let also = also.map(|also| backups.hand_over(&listed.file, also));
            Ok(Made { listed, contents, also })
        })
    }

    /// Makes a backup for a download. It is not kept.
    pub(crate) fn pass(self: &Arc<Self>) -> Result<Passing, Error> {
        let backups = Arc::clone(self);
        self.spawn_low_priority(move || {
            let _turn = backups.turn.lock();
            let name = asked_name(now());
            let (path, _) = backups.write(&name, &Progress::unheard())?;
            let file = File::open(&path).with_context(|| failed_in(&backups.plan.folder))?;
            let bytes = file.metadata()?.len();
            Ok(Passing { file, bytes, name, path })
        })
    }

    fn spawn_low_priority<V: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<V> + Send + 'static,
    ) -> Result<V, Error> {
        let (done, waiting) = sync_channel(1);
        // The caller waits for it.
        spawn_low_priority("backup", move || drop(done.send(work()))).map_err(Error::failed)?;
        let done = waiting.recv();
        let done = done.map_err(|_| {
            Error::failed("the backup ended without a result; heatd's log says why")
        })?;
        done.map_err(|error| Error::failed(format!("{error:#}")))
    }

    /// Makes a backup of this name in the folder.
    fn make(&self, name: &str, progress: &Progress) -> Result<(BackupEntry, Contents)> {
        let _turn = self.turn.lock();
        let (part, contents) = self.write(name, progress)?;
        let file = self.plan.folder.join(name);
        finish(&part, &file).with_context(|| failed_in(&self.plan.folder))?;
        let bytes = fs::metadata(&file).map_or(0, |about| about.len());
        info!(file = %file.display(), bytes, rows = contents.rows, "backup made");
        Ok((BackupEntry { file, bytes, at: now() }, contents))
    }

    /// Writes and verifies what is to become a backup.
    fn write(&self, name: &str, progress: &Progress) -> Result<(PathBuf, Contents)> {
        let folder = &self.plan.folder;
        make_folder(folder)?;
        let part = backups::begin(folder, name)?;
        let needed = fs::metadata(&self.store).map_or(0, |store| store.len());
        backups::leave_room(folder, needed).with_context(|| failed_in(folder))?;
        let snapshot =
            self.live.on_engine_thread("backup.snapshot", |access| access.engine.snapshot());
        let snapshot = snapshot.map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
        // Without a queue heatd stops, and the store with it.
        let inputs = &self.live.inputs;
        let mut told = |done, of| {
            progress.part("back-up", done, of);
            inputs.strong_count() > 0
        };
        let copied = snapshot.back_up(&part, &mut told);
        if copied.is_err() {
            // The next backup deletes what is left.
            let _ = fs::remove_file(&part);
        }
        let contents = copied.map_err(|error| why_not(error, folder))?;
        Ok((part, contents))
    }

    /// A copy in the second folder, which may be away.
    fn hand_over(&self, file: &Path, also: &Path) -> Result<PathBuf, String> {
        backups::hand_over(file, also).map_err(|error| {
            let problem = format!("{error:#}");
            // Before the warning: this thread has low priority, so a reader of the warning may ask for the status before it goes on.
            self.lock_known().problem = Some(problem.clone());
            warn!(
                problem,
                "the second backup failed; mount the folder of `also` in [backup], or see to its rights and room"
            );
            problem
        })
    }

    /// Notes how it went.
    fn note(&self, made: Result<&BackupEntry, &anyhow::Error>) {
        let mut known = self.lock_known();
        match made {
            Ok(listed) => {
                self.live.metrics.backed_up(listed.at);
                *known = BackupStatus { last: Some(listed.clone()), problem: None };
            }
            Err(error) => known.problem = Some(format!("{error:#}")),
        }
    }
}

/// Makes the folder, for its owner alone, if there is none.
fn make_folder(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| {
        format!(
            "failed to make the folder for backups {}; `folder` in [backup] names another",
            folder.display()
        )
    })
}

fn failed_in(folder: &Path) -> String {
    format!("the backup in {} failed", folder.display())
}

/// Says which disk an error is about: the engine's errors speak of the store, and here most are about its copy.
fn why_not(error: StoreError, folder: &Path) -> anyhow::Error {
    let hint = match &error {
        StoreError::Full(problem) | StoreError::NotWritable(problem) => {
            format!(
                "{problem}; make room there, see to its rights, or name another `folder` in [backup]"
            )
        }
        error if error.is_damage() => format!(
            "{error}; the disk may be failing: restart heatd, which verifies its store, and keep the backups that there are"
        ),
        error => error.to_string(),
    };
    anyhow::anyhow!("{}: {hint}", failed_in(folder))
}
