//! The system's figures about the process, under Prometheus's usual names. On Linux only.

use std::fs;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// What /proc counts processor time in: Linux tells programs of hundredths of a second on every machine.
const TICKS: f64 = 100.0;

#[derive(Default)]
pub(super) struct Process {
    resident: Gauge,
    virtual_memory: Gauge,
    cpu: Counter<f64, AtomicU64>,
    started: Gauge<f64, AtomicU64>,
    open_files: Gauge,
    most_files: Gauge,
    threads: Gauge,
}

impl Process {
    /// Registers nothing where there is no /proc.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let process = Self::default();
        if Usage::read().is_none() {
            return process;
        }
        let registry = registry.sub_registry_with_prefix("process");
        registry.register_with_unit(
            "resident_memory",
            "Resident memory",
            Unit::Bytes,
            process.resident.clone(),
        );
        registry.register_with_unit(
            "virtual_memory",
            "Address space; rules reserve much of it and use little",
            Unit::Bytes,
            process.virtual_memory.clone(),
        );
        registry.register_with_unit(
            "cpu",
            "Processor time of all threads",
            Unit::Seconds,
            process.cpu.clone(),
        );
        registry.register_with_unit(
            "start_time",
            "When the process started, since 1970",
            Unit::Seconds,
            process.started.clone(),
        );
        registry.register("open_fds", "Open file descriptors", process.open_files.clone());
        registry.register(
            "max_fds",
            "File descriptors that may be open",
            process.most_files.clone(),
        );
        registry.register("threads", "Threads", process.threads.clone());
        process
    }

    /// Reads the figures from the system.
    pub(super) fn look(&self) {
        let Some(usage) = Usage::read() else { return };
        self.resident.set(usage.resident);
        self.virtual_memory.set(usage.virtual_memory);
        self.cpu.inner().store(usage.cpu.to_bits(), std::sync::atomic::Ordering::Relaxed);
        self.started.set(usage.started);
        self.open_files.set(usage.open_files);
        self.most_files.set(usage.most_files);
        self.threads.set(usage.threads);
    }
}

struct Usage {
    resident: i64,
    virtual_memory: i64,
    cpu: f64,
    started: f64,
    open_files: i64,
    most_files: i64,
    threads: i64,
}

impl Usage {
    /// None where there is no /proc, or none that is understood.
    fn read() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let boot = fs::read_to_string("/proc/stat").ok()?;
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        // The name of the program, in parentheses, may hold anything; behind it are the third field and those after it.
        let fields: Vec<f64> = stat
            .rsplit_once(')')?
            .1
            .split_whitespace()
            .map(|field| field.parse().unwrap_or_default())
            .collect();
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Self {
            resident: 1024 * number(&status, "VmRSS:")?,
            virtual_memory: 1024 * number(&status, "VmSize:")?,
            cpu: (field(14)? + field(15)?) / TICKS,
            // The time of the start-up changes with the clock, as a Pi's does when it hears what time it is.
            started: number(&boot, "btime")? as f64 + field(22)? / TICKS,
            open_files: fs::read_dir("/proc/self/fd").ok()?.count() as i64,
            most_files: number(&limits, "Max open files").unwrap_or(i64::MAX),
            threads: number(&status, "Threads:")?,
        })
    }
}

/// The number behind a name at the beginning of a line.
fn number(text: &str, name: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_system_says_what_the_process_uses() {
        let usage = Usage::read().unwrap();
        assert!(usage.resident > 100_000 && usage.virtual_memory >= usage.resident);
        assert!(usage.cpu < 3600.0 && usage.started > 1.7e9, "{} {}", usage.cpu, usage.started);
        assert!(usage.open_files >= 3 && usage.threads >= 1 && usage.most_files > 3);
    }
}
