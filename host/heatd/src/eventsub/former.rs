//! The sessions that this heatd has had, kept in a file: after a crash Twitch still lists their subscriptions, and only those may be deleted. Another heatd with the
//! same account has sessions of its own.

use std::path::{Path, PathBuf};

use anyhow::Result;
use parking_lot::Mutex;
use tracing::warn;

use crate::data;

/// The name of the file in the data folder.
const FILE: &str = "eventsub.sessions";

/// How many are remembered. Twitch forgets the subscriptions of a session that is gone within the hour.
const MOST: usize = 50;

/// Ids of sessions, the oldest first.
pub(super) struct FormerSessions {
    path: PathBuf,
    ids: Mutex<Vec<String>>,
}

impl FormerSessions {
    /// Those of the file; none where it cannot be read: then some orphans end by themselves, later.
    pub(super) fn open(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let ids = text.lines().filter(|it| !it.is_empty()).map(str::to_owned).collect();
        Self { path, ids: Mutex::new(ids) }
    }

    /// Remembers a session, on the disk, before anything is subscribed to it.
    pub(super) fn note(&self, id: &str) {
        let mut ids = self.ids.lock();
        if ids.iter().any(|it| it == id) {
            return;
        }
        ids.push(id.to_owned());
        let excess = ids.len().saturating_sub(MOST);
        ids.drain(..excess);
        if let Err(error) = self.write(&ids) {
            warn!(%error, "the sessions of EventSub cannot be written down; after a crash their subscriptions end by themselves");
        }
    }

    /// Whether this heatd has had this session.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.lock().iter().any(|it| it == id)
    }

    fn write(&self, ids: &[String]) -> Result<()> {
        data::replace(&self.path, &(ids.join("\n") + "\n"), 0o600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_known_after_a_restart_and_their_number_is_bounded() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let sessions = FormerSessions::open(folder.path());
        for number in 0..2 * MOST {
            sessions.note(&format!("s{number}"));
        }
        let sessions = FormerSessions::open(folder.path());
        assert!(sessions.has("s99") && sessions.has("s50") && !sessions.has("s49"));
        assert!(!sessions.has("of another heatd"));
        Ok(())
    }
}
