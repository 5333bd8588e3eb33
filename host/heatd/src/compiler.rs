//! Loads components in a process of its own: heatd again, with bounds on memory and time.
//!
//! Whatever a stranger's component does to the compiler, it does there. A process that dies is a refusal with its reason, and heatd goes
//! on. [`child`] is what that process does. Compiled code that is kept needs no process.

pub(crate) mod child;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use heat_engine::{CompileJob, LoadError};
use parking_lot::{Mutex, MutexGuard};
use tracing::info;

use child::{REFUSED, ResourceLimits};

/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// What the process may say of a refusal, in bytes. The rest is cut.
const LONGEST_WORDS: u64 = 4 << 10;

/// Starts the processes that compile, one after another.
pub(crate) struct Compiler {
    /// Large components give way to everything else.
    low_priority: bool,
    /// Held while one compiles: the memory of two would add up.
    one: Mutex<()>,
    /// heatd stops: nothing is waited for.
    stopped: AtomicBool,
}

impl Compiler {
    /// Beside chat, which comes first.
    pub(crate) fn beside_chat() -> Arc<Self> {
        Self::new(true)
    }

    /// Where somebody waits for it at a terminal, and nothing else is going on.
    pub(crate) fn alone() -> Arc<Self> {
        Self::new(false)
    }

    fn new(low_priority: bool) -> Arc<Self> {
        Arc::new(Self { low_priority, one: Mutex::default(), stopped: AtomicBool::default() })
    }

    /// What a sandbox takes to compile with.
    pub(crate) fn for_sandbox(self: &Arc<Self>) -> heat_engine::Compiler {
        let this = Arc::clone(self);
        Box::new(move |job| this.compile(job))
    }

    /// Ends what is being compiled, and whatever would be later.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    fn compile(&self, job: &CompileJob<'_>) -> Result<Vec<u8>, LoadError> {
        let started = Instant::now();
        let _one = self.turn(job, started)?;
        // With nothing in the log it would look as if heatd hung: a large rule takes minutes.
        let bytes = job.component.len();
        info!(bytes, "compiling a rule, which may take minutes; the next start finds it compiled");
        let limits = ResourceLimits::for_bytes(job.component.len());
        let mut child = start(job.memory, &limits, self.low_priority)
            .map_err(|error| failed(format!("it cannot be started: {error}")))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut input), Some(output), Some(errors)) = pipes else {
            return Err(failed("it has no pipes"));
        };
        let component = job.component;
        let (status, code, said) = thread::scope(|scope| {
            // One that ends early says why.
            scope.spawn(move || drop(input.write_all(component)));
            let code = scope.spawn(move || whole(output));
            let said = scope.spawn(move || words(errors));
            let status = self.wait(&mut child, job, started);
            (status, code.join(), said.join())
        });
        let status = status?;
        if !status.success() {
            let said = said.unwrap_or_default();
            return Err(LoadError::Compiler(refusal(status, said.trim(), &limits)));
        }
        match code {
            Ok(Ok(code)) => Ok(code),
            _ => Err(failed("what it has made cannot be read")),
        }
    }

    /// Waits until nobody else compiles.
    fn turn(
        &self,
        job: &CompileJob<'_>,
        started: Instant,
    ) -> Result<MutexGuard<'_, ()>, LoadError> {
        loop {
            if let Some(turn) = self.one.try_lock_for(LOOK) {
                return Ok(turn);
            }
            self.goes_on(job, started)?;
        }
    }

    /// Waits for the end of the process, or ends it when nobody wants it any more.
    fn wait(
        &self,
        child: &mut Child,
        job: &CompileJob<'_>,
        started: Instant,
    ) -> Result<ExitStatus, LoadError> {
        let why = loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => {}
                Err(error) => break failed(error),
            }
            if let Err(why) = self.goes_on(job, started) {
                break why;
            }
            thread::sleep(LOOK);
        };
        // It may have ended meanwhile.
        let _ = child.kill();
        let _ = child.wait();
        Err(why)
    }

    fn goes_on(&self, job: &CompileJob<'_>, started: Instant) -> Result<(), LoadError> {
        let why = if self.stopped.load(Ordering::Acquire) {
            "heatd stops, and the component is not compiled"
        } else if !(job.still_wanted)(started.elapsed()) {
            "who wanted the component is gone, and it is not compiled"
        } else {
            return Ok(());
        };
        Err(LoadError::Compiler(why.to_owned()))
    }
}

