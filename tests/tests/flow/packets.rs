//! The embedded broker and the packet suite of mosquitto, where it is there: 1,483 sequences of raw packets, right ones and wrong ones.
//!
//! What the broker does otherwise stands in `known-misses.txt`; a sequence that goes wrong without standing there fails the test, and so does one
//! that stands there and goes right.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use heat_tests::mqtt::{packet, read_packet, text};
use heat_tests::notice;
use serde_json::Value;

use crate::town::{Broker, Town};

const KNOWN: &str = include_str!("packets/known-misses.txt");

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection that has to end is watched. A miss costs as much.
const END: Duration = Duration::from_millis(1500);

/// The folder of the suite.
fn suite() -> Option<PathBuf> {
    let folder = std::env::var_os("HEAT_RECORDINGS").filter(|folder| !folder.is_empty());
    let folder = folder.map(|it| Path::new(&it).join("conformance").join("mosquitto"));
    let folder = folder.filter(|it| it.is_dir());
    if folder.is_none() {
        let why = "HEAT_RECORDINGS does not name a folder with conformance/mosquitto";
        notice::not_run("the packet suite against the embedded broker", why);
    }
    folder
}

#[test]
fn the_embedded_broker_answers_the_packet_suite_as_noted() -> Result<()> {
    let Some(folder) = suite() else { return Ok(()) };
    let town = Town::new()?;
    let head = town.head(&["seaside"], &Broker::Embedded(town.mqtt));
    let heatd = town.heatd(&format!("{head}{}", Town::rules("LUL")?))?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|it| it == "json"));
    files.sort();
    let (mut all, mut misses) = (0, BTreeSet::new());
    for file in files {
        let groups: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
        for group in groups.as_array().context("a file is a list of groups")? {
            for test in group["tests"].as_array().context("a group has tests")? {
                let sequence = Sequence::read(group, test)?;
                all += 1;
                if sequence.play(town.mqtt).is_err() {
                    misses.insert(sequence.name);
                }
            }
        }
    }
    ensure!(all > 1_400, "only {all} sequences");
    let known: BTreeSet<String> =
        KNOWN.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let new: Vec<_> = misses.difference(&known).collect();
    let gone: Vec<_> = known.difference(&misses).collect();
    ensure!(
        new.is_empty() && gone.is_empty(),
        "misses that are new: {new:#?}; no misses: {gone:#?}"
    );
    // The connection of heatd itself was in nobody's way.
    ensure!(town.figure("heatd_mqtt_connections_opened_total")? == 1);
    Ok(())
}

/// One test of the suite.
struct Sequence {
    name: String,
    version: u8,
    connects: bool,
    ends: bool,
    steps: Vec<Step>,
}

enum Step {
    Send(Vec<u8>),
    Receive(Vec<u8>),
    /// Somebody else publishes this.
    Other(Vec<u8>, u64),
}

impl Sequence {
    fn read(group: &Value, test: &Value) -> Result<Self> {
        let setting = |name: &str| test.get(name).or_else(|| group.get(name));
        let yes = |name: &str| setting(name).and_then(Value::as_bool).unwrap_or(true);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let version = setting("ver").and_then(Value::as_u64).unwrap_or(4);
        let mut steps = Vec::new();
        for step in test["msgs"].as_array().context("a test has steps")? {
            let payload = word(&step["payload"]);
            steps.push(match step["type"].as_str() {
                Some("send") => Step::Send(bytes(&payload)?),
                Some("recv") => Step::Receive(bytes(&payload)?),
                Some("publish") => {
                    let qos = step["qos"].as_u64().unwrap_or_default();
                    let id: &[u8] = if qos > 0 { &[0, 1] } else { &[] };
                    let body = [&text(&word(&step["topic"]))[..], id, payload.as_bytes()].concat();
                    Step::Other(packet(0x30 | (qos as u8) << 1, &body), qos)
                }
                other => bail!("there is no step {other:?}"),
            });
        }
        Ok(Self {
            name: format!("{} / {}", word(&group["group"]).trim(), word(&test["name"]).trim()),
            version: u8::try_from(version)?,
            connects: yes("connect"),
            ends: yes("expect_disconnect"),
            steps,
        })
    }

    fn play(&self, port: u16) -> Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        if self.connects {
            log_in(&mut stream, &self.name, self.version)?;
        }
        for step in &self.steps {
            match step {
                Step::Send(bytes) => stream.write_all(bytes)?,
                Step::Other(publish, qos) => other(port, publish, *qos)?,
                Step::Receive(wanted) => {
                    let (kind, body) = read_packet(&mut stream)?;
                    let found = packet(kind, &body);
                    // Which properties a broker tells of itself is its own affair.
                    let is_right = match kind {
                        0x20 => wanted[0] == 0x20 && body.get(..2) == wanted.get(2..4),
                        _ => found == *wanted,
                    };
                    ensure!(is_right, "{found:02x?} instead of {wanted:02x?}");
                }
            }
        }
        if self.ends { has_ended(&mut stream) } else { is_there(&mut stream) }
    }
}

/// Bytes in hexadecimal, with spaces where it pleases.
fn bytes(text: &str) -> Result<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?);
    digits.chunks(2).map(byte).collect()
}

fn log_in(stream: &mut TcpStream, name: &str, version: u8) -> Result<()> {
    let properties: &[u8] = if version == 5 { &[0] } else { &[] };
    // The longest names are too long for an id.
    let id: String = name.chars().take(100).collect();
    let protocol = if version == 3 { "MQIsdp" } else { "MQTT" };
    let head = [&text(protocol)[..], &[version, 2, 0, 60], properties].concat();
    stream.write_all(&packet(0x10, &[head, text(&id)].concat()))?;
    let (kind, body) = read_packet(stream)?;
    ensure!(kind == 0x20 && body[1] == 0, "not let in");
    Ok(())
}

/// Publishes by another connection, to the end.
fn other(port: u16, publish: &[u8], qos: u64) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    log_in(&mut stream, "helper", 4)?;
    stream.write_all(publish)?;
    if qos > 0 {
        read_packet(&mut stream)?;
    }
    if qos > 1 {
        stream.write_all(&packet(0x62, &[0, 1]))?;
        read_packet(&mut stream)?;
    }
    Ok(())
}

fn has_ended(stream: &mut TcpStream) -> Result<()> {
    stream.set_read_timeout(Some(END))?;
    match stream.read(&mut [0]) {
        Ok(0) => Ok(()),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(()),
        other => bail!("still connected: {other:?}"),
    }
}

fn is_there(stream: &mut TcpStream) -> Result<()> {
    stream.write_all(&packet(0xC0, &[]))?;
    let (kind, _) = read_packet(stream)?;
    ensure!(kind == 0xD0, "{kind:02x} instead of an answer to a ping");
    Ok(())
}
