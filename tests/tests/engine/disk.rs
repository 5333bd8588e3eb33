//! A disk of the tests' making: it keeps every write that was asked of it, can be cut off at any of them, and can be full.

use std::io::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use heat_engine::StorageBackend;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// A disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// As the program sees it.
    bytes: Vec<u8>,
    /// What it began with.
    beginning: Vec<u8>,
    deeds: Vec<Deed>,
    /// After so many more bytes every write fails like this.
    room: Option<(usize, ErrorKind)>,
}

/// What was asked of the disk, or known outside, in order.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Write(usize, Vec<u8>),
    SetLen(usize),
    Sync,
    /// So many commits had returned.
    Acknowledged(usize),
}

impl Disk {
    /// A disk with something on it.
    pub(crate) fn with(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.inner().beginning = bytes.clone();
        disk.inner().bytes = bytes;
        disk
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything as the program sees it: what is there after the program was killed, and the machine was not.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.inner().bytes.clone()
    }

    /// The same on another disk, which goes its own way.
    pub(crate) fn copy(&self) -> Self {
        let inner = self.inner();
        let (bytes, beginning) = (inner.bytes.clone(), inner.beginning.clone());
        let copy = Inner { bytes, beginning, deeds: inner.deeds.clone(), room: inner.room };
        Self(Arc::new(Mutex::new(copy)))
    }

    pub(crate) fn acknowledged(&self, commits: usize) {
        self.inner().deeds.push(Deed::Acknowledged(commits));
    }

    pub(crate) fn deeds(&self) -> Vec<Deed> {
        self.inner().deeds.clone()
    }

    /// Takes so many more bytes, and then refuses every one for this reason.
    pub(crate) fn leave_room(&self, bytes: usize, then: ErrorKind) {
        self.inner().room = Some((bytes, then));
    }

    /// What is left when the power goes after so many deeds, and how many commits had returned until then. What was not synced may
    /// be there or not, sector by sector; of it this part is, on average.
    pub(crate) fn after_a_cut(
        &self,
        deeds: usize,
        kept: f64,
        random: &mut Rng,
    ) -> (Vec<u8>, usize) {
        let inner = self.inner();
        let (mut bytes, mut known) = (inner.beginning.clone(), 0);
        let deeds = &inner.deeds[..deeds];
        let synced = deeds.iter().rposition(|deed| matches!(deed, Deed::Sync)).unwrap_or(0);
        for (place, deed) in deeds.iter().enumerate() {
            let mut survives = || place <= synced || random.f64() < kept;
            match deed {
                Deed::Acknowledged(commits) => known = *commits,
                Deed::Sync => {}
                Deed::SetLen(length) => {
                    if survives() {
                        bytes.resize(*length, 0);
                    }
                }
                Deed::Write(offset, data) => {
                    let mut at = *offset;
                    while at < offset + data.len() {
                        let end = ((at / SECTOR + 1) * SECTOR).min(offset + data.len());
                        // Behind the end of a file there is nothing.
                        if survives() && end <= bytes.len() {
                            bytes[at..end].copy_from_slice(&data[at - offset..end - offset]);
                        }
                        at = end;
                    }
                }
            }
        }
        (bytes, known)
    }
}

impl Inner {
    fn take(&mut self, bytes: usize) -> Result<()> {
        match &mut self.room {
            Some((room, then)) if *room < bytes => {
                *room = 0;
                Err(Error::from(*then))
            }
            Some((room, _)) => {
                *room -= bytes;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64> {
        Ok(self.inner().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let (inner, offset) = (self.inner(), offset as usize);
        let found = inner.bytes.get(offset..offset + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<()> {
        let (mut inner, length) = (self.inner(), length as usize);
        let more = length.saturating_sub(inner.bytes.len());
        inner.take(more)?;
        inner.bytes.resize(length, 0);
        inner.deeds.push(Deed::SetLen(length));
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        self.inner().deeds.push(Deed::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let (mut inner, offset) = (self.inner(), offset as usize);
        inner.take(data.len())?;
        let place = inner.bytes.get_mut(offset..offset + data.len());
        place.ok_or(ErrorKind::UnexpectedEof)?.copy_from_slice(data);
        inner.deeds.push(Deed::Write(offset, data.to_vec()));
        Ok(())
    }
}
