//! heatd killed at any moment: nothing is lost, and nothing that names an id is doubled.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Result, anyhow, ensure};
use heat_tests::crash::{Plan, run};
use heat_tests::length::short_or_full;
use heat_tests::mqtt::Publisher;
use heat_tests::patience::eventually;

use crate::ledger::items;
use crate::town::{Broker, Town};

#[test]
fn kills_lose_nothing_and_double_nothing_that_names_an_id() -> Result<()> {
    // In full as many as `cargo xtask crash` does by default.
    let (kills, each) = short_or_full((40, 2), (200, 6));
    let report = run(&Plan { kills, each, named: true, seed: 5 }, items)?;
    ensure!((report.lost, report.doubled) == (0, 0), "{report:?}");
    ensure!(report.kills() >= kills && report.sent > kills, "{report:?}");
    // They hit the start, the time between a message and its commit, and the time after.
    ensure!(report.fewest() >= each, "{report:?}");
    Ok(())
}

#[test]
fn kills_lose_no_message_without_an_id_and_double_what_was_under_way_at_most() -> Result<()> {
    let kills = short_or_full(15, 40);
    let report = run(&Plan { kills, each: 1, named: false, seed: 7 }, items)?;
    ensure!(report.lost == 0 && report.is_kept(), "{report:?}");
    Ok(())
}

#[test]
fn the_embedded_broker_acknowledges_after_the_commit_so_a_killed_heatd_loses_nothing() -> Result<()>
{
    const KILLS: u64 = 12;
    /// Messages that the publisher sends before the first of them is acknowledged.
    const UNDER_WAY: usize = 16;
    let town = Town::new()?;
    let configuration =
        town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?;
    let mut heatd = town.heatd(&configuration)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    let port = town.mqtt;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let publisher = thread::spawn(move || -> Result<u64> {
        let mut publisher = Publisher::new(port, UNDER_WAY);
        for number in 0.. {
            if stopped.load(Ordering::Relaxed) {
                break;
            }
            publisher.publish("deck/fave", format!("n{number}"))?;
        }
        publisher.finish()
    });
    for _ in 0..KILLS {
        // Some are counted by each heatd, and the next is killed amid the others.
        eventually("some to be counted", || {
            town.figure("heatd_faves_total").is_ok_and(|faves| faves >= 10)
        })?;
        heatd.kill()?;
        heatd = town.heatd(&configuration)?;
    }
    stop.store(true, Ordering::Relaxed);
    let sent = publisher.join().map_err(|_| anyhow!("the publisher panicked"))??;
    ensure!(heatd.terminate()?.success());
    let counted = items(&town.path("heat-data/heat.redb"))?;
    let different: BTreeSet<&String> = counted.iter().collect();
    ensure!(different.len() as u64 == sent, "{} of {sent} were counted", different.len());
    // Those that were committed and not yet acknowledged when heatd was killed are sent again by their publisher.
    let doubled = (counted.len() - different.len()) as u64;
    ensure!(doubled <= KILLS * UNDER_WAY as u64, "{doubled} doubled by {KILLS} kills");
    Ok(())
}
