//! A terminal without a window (tmux), in which a program runs: its keys, its size, and what is seen.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::patience::eventually;

/// What a program in it must not hear of.
const FOREIGN: [&str; 5] = ["HEAT_URL", "HEAT_TOKEN_FILE", "HEAT_DATA", "NO_COLOR", "TMUX"];

/// A terminal. It and its program are gone when this is dropped.
pub struct Terminal {
    socket: String,
}

impl Terminal {
    /// Runs a program in a terminal of so many columns and rows. No two at one time may have the same name.
    pub fn start(
        name: &str,
        (width, height): (u16, u16),
        folder: &Path,
        program: &[&str],
    ) -> Result<Self> {
        let terminal = Self { socket: format!("heat-{name}-{width}x{height}") };
        let (width, height) = (width.to_string(), height.to_string());
        let mut tmux = terminal.tmux();
        tmux.args(["-f", "/dev/null", "new-session", "-d", "-x", &width, "-y", &height]);
        tmux.args(["env", "COLORTERM=truecolor"]).args(program).current_dir(folder);
        for name in FOREIGN {
            tmux.env_remove(name);
        }
        ensure!(tmux.status()?.success(), "tmux does not start");
        Ok(terminal)
    }

    fn tmux(&self) -> Command {
        let mut tmux = Command::new("tmux");
        // Letters beyond ASCII, whatever this machine speaks.
        tmux.args(["-u", "-L", &self.socket]).env("LC_ALL", "C.UTF-8").stderr(Stdio::null());
        tmux
    }

    /// Keys as tmux names them: `Enter`, `C-u`, or letters.
    pub fn press(&self, keys: &[&str]) -> Result<()> {
        ensure!(self.tmux().arg("send-keys").args(keys).status()?.success(), "no terminal");
        Ok(())
    }

    pub fn resize(&self, width: u16, height: u16) -> Result<()> {
        let (width, height) = (width.to_string(), height.to_string());
        let size = ["resize-window", "-x", &width, "-y", &height];
        ensure!(self.tmux().args(size).status()?.success(), "no terminal");
        Ok(())
    }

    /// The id of the program's process.
    pub fn process(&self) -> Result<u32> {
        let output = self.tmux().args(["list-panes", "-F", "#{pane_pid}"]).output()?;
        String::from_utf8(output.stdout)?.trim().parse().context("the terminal has no program")
    }

    /// What is seen, without spaces at the ends of rows.
    pub fn seen(&self) -> Result<String> {
        let output = self.tmux().args(["capture-pane", "-p"]).output()?;
        ensure!(output.status.success(), "the terminal is gone");
        let text = String::from_utf8(output.stdout)?;
        Ok(text.lines().map(|line| format!("{}\n", line.trim_end())).collect())
    }

    /// Waits until something is seen.
    pub fn wait_for(&self, what: &str) -> Result<String> {
        eventually(what, || {
            let seen = self.seen().map_err(|error| format!("{error:#}"))?;
            if seen.contains(what) { Ok(seen) } else { Err(seen) }
        })
    }

    /// Presses Escape, and waits until what it closes is gone: a key right behind it would be one with Alt.
    pub fn escape(&self, closed: &str) -> Result<()> {
        self.press(&["Escape"])?;
        eventually(format!("{closed:?} to be gone"), || {
            let seen = self.seen().map_err(|error| format!("{error:#}"))?;
            if seen.contains(closed) { Err(seen) } else { Ok(()) }
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.tmux().arg("kill-server").status();
    }
}
