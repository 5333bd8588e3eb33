//! What a command answers, what it says beside that, and what it asks.

use std::io::{self, BufRead, Write};

use anyhow::Result;
use serde_json::Value;

use super::clean;

/// A line for the person at the terminal, beside what was asked for.
pub(crate) fn note(line: &str) {
    // Where nobody listens, there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{}", clean::text(line));
}

/// The answer of a command. Where nobody reads it any more, that is no failure.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// The answer of a command as JSON, for `--json`.
pub(crate) fn print_json(value: &Value) -> Result<()> {
    print(&format!("{}\n", clean::json(&serde_json::to_string_pretty(value)?)))?;
    Ok(())
}

/// What the person at the terminal types, on one line.
pub(crate) fn answer(question: &str) -> Result<String> {
    let mut out = io::stderr().lock();
    write!(out, "{question}")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// Asks the person at the terminal.
pub(crate) fn agrees(question: &str) -> Result<bool> {
    let mut out = io::stderr().lock();
    write!(out, "{question} [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
