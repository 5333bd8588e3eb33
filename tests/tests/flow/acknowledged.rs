//! When heatd acknowledges an MQTT message, and which it takes for a repetition: against a broker that does what the test says.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use heat_tests::mqtt::Scripted;
use heat_tests::processes::Program;

use crate::town::{Broker, Town};

const FAVES: &str = "deck/fave";

fn start(town: &Town, broker: &Scripted) -> Result<Program> {
    town.heatd(&(town.head(&["seaside"], &Broker::At(broker.port()?)) + &Town::rules("LUL")?))
}

#[test]
fn a_packet_id_that_is_used_again_is_a_new_message_and_counts() -> Result<()> {
    let (town, broker) = (Town::new()?, Scripted::start()?);
    let _heatd = start(&town, &broker)?;
    let mut client = broker.accept(false)?;
    client.wait_until_subscribed()?;
    client.send(FAVES, 5, false, "x")?;
    client.wait_for_acknowledgement(5)?;
    // The broker has the acknowledgement, and sends another "x" with the same number into a connection that breaks.
    drop(client);
    let mut client = broker.accept(true)?;
    client.send(FAVES, 5, true, "x")?;
    client.wait_for_acknowledgement(5)?;
    town.wait_for_figure("heatd_faves_total", 2)
}

#[test]
fn what_names_an_id_is_known_though_its_packet_id_may_have_been_used_again() -> Result<()> {
    let (town, broker) = (Town::new()?, Scripted::start()?);
    let _heatd = start(&town, &broker)?;
    let mut client = broker.accept(false)?;
    client.wait_until_subscribed()?;
    client.send(FAVES, 5, false, r#"{"id":"one"}"#)?;
    client.wait_for_acknowledgement(5)?;
    drop(client);
    let mut client = broker.accept(true)?;
    client.send(FAVES, 5, true, r#"{"id":"one"}"#)?;
    client.wait_for_acknowledgement(5)?;
    town.wait_for_figure("heatd_duplicate_events_total", 1)?;
    town.wait_for_figure("heatd_faves_total", 1)
}

#[cfg(target_os = "linux")]
#[test]
fn the_acknowledgement_waits_for_the_disk_and_ends_with_its_connection() -> Result<()> {
    const DISK: Duration = Duration::from_millis(1_500);
    let (town, broker) = (Town::new()?, Scripted::start()?);
    let configuration = town.head(&["seaside"], &Broker::At(broker.port()?)) + &Town::rules("LUL")?;
    let mut command = town.heatd_command("run", &configuration)?;
    command.env("LD_PRELOAD", heat_tests::processes::slow_disk()?);
    command.env("HEAT_SLOW_DISK_MS", DISK.as_millis().to_string());
    let heatd = Program::start(command)?;
    let mut client = broker.accept(false)?;
    // As much as one commit takes may be under way.
    let receive_maximum = [0x21, 0x02, 0x00];
    ensure!(client.connect.windows(3).any(|bytes| bytes == receive_maximum), "not 512");
    client.wait_until_subscribed()?;
    let sent = Instant::now();
    client.send(FAVES, 7, false, "x")?;
    let acknowledged = client.wait_for_acknowledgement(7)?;
    ensure!(acknowledged - sent >= DISK, "after {:?}", acknowledged - sent);

    // The connection breaks while a message waits for its commit; the session is another one then.
    let seen = heatd.lines().len();
    client.send(FAVES, 8, false, "y")?;
    heatd.wait_for_line_after(seen, |line| line.contains("message received"))?;
    drop(client);
    let mut client = broker.accept(false)?;
    client.wait_until_subscribed()?;
    client.send(FAVES, 9, false, "z")?;
    client.wait_for_acknowledgement(9)?;
    // Commits are in order: the message of the connection before is counted, and its number means nothing any more.
    ensure!(client.acknowledged() == [9], "{:?}", client.acknowledged());
    town.wait_for_figure("heatd_faves_total", 3)?;

    // In the same session it is known until its acknowledgement has left.
    let seen = heatd.lines().len();
    client.send(FAVES, 10, false, "w")?;
    heatd.wait_for_line_after(seen, |line| line.contains("message received"))?;
    drop(client);
    let mut client = broker.accept(true)?;
    client.send(FAVES, 10, true, "w")?;
    client.wait_for_acknowledgement(10)?;
    ensure!(client.acknowledged() == [10], "{:?}", client.acknowledged());
    town.wait_for_figure("heatd_duplicate_events_total", 1)?;
    town.wait_for_figure("heatd_faves_total", 4)
}
