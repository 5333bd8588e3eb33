//! The data folder: made for its owner alone, before anything is read from it. heatd writes nowhere else.

use std::path::Path;

use anyhow::{Context, Result};
use heat_engine::Store;
use tracing::warn;

/// Makes the folder if there is none, so that only its owner may enter.
pub(crate) fn prepare(data: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        builder.mode(0o700);
        // A folder that somebody else made is theirs to close; compiled code is kept in it, so it matters.
        let open =
            std::fs::metadata(data).is_ok_and(|folder| folder.permissions().mode() & 0o022 != 0);
        if open {
            warn!(data = %data.display(), "others may write into the data folder; close it: chmod 700");
        }
    }
    builder
        .create(data)
        .with_context(|| format!("failed to make the data folder {}", data.display()))
}

/// Opens the store in the data folder.
pub(crate) fn open_store(data: &Path) -> Result<Store> {
    let file = data.join("heat.redb");
    Store::open(&file).with_context(|| format!("failed to open {}", file.display()))
}
