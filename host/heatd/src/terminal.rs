//! What heatd says to the person at the terminal, and where its log goes.

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
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => {
            let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            log.with_ansi(terminal).with_target(false).init();
        }
        LogFormat::Json => log.json().init(),
    }
}

/// Says why nothing runs, and is the exit code.
#[expect(
    clippy::print_stderr,
    reason = "mistakes are for the person at the terminal, before there is a log"
)]
pub(crate) fn fail(words: &str, code: ExitCode) -> ExitCode {
    eprint!("{words}");
    code
}

/// Says what is wrong with what was asked for.
pub(crate) fn refuse(mistakes: &str) -> ExitCode {
    fail(mistakes, ExitCode::from(BAD_CONFIGURATION))
}

/// Prints the answer of a command.
#[expect(clippy::print_stdout, reason = "the answer of a command")]
pub(crate) fn print(text: &str) {
    print!("{text}");
}
