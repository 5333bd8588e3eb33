//! The files of backups: names, listing, pruning, and how a file gets into a folder completely or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, ensure};

/// What every name begins and ends with. Other files are never touched.
const BEGIN: &str = "heat-";
const END: &str = ".redb";

/// The end of the name of what is not whole yet.
const PART: &str = ".part";

/// What a backup leaves free on its disk, in bytes.
const SPARE: u64 = 50_000_000;

/// How much is compared at once, in bytes.
const PIECE: usize = 64 << 10;

/// A backup that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BackupEntry {
    pub(crate) file: PathBuf,
    pub(crate) bytes: u64,
    /// When it was made, in milliseconds since 1970.
    pub(crate) at: u64,
}

/// The name of a day's backup, by the time in milliseconds since 1970.
pub(crate) fn daily_name(now: u64) -> String {
    format!("{BEGIN}{}{END}", date(now))
}

/// The name of one that somebody asked for.
pub(crate) fn asked_name(now: u64) -> String {
    let second = now / 1_000 % 86_400;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{BEGIN}{}-{hour:02}{minute:02}{second:02}{END}", date(now))
}

/// A time for people, in UTC.
pub(crate) fn utc(at: u64) -> String {
    let minute = at / 60_000 % 1_440;
    format!("{} {:02}:{:02} UTC", date(at), minute / 60, minute % 60)
}

/// Year, month and day in UTC.
pub(crate) fn date(at: u64) -> String {
    // Days since the first of March of the year 0, in which a leap day is the last of its year (Howard Hinnant's days_from_civil, backwards).
    let days = at / 86_400_000 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
}

/// Whether a text fits a pattern, in which 0 stands for any digit.
fn is_like(text: &str, pattern: &str) -> bool {
    let same = |(found, wanted): (u8, u8)| match wanted {
        b'0' => found.is_ascii_digit(),
        _ => found == wanted,
    };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(same)
}

fn inner(name: &str) -> Option<&str> {
    name.strip_prefix(BEGIN)?.strip_suffix(END)
}

fn is_daily(name: &str) -> bool {
    inner(name).is_some_and(|inner| is_like(inner, "0000-00-00"))
}

fn is_ours(name: &str) -> bool {
    is_daily(name) || inner(name).is_some_and(|inner| is_like(inner, "0000-00-00-000000"))
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    // A name that is not UTF-8 is no backup of ours.
    entries
        .filter_map(|entry| entry.map(|it| it.file_name().into_string().ok()).transpose())
        .collect()
}

/// The backups in a folder, newest first; empty if there is no folder.
pub(crate) fn list(folder: &Path) -> Result<Vec<BackupEntry>> {
    let names = names(folder).with_context(|| format!("failed to read {}", folder.display()))?;
    let mut found = Vec::new();
    for name in names.into_iter().filter(|name| is_ours(name)) {
        let file = folder.join(name);
        // One may be deleted at this moment.
        let Ok(about) = fs::metadata(&file) else { continue };
        let at = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let at = at.map_or(0, |at| at.as_millis() as u64);
        found.push(BackupEntry { file, bytes: about.len(), at });
    }
    found.sort_by(|one, other| (other.at, &other.file).cmp(&(one.at, &one.file)));
    Ok(found)
}

/// Deletes all but the newest `keep` daily backups, and returns how many. Backups that were made on request stay.
pub(crate) fn prune(folder: &Path, keep: usize) -> io::Result<usize> {
    let mut daily: Vec<String> = names(folder)?.into_iter().filter(|name| is_daily(name)).collect();
    // The name is the date.
    daily.sort();
    let old = daily.len().saturating_sub(keep);
    for name in &daily[..old] {
        fs::remove_file(folder.join(name))?;
    }
    Ok(old)
}

/// The path under which a file is written until it is complete. Deletes what an earlier process has left there.
pub(crate) fn begin(folder: &Path, name: &str) -> Result<PathBuf> {
    let failed = || format!("failed to write to {}", folder.display());
    for left in names(folder).with_context(failed)? {
        if left.strip_suffix(PART).is_some_and(is_ours) {
            fs::remove_file(folder.join(left)).with_context(failed)?;
        }
    }
    Ok(folder.join(format!("{name}{PART}")))
}

/// Refuses a backup that would fill the disk: heatd ends when the store cannot grow.
pub(crate) fn leave_room(folder: &Path, needed: u64) -> Result<()> {
    #[cfg(unix)]
    {
        let about = rustix::fs::statvfs(folder)?;
        let free = about.f_bavail.saturating_mul(about.f_frsize);
        ensure!(
            free >= needed.saturating_add(SPARE),
            "there are {} MB free in {}, and a backup may take {} MB and must leave {} MB; make room, keep fewer, or name another `folder` in [backup]",
            free / 1_000_000,
            folder.display(),
            needed.div_ceil(1_000_000),
            SPARE / 1_000_000
        );
    }
    #[cfg(not(unix))]
    let _ = (folder, needed);
    Ok(())
}

