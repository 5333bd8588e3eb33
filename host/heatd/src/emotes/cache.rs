//! The providers' last answers on disk: names and ids of their emotes.
//!
//! A file is written after the change is in the log, so it also says what the log knows. Its modification time is that of the last
//! answer. A file that cannot be read counts as none.

use std::fs::{self, File};
use std::io::{ErrorKind, Result, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tracing::warn;

use super::shapes::Subject;

/// The cached part of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CachedSet {
    /// The address that has answered: another address may have another set.
    pub(super) address: String,
    /// The provider's ETag, to ask whether anything is new.
    pub(super) etag: Option<String>,
    /// The address that the tag is of, where it is another one than `address`.
    #[serde(default)]
    pub(super) etag_of: Option<String>,
    pub(super) subject: Option<Subject>,
    /// Name and id.
    pub(super) emotes: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The cached answer of this name, and its age.
    pub(super) fn read(&self, name: &str, address: &str) -> Option<(CachedSet, Duration)> {
        let file = self.file(name);
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => {
                warn!(file = %file.display(), %error, "kept emotes cannot be read; they are asked for again");
                return None;
            }
        };
        let kept: CachedSet = match serde_json::from_slice(&text) {
            Ok(kept) => kept,
            Err(error) => {
                warn!(file = %file.display(), %error, "kept emotes are damaged; they are asked for again");
                return None;
            }
        };
        let written = fs::metadata(&file).and_then(|it| it.modified()).ok()?;
        // A clock that was set back makes a file of the future, which says nothing of its age.
        let age = SystemTime::now().duration_since(written).unwrap_or(Duration::MAX);
        (kept.address == address).then_some((kept, age))
    }

    /// Writes an answer in one step, so that no reader sees it half written.
    pub(super) fn write(&self, name: &str, kept: &CachedSet) {
        let write = || -> Result<()> {
            fs::create_dir_all(&self.folder)?;
            let file = self.file(name);
            let new = file.with_extension("new");
            File::create(&new)?.write_all(&serde_json::to_vec(kept)?)?;
            fs::rename(&new, file)
        };
        if let Err(error) = write() {
            warn!(name, %error, "emotes cannot be kept on disk; a restart asks for them again");
        }
    }

    /// Sets the time of a cached answer to now: the provider has confirmed it.
    pub(super) fn touch(&self, name: &str) {
        let now = SystemTime::now();
        // Where it fails, the next start asks a little early.
        let _ = File::options()
            .append(true)
            .open(self.file(name))
            .and_then(|file| file.set_modified(now));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_back_from_the_same_address_and_a_damaged_file_is_none() -> anyhow::Result<()>
    {
        let folder = tempfile::tempdir()?;
        let cache = Cache::new(folder.path().join("emotes"));
        let kept = CachedSet {
            address: "https://7tv.io/v3/x".to_owned(),
            etag: Some("\"1\"".to_owned()),
            etag_of: Some("https://7tv.io/v3/emote-sets/s".to_owned()),
            subject: Some(Subject { set: "s".to_owned(), user: None }),
            emotes: vec![("<b>".to_owned(), "1".to_owned())],
        };
        assert_eq!(cache.read("7tv-1", &kept.address), None);
        cache.write("7tv-1", &kept);
        cache.touch("7tv-1");
        let (read, age) = cache.read("7tv-1", &kept.address).unwrap();
        assert!(read == kept && age < Duration::from_secs(60), "{read:?} {age:?}");
        assert_eq!(cache.read("7tv-1", "https://elsewhere"), None);
        fs::write(folder.path().join("emotes/7tv-1.json"), "{\"address\":")?;
        assert_eq!(cache.read("7tv-1", &kept.address), None);
        Ok(())
    }
}
