//! Ports for servers that need one before they start, and that may want it again when they start again.
//!
//! Test programs run beside each other. A port is therefore lent: by a lock on a file that is named after it, in the folder for temporary
//! files, which the system lets go of when the process ends, however it does.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

/// Ports from here on are lent: below those that systems take for outgoing connections, any of which could take a port
/// between here and the start of a server.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 12_000;
/// A prime, so that every place is reached, and that processes with neighbouring numbers begin far from each other.
const SPREAD: u32 = 3_571;

/// The ports that this process holds, with their locks.
static LENT: Mutex<Option<HashMap<u16, File>>> = Mutex::new(None);

/// A port that nobody listens on, and that no other test gets as long as this process lives.
pub fn free_port() -> Result<u16> {
    let start = (std::process::id().wrapping_mul(SPREAD) % u32::from(PORTS)) as u16;
    let folder = folder()?;
    let mut lent = LENT.lock().unwrap_or_else(PoisonError::into_inner);
    let lent = lent.get_or_insert_default();
    for step in 0..PORTS {
        let port = FIRST_PORT + (start + step) % PORTS;
        if lent.contains_key(&port) {
            continue;
        }
        if let Some(lock) = lend(&folder, port)? {
            lent.insert(port, lock);
            return Ok(port);
        }
    }
    bail!("there is no free port from {FIRST_PORT} on")
}

/// The lock for a port, if no other test has it and nobody else listens there.
fn lend(folder: &Path, port: u16) -> Result<Option<File>> {
    let file = folder.join(port.to_string());
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&file)
        .with_context(|| format!("failed to open {}", file.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("failed to lock {}", file.display()))
        }
    }
}

/// One folder for all test programs of a user.
fn folder() -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("heat-test-ports-{}", user()));
    let made = DirBuilder::new().recursive(true).create(&folder);
    made.with_context(|| format!("failed to make {}", folder.display()))?;
    Ok(folder)
}

/// Files of one user cannot be locked by another.
#[cfg(unix)]
fn user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Elsewhere each user has a folder for temporary files.
#[cfg(not(unix))]
fn user() -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_lent_once() -> Result<()> {
        let (one, other) = (free_port()?, free_port()?);
        assert_ne!(one, other);
        // As another process would ask.
        assert!(lend(&folder()?, one)?.is_none(), "{one} is lent twice");
        Ok(())
    }

    #[test]
    fn a_port_on_which_somebody_listens_is_not_lent() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let server = TcpListener::bind(("127.0.0.1", 0))?;
        let port = server.local_addr()?.port();
        assert!(lend(folder.path(), port)?.is_none());
        drop(server);
        assert!(lend(folder.path(), port)?.is_some());
        assert!(lend(folder.path(), port)?.is_some(), "a lock that was dropped holds");
        Ok(())
    }
}