/// Gives a complete file its final name, durably.
pub(crate) fn finish(part: &Path, file: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(part)?.sync_all()?;
    fs::rename(part, file)?;
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Copies a file into another folder, which must exist, readable for its owner only, and compares the copy.
pub(crate) fn hand_over(file: &Path, folder: &Path) -> Result<PathBuf> {
    ensure!(folder.is_dir(), "there is no folder {}; is it mounted?", folder.display());
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let (part, target) = (begin(folder, &name)?, folder.join(&*name));
    let handed = copy(file, &part).and_then(|()| Ok(finish(&part, &target)?));
    if handed.is_err() {
        // What is left of it is deleted before the next try, at the latest.
        let _ = fs::remove_file(&part);
    }
    handed.with_context(|| format!("failed to copy {} to {}", file.display(), folder.display()))?;
    Ok(target)
}

/// Copies into a new file that only its owner may read, and reads it again.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut target = options.open(to)?;
    io::copy(&mut File::open(from)?, &mut target)?;
    target.sync_all()?;
    let (mut one, mut other) = (File::open(from)?, File::open(to)?);
    loop {
        let (mut here, mut there) = (Vec::new(), Vec::new());
        one.by_ref().take(PIECE as u64).read_to_end(&mut here)?;
        other.by_ref().take(PIECE as u64).read_to_end(&mut there)?;
        ensure!(here == there, "what was written to {} is not what is read from it", to.display());
        if here.is_empty() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_453, "2025-12-31"),
            (20_454, "2026-01-01"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(day * 86_400_000 + 86_399_999), expected);
        }
        assert_eq!(utc(1_767_225_600_000 + 65_000), "2026-01-01 00:01 UTC");
        assert_eq!(daily_name(1_767_225_600_000), "heat-2026-01-01.redb");
        assert_eq!(asked_name(1_767_225_600_000 + 3_723_999), "heat-2026-01-01-010203.redb");
    }

    #[test]
    fn only_daily_backups_beyond_the_newest_are_deleted() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let stays = [
            "heat-2026-01-03.redb",
            "heat-2026-01-04.redb",
            "heat-2025-01-01-120000.redb",
            "heat-2025-01-01.redb.txt",
            "heat-2025-1-01.redb",
            "heat-2025-01-0é.redb",
            "heat-mine.redb",
            "heat.redb",
            "heat-replaced-2025-01-01-120000.redb",
        ];
        for name in stays.iter().chain(&["heat-2026-01-01.redb", "heat-2026-01-02.redb"]) {
            fs::write(folder.path().join(name), "x")?;
        }
        assert_eq!(prune(folder.path(), 2)?, 2);
        let mut left = names(folder.path())?;
        left.sort();
        let mut stays = stays.map(str::to_owned);
        stays.sort();
        assert_eq!(left, stays);
        assert_eq!(list(folder.path())?.len(), 3);
        assert_eq!(list(&folder.path().join("none"))?, []);
        Ok(())
    }

    #[test]
    fn what_a_process_left_behind_goes_and_nothing_else() -> Result<()> {
        let folder = tempfile::tempdir()?;
        for name in ["heat-2026-01-01.redb.part", "mine.part", "heat-2026-01-01.redb"] {
            fs::write(folder.path().join(name), "x")?;
        }
        let part = begin(folder.path(), "heat-2026-01-02.redb")?;
        assert!(part.ends_with("heat-2026-01-02.redb.part"));
        let mut left = names(folder.path())?;
        left.sort();
        assert_eq!(left, ["heat-2026-01-01.redb", "mine.part"]);
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn a_backup_that_would_fill_the_disk_is_not_begun() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let error = leave_room(folder.path(), u64::MAX / 2).unwrap_err().to_string();
        assert!(error.contains("make room"), "{error}");
        Ok(())
    }

    #[test]
    fn a_copy_arrives_whole_or_the_reason_is_told() -> Result<()> {
        let (here, there) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let file = here.path().join("heat-2026-01-01.redb");
        fs::write(&file, vec![7; 3 * PIECE + 1])?;
        let target = hand_over(&file, there.path())?;
        assert_eq!(fs::read(&target)?, fs::read(&file)?);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&target)?.permissions().mode() & 0o777, 0o600);
        }
        let error = hand_over(&file, &there.path().join("away")).unwrap_err().to_string();
        assert!(error.contains("is it mounted?"), "{error}");
        Ok(())
    }
}
