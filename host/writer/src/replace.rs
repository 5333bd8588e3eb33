//! Gives a file another text as OBS needs it: never missing, never half written, always with a modification time that OBS takes for a
//! change. UTF-8, no byte order mark, no line break at the end.
//!
//! A file is more than its text: a link stays a link, rights and owner stay, and a file that cannot be replaced keeps its place.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Waits between tries while somebody holds the file open: OBS, a virus scanner. Together a third of a second.
const PAUSES_MS: [u64; 9] = [20, 25, 30, 35, 40, 45, 50, 50, 50];

/// How far the modification time may run ahead of the clock when a file is written several times a second.
const MAX_AHEAD_SECONDS: u64 = 60;

/// The most links that lead from one to the next; more are a circle.
const MAX_LINKS: usize = 40;

/// How a text came into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// A new file took the place of the old one, in one step.
    Replaced,
    /// The old file was written: for a moment, somebody who reads it may see parts of both texts.
    InPlace,
}

/// Replaces the file in one step: a temporary file in the same folder is renamed over it. While the file is held open
/// by another program the rename is tried again for a while; the old text stays until it succeeds. Where nothing can take the file's
/// place, the file itself is written.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<How> {
    let path = &behind_links(path);
    let previous = fs::metadata(path).ok();
    if previous.as_ref().is_some_and(has_other_names) {
        return write_in_place(path, text, previous.as_ref());
    }
    for pause in PAUSES_MS {
        match replace_once(path, text, previous.as_ref()) {
            Err(error) if is_busy(&error) => sleep(Duration::from_millis(pause)),
            done => return done.or_else(|error| instead(path, text, previous.as_ref(), error)),
        }
    }
    replace_once(path, text, previous.as_ref())
}

/// The file that a link leads to, or the path itself. The last one need not be there.
pub(crate) fn behind_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = folder(&path).join(target),
            // No link, or nothing.
            Err(_) => break,
        }
    }
    path
}

fn replace_once(path: &Path, text: &str, previous: Option<&Metadata>) -> io::Result<How> {
    let prefix = leftover_prefix(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(LEFTOVER_SUFFIX);
    make_readable(&mut builder);
    let mut temp = builder.tempfile_in(folder(path))?;
    temp.write_all(text.as_bytes())?;
    temp.flush()?;
    if let Some(previous) = previous {
        keep_rights(temp.as_file(), previous);
    }
    set_fresh_time(temp.as_file(), previous);
    // Closed before the rename, which Windows wants. `keep` takes the mark of a temporary file away, and
    // `fs::rename`, unlike `persist`, can replace a file that is held open.
    let temp = temp.into_temp_path().keep()?;
    fs::rename(&temp, path).inspect_err(|_| {
        let _ = fs::remove_file(&temp);
    })?;
    Ok(How::Replaced)
}

/// Writes the file itself, where that may help: it is a mount point, as single files in containers and sandboxes are, or its folder takes
/// no other file. Otherwise the error stands.
fn instead(
    path: &Path,
    text: &str,
    previous: Option<&Metadata>,
    error: io::Error,
) -> io::Result<How> {
    let is_fixed = matches!(
        error.kind(),
        ErrorKind::ResourceBusy
            | ErrorKind::CrossesDevices
            | ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
    );
    // On Windows the same errors come from a program that holds the file open.
    if !cfg!(unix) || !is_fixed || !previous.is_some_and(Metadata::is_file) {
        return Err(error);
    }
    write_in_place(path, text, previous).map_err(|_| error)
}

/// One write and one cut, so that there is never nothing to read.
fn write_in_place(path: &Path, text: &str, previous: Option<&Metadata>) -> io::Result<How> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    set_fresh_time(&file, previous);
    Ok(How::InPlace)
}

/// Whether a file has a second name, which would keep the old text when the first one is replaced.
#[cfg(unix)]
fn has_other_names(previous: &Metadata) -> bool {
    previous.is_file() && std::os::unix::fs::MetadataExt::nlink(previous) > 1
}

#[cfg(not(unix))]
fn has_other_names(_previous: &Metadata) -> bool {
    false
}

/// Gives the new file the rights and the owner of the old one. Only root may give a file to another user; members may keep its group.
#[cfg(unix)]
fn keep_rights(file: &File, previous: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (user, group) = (previous.uid(), previous.gid());
    // The text is worth more than the owner: where these fail, the file has those of a new one.
    if fchown(file, Some(user), Some(group)).is_err() {
        let _ = fchown(file, None, Some(group));
    }
    let _ = file.set_permissions(previous.permissions());
}

