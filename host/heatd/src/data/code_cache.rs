//! The folder of compiled code: what is in use stays, and of the rest what was made last.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tracing::{debug, warn};

/// How many files stay that no rule uses now, so that going back to one takes no time, and how many bytes they may have together.
const SPARE_FILES: usize = 20;
const SPARE_BYTES: u64 = 256 << 20;

/// A half file that is older is nobody's.
const HALF: Duration = Duration::from_secs(3600);

struct SpareFile {
    file: PathBuf,
    modified: SystemTime,
    bytes: u64,
}

/// Removes compiled code that is not used and not recent. A folder that cannot be read is nothing to stop for.
pub(crate) fn prune(folder: &Path, in_use: &BTreeSet<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut spare: Vec<SpareFile> = Vec::new();
    for entry in entries.flatten() {
        let file = entry.path();
        let Ok(about) = entry.metadata() else { continue };
        let modified = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        match file.extension().and_then(|it| it.to_str()) {
            Some("cwasm") if !in_use.contains(&file) => {
                spare.push(SpareFile { file, modified, bytes: about.len() });
            }
            Some("part") if modified.elapsed().is_ok_and(|age| age > HALF) => remove(&file),
            _ => {}
        }
    }
    spare.sort_by_key(|it| std::cmp::Reverse(it.modified));
    let mut bytes = 0;
    for (number, it) in spare.iter().enumerate() {
        bytes += it.bytes;
        if number >= SPARE_FILES || bytes > SPARE_BYTES {
            remove(&it.file);
        }
    }
}

fn remove(file: &Path) {
    let shown = file.display();
    match fs::remove_file(file) {
        Ok(()) => debug!(file = %shown, "compiled code that nobody uses is removed"),
        Err(error) => {
            warn!(file = %shown, %error, "compiled code that nobody uses cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn what_is_in_use_stays_and_of_the_rest_what_was_made_last() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let at = |age| SystemTime::now() - Duration::from_secs(age);
        for number in 0..50u64 {
            let made = File::create(file(&format!("{number}.cwasm"))).unwrap();
            made.set_modified(at(1000 + number)).unwrap();
        }
        for (name, age) in [("old.part", 7200), ("new.part", 5), ("other", 9000)] {
            File::create(file(name)).unwrap().set_modified(at(age)).unwrap();
        }
        prune(folder.path(), &[file("49.cwasm")].into());
        let here: BTreeSet<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut expected: BTreeSet<String> = (0..20).map(|it| format!("{it}.cwasm")).collect();
        expected.extend(["49.cwasm", "new.part", "other"].map(str::to_owned));
        assert_eq!(here, expected);
    }

    #[test]
    fn spare_code_has_a_bound_in_bytes_too() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..5 {
            let made = File::create(folder.path().join(format!("{number}.cwasm"))).unwrap();
            made.set_len(100 << 20).unwrap();
        }
        prune(folder.path(), &BTreeSet::new());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
