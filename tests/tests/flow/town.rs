//! A town: a scripted chat server, a folder, and the programs under test in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, binaries, binary, free_port};
use heat_tests::prometheus::{self, Page};
use heat_tests::twitch::Server;
use tempfile::TempDir;

/// A component as `cargo xtask rules` built it.
pub(crate) fn component(folder: &str, name: &str) -> Result<PathBuf> {
    let build = binary("heatd")?;
    let target = build.ancestors().nth(2).context("heatd is not in a target folder")?;
    Ok(target.join(folder).join(format!("{name}.wasm")))
}

/// Where heatd finds a broker.
pub(crate) enum Broker {
    /// Its own one, on this port.
    Embedded(u16),
    /// One that the test has started.
    At(u16),
}

pub(crate) struct Town {
    pub(crate) folder: TempDir,
    pub(crate) chat: Server,
    pub(crate) http: u16,
    pub(crate) mqtt: u16,
}

impl Town {
    pub(crate) fn new() -> Result<Self> {
        let (folder, chat) = (tempfile::tempdir()?, Server::start()?);
        Ok(Self { folder, chat, http: free_port()?, mqtt: free_port()? })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Everything but the rules: chat without TLS, and the broker.
    pub(crate) fn head(&self, channels: &[&str], broker: &Broker) -> String {
        let channels: Vec<String> = channels.iter().map(|channel| format!("{channel:?}")).collect();
        let mqtt = match broker {
            Broker::Embedded(port) => format!("[mqtt.embedded]\nlisten = \"127.0.0.1:{port}\"\n"),
            Broker::At(port) => format!("[mqtt.broker]\nhost = \"127.0.0.1\"\nport = {port}\n"),
        };
        format!(
            "log = \"info,heatd=debug\"\n[twitch]\nchannels = [{}]\nserver = \"{}\"\ntls = false\nping = \"1s\"\n[emotes]\nproviders = []\n[backup]\nkeep = 0\n[http]\nlisten = \"127.0.0.1:{}\"\n{mqtt}",
            channels.join(", "),
            self.chat.addr(),
            self.http,
        )
    }

    /// The rules `fave`, for a command, a word and a topic, and `decay`, which never falls. Whoever writes counts, as the recordings are
    /// counted: bots and lines of a shared chat too.
    pub(crate) fn rules(word: &str) -> Result<String> {
        let (fave, decay) = (component("rules", "fave")?, component("rules", "decay")?);
        Ok(format!(
            "[[rule]]\nfile = {fave:?}\nsettings.words = [{word:?}]\nsettings.topics = [\"deck/fave\"]\nsettings.shared = true\nsettings.bots = []\n[[rule]]\nfile = {decay:?}\nsettings.half_life = \"0s\"\n"
        ))
    }

    /// Writes the configuration and starts heatd.
    pub(crate) fn heatd(&self, configuration: &str) -> Result<Program> {
        let mut command = self.heatd_command("run", configuration)?;
        command.env_remove("RUST_LOG");
        Program::start(command)
    }

    pub(crate) fn heatd_command(&self, verb: &str, configuration: &str) -> Result<Command> {
        let file = self.path("heatd.toml");
        std::fs::write(&file, configuration)?;
        let mut command = Command::new(binaries()?.heatd);
        command.arg(verb).arg("--config").arg(file).current_dir(self.folder.path());
        Ok(command)
    }

    /// Starts heat-writer for one output, writing without delay.
    pub(crate) fn writer(&self, port: u16, file: &Path, arguments: &[&str]) -> Result<Program> {
        let mut command = Command::new(binaries()?.writer);
        command
            .args(["--broker", &format!("127.0.0.1:{port}"), "--every", "0s", "--file"])
            .arg(file)
            .args(arguments);
        Program::start(command)
    }

    /// Waits until a file has this text.
    pub(crate) fn wait_for_text(&self, file: &Path, text: &str) -> Result<()> {
        eventually(format!("{text:?} in {}", file.display()), || {
            match std::fs::read_to_string(file) {
                Ok(found) if found == text => Ok(()),
                Ok(found) => Err(format!("{found:?}")),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    /// Waits until a channel has been joined so many times.
    pub(crate) fn wait_for_joins(&self, channel: &str, count: usize) -> Result<()> {
        eventually(format!("{count} joins of {channel}"), || {
            let joins = self.chat.joins();
            let found = joins.iter().filter(|join| join.channel == channel).count();
            if found >= count { Ok(()) } else { Err(format!("{found} joins")) }
        })
    }

    /// The body of one of heatd's pages, with its status.
    pub(crate) fn page(&self, path: &str) -> Result<(u16, String)> {
        let (status, _, body) = prometheus::get(self.http, path, "*/*")?;
        Ok((status, body))
    }

    /// The value of a figure on /metrics, added up over the labels that are not named.
    pub(crate) fn figure(&self, selector: &str) -> Result<u64> {
        Ok(Page::fetch(self.http)?.figure(selector)? as u64)
    }

    /// Waits until a figure has this value.
    pub(crate) fn wait_for_figure(&self, name: &str, value: u64) -> Result<()> {
        eventually(format!("{name} to be {value}"), || match self.figure(name) {
            Ok(found) if found == value => Ok(()),
            Ok(found) => Err(found.to_string()),
            Err(error) => Err(error.to_string()),
        })
    }
}
