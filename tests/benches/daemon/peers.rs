//! What a user could run instead, on the same messages through the same mosquitto: Node-RED, and the design of the original in
//! Python with paho. What each does and does not do is told in docs/bench.md.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use heat_tests::figures::{Figure, Samples, not_measured};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, free_port};

use crate::answers::{Answers, Target, flood, once};
use crate::mqtt::{self, Publisher};
use crate::rate::{BARE, bare_subscriber};
use crate::setup::{Setup, progress};
use crate::stage::{FAVES, Stage, seaside};
use crate::usage::{cpu_ms, memory};

/// How many messages may wait for an answer.
const WINDOW: u64 = 1024;

/// A program that answers messages.
struct Peer {
    name: &'static str,
    /// With its helpers, such as a writer; the first one is that which answers.
    programs: Vec<Program>,
    topic: &'static str,
    answers: Answers,
    rates: Samples,
    cpu: Samples,
    times: Samples,
}

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let mut stage = Stage::new(setup)?;
    let (rules, _) = stage.chain()?;
    let heatd = stage.heatd(&seaside(), &rules)?;
    let writer = stage.writer("heat.txt")?;
    let mut peers =
        vec![Peer::new("heatd and heat-writer", vec![heatd, writer], FAVES, stage.heat()?)];
    match &setup.node_red {
        Some(folder) => peers.push(node_red(&mut stage, folder)?),
        None => not_measured("Node-RED", "npm is not here, or could not install it")?,
    }
    match &setup.python {
        Some(python) => peers.push(original(&mut stage, python)?),
        None => not_measured(
            "the original's design in Python",
            "there is no python3 with venv and paho-mqtt",
        )?,
    }
    measure(&stage, &mut peers)
}

impl Peer {
    fn new(
        name: &'static str,
        programs: Vec<Program>,
        topic: &'static str,
        answers: Answers,
    ) -> Self {
        let (rates, cpu, times) = (Samples::default(), Samples::default(), Samples::default());
        Self { name, programs, topic, answers, rates, cpu, times }
    }

    fn cpu_ms(&self) -> Result<f64> {
        self.programs.iter().map(|program| cpu_ms(program.id())).sum()
    }

    fn target(&self) -> Target<'_> {
        Target { topic: self.topic, answers: &self.answers, window: WINDOW }
    }

    /// One round: a flood, then a while of single messages, turn about with the floor's.
    fn round(
        &mut self,
        publisher: &mut Publisher,
        setup: &Setup,
        floor: &mut Samples,
        passed: &Answers,
    ) -> Result<()> {
        let messages = setup.pick(2_000, 20_000);
        let took = flood(publisher, &self.target(), messages)?;
        self.rates.push(messages as f64 / took.as_secs_f64());
        let bare = Target { topic: BARE, answers: passed, window: WINDOW };
        let (before, single) = (self.cpu_ms()?, setup.pick(100, 500));
        for message in 0..single {
            let time = once(publisher, &self.target(), message)?;
            self.times.push(time);
            floor.push(once(publisher, &bare, message)?);
        }
        self.cpu.push((self.cpu_ms()? - before) * 1000.0 / single as f64);
        Ok(())
    }
}

fn measure(stage: &Stage<'_>, peers: &mut [Peer]) -> Result<()> {
    let setup = stage.setup;
    let passed = bare_subscriber(stage)?;
    let mut publisher = Publisher::connect(stage.broker.port())?;
    let mut floor = Samples::default();
    for peer in &mut *peers {
        flood(&mut publisher, &peer.target(), 500)
            .with_context(|| format!("{} was warmed up", peer.name))?;
    }
    for round in 0..setup.pick(1, 5) {
        for peer in &mut *peers {
            progress(&format!("round {}: {}", round + 1, peer.name));
            peer.round(&mut publisher, setup, &mut floor, &passed)
                .with_context(|| format!("{} failed", peer.name))?;
        }
    }
    for peer in peers {
        print(peer, &floor)?;
    }
    Ok(())
}

