//! What mosquitto itself loses of what it has acknowledged: figures for what is promised.

use anyhow::{Context, Result, ensure};
use heat_tests::mosquitto::{Mosquitto, Options, Persistence};
use heat_tests::mqtt::Publisher;

use crate::ledger::items;
use crate::town::{Broker, Town};

/// What waits for a heatd that is away, beside the queue: as many messages are under way to a client, by default.
const UNDER_WAY: u64 = 20;

/// Lets heatd subscribe and kills it, so that its session waits for it.
fn leave_a_session(town: &Town, broker: &Mosquitto) -> Result<String> {
    let configuration = town.head(&["seaside"], &Broker::At(broker.port())) + &Town::rules("LUL")?;
    let mut heatd = town.heatd(&configuration)?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    heatd.kill()?;
    Ok(configuration)
}

/// Publishes so many messages, and returns when the broker has acknowledged them all.
fn publish(broker: &Mosquitto, count: u64) -> Result<()> {
    let mut publisher = Publisher::new(broker.port(), 256);
    for number in 0..count {
        publisher.publish("deck/fave", format!("n{number}"))?;
    }
    ensure!(publisher.finish()? == count);
    Ok(())
}

/// Starts heatd again, and returns what it has counted once a last message has come through.
fn counted(town: &Town, broker: &Mosquitto, configuration: &str) -> Result<Vec<String>> {
    let mut heatd = town.heatd(configuration)?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    broker.publish("deck/fave", b"the end", false, 1)?;
    heatd.wait_for_line(|line| line.contains("message received") && line.contains("bytes=7"))?;
    ensure!(heatd.terminate()?.success());
    let items = items(&town.path("heat-data/heat.redb"))?;
    let (last, items) = items.split_last().context("nothing was counted")?;
    ensure!(last == "the end", "{last} came last");
    Ok(items.to_vec())
}

#[test]
fn of_what_waits_for_heatd_mosquitto_keeps_as_many_as_its_configuration_says() -> Result<()> {
    const SENT: u64 = 1_200;
    let town = Town::new()?;
    let options = |queued: &str| Options::default().extra(&format!("max_queued_messages {queued}"));
    // As it is set up by default. It acknowledges the others as well, and throws them away.
    let broker = Mosquitto::start_with(options("1000"))?;
    let configuration = leave_a_session(&town, &broker)?;
    publish(&broker, SENT)?;
    let kept = counted(&town, &broker, &configuration)?;
    let first: Vec<String> = (0..kept.len()).map(|number| format!("n{number}")).collect();
    ensure!(kept == first, "not the first ones were kept");
    ensure!((1_000..=1_000 + UNDER_WAY).contains(&(kept.len() as u64)), "{} kept", kept.len());

    // As in deploy/.
    let deploy = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/mosquitto");
    let deployed = std::fs::read_to_string(deploy.join("mosquitto.conf"))?;
    let queued = deployed.lines().find_map(|line| line.strip_prefix("max_queued_messages "));
    ensure!(queued == Some("20000"), "deploy/mosquitto keeps {queued:?}");
    let town = Town::new()?;
    let broker = Mosquitto::start_with(options("20000"))?;
    let configuration = leave_a_session(&town, &broker)?;
    publish(&broker, SENT)?;
    ensure!(counted(&town, &broker, &configuration)?.len() as u64 == SENT);
    Ok(())
}

#[test]
fn mosquitto_killed_forgets_what_it_acknowledged_since_it_last_saved() -> Result<()> {
    const SENT: u64 = 100;
    let lost = |options: Options| -> Result<u64> {
        let town = Town::new()?;
        let mut broker = Mosquitto::start_with(options)?;
        let configuration = leave_a_session(&town, &broker)?;
        // The session and its subscription are on disk.
        broker.restart()?;
        publish(&broker, SENT)?;
        broker.kill()?;
        broker.resume()?;
        Ok(SENT - counted(&town, &broker, &configuration)?.len() as u64)
    };
    // As in deploy/: everything of the last minute at most, which is everything here.
    let every_minute = Options::default().persistence(Persistence::OnExit);
    ensure!(lost(every_minute.extra("autosave_interval 60"))? == SENT);
    // With a save for every change: what was under way in that moment.
    let every_change = lost(Options::default().persistence(Persistence::Always))?;
    ensure!(every_change <= 2, "{every_change} of {SENT} are gone");
    Ok(())
}
