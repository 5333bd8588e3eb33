//! Everything around heatd in one place: a scripted chat server, mosquitto, a folder on the measured disk.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use heat_tests::mosquitto::{Mosquitto, Options};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, binary, free_port};
use heat_tests::prometheus::Page;
use heat_tests::twitch::Server;
use tempfile::TempDir;

use crate::answers::Answers;
use crate::mqtt;
use crate::setup::Setup;

pub(crate) const CHANNEL: &str = "seaside";

/// The topic whose messages are faves.
pub(crate) const FAVES: &str = "bench/fave";

pub(crate) struct Stage<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) chat: Server,
    pub(crate) broker: Mosquitto,
    http: u16,
    /// The last field, so that the programs are gone before their folder.
    folder: TempDir,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(setup: &'a Setup) -> Result<Self> {
        // As many unacknowledged messages as heatd asks for, for all alike, and no loss by a queue that is too short.
        let options = Options::default()
            .extra("max_inflight_messages 512")
            // Nobody shall wait for the acknowledgements of TCP.
            .extra("set_tcp_nodelay true");
        Ok(Self {
            setup,
            chat: Server::start()?,
            broker: Mosquitto::start_with(options)?,
            http: free_port()?,
            folder: tempfile::tempdir_in(&setup.scratch)?,
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The rules of the chain `fave`, `multiplier`, `decay`, as far as they are there; the heat never falls, so that it counts.
    pub(crate) fn chain(&self) -> Result<(String, Vec<&'static str>)> {
        let (mut rules, mut names) = (String::new(), Vec::new());
        for (name, settings) in [
            ("fave", format!("settings.topics = [{FAVES:?}]\n")),
            ("multiplier", String::new()),
            ("decay", "settings.half_life = \"0s\"\n".to_owned()),
        ] {
            match self.setup.rule(name) {
                Some(file) => {
                    rules += &format!("[[rule]]\nfile = {file:?}\n{settings}");
                    names.push(name);
                }
                None => ensure!(name == "multiplier", "the rule {name} is not built"),
            }
        }
        Ok((rules, names))
    }

    /// Writes the configuration, and prepares heatd in the folder, with the store that is there.
    pub(crate) fn heatd_command(&self, channels: &[String], rules: &str) -> Result<Command> {
        self.heatd_command_with(channels, "", rules)
    }

    /// The same with more lines below `[twitch]`.
    pub(crate) fn heatd_command_with(
        &self,
        channels: &[String],
        twitch: &str,
        rules: &str,
    ) -> Result<Command> {
        let file = self.path("heatd.toml");
        let configuration = format!(
            "log = \"info\"\n[backup]\nkeep = 0\n[twitch]\nchannels = {channels:?}\nserver = \"{}\"\ntls = false\n{twitch}[emotes]\nproviders = []\n[http]\nlisten = \"127.0.0.1:{}\"\n[mqtt.broker]\nhost = \"127.0.0.1\"\nport = {}\n{rules}",
            self.chat.addr(),
            self.http,
            self.broker.port(),
        );
        std::fs::write(&file, configuration)?;
        let mut command = Command::new(binary("heatd")?);
        command.arg("run").arg("--config").arg(file).current_dir(self.folder.path());
        Ok(command)
    }

    /// Starts heatd, and returns when it is in every channel and at the broker.
    pub(crate) fn heatd(&self, channels: &[String], rules: &str) -> Result<Program> {
        self.ready(Program::start(self.heatd_command(channels, rules)?)?, channels)
    }

    /// Waits until heatd is in every channel and at the broker.
    pub(crate) fn ready(&self, heatd: Program, channels: &[String]) -> Result<Program> {
        for channel in channels {
            self.chat.wait_joined(channel)?;
        }
        eventually("heatd to be ready", || {
            self.page("/readyz").is_ok_and(|page| page.contains(" 200 "))
        })?;
        Ok(heatd)
    }

    /// Starts the small heat-writer, which writes every value into this file.
    pub(crate) fn writer(&self, name: &str) -> Result<Program> {
        let mut command = Command::new(&self.setup.writer);
        let broker = format!("127.0.0.1:{}", self.broker.port());
        command.args(["--broker", &broker, "--every", "0s", "--text", "{value}", "--file"]);
        command.arg(self.path(name));
        Program::start(command)
    }

    /// The heat as it is shown, which is the number of faves while it does not fall.
    pub(crate) fn heat(&self) -> Result<Answers> {
        self.numbers(&format!("heat/v1/{CHANNEL}/heat"))
    }

    /// The numbers that are published on a topic.
    pub(crate) fn numbers(&self, topic: &str) -> Result<Answers> {
        let answers = Answers::new();
        let counted = answers.clone();
        mqtt::subscribe(self.broker.port(), topic, 1, move |message| {
            let text = std::str::from_utf8(message.payload).unwrap_or_default();
            if let Ok(number) = text.trim().parse() {
                counted.set(number, message.at);
            }
        })?;
        Ok(answers)
    }

    /// The port of heatd's API, and the token of its owner.
    pub(crate) fn api(&self) -> Result<(u16, String)> {
        let token = std::fs::read_to_string(self.path("heat-data/api.token"))?;
        Ok((self.http, token.trim().to_owned()))
    }

    /// A figure of heatd's own page.
    pub(crate) fn figure(&self, name: &str) -> Result<u64> {
        Ok(Page::fetch(self.http)?.figure(name)? as u64)
    }

    /// Waits until a figure has this value.
    pub(crate) fn wait_for_figure(&self, name: &str, value: u64) -> Result<()> {
        eventually(format!("{name} to be {value}"), || match self.figure(name) {
            Ok(found) if found == value => Ok(()),
            Ok(found) => Err(found.to_string()),
            Err(error) => Err(error.to_string()),
        })
    }

    fn page(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

/// The one channel of most parts.
pub(crate) fn seaside() -> Vec<String> {
    vec![CHANNEL.to_owned()]
}
