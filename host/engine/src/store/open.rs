//! How a store is opened: nothing of a file is used before all of it was held against its checksums.
//!
//! redb does so by itself where the last process did not close the file, and does not where it did.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, DatabaseError, StorageBackend};
use tracing::warn;

use super::Store;
use crate::error::StoreError;
use crate::store::disk::{Disk, DiskCounters};
use crate::store::guard::{builder, guarded};
use crate::store::schema::{prepare, refuse_newer};
use crate::store::verification::Verification;

impl Store {
    /// Opens the store in this file, or makes it. All of it is verified.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        Self::open_watched(file, &Verification::default())
    }

    /// As [`Store::open`], and others may ask meanwhile how far it is.
    pub fn open_watched(file: &Path, verification: &Verification) -> Result<Self, StoreError> {
        let disk = DiskCounters::default();
        match fs::metadata(file) {
            Ok(found) if found.len() == 0 => Err(StoreError::Broken("it is empty".to_owned())),
            Ok(found) => guarded(|| {
                refuse_newer(file)?;
                verification.begin(found.len());
                let database = verified(|builder| on_disk(builder, file, &disk, verification))?;
                verification.end();
                Self::prepared(database, disk.clone())
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(file)?;
                guarded(|| {
                    let database = on_disk(&builder(), file, &disk, verification)?;
                    Self::prepared(database, disk.clone())
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A store that is gone with the process: for tests and for rules that are tried out.
    pub fn in_memory() -> Result<Self, StoreError> {
        let database = builder().create_with_backend(InMemoryBackend::new())?;
        Self::prepared(database, DiskCounters::default())
    }

    /// A store on a disk of the test's making.
    #[doc(hidden)]
    pub fn with_backend(backend: impl StorageBackend) -> Result<Self, StoreError> {
        let database = || verified(|builder| builder.create_with_backend(backend));
        guarded(|| Self::prepared(database()?, DiskCounters::default()))
    }

    fn prepared(database: Database, disk: DiskCounters) -> Result<Self, StoreError> {
        prepare(&database)?;
        Ok(Self { database: Arc::new(database), disk })
    }
}

/// The database in a file that is there, with a count of what is written to it.
fn on_disk(
    builder: &Builder,
    file: &Path,
    disk: &DiskCounters,
    verification: &Verification,
) -> Result<Database, DatabaseError> {
    let file = OpenOptions::new().read(true).write(true).open(file);
    let file = file.map_err(redb::StorageError::from)?;
    builder.create_with_backend(Disk::new(file, disk.clone(), verification.clone())?)
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
            for_its_owner(new)?;
            let database = builder().create(new)?;
            Store::prepared(database, DiskCounters::default()).map(drop)
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

/// Makes an empty file that only its owner reads, whatever the umask says. What is there already stays.
fn for_its_owner(file: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?;
    Ok(())
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