/// On Windows a new file has the rights that its folder gives.
#[cfg(not(unix))]
fn keep_rights(_file: &File, _previous: &Metadata) {}

fn set_fresh_time(file: &File, previous: Option<&Metadata>) {
    let previous = previous.and_then(|found| found.modified().ok());
    // Where a file system refuses this, the time of the write stands, which differs in all but a few cases.
    let _ = file.set_modified(fresh_time(previous, SystemTime::now()));
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

/// Whether another program holds the file, so that trying again soon may help. Elsewhere than on Windows no program can.
pub(crate) fn is_busy(error: &io::Error) -> bool {
    const ACCESS_DENIED: i32 = 5;
    const SHARING_VIOLATION: i32 = 32;
    const LOCK_VIOLATION: i32 = 33;
    if cfg!(windows) {
        matches!(error.raw_os_error(), Some(ACCESS_DENIED | SHARING_VIOLATION | LOCK_VIOLATION))
    } else {
        error.kind() == ErrorKind::Interrupted
    }
}

/// The folder that holds the file.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
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

/// Removes what a run that was killed has left beside the file.
pub(crate) fn remove_leftovers(path: &Path) {
    let path = &behind_links(path);
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

    #[test]
    fn file_has_exactly_the_text_and_nothing_lies_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heat.txt");
        replace(&path, "🔥 long text from before").unwrap();
        replace(&path, "🔥 7").unwrap();
        assert_eq!(fs::read(&path).unwrap(), "🔥 7".as_bytes());
        assert_eq!(names(folder.path()), ["heat.txt"]);
    }

    #[test]
    fn successive_writes_never_share_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heat.txt");
        let mut times = Vec::new();
        for text in ["1", "2", "3"] {
            replace(&path, text).unwrap();
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

    #[test]
    fn failed_write_leaves_the_target_and_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heat.txt");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "").unwrap();
        assert!(replace(&path, "7").is_err());
        assert_eq!(names(folder.path()), ["heat.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_the_file_behind_it_gets_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let (behind, link) = (folder.path().join("obs.txt"), folder.path().join("heat.txt"));
        let first = folder.path().join("first.txt");
        std::os::unix::fs::symlink("obs.txt", &first).unwrap();
        std::os::unix::fs::symlink(&first, &link).unwrap();
        // The first write makes the file, the second one finds it.
        for text in ["1", "2"] {
            assert_eq!(replace(&link, text).unwrap(), How::Replaced);
            assert_eq!(fs::read_to_string(&behind).unwrap(), text);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert!(fs::symlink_metadata(&first).unwrap().is_symlink());
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_end() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("heat.txt");
        std::os::unix::fs::symlink("heat.txt", &link).unwrap();
        assert_eq!(behind_links(&link), link);
    }

    #[cfg(unix)]
    #[test]
    fn rights_stay_as_they_were() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heat.txt");
        fs::write(&path, "from before").unwrap();
        // Only root may give files away; for others the owner is their own before and after.
        let is_given = chown(&path, Some(4711), Some(4712)).is_ok();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        let before = fs::metadata(&path).unwrap();
        assert_eq!(replace(&path, "7").unwrap(), How::Replaced);
        let after = fs::metadata(&path).unwrap();
        assert_eq!(after.mode() & 0o7777, 0o664);
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()), "{is_given}");
        assert_ne!(after.ino(), before.ino());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_two_names_has_one_text() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("heat.txt"), folder.path().join("other.txt"));
        fs::write(&path, "a long text from before").unwrap();
        fs::hard_link(&path, &other).unwrap();
        let before = modified(&path);
        assert_eq!(replace(&path, "7").unwrap(), How::InPlace);
        assert_eq!(fs::read_to_string(&other).unwrap(), "7");
        assert!(modified(&path) > before, "OBS would not see it");
    }

    #[test]
    fn a_file_whose_place_nothing_can_take_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heat.txt");
        fs::write(&path, "a long text from before").unwrap();
        let previous = fs::metadata(&path).unwrap();
        let done = instead(&path, "7", Some(&previous), ErrorKind::ResourceBusy.into());
        if cfg!(unix) {
            assert_eq!(done.unwrap(), How::InPlace);
            assert_eq!(fs::read_to_string(&path).unwrap(), "7");
        } else {
            assert!(done.is_err());
        }
        let gone = instead(&path, "8", None, ErrorKind::ResourceBusy.into());
        assert_eq!(gone.unwrap_err().kind(), ErrorKind::ResourceBusy);
        let full = instead(&path, "8", Some(&previous), ErrorKind::StorageFull.into());
        assert_eq!(full.unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
