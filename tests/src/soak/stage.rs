//! The programs of a soak: a scripted chat server, mosquitto, heatd, heat-writer, and a folder on the disk.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::Options;
use super::load::{Sent, channel};
use crate::mosquitto::{self, Mosquitto, Persistence};
use crate::patience::eventually;
use crate::processes::{Program, free_port};
use crate::prometheus::{Page, get};
use crate::twitch::Server;

/// The topic whose messages are faves in every channel.
pub(super) const TOPIC: &str = "soak/fave";

pub(super) struct Stage {
    pub(super) chat: Server,
    heatd: Program,
    writer: Program,
    /// Restarted while others look at heatd.
    pub(super) broker: Mutex<Mosquitto>,
    pub(super) channels: usize,
    http: u16,
    token: String,
    /// The last field, so that the programs are gone before their folder.
    folder: TempDir,
}

/// What heatd has counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    pub lines: u64,
    pub faves: u64,
    pub duplicates: u64,
    /// Calls of rules that failed.
    pub failures: u64,
    pub commits: u64,
    /// Bytes that heatd says it has written to its store.
    pub written: u64,
    pub syncs: u64,
}

impl Stage {
    /// Returns when heatd is in every channel and at the broker. Twitch lets nobody join more than 20 channels in ten seconds.
    pub(super) fn new(options: &Options) -> Result<Self> {
        let chat = Server::start()?;
        // What arrives while heatd is away is kept over a restart.
        let broker = mosquitto::Options::default().persistence(Persistence::OnExit);
        let broker = Mosquitto::start_with(broker)?;
        let (http, folder) = (free_port()?, tempfile::tempdir_in(&options.scratch)?);
        let port = broker.port();
        let configuration = configuration(options, &chat, http, port);
        let file = folder.path().join("heatd.toml");
        fs::write(&file, configuration)?;
        let mut heatd = Command::new(&options.heatd);
        heatd.arg("run").arg("--config").arg(file).current_dir(folder.path());
        heatd.env_remove("RUST_LOG");
        let heatd = Program::start(heatd)?;
        let mut writer = Command::new(&options.writer);
        writer.args(["--broker", &format!("127.0.0.1:{port}"), "--every", "0s"]);
        writer.args(["--text", "{value}", "--topic", &format!("heat/v1/{}/heat", channel(0))]);
        writer.arg("--file").arg(folder.path().join("heat.txt"));
        let writer = Program::start(writer)?;
        for number in 0..options.channels {
            chat.wait_joined(&channel(number))?;
        }
        eventually("heatd to be ready", || match get(http, "/readyz", "*/*") {
            Ok((200, _, _)) => Ok(()),
            Ok((_, _, reasons)) => Err(reasons),
            Err(error) => Err(error.to_string()),
        })?;
        let token = fs::read_to_string(folder.path().join("heat-data/api.token"))?;
        let (broker, token) = (Mutex::new(broker), token.trim().to_owned());
        let channels = options.channels;
        Ok(Self { chat, heatd, writer, broker, channels, http, token, folder })
    }

    pub(super) fn heatd(&self) -> u32 {
        self.heatd.id()
    }

    pub(super) fn store(&self) -> PathBuf {
        self.folder.path().join("heat-data/heat.redb")
    }

    fn page(&self) -> Result<Page> {
        Page::fetch(self.http)
    }

    /// How far it is, for the person who waits.
    pub(super) fn progress(&self, after: Duration) -> Result<String> {
        let page = self.page()?;
        let figure = |name: &str| page.figure(name).unwrap_or_default();
        Ok(format!(
            "{:.1} min: {} lines and {} faves counted, {:.1} MB resident",
            after.as_secs_f64() / 60.0,
            figure("heatd_chat_lines_total"),
            figure("heatd_faves_total"),
            figure("process_resident_memory_bytes") / 1e6,
        ))
    }