/// The process has made nothing, and that is not the component's fault.
fn failed(why: impl std::fmt::Display) -> LoadError {
    LoadError::Compiler(format!("the process that compiles has failed: {why}; try again"))
}

fn start(memory: usize, limits: &ResourceLimits, low_priority: bool) -> io::Result<Child> {
    let mut command = Command::new(this_program()?);
    command.arg("compile").args(limits.arguments()).arg(memory.to_string());
    command.args(low_priority.then_some("--low-priority"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// This very program, also when its file was replaced by an update.
fn this_program() -> io::Result<PathBuf> {
    let itself = Path::new("/proc/self/exe");
    if cfg!(target_os = "linux") && itself.exists() {
        return Ok(itself.to_owned());
    }
    std::env::current_exe()
}

fn whole(mut output: ChildStdout) -> io::Result<Vec<u8>> {
    let mut code = Vec::new();
    output.read_to_end(&mut code)?;
    Ok(code)
}

fn words(mut errors: ChildStderr) -> String {
    let mut said = Vec::new();
    // What cannot be read is not said.
    let _ = errors.by_ref().take(LONGEST_WORDS).read_to_end(&mut said);
    // It must not wait for somebody to read the rest.
    let _ = io::copy(&mut errors, &mut io::sink());
    String::from_utf8_lossy(&said).into_owned()
}

/// Why the process has made nothing: what it says itself, or how it died.
fn refusal(status: ExitStatus, said: &str, limits: &ResourceLimits) -> String {
    let (memory, seconds) = (limits.address_space >> 20, limits.seconds);
    match ExitCause::of(status, said) {
        ExitCause::Refused => said.to_owned(),
        ExitCause::Memory => {
            format!("compiling it takes more than {memory} MiB of memory, or more than there is")
        }
        ExitCause::Time => {
            format!("compiling it takes more than {seconds} seconds of processor time")
        }
        ExitCause::Stack => "compiling it overflows the stack of the compiler".to_owned(),
        ExitCause::Crash => format!("the compiler crashes at it ({status})"),
    }
}

/// How the process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExitCause {
    /// By itself, with words.
    Refused,
    Memory,
    Time,
    Stack,
    Crash,
}

impl ExitCause {
    fn of(status: ExitStatus, said: &str) -> Self {
        // Rust's own words, before it aborts.
        if said.contains("memory allocation of") || said.contains("Cannot allocate memory") {
            return Self::Memory;
        }
        if said.contains("has overflowed its stack") {
            return Self::Stack;
        }
        match (signal(status), status.code()) {
            // SIGKILL: by the kernel, which has no memory left.
            (Some(9), _) => Self::Memory,
            // SIGXCPU.
            (Some(24), _) => Self::Time,
            (None, Some(REFUSED)) if !said.is_empty() => Self::Refused,
            _ => Self::Crash,
        }
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_status: ExitStatus) -> Option<i32> {
    None
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    #[test]
    fn a_process_that_dies_says_why() {
        use std::os::unix::process::ExitStatusExt;

        use super::{ExitStatus, REFUSED, ResourceLimits, refusal};

        let limits = ResourceLimits { address_space: 512 << 20, seconds: 30 };
        let died = |raw, said: &str| refusal(ExitStatus::from_raw(raw), said, &limits);
        let refused = REFUSED << 8;
        assert_eq!(died(refused, "it has 9 legs"), "it has 9 legs");
        assert!(died(6, "memory allocation of 99 bytes failed").contains("more than 512 MiB"));
        assert!(died(9, "").contains("more than 512 MiB"));
        assert!(died(24, "").contains("more than 30 seconds"));
        assert!(died(6, "thread 'x' has overflowed its stack").contains("overflows the stack"));
        assert!(died(11, "").contains("the compiler crashes at it"));
        assert!(died(refused, "").contains("crashes"), "no words are no refusal");
    }
}
