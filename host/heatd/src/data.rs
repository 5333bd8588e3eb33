//! The data folder: created for its owner only, before anything is read from it. heatd writes nowhere else except its backups.
//!
//! Besides the store it holds what a client on this machine needs: `api.url`, where heatd listens, and `api.token`, the owner's token of the
//! API. `api.tokens` has the hashes of all other tokens ([`crate::data::tokens`]).

pub(crate) mod backups;
pub(crate) mod code_cache;
pub(crate) mod role;
pub(crate) mod tokens;

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use heat_engine::{Store, StoreError, Verification};
use tracing::warn;

use crate::config::{BackupPlan, Config};
use crate::tls;

/// The file of the store.
pub(crate) const STORE: &str = "heat.redb";

/// Creates the folder if there is none, with access for its owner only.
pub(crate) fn prepare(data: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        builder.mode(0o700);
        // heatd does not change the rights of a folder that it did not make. It warns, because compiled code is kept there.
        let open = fs::metadata(data).is_ok_and(|folder| folder.permissions().mode() & 0o022 != 0);
        if open {
            warn!(data = %data.display(), "others may write into the data folder; close it: chmod 700");
        }
    }
    builder.create(data).with_context(|| {
        format!("failed to make the data folder {}; `data` names it", data.display())
    })
}

/// Opens the store, and explains what to do when it cannot be used.
pub(crate) struct DataDir {
    data: PathBuf,
    plan: BackupPlan,
}

impl DataDir {
    pub(crate) fn new(config: &Config) -> Self {
        Self { data: config.data.clone(), plan: config.backup.clone() }
    }

    /// Opens the store, or makes it.
    pub(crate) fn open(&self, verification: &Verification) -> Result<Store> {
        let file = self.data.join(STORE);
        if let Ok(target) = fs::read_link(&file)
            && !file.exists()
        {
            bail!(
                "{} is a link to {}, which is not there: mount what holds it, or remove the link; nothing is begun in its place",
                file.display(),
                target.display()
            );
        }
        warn_if_open(&file, "the store");
        if !file.exists()
            && let Some(restore) = self.restore()
        {
            warn!(store = %file.display(), restore, "there is no store, and there are backups: everything begins at nothing");
        }
        Store::open_watched(&file, verification)
            .map_err(|error| self.explain("failed to open", error))
    }

    /// Adds the file to the error. If the store is damaged, adds the command that restores the newest backup.
    pub(crate) fn explain(&self, what: &str, error: StoreError) -> anyhow::Error {
        let is_damage = error.is_damage();
        let words = format!("{what} {}", self.data.join(STORE).display());
        if !is_damage {
            return anyhow::Error::new(error).context(words);
        }
        match self.restore() {
            Some(restore) => {
                anyhow::anyhow!("{words}: {error}. Restore the newest backup: {restore}")
            }
            None => anyhow::anyhow!(
                "{words}: {error}. There is no backup in {}; without one, move the store away, and everything begins at nothing",
                self.plan.folder.display()
            ),
        }
    }

    /// The command that restores the newest backup, if there is one.
    fn restore(&self) -> Option<String> {
        let folders = [Some(&self.plan.folder), self.plan.also.as_ref()];
        let found = folders.into_iter().flatten();
        let found = found.filter_map(|folder| backups::list(folder).ok()?.into_iter().next());
        let newest = found.max_by_key(|listed| listed.at)?;
        // Absolute, because a reader of the log may not know in which folder heatd was started.
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let (file, data) = (absolute(&newest.file), absolute(&self.data));
        Some(format!("heat restore {} --data {}", file.display(), data.display()))
    }
}

/// The owner's token of the API: created once, and kept over restarts.
pub(crate) fn token(data: &Path) -> Result<String> {
    let file = data.join("api.token");
    match fs::read_to_string(&file) {
        Ok(token) if !token.trim().is_empty() => {
            warn_if_open(&file, "the token of the API");
            return Ok(token.trim().to_owned());
        }
        // A start that was cut short may have left it empty.
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("failed to read {}", file.display()));
        }
    }
    let token = tls::secret()?;
    replace(&file, &token, 0o600)?;
    Ok(token)
}

/// Writes the address at which heatd listens, for clients on this machine.
pub(crate) fn note_address(data: &Path, address: SocketAddr) -> Result<()> {
    replace(&data.join("api.url"), &format!("http://{address}"), 0o644)
}

/// Replaces a file by one line of text, in one step: no reader sees it half written or with other rights.
pub(crate) fn replace(file: &Path, line: &str, mode: u32) -> Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    let write = || {
        let _ = fs::remove_file(new);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        #[cfg(not(unix))]
        let _ = mode;
        let mut open = options.open(new)?;
        writeln!(open, "{line}")?;
        // Without this a power cut could leave the new name with an empty file.
        open.sync_all()?;
        fs::rename(new, file)
    };
    write().with_context(|| format!("failed to write {}", file.display()))
}

fn warn_if_open(file: &Path, what: &str) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o007 != 0) {
            warn!(file = %file.display(), what, "everybody may read this; close it: chmod o=");
        }
    }
    #[cfg(not(unix))]
    let _ = (file, what);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_made_once_and_for_its_owner_alone() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let token = token(folder.path())?;
        assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(super::token(folder.path())?, token);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join("api.token"))?.permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn a_store_is_made_for_its_owner_alone_and_never_in_the_place_of_a_link() -> Result<()> {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir()?;
        let (elsewhere, file) = (folder.path().join("elsewhere"), folder.path().join(STORE));
        let plan = BackupPlan::of(folder.path());
        let data_dir = DataDir { data: folder.path().to_owned(), plan };
        symlink(&elsewhere, &file)?;
        let error = data_dir.open().err().map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(error.contains("is a link to") && error.contains("elsewhere"), "{error}");
        assert_eq!(fs::read_link(&file)?, elsewhere);
        fs::remove_file(&file)?;
        drop(data_dir.open()?);
        assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
        Ok(())
    }

    #[test]
    fn an_empty_token_is_made_anew_and_one_that_cannot_be_read_is_an_error() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("api.token");
        fs::write(&file, "\n")?;
        assert_eq!(token(folder.path())?.len(), 64);
        fs::remove_file(&file)?;
        fs::create_dir(&file)?;
        assert!(token(folder.path()).is_err_and(|error| error.to_string().contains("api.token")));
        Ok(())
    }

    #[test]
    fn the_address_is_that_of_the_last_start() -> Result<()> {
        let folder = tempfile::tempdir()?;
        for port in [1, 2] {
            note_address(folder.path(), SocketAddr::from(([127, 0, 0, 1], port)))?;
        }
        assert_eq!(fs::read_to_string(folder.path().join("api.url"))?, "http://127.0.0.1:2\n");
        Ok(())
    }
}
