//! Compiles components: small ones in this process, large ones in a process of their own with the lowest priority.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use heat_engine::{Component, Limits, Sandbox};

use super::error::Error;
use super::progress::Progress;

/// Components of more bytes are compiled in a process of their own.
const LARGE: usize = 512 << 10;

/// The largest component, in bytes: three times what Python makes.
pub(crate) const LARGEST: usize = 64 << 20;

/// How often the progress of a compilation is reported.
const TELL: Duration = Duration::from_millis(250);

/// How fast this machine compiles, learned from earlier compilations.
pub(crate) struct Speed {
    /// Microseconds for each KiB.
    per_kib: AtomicU64,
    /// Where compiled code is kept; there the other process leaves it.
    cache: PathBuf,
}

impl Speed {
    pub(crate) fn new(cache: &Path) -> Self {
        // Measured with rules of 50 KB to 18 MB: about 1.6 ms for each KiB on a access. A Raspberry Pi 4 takes some five times as long.
        let per_kib = if cfg!(target_arch = "aarch64") { 8_000 } else { 1_600 };
        Self { per_kib: AtomicU64::new(per_kib), cache: cache.to_owned() }
    }

    fn expected(&self, bytes: usize) -> Duration {
        let kib = (bytes as u64).div_ceil(1024);
        Duration::from_micros(kib.saturating_mul(self.per_kib.load(Ordering::Relaxed)))
    }

    fn took(&self, bytes: usize, time: Duration) {
        let kib = (bytes as u64).div_ceil(1024).max(1);
        let per_kib = u64::try_from(time.as_micros()).unwrap_or(u64::MAX) / kib;
        // Far faster than expected means that the code was in the cache, which says nothing about speed.
        if per_kib > self.per_kib.load(Ordering::Relaxed) / 8 {
            self.per_kib.store(per_kib, Ordering::Relaxed);
        }
    }

    /// Compiles a component, and reports first how long that will take.
    pub(super) fn load(
        &self,
        sandbox: &Sandbox,
        limits: &Limits,
        bytes: &[u8],
        progress: &Progress,
    ) -> Result<Arc<Component>, Error> {
        if bytes.len() > LARGEST {
            let most = LARGEST >> 20;
            return Err(Error::because(format!("the component is larger than {most} MiB")));
        }
        let expected = self.expected(bytes.len());
        progress.timed("compile", expected, Duration::ZERO);
        let started = Instant::now();
        if bytes.len() > LARGE {
            self.elsewhere(bytes, limits, expected, progress)
                .map_err(|error| Error::because(format!("{error:#}")))?;
        }
        let component = Component::load(sandbox, limits, bytes).map_err(Error::because)?;
        self.took(bytes.len(), started.elapsed());
        Ok(Arc::new(component))
    }

    /// Lets another process compile, which leaves the code in the cache.
    fn elsewhere(
        &self,
        bytes: &[u8],
        limits: &Limits,
        expected: Duration,
        progress: &Progress,
    ) -> Result<()> {
        let program = std::env::current_exe().context("failed to find this program")?;
        let mut child = Command::new(program)
            .arg("compile")
            .arg(&self.cache)
            .arg(limits.memory.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("failed to start the process that compiles")?;
        let started = Instant::now();
        if let Some(mut input) = child.stdin.take() {
            // One that ends early says why.
            let _ = input.write_all(bytes);
        }
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            progress.timed("compile", expected, started.elapsed());
            thread::sleep(TELL);
        };
        let mut said = String::new();
        if let Some(mut errors) = child.stderr.take() {
            errors.read_to_string(&mut said)?;
        }
        match (status.success(), said.trim()) {
            (true, _) => Ok(()),
            (false, "") => {
                bail!("the process that compiles ended with {status}; is there enough memory?")
            }
            (false, said) => bail!("{said}"),
        }
    }
}

/// What the other process does: compiles what it is given, and leaves the code in the cache.
pub(crate) fn child(cache: &Path, memory: usize) -> Result<()> {
    // The lowest priority: chat comes first. Where it cannot be had, compiling is only louder.
    #[cfg(unix)]
    let _ = rustix::process::nice(19);
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    let sandbox = Sandbox::new(Some(cache))?;
    Component::load(&sandbox, &Limits { memory, ..Limits::default() }, &bytes)?;
    Ok(())
}
