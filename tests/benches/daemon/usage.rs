//! What a process has used, as Linux says: processor time, memory, wake-ups.

use std::fs;

use anyhow::{Context, Result};

/// Processor time of all threads, in milliseconds. Threads that have ended are not in it; those of the programs here live on.
pub(crate) fn cpu_ms(process: u32) -> Result<f64> {
    let mut nanoseconds = 0;
    for thread in threads(process)? {
        let text = fs::read_to_string(format!("{thread}/schedstat"))?;
        let first = text.split(' ').next().unwrap_or_default();
        nanoseconds += first.parse::<u64>().context("schedstat has no number")?;
    }
    Ok(nanoseconds as f64 / 1e6)
}

/// The same with that of threads that have ended, in steps of 10 milliseconds.
pub(crate) fn cpu_ms_of_all(process: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // Behind the name, which may have blanks in it: utime and stime are the 12th and the 13th.
    let rest = text.rsplit_once(')').context("stat has no name")?.1;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: Vec<u64> = ticks.collect::<Result<_, _>>().context("stat has no number")?;
    Ok(ticks.iter().sum::<u64>() as f64 * 10.0)
}

/// How often a thread of the process was put on a processor again: voluntary and other switches together.
pub(crate) fn wake_ups(process: u32) -> Result<u64> {
    let mut switches = 0;
    for thread in threads(process)? {
        let status = fs::read_to_string(format!("{thread}/status"))?;
        switches += field(&status, "voluntary_ctxt_switches:")?;
        switches += field(&status, "nonvoluntary_ctxt_switches:")?;
    }
    Ok(switches)
}

/// Megabytes in memory.
pub(crate) struct Memory {
    pub(crate) resident: f64,
    /// Pages that are shared with others count as a share.
    pub(crate) proportional: f64,
    /// The most that was ever resident.
    pub(crate) peak: f64,
}

pub(crate) fn memory(process: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let megabytes =
        |text: &str, name: &str| Ok::<_, anyhow::Error>(field(text, name)? as f64 * 1024.0 / 1e6);
    Ok(Memory {
        resident: megabytes(&status, "VmRSS:")?,
        proportional: megabytes(&rollup, "Pss:")?,
        peak: megabytes(&status, "VmHWM:")?,
    })
}

fn threads(process: u32) -> Result<Vec<String>> {
    let folder = format!("/proc/{process}/task");
    let entries = fs::read_dir(&folder).with_context(|| format!("{folder} cannot be read"))?;
    entries.map(|entry| Ok(entry?.path().to_string_lossy().into_owned())).collect()
}

fn field(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).with_context(|| format!("there is no {name}"))
}