fn print(peer: &Peer, floor: &Samples) -> Result<()> {
    let name = peer.name;
    Figure::median("peers", &format!("{name}: messages answered, none lost"), "/s", &peer.rates)
        .print()?;
    for (quantile, share) in [("p50", 0.5), ("p99", 0.99)] {
        let figure = format!("{name}: message to published result, {quantile}");
        Figure::new("peers", &figure, "ms", peer.times.quantile(share))
            .floor(&format!("mosquitto and a bare subscriber, {quantile}"), floor.quantile(share))
            .print()?;
    }
    let figure = format!("{name}: processor time for 1,000 single messages");
    Figure::median("peers", &figure, "ms", &peer.cpu).print()?;
    let mut proportional = 0.0;
    for program in &peer.programs {
        proportional += memory(program.id())?.proportional;
    }
    Figure::new("peers", &format!("{name}: memory (PSS)"), "MB", proportional).print()
}

/// Node-RED with a flow of three nodes: MQTT in, a function that counts, MQTT out.
fn node_red(stage: &mut Stage<'_>, folder: &Path) -> Result<Peer> {
    let user = stage.path("node-red");
    std::fs::create_dir(&user)?;
    let scripts = stage.setup.peers.join("node-red");
    std::fs::copy(scripts.join("settings.js"), user.join("settings.js"))?;
    let flow = std::fs::read_to_string(scripts.join("flows.json"))?;
    std::fs::write(
        user.join("flows.json"),
        flow.replace("MQTT_PORT", &stage.broker.port().to_string()),
    )?;
    let mut command = Command::new("node");
    command.arg(folder.join("node_modules/node-red/red.js"));
    command.arg("--userDir").arg(&user).args(["--port", &free_port()?.to_string(), "flows.json"]);
    let program = Program::start(command)?;
    program.wait_for_line(|line| line.contains("Connected to broker"))?;
    // It subscribes after it says that; the broker's log tells when.
    stage.broker.program()?.wait_for_line(|line| line.ends_with(" 1 node-red/fave"))?;
    let answers = stage.numbers("node-red/heat")?;
    await_first(stage, "node-red/fave", &answers)?;
    Ok(Peer::new("Node-RED", vec![program], "node-red/fave", answers))
}

/// The original's design: a checker that asks a database for each message, and a script that rewrites the file.
fn original(stage: &mut Stage<'_>, python: &Path) -> Result<Peer> {
    let scripts = stage.setup.peers.join("original");
    let script = |name: &str, file: &str| {
        let mut command = Command::new(python);
        command
            .arg("-u")
            .arg(scripts.join(name))
            .arg(stage.broker.port().to_string())
            .arg(stage.path(file));
        Program::start(command)
    };
    let checker = script("checker.py", "faves.sqlite")?;
    let writer = script("writer.py", "original.txt")?;
    for program in [&checker, &writer] {
        program.wait_for_line(|line| line.starts_with("subscribed"))?;
    }
    let answers = Answers::new();
    let counted = answers.clone();
    mqtt::subscribe(stage.broker.port(), "update-heat", 1, move |message| {
        if message.payload.starts_with(b"{\"name\": ") {
            counted.add(message.at);
        }
    })?;
    await_first(stage, "new-heat", &answers)?;
    Ok(Peer::new("original's design in Python", vec![checker, writer], "new-heat", answers))
}

/// Sends a message, and waits until it is answered: everything is connected then.
fn await_first(stage: &Stage<'_>, topic: &str, answers: &Answers) -> Result<()> {
    let mut publisher = Publisher::connect(stage.broker.port())?;
    publisher.publish(topic, std::iter::once("song number 0".to_owned()))?;
    eventually(format!("the first answer to {topic}"), || answers.count() == 1)
}
