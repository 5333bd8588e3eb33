//! heatd killed again and again, with the programs of the same build. Run by `cargo xtask crash`, which reads the rows that it prints as
//! JSON.

#[path = "../../tests/flow/ledger.rs"]
mod ledger;

use anyhow::{Context, Result};
use heat_tests::crash::{Plan, run};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    // Started by `cargo bench` it is told nothing, and has nothing to do.
    let Some(kills) = value("--kills") else { return Ok(()) };
    let kills = kills.parse().context("--kills wants a number")?;
    let seed = value("--seed").map_or(Ok(1), |seed| seed.parse()).context("--seed")?;
    for named in [true, false] {
        print(&run(&Plan { kills, each: 0, named, seed }, ledger::items)?.to_json().to_string());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a row for who has started this")]
fn print(row: &str) {
    println!("{row}");
}
