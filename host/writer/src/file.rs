//! A text file that only this program writes: what it holds, and what became of the last write.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::replace::{How, folder, is_busy, remove_leftovers, replace};

/// More than a file of ours can hold; the settings refuse to replace anything larger.
pub(crate) const MAX_BYTES: u64 = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    /// What the file holds, as far as is known.
    text: Option<String>,
}

/// What a write did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Written(How),
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
    pub(crate) fn set(&mut self, text: &str) -> io::Result<Outcome> {
        if self.text.as_deref() == Some(text) && self.is_there() {
            return Ok(Outcome::Unchanged);
        }
        let how = replace(&self.path, text)?;
        self.text = Some(text.to_owned());
        Ok(Outcome::Written(how))
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

/// The text of a file from an earlier run. A file without visible text counts as none.
fn present_text(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    (!crate::text::one_line(&text).is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn missing_folder_is_explained_and_may_come_back() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("stream");
        let mut target = Target::open(folder.join("heat.txt"));
        let error = target.set("7").unwrap_err();
        let report = explain(target.path(), &error);
        assert!(report.contains("is missing: create it"), "{report}");
        fs::create_dir(&folder).unwrap();
        assert_eq!(target.set("7").unwrap(), Outcome::Written(How::Replaced));
    }

    #[test]
    fn unchanged_text_is_not_written_unless_the_file_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut target = Target::open(folder.path().join("heat.txt"));
        assert_eq!(target.set("7").unwrap(), Outcome::Written(How::Replaced));
        assert_eq!(target.set("7").unwrap(), Outcome::Unchanged);
        fs::remove_file(target.path()).unwrap();
        assert_eq!(target.set("7").unwrap(), Outcome::Written(How::Replaced));
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
