//! heatd killed at any moment: nothing is lost, and nothing that names an id is doubled.

use anyhow::{Result, ensure};
use heat_tests::crash::{Plan, run};

use crate::ledger::items;

/// Kills with ids; as many as `cargo xtask crash` does by default.
const KILLS: u64 = 200;

/// And without.
const KILLS_WITHOUT: u64 = 40;

#[test]
fn two_hundred_kills_lose_nothing_and_double_nothing_that_names_an_id() -> Result<()> {
    let report = run(&Plan { kills: KILLS, named: true, seed: 5 }, items)?;
    ensure!((report.lost, report.doubled) == (0, 0), "{report:?}");
    ensure!(report.kills() == KILLS && report.sent > KILLS, "{report:?}");
    // They hit the start, the time between a message and its commit, and the time after.
    ensure!(report.starting > 5 && report.deciding > 5 && report.committed > 5, "{report:?}");
    Ok(())
}

#[test]
fn kills_lose_no_message_without_an_id_and_double_what_was_under_way_at_most() -> Result<()> {
    let report = run(&Plan { kills: KILLS_WITHOUT, named: false, seed: 7 }, items)?;
    ensure!(report.lost == 0 && report.is_kept(), "{report:?}");
    Ok(())
}
