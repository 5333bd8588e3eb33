//! heatd for ARM64, which is what a Raspberry Pi runs, under qemu beside heatd for this machine: both hear the same chat, and show the same.
//!
//! Rules are compiled where they run, so what is tried here is Cranelift's code for ARM64: counts, numbers, limits.

// On an ARM64 machine every other test tries this already.
#![cfg(not(target_arch = "aarch64"))]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use heat_tests::chat::Generator;
use heat_tests::mosquitto::{Mosquitto, Subscriber};
use heat_tests::patience::eventually;
use heat_tests::processes::{self, Program, binary, free_port};
use heat_tests::twitch::{Pace, Server};
use tempfile::TempDir;

const TARGET: &str = "aarch64-unknown-linux-gnu";
/// Where Debian keeps the libraries for ARM64.
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";

/// What `misbehave` does, but for what takes long: under emulation time would be over before fuel is.
const MISDEEDS: [&str; 6] = ["recurse", "grow", "panic", "error", "flood", "big value"];

/// The folder of everything that is built.
fn target() -> Result<PathBuf> {
    let heatd = binary("heatd")?;
    Ok(heatd.ancestors().nth(2).context("heatd is not in a target folder")?.to_owned())
}

/// A program for ARM64, to be run by qemu. Whatever is missing is an error that says how to get it.
fn emulated(name: &str) -> Result<Command> {
    let program = target()?.join(TARGET).join("debug").join(name);
    ensure!(
        program.is_file(),
        "{name} for ARM64 is not built: no file {}; `cargo xtask test` builds it first",
        program.display()
    );
    ensure!(
        Path::new(LIBRARIES).join("lib/libc.so.6").is_file(),
        "the C library for ARM64 is missing; on Debian: apt-get install libc6-dev-arm64-cross"
    );
    let found = Command::new("qemu-aarch64").arg("-version").output();
    found.context("qemu-aarch64 is missing; on Debian: apt-get install qemu-user")?;
    let mut command = Command::new("qemu-aarch64");
    command.args(["-L", LIBRARIES]).arg(program);
    Ok(command)
}

#[test]
fn rules_decide_the_same_and_need_the_same_fuel_to_the_unit() -> Result<()> {
    let decisions = |mut program: Command| -> Result<String> {
        program.arg(target()?);
        Ok(String::from_utf8(processes::run(program, &[])?.stdout)?)
    };
    let here = decisions(Command::new(binary("examples/decisions")?))?;
    let there = decisions(emulated("examples/decisions")?)?;
    ensure!(here.contains("show heat") && here.contains("units of fuel in its longest"), "{here}");
    ensure!(here.contains("replayed otherwise") && here.contains("replayed 0 decay"), "{here}");
    assert_eq!(here, there);
    Ok(())
}

/// One of the two, in a folder of its own, with a prefix of its own at the broker that they share.
struct Daemon {
    program: Program,
    prefix: &'static str,
    http: u16,
    _folder: TempDir,
}

impl Daemon {
    fn start(
        mut command: Command,
        prefix: &'static str,
        chat: &Server,
        broker: &Mosquitto,
    ) -> Result<Self> {
        let (folder, http) = (tempfile::tempdir()?, free_port()?);
        let configuration = folder.path().join("heatd.toml");
        std::fs::write(&configuration, settings(prefix, chat, broker, http)?)?;
        command.args(["run", "--config"]).arg(configuration).current_dir(folder.path());
        command.env_remove("RUST_LOG");
        let program = Program::start(command)?;
        Ok(Self { program, prefix, http, _folder: folder })
    }

    /// Every output as it is now, without the prefix.
    fn outputs(&self, watch: &Subscriber) -> BTreeMap<String, String> {
        let messages = watch.messages().into_iter();
        messages
            .filter_map(|message| {
                let topic = message.topic.strip_prefix(self.prefix)?.to_owned();
                // Since when a slot stands so is the time of the start.
                let is_timeless = topic != "/status" && !topic.contains("/rules/");
                is_timeless.then(|| (topic, message.text()))
            })
            .collect()
    }

    /// How the calls of `misbehave` ended, in order.
    fn faults(&self) -> Vec<String> {
        let lines = self.program.lines().into_iter();
        lines
            .filter(|line| line.contains("rule failed"))
            .filter_map(|line| Some(line.split_once("fault=")?.1.to_owned()))
            .collect()
    }

