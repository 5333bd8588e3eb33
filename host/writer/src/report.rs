//! The only place that writes to the terminal: reports for people on stderr, written texts on stdout (`--print`).
//! A closed terminal is no reason to stop, so failures to write are ignored.

use std::fmt::Display;
use std::io::{self, Write};

use crate::text;

/// Reports one line on stderr. Topics and errors may carry text from the network, so control characters are removed:
/// nobody on the broker can send escape sequences to the streamer's terminal.
pub(crate) fn say(report: impl Display) {
    let line = text::one_line(&report.to_string());
    let _ = writeln!(io::stderr().lock(), "heat-writer: {line}");
}

/// Reports a mistake in the settings, which may take several lines.
pub(crate) fn mistake(report: impl Display) {
    let _ = writeln!(io::stderr().lock(), "heat-writer: {report}");
}

/// Prints a text that was written to a file.
pub(crate) fn print(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}
