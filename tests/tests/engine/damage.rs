//! A store that is not what was written: cut short, with flipped bits, empty, or something else. It is refused in plain words, or it
//! has everything; there is no third.

use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use heat_engine::{Store, StoreError};

use crate::disk::{Deed, Disk};
use crate::power::{Kept, kept, tell};

/// A store that was closed, one whose process was killed, and what they have.
struct Stores {
    closed: Vec<u8>,
    killed: Vec<u8>,
    states: Vec<Kept>,
}

fn stores() -> Result<Stores> {
    let disk = Disk::default();
    let states = tell(&disk, 40, 7)?;
    let deeds = disk.deeds();
    let last = deeds.iter().rposition(|deed| matches!(deed, Deed::Acknowledged(_)));
    let last = last.context("there were no commits")?;
    let (killed, _) = disk.after_a_cut(last + 1, 1.0, &mut Rng::with_seed(0));
    Ok(Stores { closed: disk.bytes(), killed, states })
}

/// What is in it; none when it is refused as damaged.
fn opened(bytes: Vec<u8>) -> Result<Option<Kept>> {
    match Store::with_backend(Disk::with(bytes)) {
        Ok(store) => Ok(Some(kept(&store.snapshot()?)?)),
        Err(error) => {
            ensure!(error.is_damage(), "it is no damage: {error:?}");
            let words = error.to_string();
            ensure!(
                words.starts_with("the store is damaged: ") && !words.contains('\n'),
                "{words}"
            );
            Ok(None)
        }
    }
}

/// Where bits are flipped: every byte of the header, and places all over the file, most of them where something is.
fn places(bytes: &[u8], random: &mut Rng) -> Vec<usize> {
    let used: Vec<usize> = (320..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let pages = (0..120).map(|_| used[random.usize(..used.len())]);
    let anywhere = pages.collect::<Vec<_>>().into_iter();
    (0..320).chain(anywhere).chain((0..50).map(|_| random.usize(..bytes.len()))).collect()
}

#[test]
fn a_flipped_bit_is_found_or_does_no_harm() -> Result<()> {
    let (stores, mut random) = (stores()?, Rng::with_seed(11));
    let (last, before) = stores.states.split_last().context("there were no commits")?;
    // After a crash, damage to what the last commit wrote looks like a commit that was cut short: then the one before holds.
    let possible = [Some(last), before.last()];
    let mut refused = 0;
    for (name, bytes, possible) in
        [("closed", &stores.closed, &possible[..1]), ("killed", &stores.killed, &possible)]
    {
        for place in places(bytes, &mut random) {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << random.u8(..8);
            let found = opened(damaged).with_context(|| format!("{name}, byte {place}"))?;
            refused += u32::from(found.is_none());
            if let Some(found) = found {
                ensure!(
                    possible.contains(&Some(&found)),
                    "{name}, byte {place}: {:?}",
                    found.contents
                );
            }
        }
    }
    ensure!(refused > 150, "only {refused} flips were found");
    Ok(())
}

#[test]
fn a_store_that_is_cut_short_is_refused_or_whole() -> Result<()> {
    let stores = stores()?;
    let last = stores.states.last();
    let mut refused = 0;
    for bytes in [&stores.closed, &stores.killed] {
        for part in 1..50 {
            let found = opened(bytes[..bytes.len() * part / 50].to_vec())?;
            refused += u32::from(found.is_none());
            ensure!(found.is_none() || found.as_ref() == last, "{part}/50: {found:?}");
        }
    }
    ensure!(refused > 40, "only {refused} were refused");
    Ok(())
}

#[test]
fn a_disk_that_takes_no_writing_is_named_as_such_and_nothing_is_lost() -> Result<()> {
    let stores = stores()?;
    for kind in [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem] {
        let disk = Disk::with(stores.killed.clone());
        disk.leave_room(0, kind);
        let error = Store::with_backend(disk.clone()).err().context("it was opened")?;
        ensure!(matches!(&error, StoreError::NotWritable(_)), "{error:?}");
        ensure!(opened(disk.bytes())?.as_ref() == stores.states.last());
    }
    Ok(())
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    for content in [&b""[..], b"hello", &[0; 100_000], b"SQLite format 3\0"] {
        fs::write(&file, content)?;
        let error = Store::open(&file).err().context("it was opened")?;
        ensure!(error.is_damage(), "{error:?}");
        ensure!(fs::read(&file)? == content, "it was written to");
    }
    fs::remove_file(&file)?;
    // A start that was cut short leaves no store, and does not keep the next one from making it.
    fs::write(folder.path().join("heat.redb.new"), b"redb")?;
    drop(Store::open(&file)?);
    ensure!(Store::open(&file)?.snapshot()?.contents()?.next_record == 0);
    ensure!(!folder.path().join("heat.redb.new").exists());
    fs::remove_file(&file)?;
    fs::create_dir(&file)?;
    ensure!(Store::open(&file).is_err());
    let missing = Store::open(&folder.path().join("none/heat.redb")).err();
    ensure!(matches!(missing, Some(StoreError::Redb(_))), "{missing:?}");
    Ok(())
}