    /// The figures that count what was decided, and not how long it took.
    fn figures(&self) -> Result<Vec<String>> {
        let counted = ["heatd_chat_lines_total", "heatd_faves_total", "heatd_rule_"];
        let page = page(self.http)?;
        let is_of_time = |line: &str| line.contains("_seconds") || line.contains("_fuel");
        let lines = page.lines().filter(|line| counted.iter().any(|name| line.starts_with(name)));
        let lines = lines.filter(|line| !is_of_time(line));
        let mut figures: Vec<String> = lines.map(str::to_owned).collect();
        figures.sort();
        Ok(figures)
    }

    /// One line after the other, since under qemu each compilation of a rule takes a moment of its own.
    fn wait_until_it_runs(&self) -> Result<()> {
        for rule in ["fave", "misbehave", "decay"] {
            let loaded = format!("rule loaded slot=\"{rule}\"");
            self.program.wait_for_line(|line| line.contains(&loaded))?;
        }
        self.program.wait_for_line(|line| line.contains("broker connected")).map(|_| ())
    }

    fn wait_for_faults(&self, count: usize) -> Result<()> {
        eventually(format!("{count} faults of {}", self.prefix), || {
            let faults = self.faults();
            if faults.len() == count { Ok(()) } else { Err(faults.join("\n")) }
        })
    }
}

fn page(http: u16) -> Result<String> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", http))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// `fave` and `decay`, whose heat here is a sum of fractions that never falls, so that it does not depend on the moment; and a
/// rule that runs into limits.
fn settings(prefix: &str, chat: &Server, broker: &Mosquitto, http: u16) -> Result<String> {
    let (rules, guests) = (target()?.join("rules"), target()?.join("guests"));
    let (fave, decay) = (rules.join("fave.wasm"), rules.join("decay.wasm"));
    let misbehave = guests.join("misbehave.wasm");
    Ok(format!(
        "[twitch]\nchannels = [\"seaside\"]\nserver = \"{}\"\ntls = false\n\
         [emotes]\nproviders = []\n\
         [http]\nlisten = \"127.0.0.1:{http}\"\n\
         [mqtt]\nprefix = \"{prefix}\"\n\
         [mqtt.broker]\nhost = \"127.0.0.1\"\nport = {}\nclient_id = \"{prefix}\"\n\
         [[rule]]\nfile = {fave:?}\nsettings.words = [\"LUL\", \"Kappa\"]\n\
         [[rule]]\nfile = {misbehave:?}\n\
         [[rule]]\nfile = {decay:?}\nsettings.half_life = \"0s\"\nsettings.per_fave = 0.1\n",
        chat.addr(),
        broker.port(),
    ))
}

#[test]
fn heatd_for_arm64_counts_shows_and_refuses_what_heatd_for_this_machine_does() -> Result<()> {
    let (chat, mut broker) = (Server::start()?, Mosquitto::start()?);
    let watch = broker.subscribe("#")?;
    let here = Daemon::start(Command::new(binary("heatd")?), "here", &chat, &broker)?;
    let there = Daemon::start(emulated("heatd")?, "there", &chat, &broker)?;
    let both = [&here, &there];
    both.iter().try_for_each(|daemon| daemon.wait_until_it_runs())?;
    eventually("both to have joined", || chat.joins().len() == 2)?;

    let mut generator = Generator::new(64, "seaside");
    let lines = generator.lines(400);
    assert_eq!(chat.replay(&lines, Pace::AsFastAsPossible).sent, lines.len());
    for what in MISDEEDS {
        assert_eq!(chat.say("seaside", "mallory", &format!("!do {what}")).heard_by, 2);
    }
    // Lines are decided on in order, so with the last one all are.
    for daemon in both {
        daemon.wait_for_faults(MISDEEDS.len())?;
    }
    assert_eq!(here.figures()?, there.figures()?);
    let figures = here.figures()?.join("\n");
    ensure!(figures.contains(&format!("heatd_chat_lines_total {}", lines.len() + MISDEEDS.len())));
    assert_eq!(here.faults(), there.faults());
    let heat = watch.wait_for(|message| message.topic == "here/seaside/heat")?;
    ensure!(!heat.text().is_empty());
    eventually("both to show the same", || {
        let (here, there) = (here.outputs(&watch), there.outputs(&watch));
        if here == there { Ok(()) } else { Err(format!("{here:?} and {there:?}")) }
    })
}
