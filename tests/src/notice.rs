//! What a person must see even when every test passes.
//!
//! The test runner swallows what a passing test prints with macros, so this writes to the standard error itself.

use std::fmt::Display;
use std::io::Write;

/// Says loudly that something was not run, and what is missing for it.
pub fn not_run(what: impl Display, missing: impl Display) {
    say(format!("\n!!! NOT RUN: {what}\n!!! because {missing}\n"));
}

/// Shows a longer text under a title, such as the output of a program that a failed test had started.
pub fn show(title: impl Display, text: impl Display) {
    say(format!("\n--- {title} ---\n{text}\n--- end of {title} ---\n"));
}

/// A closed standard error leaves nobody to tell, so a failure to write is no failure.
fn say(text: String) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
