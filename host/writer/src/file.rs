//! Replaces a text file as OBS needs it: never missing, never half written, always with a modification time that OBS
//! takes for a change. UTF-8, no byte order mark, no line break at the end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Waits between tries while somebody holds the file open: OBS, a virus scanner. Together a third of a second.
const PAUSES_MS: [u64; 9] = [20, 25, 30, 35, 40, 45, 50, 50, 50];

/// More than a file of ours can hold; the settings refuse to replace anything larger.
pub(crate) const MAX_BYTES: u64 = 64 * 1024;

/// How far the modification time may run ahead of the clock when a file is written several times a second.
const MAX_AHEAD_SECONDS: u64 = 60;

/// A file that only this program writes.
#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    /// What the file holds, as far as is known.
    text: Option<String>,
}

/// What a write did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Written,
    /// The file had this text already.
    Unchanged,
}

impl Target {
    /// Looks at what the file has, and removes what an earlier run may have left beside it.
    pub(crate) fn open(path: PathBuf) -> Self {
        remove_leftovers(&path);
        let text = present_text(&path);
        Self { path, text }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The text that the file has, if it can be shown.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    pub(crate) fn is_there(&self) -> bool {
        self.path.is_file()
    }

    /// Sets the text, if the file does not have it. A file that somebody deleted is made again.
    pub(crate) async fn set(&mut self, text: &str) -> io::Result<Outcome> {
        if self.text.as_deref() == Some(text) && self.is_there() {
            return Ok(Outcome::Unchanged);
        }
        replace(&self.path, text).await?;
        self.text = Some(text.to_owned());
        Ok(Outcome::Written)
    }
}

/// Replaces the file in one step: a temporary file in the same folder is renamed over it. While the file is held open
/// by another program the rename is tried again for a while; the old text stays until it succeeds.
pub(crate) async fn replace(path: &Path, text: &str) -> io::Result<()> {
    for pause in PAUSES_MS {
        match replace_once(path, text) {
            Err(error) if is_busy(&error) => tokio::time::sleep(Duration::from_millis(pause)).await,
            done => return done,
        }
    }
    replace_once(path, text)
}

fn replace_once(path: &Path, text: &str) -> io::Result<()> {
    let previous = fs::metadata(path).and_then(|found| found.modified()).ok();
    let prefix = leftover_prefix(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(LEFTOVER_SUFFIX);
    make_readable(&mut builder);
    let mut temp = builder.tempfile_in(folder(path))?;
    temp.write_all(text.as_bytes())?;
    temp.flush()?;
    // Where a file system refuses this, the time of the write stands, which differs in all but a few cases.
    let _ = temp.as_file().set_modified(fresh_time(previous, SystemTime::now()));
    // Closed before the rename, which Windows wants. `keep` takes the mark of a temporary file away, and
    // `fs::rename`, unlike `persist`, can replace a file that is held open.
    let temp = temp.into_temp_path().keep()?;
    fs::rename(&temp, path).inspect_err(|_| {
        let _ = fs::remove_file(&temp);
    })
}

/// The modification time for a new text. OBS compares whole seconds and loads when they differ, so two texts never
/// share one, however the clock jumps and however fast values come.
fn fresh_time(previous: Option<SystemTime>, now: SystemTime) -> SystemTime {
    let Some(previous) = previous else { return now };
    let (before, current) = (seconds(previous), seconds(now));
    if current > before || before - current >= MAX_AHEAD_SECONDS {
        return now;
    }
    UNIX_EPOCH + Duration::from_secs(before + 1)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whether another program holds the file, so that trying again soon may help.
fn is_busy(error: &io::Error) -> bool {
    const ACCESS_DENIED: i32 = 5;
    const SHARING_VIOLATION: i32 = 32;
    const LOCK_VIOLATION: i32 = 33;
    if cfg!(windows) {
        matches!(error.raw_os_error(), Some(ACCESS_DENIED | SHARING_VIOLATION | LOCK_VIOLATION))
    } else {
        matches!(error.kind(), ErrorKind::ResourceBusy | ErrorKind::Interrupted)
    }
}

/// Says why a text could not be written, and what helps.
pub(crate) fn explain(path: &Path, error: &io::Error) -> String {
    let folder = folder(path).display();
    let advice = match error.kind() {
        ErrorKind::NotFound => {
            format!("the folder {folder} is missing: create it, or connect its drive")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk is full: free some space".to_owned()
        }
        ErrorKind::ReadOnlyFilesystem => {
            format!("{folder} cannot be written to: choose another folder")
        }
        ErrorKind::FileTooLarge => {
            "a limit of the system forbids files of this size: raise it".to_owned()
        }
        ErrorKind::IsADirectory => {
            "a folder has this name: remove it, or choose another name".to_owned()
        }
        ErrorKind::PermissionDenied => format!(
            "access denied: allow this user to write to {folder}, and close what holds the file open"
        ),
        _ if is_busy(error) => "another program holds the file open: close it".to_owned(),
        _ => format!("{error}"),
    };
    format!("cannot write {}: {advice} (trying again every second)", path.display())
}

/// The folder that holds the file.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The text of a file from an earlier run. A file without visible text counts as none.
fn present_text(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    (!crate::text::one_line(&text).is_empty()).then_some(text)
}

const LEFTOVER_SUFFIX: &str = ".tmp";

fn leftover_prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".heat-writer-");
    prefix
}

/// Temporary files are private by default; this one becomes the streamer's file, which any program may read.
#[cfg(unix)]
fn make_readable(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn make_readable(_builder: &mut tempfile::Builder<'_, '_>) {}

fn remove_leftovers(path: &Path) {
    let prefix = leftover_prefix(path);
    let Ok(entries) = fs::read_dir(folder(path)) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(prefix.as_encoded_bytes())
            && bytes.ends_with(LEFTOVER_SUFFIX.as_bytes())
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn modified(path: &Path) -> u64 {
        seconds(fs::metadata(path).unwrap().modified().unwrap())
    }

    #[tokio::test]
    async fn file_has_exactly_the_text_and_nothing_lies_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heat.txt");
        replace(&path, "🔥 long text from before").await.unwrap();
        replace(&path, "🔥 7").await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), "🔥 7".as_bytes());
        assert_eq!(names(folder.path()), ["heat.txt"]);
    }

    #[tokio::test]
    async fn successive_writes_never_share_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heat.txt");
        let mut times = Vec::new();
        for text in ["1", "2", "3"] {
            replace(&path, text).await.unwrap();
            times.push(modified(&path));
        }
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    }

    #[test]
    fn time_runs_ahead_of_the_clock_only_a_little() {
        let at = |seconds: u64, millis: u64| {
            UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_millis(millis)
        };
        assert_eq!(fresh_time(None, at(100, 5)), at(100, 5));
        assert_eq!(fresh_time(Some(at(99, 900)), at(100, 5)), at(100, 5));
        assert_eq!(fresh_time(Some(at(100, 5)), at(100, 900)), at(101, 0));
        assert_eq!(fresh_time(Some(at(130, 0)), at(100, 0)), at(131, 0));
        assert_eq!(fresh_time(Some(at(160, 0)), at(100, 0)), at(100, 0));
    }

    #[tokio::test]
    async fn missing_folder_is_explained_and_may_come_back() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("stream");
        let mut target = Target::open(folder.join("heat.txt"));
        let error = target.set("7").await.unwrap_err();
        let report = explain(target.path(), &error);
        assert!(report.contains("is missing: create it"), "{report}");
        fs::create_dir(&folder).unwrap();
        assert_eq!(target.set("7").await.unwrap(), Outcome::Written);
    }

    #[tokio::test]
    async fn unchanged_text_is_not_written_unless_the_file_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut target = Target::open(folder.path().join("heat.txt"));
        assert_eq!(target.set("7").await.unwrap(), Outcome::Written);
        assert_eq!(target.set("7").await.unwrap(), Outcome::Unchanged);
        fs::remove_file(target.path()).unwrap();
        assert_eq!(target.set("7").await.unwrap(), Outcome::Written);
    }

    #[tokio::test]
    async fn failed_write_leaves_the_target_and_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heat.txt");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "").unwrap();
        assert!(replace(&path, "7").await.is_err());
        assert_eq!(names(folder.path()), ["heat.txt"]);
    }

    #[test]
    fn leftovers_of_an_earlier_run_are_removed_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "heat.txt",
            ".heat.txt.heat-writer-a1b2.tmp",
            ".notes.tmp",
            ".old.txt.heat-writer-x.tmp",
        ] {
            fs::write(folder.path().join(name), "7").unwrap();
        }
        let target = Target::open(folder.path().join("heat.txt"));
        assert_eq!(target.text(), Some("7"));
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, [".notes.tmp", ".old.txt.heat-writer-x.tmp", "heat.txt"]);
    }

    #[test]
    fn file_that_shows_nothing_counts_as_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heat.txt");
        for bytes in [b"".as_slice(), b"\0\0\0", b" \r\n", b"\xff\xfe7"] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(Target::open(path.clone()).text(), None, "{bytes:?}");
        }
    }
}
