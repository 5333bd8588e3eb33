//! What heatd says to the person at the terminal, and where its log goes.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// The exit code for a configuration that cannot be used (EX_USAGE of sysexits.h).
pub(crate) const BAD_CONFIGURATION: u8 = 64;

/// How log lines look.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Starts the log on standard error. For once in a process.
pub(crate) fn start_log(directives: &str, format: LogFormat) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => {
            let terminal = io::IsTerminal::is_terminal(&io::stderr());
            log.with_ansi(terminal).with_target(false).init();
        }
        LogFormat::Json => log.json().init(),
    }
}

/// Says why nothing runs, and is the exit code.
pub(crate) fn fail(words: &str, code: ExitCode) -> ExitCode {
    say(words);
    code
}

/// Says something to the person at the terminal. Where nobody listens any more, that is no failure: `eprint!` would panic.
pub(crate) fn say(words: &str) {
    let _ = io::stderr().lock().write_all(words.as_bytes());
}

/// Says what is wrong with what was asked for.
pub(crate) fn refuse(mistakes: &str) -> ExitCode {
    fail(mistakes, ExitCode::from(BAD_CONFIGURATION))
}

/// Prints the answer of a command. Whoever reads it may have read enough, as `head` does.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Some(error) = written.err().filter(|error| error.kind() != ErrorKind::BrokenPipe) {
        say(&format!("failed to print the answer: {error}\n"));
    }
}
