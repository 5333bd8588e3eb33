//! Watches the files of the rules. A file that has changed is deployed like a rule from the API.
//!
//! It polls every two seconds instead of using the system's notifications, which network folders and mounted ConfigMaps do not
//! give reliably. A file counts once it has not changed between two polls, so a copy in progress is waited for; other names, such as those
//! of editors' temporary files, are ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use heat_engine::Digest;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::chains::Configured;
use super::handle::Control;
use super::progress::Progress;
use super::request::{DeployRequest, RuleSource};
use super::same::Same;
use crate::rule_file;
use crate::shutdown::Shutdown;

/// How often the files are polled.
const LOOK: Duration = Duration::from_secs(2);

/// Modification time and size: by these a change is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
}

/// The files of all slots, and what is known about them.
pub(crate) struct Folder {
    live: Control,
    files: BTreeMap<PathBuf, KnownFile>,
    /// Components in the same folders that no slot uses. Each is mentioned in the log once.
    strangers: BTreeSet<PathBuf>,
}

struct KnownFile {
    /// The last component that went live or was refused.
    digest: Digest,
    /// As of the last poll.
    seen: Option<Stamp>,
    /// As of the time when the file was last read.
    read: Option<Stamp>,
}

impl Folder {
    pub(crate) fn new(live: Control) -> Self {
        let mut folder = Self { live, files: BTreeMap::new(), strangers: BTreeSet::new() };
        folder.adopt();
        // Files that were there before the start are not mentioned.
        folder.strangers = folder.others();
        folder
    }

    /// Polls until the shutdown.
    pub(crate) async fn run(mut self, mut shutdown: Shutdown) -> Result<()> {
        loop {
            tokio::select! {
                () = sleep(LOOK) => {}
                () = shutdown.begun() => return Ok(()),
            }
            self = spawn_blocking(move || {
                self.look();
                self
            })
            .await?;
        }
    }

    /// Adds the files of new slots: a channel that was added may be the first to use one.
    fn adopt(&mut self) {
        for (file, digest) in self.live.configured.files() {
            self.files.entry(file).or_insert_with_key(|file| {
                let seen = stamp(file);
                KnownFile { digest, seen, read: seen }
            });
        }
    }

    fn look(&mut self) {
        self.adopt();
        for file in self.changed() {
            self.take(&file);
        }
        for stranger in self.others() {
            if self.strangers.insert(stranger.clone()) {
                let file = stranger.display();
                warn!(%file, "no slot has this file; name it in a [[rule]], or put it into a slot: heat rules deploy");
            }
        }
    }

    /// The files that have changed since they were read, and are stable now.
    fn changed(&mut self) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        for (file, known) in &mut self.files {
            let now = stamp(file);
            let rests = now == std::mem::replace(&mut known.seen, now);
            if rests && now.is_some() && now != known.read {
                known.read = now;
                changed.push(file.clone());
            }
        }
        changed
    }

    fn take(&mut self, file: &Path) {
        let shown = file.display();
        let bytes = match rule_file::read(file) {
            Ok(bytes) => bytes,
            Err(error) => return error!(file = %shown, %error, "the changed file cannot be read"),
        };
        let digest = Digest::of(&bytes);
        let Some(known) = self.files.get_mut(file) else { return };
        if std::mem::replace(&mut known.digest, digest) == digest {
            return;
        }
        info!(file = %shown, %digest, "the file of a rule was changed");
        let bytes: Arc<[u8]> = bytes.into();
        let slots: Vec<Configured> =
            self.live.configured.all().into_iter().filter(|slot| slot.file == file).collect();
        for slot in slots {
            match self.live.same_as(&slot, digest) {
                Some(Same::Live) => info!(
                    channel = slot.channel,
                    slot = slot.slot,
                    "the file has again what is live"
                ),
                Some(Same::Configured) => info!(
                    channel = slot.channel,
                    slot = slot.slot,
                    "the file has again what it had; what was changed while live goes on"
                ),
                None => self.deploy(slot, &bytes),
            }
        }
    }

    fn deploy(&self, slot: Configured, bytes: &Arc<[u8]>) {
        let ended = self.live.set_live(&slot).join(", ");
        let source = RuleSource::File(Arc::clone(bytes), Box::new(slot.rule.clone()));
        let (channel, name) = (slot.channel, slot.slot);
        let wanted = DeployRequest { channel, slot: name, source, by: "file".to_owned() };
        let (channel, slot) = (&wanted.channel, &wanted.slot);
        match self.live.deploy(&wanted, &Progress::unheard()) {
            Ok(_) if ended.is_empty() => info!(channel, slot, "what is in the file is live"),
            Ok(_) => warn!(
                channel,
                slot,
                ended,
                "what is in the file is live, with the settings of the configuration; what was set while live has ended"
            ),
            Err(refusal) => error!(
                channel,
                slot,
                %refusal,
                "what is in the file does not go live; with this file heatd would not start again"
            ),
        }
    }

    /// Components beside those of the slots.
    fn others(&self) -> BTreeSet<PathBuf> {
        let folders: BTreeSet<&Path> = self.files.keys().filter_map(|file| file.parent()).collect();
        let entries = folders.into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
        let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        files
            .filter(|file| file.extension() == Some("wasm".as_ref()))
            .filter(|file| {
                !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
            })
            .filter(|file| !self.files.contains_key(file))
            .collect()
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let facts = fs::metadata(file).ok()?;
    Some(Stamp { modified: facts.modified().ok()?, bytes: facts.len() })
}
