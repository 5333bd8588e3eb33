//! A program that runs beside the test.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, anyhow};

use super::failed_to_start;
use crate::notice;
use crate::patience::{Watched, eventually};

/// A running program with everything that it printed. Killed when dropped.
pub struct Program {
    name: String,
    child: Child,
    printed: Arc<Watched<Printed>>,
}

#[derive(Debug, Default)]
struct Printed {
    /// Of both streams, in the order of arrival.
    lines: Vec<String>,
    /// How many of the two streams are still open.
    streams: usize,
}

impl Program {
    /// Starts a program and keeps what it prints to standard output and standard error. It gets no input.
    pub fn start(mut command: Command) -> Result<Self> {
        let name = Path::new(command.get_program())
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| failed_to_start(&name))?;
        let printed = Arc::new(Watched::new(Printed { lines: Vec::new(), streams: 2 }));
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let program = Self { name, child, printed };
        program.watch(stdout.context("a program without an output")?)?;
        program.watch(stderr.context("a program without an error output")?)?;
        Ok(program)
    }

    fn watch(&self, stream: impl Read + Send + 'static) -> Result<()> {
        let printed = Arc::clone(&self.printed);
        let watcher = thread::Builder::new().name(format!("output of {}", self.name));
        watcher.spawn(move || {
            let mut lines = BufReader::new(stream).split(b'\n');
            while let Some(Ok(line)) = lines.next() {
                let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
                printed.change(|printed| printed.lines.push(line));
            }
            printed.change(|printed| printed.streams -= 1);
        })?;
        Ok(())
    }

    /// Everything printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.printed.read().lines.clone()
    }

    /// Waits for a line; those that came before count too. An early end of the program is an error at once.
    pub fn wait_for_line(&self, is_it: impl Fn(&str) -> bool) -> Result<String> {
        self.wait_for_line_after(0, is_it)
    }

    /// Waits for a line after the first so many, for what a program prints more than once.
    pub fn wait_for_line_after(&self, seen: usize, is_it: impl Fn(&str) -> bool) -> Result<String> {
        let mut seen = seen;
        let find = |printed: &Printed| {
            let lines = printed.lines.get(seen..).unwrap_or_default();
            let line = lines.iter().find(|line| is_it(line)).cloned();
            seen += lines.len();
            let ended = || anyhow!("{} has ended:\n{}", self.name, printed.tail());
            line.map(Ok).or_else(|| (printed.streams == 0).then(|| Err(ended())))
        };
        self.printed.wait(format!("a line of {}", self.name), find, Printed::tail)?
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until the program has ended of its own.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        eventually(format!("the end of {}", self.name), || {
            self.child.try_wait().transpose().map(|status| status.context("failed to wait"))
        })?
    }

    /// Asks the program to end, as a supervisor does, and waits until it has.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::Term)?;
        self.wait().with_context(|| {
            format!("{} was asked to end:\n{}", self.name, self.printed.read().tail())
        })
    }

    /// Ends the program without its knowledge, as a power cut does.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        self.child.kill().with_context(|| format!("failed to kill {}", self.name))?;
        Ok(self.child.wait()?)
    }

    /// Sends a signal. An ended program is an error.
    #[cfg(unix)]
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        anyhow::ensure!(
            self.is_running(),
            "{} has ended already:\n{}",
            self.name,
            self.printed.read().tail()
        );
        let process = rustix::process::Pid::from_child(&self.child);
        let number = match signal {
            Signal::Term => rustix::process::Signal::TERM,
            Signal::Hup => rustix::process::Signal::HUP,
            Signal::Int => rustix::process::Signal::INT,
            Signal::Stop => rustix::process::Signal::STOP,
            Signal::Continue => rustix::process::Signal::CONT,
        };
        Ok(rustix::process::kill_process(process, number)?)
    }

    /// There are no signals here; only `kill` works.
    #[cfg(not(unix))]
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        anyhow::bail!("{signal:?} cannot be sent to {} on this system", self.name)
    }
}

/// The signals that tests send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Term,
    Hup,
    Int,
    /// The program stands still, as on a machine that is out of breath, until `Continue`.
    Stop,
    Continue,
}

impl Drop for Program {
    fn drop(&mut self) {
        // The program may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            notice::show(format!("output of {}", self.name), self.printed.read().tail());
        }
    }
}

impl Printed {
    /// What a person needs to see of it; some programs print very long lines.
    fn tail(&self) -> String {
        let last = self.lines.iter().skip(self.lines.len().saturating_sub(40));
        let clipped = last.map(|line| line.chars().take(300).collect());
        clipped.collect::<Vec<String>>().join("\n")
    }
}