    /// Changes a setting of a slot, and says whether it was done.
    pub(super) fn set(&self, channel: &str, slot: &str, set: &str) -> Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http))?;
        let (token, length) = (&self.token, set.len());
        write!(
            stream,
            "POST /api/v1/channels/{channel}/rules/{slot}/settings HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{set}"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.lines().last().is_some_and(|line| line.contains("\"message\"")))
    }

    /// Waits until as much is counted as was sent, or until nothing more is counted, and says what was.
    pub(super) fn counted(&self, sent: &Sent, messages: u64) -> Result<Counted> {
        let faves = sent.faves + messages * self.channels as u64;
        let all = eventually("everything to be counted", || {
            let page = self.page().map_err(|error| error.to_string())?;
            let figure = |name: &str| page.figure(name).unwrap_or_default() as u64;
            let (lines, counted) = (figure("heatd_chat_lines_total"), figure("heatd_faves_total"));
            if lines >= sent.lines && counted >= faves && figure("heatd_queue_events") == 0 {
                Ok(())
            } else {
                Err(format!("{lines} of {} lines, {counted} of {faves} faves", sent.lines))
            }
        });
        // What is missing is the report's to tell.
        drop(all);
        let page = self.page()?;
        // An older heatd, which a soak may be held against, does not have them all.
        let figure = |name: &str| page.figure(name).unwrap_or_default() as u64;
        Ok(Counted {
            lines: figure("heatd_chat_lines_total"),
            faves: figure("heatd_faves_total"),
            duplicates: figure("heatd_duplicate_events_total"),
            failures: figure("heatd_rule_failures_total"),
            commits: figure("heatd_commit_duration_seconds_count"),
            written: figure("heatd_store_written_bytes_total"),
            syncs: figure("heatd_store_fsyncs_total"),
        })
    }

    /// Waits until the file has this number, and says what it has.
    pub(super) fn text(&self, number: u64) -> Result<(u64, String)> {
        let file = self.folder.path().join("heat.txt");
        let read = |file: &Path| fs::read_to_string(file).unwrap_or_default();
        let found = eventually("the number in the file", || read(&file) == number.to_string());
        drop(found);
        Ok((number, read(&file)))
    }

    /// Ends the programs kindly; an error when one of them does not end so.
    pub(super) fn stop(self) -> Result<Duration> {
        let Self { mut heatd, mut writer, chat, broker, folder, .. } = self;
        let start = std::time::Instant::now();
        let status = heatd.terminate()?;
        ensure!(status.success(), "heatd ended with {status}:\n{}", heatd.lines().join("\n"));
        let took = start.elapsed();
        ensure!(writer.terminate()?.success(), "heat-writer ended with an error");
        drop((chat, broker.into_inner().unwrap_or_else(PoisonError::into_inner)));
        folder.close().context("failed to remove the folder of the soak")?;
        Ok(took)
    }
}

fn configuration(options: &Options, chat: &Server, http: u16, mqtt: u16) -> String {
    let channels: Vec<String> = (0..options.channels).map(channel).collect();
    let rule = |name: &String| {
        let settings = match name.as_str() {
            "fave" => format!("settings.topics = [{TOPIC:?}]\nsettings.bots = []\n"),
            "decay" => format!("settings.half_life = {:?}\n", options.half_life),
            _ => String::new(),
        };
        let file = options.rules.join(format!("{name}.wasm"));
        format!("[[rule]]\nfile = {file:?}\n{settings}")
    };
    let gather = match options.gather.as_str() {
        "" => String::new(),
        gather => format!("gather = {gather:?}\n"),
    };
    let rules: String = options.chain.iter().map(rule).collect();
    format!(
        "log = \"warn\"\nflush = \"{}\"\n{gather}[twitch]\nchannels = {channels:?}\nserver = \"{}\"\ntls = false\n\
         [emotes]\nproviders = []\n[http]\nlisten = \"127.0.0.1:{http}\"\n[mqtt.broker]\nhost = \"127.0.0.1\"\nport = {mqtt}\n{rules}",
        options.flush,
        chat.addr(),
    )
}
