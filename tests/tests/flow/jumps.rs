//! A clock that jumps by hours while heatd runs: heat neither vanishes nor freezes, and nothing fires in bursts.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, run};

use crate::town::{Broker, Town};

const HOUR: i64 = 3_600;

/// A town whose heatd has a clock of its own, and heat-writer beside it.
struct Jumping {
    town: Town,
    library: PathBuf,
    configuration: String,
}

impl Jumping {
    fn new(half_life: &str) -> Result<Self> {
        let town = Town::new()?;
        let library = town.path("wrong-clock.so");
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
        rustc.args(["--edition", "2024", "--crate-type", "cdylib", "--crate-name", "wrong_clock"]);
        let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("wrong-clock/clock.rs");
        rustc.arg("-o").arg(&library).arg(source);
        run(rustc, &[])?;
        let rules = Town::rules("LUL")?
            .replace("settings.half_life = \"0s\"", &format!("settings.half_life = {half_life:?}"));
        let configuration = town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &rules;
        let jumping = Self { town, library, configuration };
        jumping.set(0)?;
        Ok(jumping)
    }

    /// Sets heatd's clock wrong by so many seconds.
    fn set(&self, seconds: i64) -> Result<()> {
        Ok(std::fs::write(self.town.path("wrong-by"), format!("{seconds}\n"))?)
    }

    fn heatd(&self) -> Result<Program> {
        let mut command = self.town.heatd_command("run", &self.configuration)?;
        command.env_remove("RUST_LOG").env("LD_PRELOAD", &self.library);
        command.env("HEAT_WRONG_CLOCK", self.town.path("wrong-by"));
        Program::start(command)
    }

    /// Another fave, and what the file shows then.
    fn fave(&self, shown: &str) -> Result<()> {
        self.town.chat.say("seaside", "ann", "?fave");
        self.town.wait_for_text(&self.town.path("heat.txt"), shown)
    }
}

#[test]
fn a_clock_that_is_hours_ahead_for_a_moment_costs_no_heat() -> Result<()> {
    // So long that heat does not fall by itself however slow the machine.
    let jumping = Jumping::new("30d")?;
    let town = &jumping.town;
    let heatd = jumping.heatd()?;
    let _writer = town.writer(town.mqtt, &town.path("heat.txt"), &[])?;
    town.chat.wait_joined("seaside")?;
    for heat in 1..=4 {
        jumping.fave(&format!("🔥 HEAT LEVEL: {heat}"))?;
    }
    // Ten half-lives: followed, the heat would be gone.
    jumping.set(300 * 24 * HOUR)?;
    jumping.fave("🔥 HEAT LEVEL: 5")?;
    heatd.wait_for_line(|line| line.contains("WARN the clock has jumped ahead"))?;
    jumping.set(0)?;
    jumping.fave("🔥 HEAT LEVEL: 6")?;
    heatd.wait_for_line(|line| line.contains("heatd's time agree again"))?;
    // A call for each fave, and none for timers.
    assert_eq!(town.figure("heatd_rule_calls_total{slot=\"decay\"}")?, 6);
    assert_eq!(town.figure("heatd_faves_total")?, 6);
    Ok(())
}

#[test]
fn heat_goes_on_falling_when_the_clock_is_set_back_and_a_start_waits_for_it() -> Result<()> {
    let jumping = Jumping::new("500ms")?;
    let town = &jumping.town;
    let mut heatd = jumping.heatd()?;
    let _writer = town.writer(town.mqtt, &town.path("heat.txt"), &[])?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "hello");
    town.wait_for_figure("heatd_chat_lines_total", 1)?;
    jumping.set(-2 * HOUR)?;
    for _ in 0..8 {
        town.chat.say("seaside", "ann", "?fave");
    }
    heatd.wait_for_line(|line| line.contains("WARN the clock has jumped back"))?;
    town.wait_for_figure("heatd_faves_total", 8)?;
    // Nobody says anything more: what calls the rule now is its timer.
    eventually("timers to fire", || {
        town.figure("heatd_rule_calls_total{slot=\"decay\"}").is_ok_and(|calls| calls > 8)
    })?;
    town.wait_for_text(&town.path("heat.txt"), "🔥 HEAT LEVEL RISING")?;
    ensure!(heatd.lines().iter().filter(|line| line.contains("jumped")).count() == 1);

    // The clock is still behind what was written, until somebody sets it.
    ensure!(heatd.terminate()?.success());
    let heatd = jumping.heatd()?;
    heatd.wait_for_line(|line| line.contains("the clock is behind the store"))?;
    ensure!(town.chat.connections() == 0, "chat was read by a clock that is wrong");
    jumping.set(0)?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_figure("heatd_faves_total", 1)?;
    ensure!(!heatd.lines().iter().any(|line| line.contains("jumped")), "{:?}", heatd.lines());
    Ok(())
}
