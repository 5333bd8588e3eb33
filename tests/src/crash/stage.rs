//! The programs around heatd, and heatd with the data of the one before.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::mosquitto::Mosquitto;
use crate::patience::eventually;
use crate::processes::{Program, binaries, free_port};
use crate::twitch::Server;

/// The topic of the faves.
pub(super) const FAVES: &str = "deck/fave";

/// What is shown: the number of faves, since the heat never falls.
pub(super) const HEAT: &str = "heat/v1/seaside/heat";

pub(super) struct Stage {
    pub(super) broker: Mosquitto,
    /// Twitch has to be there; it says nothing.
    _chat: Server,
    /// The last field, so that the programs are gone before their folder.
    folder: TempDir,
}

impl Stage {
    pub(super) fn new() -> Result<Self> {
        let (broker, chat, folder) = (Mosquitto::start()?, Server::start()?, tempfile::tempdir()?);
        let heatd = binaries()?.heatd;
        let target = heatd.ancestors().nth(2).context("heatd is not in a target folder")?;
        let rule = |name: &str| target.join("rules").join(format!("{name}.wasm"));
        let configuration = format!(
            "log = \"info,heatd=debug\"\n[twitch]\nchannels = [\"seaside\"]\nserver = \"{}\"\ntls = false\n\
             [emotes]\nproviders = []\n[http]\nlisten = \"127.0.0.1:{}\"\n[mqtt.broker]\nhost = \"127.0.0.1\"\nport = {}\n\
             [[rule]]\nfile = {:?}\nsettings.topics = [{FAVES:?}]\n\
             [[rule]]\nfile = {:?}\nsettings.half_life = \"0s\"\n",
            chat.addr(),
            free_port()?,
            broker.port(),
            rule("fave"),
            rule("decay"),
        );
        std::fs::write(folder.path().join("heatd.toml"), configuration)?;
        Ok(Self { broker, _chat: chat, folder })
    }

    pub(super) fn heatd(&self) -> Result<Program> {
        let mut command = Command::new(binaries()?.heatd);
        command.args(["run", "--config", "heatd.toml"]).current_dir(self.folder.path());
        command.env_remove("RUST_LOG");
        Program::start(command)
    }

    pub(super) fn writer(&self) -> Result<Program> {
        let mut command = Command::new(binaries()?.writer);
        let broker = format!("127.0.0.1:{}", self.broker.port());
        command.args(["--broker", &broker, "--every", "0s", "--file"]).arg(self.text());
        Program::start(command)
    }

    fn text(&self) -> PathBuf {
        self.folder.path().join("heat.txt")
    }

    pub(super) fn wait_for_text(&self, text: &str) -> Result<()> {
        let file = self.text();
        eventually(format!("{text:?} in {}", file.display()), || {
            match std::fs::read_to_string(&file) {
                Ok(found) if found == text => Ok(()),
                Ok(found) => Err(format!("{found:?}")),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    /// What the broker keeps for subscribers that come late.
    pub(super) fn retained(&self) -> Result<u64> {
        let value = super::watch::first(self.broker.port())?;
        value.parse().context("the retained output is no number")
    }

    pub(super) fn store(&self) -> PathBuf {
        self.folder.path().join("heat-data/heat.redb")
    }
}
