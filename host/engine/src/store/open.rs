//! How a store is opened: nothing of a file is used before all of it was held against its checksums.
//!
//! redb does so by itself where the last process did not close the file, and does not where it did. It asserts in many places what
//! its checksums do not cover, so a damaged file may also end in a panic: in here that is an error as any other.

use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, DatabaseError, StorageBackend};
use tracing::warn;

use super::{Store, refuse_newer};
use crate::error::StoreError;
use crate::store::disk::{Disk, DiskCounters};

/// redb's cache in bytes. Its default of 1 GiB is more than a Pi has to spare.
const CACHE_BYTES: usize = 8 << 20;

thread_local! {
    static READS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread reads a file whose damage may panic. Such a panic becomes an error, and its own words need not be shown.
pub fn reads_a_store() -> bool {
    READS.get()
}

/// Does something with a file that may be damaged.
pub(crate) fn guarded<V>(read: impl FnOnce() -> Result<V, StoreError>) -> Result<V, StoreError> {
    let before = READS.replace(true);
    // What the closure has made is gone when it panics.
    let done = catch_unwind(AssertUnwindSafe(read));
    READS.set(before);
    done.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        let words = words.unwrap_or("what is in it cannot be").lines().next().unwrap_or_default();
        Err(StoreError::Broken(format!("it contradicts itself ({words})")))
    })
}

impl Store {
    /// Opens the store in this file, or makes it. All of it is verified.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        match fs::metadata(file) {
            Ok(found) if found.len() == 0 => Err(StoreError::Broken("it is empty".to_owned())),
            Ok(_) => guarded(|| {
                refuse_newer(file)?;
                let disk = DiskCounters::default();
                let database = verified(|builder| on_disk(builder, file, &disk))?;
                Self::prepare(database, disk)
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(file)?;
                let disk = DiskCounters::default();
                guarded(|| Self::prepare(on_disk(&builder(), file, &disk)?, disk.clone()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A store that is gone with the process: for tests and for rules that are tried out.
    pub fn in_memory() -> Result<Self, StoreError> {
        let database = builder().create_with_backend(InMemoryBackend::new())?;
        Self::prepare(database, DiskCounters::default())
    }

    /// A store on a disk of the test's making.
    #[doc(hidden)]
    pub fn with_backend(backend: impl StorageBackend) -> Result<Self, StoreError> {
        let database = || verified(|builder| builder.create_with_backend(backend));
        guarded(|| Self::prepare(database()?, DiskCounters::default()))
    }
}

/// The database in a file that is there, with a count of what is written to it.
fn on_disk(builder: &Builder, file: &Path, disk: &DiskCounters) -> Result<Database, DatabaseError> {
    let file = OpenOptions::new().read(true).write(true).open(file);
    let file = file.map_err(redb::StorageError::from)?;
    builder.create_with_backend(Disk::new(file, disk.clone())?)
}

/// Opens a database, and holds every page that is in use against its checksum.
fn verified(
    open: impl FnOnce(&Builder) -> Result<Database, DatabaseError>,
) -> Result<Database, StoreError> {
    let repaired = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&repaired);
    let mut builder = builder();
    builder.set_repair_callback(move |_| noted.store(true, Ordering::Relaxed));
    let mut database = open(&builder)?;
    // A repair after a crash has verified everything already.
    if !repaired.load(Ordering::Relaxed) && !database.check_integrity()? {
        warn!("the store was not as it was closed, and is repaired; no row is lost");
    }
    Ok(database)
}

/// Makes a store under another name first: so an empty file is never one that was just begun.
fn make(file: &Path) -> Result<(), StoreError> {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    let prepare = || {
        guarded(|| {
            let database = builder().create(new)?;
            Store::prepare(database, DiskCounters::default()).map(drop)
        })
    };
    match prepare() {
        // A start that was cut short has left it.
        Err(error) if error.is_damage() => {
            fs::remove_file(new)?;
            prepare()?;
        }
        done => done?,
    }
    fs::rename(new, file)?;
    sync_folder(file)
}

/// Makes a new name in the folder of this file outlive a power cut.
pub(crate) fn sync_folder(file: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        fs::File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

pub(crate) fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}
