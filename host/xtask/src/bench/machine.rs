//! The machine that was measured on, in words.

use std::process::Command;

use crate::shell::output;

/// Processor, cores, kernel, toolchain, date. Nothing that names the machine or its owner.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, |cores| cores.get());
    let first = |program: &str, argument: &str| {
        output(Command::new(program).arg(argument)).map(|text| text.trim().to_owned())
    };
    let kernel = first("uname", "-sr").unwrap_or_else(|| "an unknown kernel".to_owned());
    let kernel: Vec<&str> = kernel.split('-').take(1).collect();
    let rust = first("rustc", "--version").unwrap_or_default();
    let rust: Vec<&str> = rust.split(' ').take(2).collect();
    let date = first("date", "+%Y-%m-%d").unwrap_or_default();
    let (processor, memory) = (processor(), memory());
    format!(
        "{processor}, {cores} cores, {memory} GB, {}, {}, {date}",
        kernel.join(" "),
        rust.join(" ")
    )
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.map_or(0, |kilobytes| (kilobytes + 500_000) / 1_000_000)
}
