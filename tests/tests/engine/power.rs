//! The power goes, or the disk is full, while the engine works: what had been acknowledged is there, and nothing that was not so.

use std::io::ErrorKind;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use heat_engine::{Contents, Record, Store, StoreError};

use crate::disk::{Deed, Disk};
use crate::stage::{CHANNEL, Stage, patient, plain};

/// Everything that a commit makes durable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub(crate) contents: Contents,
    records: Vec<Record>,
    heat: Option<String>,
    outbox: Vec<(u64, String, Vec<u8>)>,
}

pub(crate) fn kept(store: &heat_engine::Snapshot) -> Result<Kept> {
    Ok(Kept {
        contents: store.contents()?,
        records: store.records_since(0)?,
        heat: store.shown_by(CHANNEL, "decay")?.remove("heat"),
        outbox: store.outbox()?,
    })
}

impl Kept {
    /// Counts are what the log says.
    fn is_consistent(&self) -> Result<()> {
        let counted = self.records.iter().map(|record| match record {
            Record::Faves { faves, .. } => faves.len() as u64,
            _ => 0,
        });
        let counted: u64 = counted.sum();
        let faves = self.contents.faves.first().map_or(0, |(_, faves)| *faves);
        ensure!(counted == faves, "the log has {counted} faves, and {faves} are counted");
        ensure!(self.contents.next_record == self.records.len() as u64, "the log has gaps");
        Ok(())
    }
}

fn stage(store: Store) -> Result<Stage> {
    Stage::with(vec![plain("fave"), plain("decay"), plain("publisher")], patient(), store)
}

/// Lets things happen, and commits. What each commit made is noted, with the place on the disk after which it is known outside.
pub(crate) fn tell(disk: &Disk, commits: usize, seed: u64) -> Result<Vec<Kept>> {
    let mut random = Rng::with_seed(seed);
    let mut stage = stage(Store::with_backend(disk.clone())?)?;
    let mut states = vec![kept(&stage.engine.snapshot()?)?];
    disk.acknowledged(0);
    while states.len() <= commits {
        for _ in 0..random.usize(1..20) {
            happen(&mut stage, &mut random)?;
        }
        for (number, ..) in stage.engine.snapshot()?.outbox()? {
            if random.bool() {
                stage.engine.sent(number)?;
            }
        }
        stage.engine.commit()?;
        disk.acknowledged(states.len());
        states.push(kept(&stage.engine.snapshot()?)?);
    }
    Ok(states)
}

fn happen(stage: &mut Stage, random: &mut Rng) -> Result<()> {
    let (login, number) = (format!("person{}", random.u8(..)), random.u16(..));
    stage.wait(random.u64(1..5_000))?;
    match random.u8(..4) {
        0 => stage.chat(&login, &format!("?fave item {number}"))?,
        1 => stage.chat(&login, &"a long line ".repeat(random.usize(1..40)))?,
        _ => stage.chat(&login, &format!("line {number}"))?,
    };
    Ok(())
}

/// Opens what is left, and looks for it among what there was.
fn found(bytes: Vec<u8>, known: usize, states: &[Kept]) -> Result<Disk> {
    let disk = Disk::with(bytes);
    let store = Store::with_backend(disk.clone())?;
    let found = kept(&store.snapshot()?)?;
    if known > 0 || found.contents.next_record > 0 {
        found.is_consistent()?;
        // The commit that was under way may be there as a whole.
        let possible = &states[known..states.len().min(known + 2)];
        ensure!(
            possible.contains(&found),
            "{known} commits had returned, and there is {:?}",
            found.contents
        );
    }
    // The power may also go before this is closed.
    Ok(disk.copy())
}

/// Which part of the unsynced is there: sometimes nothing, sometimes everything.
fn part(random: &mut Rng) -> f64 {
    [0.0, 0.1, 0.5, 0.9, 1.0][random.usize(..5)]
}

#[test]
fn after_a_power_cut_there_is_what_was_acknowledged_and_nothing_that_never_was() -> Result<()> {
    let (mut cuts, mut mid_commit) = (0, 0);
    for seed in 1..=3 {
        let (disk, mut random) = (Disk::default(), Rng::with_seed(seed + 100));
        let states = tell(&disk, 30, seed)?;
        let deeds = disk.deeds();
        let first = deeds.iter().position(|deed| matches!(deed, Deed::Acknowledged(0)));
        let first = first.context("nothing was acknowledged")?;
        for _ in 0..80 {
            let cut = random.usize(first + 1..=deeds.len());
            let about = || format!("seed {seed}, cut after {cut} of {} deeds", deeds.len());
            let (bytes, known) = disk.after_a_cut(cut, part(&mut random), &mut random);
            let again = found(bytes, known, &states).with_context(about)?;
            cuts += 1;
            mid_commit += u32::from(!matches!(deeds[cut - 1], Deed::Acknowledged(_)));
            // And the power goes once more, while heatd starts.
            let repairs = again.deeds().len();
            let (cut, kept) = (random.usize(..=repairs), part(&mut random));
            let (bytes, _) = again.after_a_cut(cut, kept, &mut random);
            found(bytes, known, &states).with_context(|| format!("{}, and again", about()))?;
        }
    }
    ensure!(cuts == 240 && mid_commit > 120, "{mid_commit} of {cuts} cuts were within a commit");
    Ok(())
}

#[test]
fn a_power_cut_while_the_first_store_is_made_leaves_none_or_an_empty_one() -> Result<()> {
    let disk = Disk::default();
    drop(Store::with_backend(disk.clone())?);
    let mut random = Rng::with_seed(1);
    for cut in 0..=disk.deeds().len() {
        let (bytes, _) = disk.after_a_cut(cut, part(&mut random), &mut random);
        // What is no store yet is thrown away by whoever opens one in a file: it still has its first name.
        match Store::with_backend(Disk::with(bytes)) {
            Ok(store) => ensure!(store.snapshot()?.contents()?.next_record == 0),
            Err(error) => ensure!(error.is_damage(), "{error}"),
        }
    }
    Ok(())
}

#[test]
fn a_full_disk_ends_a_commit_with_its_reason_and_loses_nothing_that_was_acknowledged() -> Result<()>
{
    let mut full = 0;
    for room in [0, 1, 4_096, 20_000, 100_000, 300_000, 1_000_000] {
        let (disk, mut random) = (Disk::default(), Rng::with_seed(room as u64));
        let mut stage = stage(Store::with_backend(disk.clone())?)?;
        happen(&mut stage, &mut random)?;
        stage.engine.commit()?;
        disk.leave_room(room, ErrorKind::StorageFull);
        let mut states = vec![kept(&stage.engine.snapshot()?)?];
        let error = loop {
            for _ in 0..10 {
                happen(&mut stage, &mut random)?;
            }
            match stage.engine.commit() {
                Ok(_) => states.push(kept(&stage.engine.snapshot()?)?),
                Err(error) => break error,
            }
        };
        ensure!(matches!(&error, StoreError::Full(_)), "{error}");
        ensure!(error.to_string().contains("make room"), "{error}");
        drop(stage);
        // Still full: the same words. With room again: everything is there.
        let bytes = disk.bytes();
        let stuck = Disk::with(bytes.clone());
        stuck.leave_room(0, ErrorKind::StorageFull);
        let again = Store::with_backend(stuck).err().context("it opened without room")?;
        ensure!(matches!(&again, StoreError::Full(_)), "{again}");
        found(bytes, states.len() - 1, &states).with_context(|| format!("with room for {room}"))?;
        full += 1;
    }
    ensure!(full == 7);
    Ok(())
}
