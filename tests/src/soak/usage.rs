//! What the system says of a process: memory, files, threads, processor time, and what it has written to the disk.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

/// One look at a process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub at: Instant,
    /// Resident memory in bytes.
    pub memory: u64,
    /// Bytes that it has caused to be written to a disk.
    pub written: u64,
    /// The size of its store.
    pub store: u64,
    pub files: u64,
    pub threads: u64,
    /// Seconds of processor time.
    pub cpu: f64,
}

impl Usage {
    pub(super) fn read(process: u32, store: &Path) -> Result<Self> {
        let text = |name: &str| {
            let file = format!("/proc/{process}/{name}");
            fs::read_to_string(&file).with_context(|| format!("failed to read {file}"))
        };
        let (status, io, stat) = (text("status")?, text("io")?, text("stat")?);
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
        let field = |number: usize| {
            let field = fields.split_whitespace().nth(number - 3);
            field.and_then(|field| field.parse::<f64>().ok()).context("stat has no number")
        };
        Ok(Self {
            at: Instant::now(),
            memory: 1024 * number(&status, "VmRSS:")?,
            written: number(&io, "write_bytes:")?,
            store: fs::metadata(store).map_or(0, |store| store.len()),
            files: fs::read_dir(format!("/proc/{process}/fd"))?.count() as u64,
            threads: number(&status, "Threads:")?,
            // Hundredths of a second on every Linux.
            cpu: (field(14)? + field(15)?) / 100.0,
        })
    }
}

fn number(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).with_context(|| format!("there is no {name}"))
}
