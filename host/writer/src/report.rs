//! The only place that writes to the terminal: reports for people on stderr, written texts on stdout (`--print`).

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use tokio::sync::Notify;

use crate::text;

/// Told when nobody can read any more what is written here.
static UNREAD: Notify = Notify::const_new();

/// Reports one line on stderr. Topics and errors may carry text from the network, so control characters are removed:
/// nobody on the broker can send escape sequences to the streamer's terminal.
pub(crate) fn say(report: impl Display) {
    let line = text::one_line(&report.to_string());
    note(writeln!(io::stderr().lock(), "heat-writer: {line}"));
}

/// Reports a mistake in the settings, which may take several lines.
pub(crate) fn mistake(report: impl Display) {
    note(writeln!(io::stderr().lock(), "heat-writer: {report}"));
}

/// Prints a text that was written to a file.
pub(crate) fn print(text: &str) {
    note(writeln!(io::stdout().lock(), "{text}"));
}

/// Completes when what is written here leads nowhere: the reader has closed the pipe, or the terminal is gone. A program that
/// goes on after that is found days later.
pub(crate) async fn unread() {
    UNREAD.notified().await;
}

/// Other failures, such as a full disk behind stderr, are no reason to stop.
fn note(written: io::Result<()>) {
    if written.is_err_and(|error| is_gone(&error)) {
        UNREAD.notify_one();
    }
}

fn is_gone(error: &io::Error) -> bool {
    /// EIO, on Unix: a terminal that is gone.
    const INPUT_OUTPUT: i32 = 5;
    error.kind() == ErrorKind::BrokenPipe
        || cfg!(unix) && error.raw_os_error() == Some(INPUT_OUTPUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_and_a_dead_terminal_are_told_from_a_full_disk() {
        assert!(is_gone(&io::Error::from(ErrorKind::BrokenPipe)));
        assert!(!is_gone(&io::Error::from(ErrorKind::StorageFull)));
        assert_eq!(is_gone(&io::Error::from_raw_os_error(5)), cfg!(unix));
    }
}
