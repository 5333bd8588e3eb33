//! Faves by MQTT with QoS 1 through mosquitto: how many a second heatd counts durably, beside what mosquitto passes through.

use anyhow::{Result, ensure};
use heat_tests::figures::{Figure, Samples};

use crate::answers::{Answers, Target, flood};
use crate::mqtt::{self, Publisher};
use crate::setup::Setup;
use crate::stage::{FAVES, Stage, seaside};
use crate::usage::cpu_ms;

/// How many messages may be under way: several of heatd's groups.
const WINDOW: u64 = 8192;

/// The topic of the bare subscriber.
pub(crate) const BARE: &str = "bench/bare";

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let stage = Stage::new(setup)?;
    let (rules, names) = stage.chain()?;
    let heatd = stage.heatd(&seaside(), &rules)?;
    let (counted, passed) = (stage.heat()?, bare_subscriber(&stage)?);
    let mut publisher = Publisher::connect(stage.broker.port())?;
    let (rounds, messages) = setup.pick((2, 5_000), (7, 40_000));
    let to_heatd = Target { topic: FAVES, answers: &counted, window: WINDOW };
    let to_nobody = Target { topic: BARE, answers: &passed, window: WINDOW };
    flood(&mut publisher, &to_heatd, 1000)?;
    let (mut rates, mut floors, mut cpu) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..rounds {
        floors.push(messages as f64 / flood(&mut publisher, &to_nobody, messages)?.as_secs_f64());
        let before = cpu_ms(heatd.id())?;
        rates.push(messages as f64 / flood(&mut publisher, &to_heatd, messages)?.as_secs_f64());
        cpu.push((cpu_ms(heatd.id())? - before) * 1000.0 / messages as f64);
    }
    let all = 1000 + rounds * messages;
    ensure!(stage.figure("heatd_faves_total")? == all, "heatd counted other faves than {all}");
    let name = format!("faves by MQTT QoS 1 through {}, durable", names.join(", "));
    Figure::median("mqtt", &name, "/s", &rates)
        .floor("the same messages, mosquitto and a bare subscriber", floors.median())
        .print()?;
    Figure::median("mqtt", "heatd's processor time for 1,000 of them", "ms", &cpu).print()
}

/// Somebody who takes and acknowledges messages, and does nothing else.
pub(crate) fn bare_subscriber(stage: &Stage<'_>) -> Result<Answers> {
    let passed = Answers::new();
    let counted = passed.clone();
    mqtt::subscribe(stage.broker.port(), BARE, 1, move |message| counted.add(message.at))?;
    Ok(passed)
}
