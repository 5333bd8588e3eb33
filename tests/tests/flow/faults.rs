//! Brokers that do not do what they should: slow, silent, away, refusing. At the end of each the count, what is retained, and the file of
//! heat-writer say the same.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use heat_tests::mosquitto::{Mosquitto, Options};
use heat_tests::mqtt::Publisher;
use heat_tests::patience::{eventually, patience};
use heat_tests::processes::Program;
use heat_tests::proxy::{Proxy, Way};

use crate::town::{Broker, Town};

const HEAT: &str = "heat/v1/seaside/heat";

/// How many messages may wait for the broker's acknowledgement.
const WINDOW: usize = 64;

fn is_subscribed(line: &str) -> bool {
    line.contains("subscribed")
}

fn is_given_up(line: &str) -> bool {
    line.contains("no connection to the broker")
}

/// Publishes faves with ids, and waits until the broker has them.
fn publish(port: u16, name: &str, count: usize) -> Result<()> {
    let mut publisher = Publisher::new(port, WINDOW);
    for number in 0..count {
        publisher.publish("deck/fave", format!(r#"{{"id":"{name}-{number}"}}"#))?;
    }
    let acknowledged = publisher.finish()?;
    ensure!(acknowledged == count as u64, "{acknowledged} of {count} were acknowledged");
    Ok(())
}

/// Count, retained output and file.
fn expect(town: &Town, broker: &mut Mosquitto, faves: u64) -> Result<()> {
    town.wait_for_figure("heatd_faves_total", faves)?;
    broker.subscribe("heat/v1/#")?.wait_for_last(HEAT, &faves.to_string())?;
    town.wait_for_text(&town.path("heat.txt"), &format!("🔥 HEAT LEVEL: {faves}"))
}

fn configuration(town: &Town, port: u16, broker: &str) -> Result<String> {
    Ok(town.head(&["seaside"], &Broker::At(port)) + broker + &Town::rules("LUL")?)
}

/// heatd and heat-writer, both by way of this port.
fn start(town: &Town, port: u16, broker: &str) -> Result<(Program, Program)> {
    let heatd = town.heatd(&configuration(town, port, broker)?)?;
    heatd.wait_for_line(is_subscribed)?;
    town.chat.wait_joined("seaside")?;
    let writer = town.writer(port, &town.path("heat.txt"), &[])?;
    Ok((heatd, writer))
}

#[test]
fn a_slow_broker_delays_and_costs_nothing() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let proxy = Proxy::start(broker.port())?;
    let (heatd, _writer) = start(&town, proxy.port(), "")?;
    proxy.set(Way::Slow(100, Duration::from_millis(2)));
    publish(broker.port(), "slow", 300)?;
    town.chat.say("seaside", "ann", "?fave");
    expect(&town, &mut broker, 301)?;
    ensure!(!heatd.lines().iter().any(|line| is_given_up(line)), "slow is not gone");
    Ok(())
}

#[test]
fn a_broker_that_is_not_there_yet_is_asked_again_and_loses_no_fave() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    broker.stop()?;
    let heatd = town.heatd(&configuration(&town, broker.port(), "")?)?;
    let _writer = town.writer(broker.port(), &town.path("heat.txt"), &[])?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave");
    let waits = eventually("some attempts", || {
        let waits = waits(&heatd);
        (waits.len() >= 4).then_some(waits)
    })?;
    ensure!(waits[3] > waits[0], "the waits do not grow: {waits:?}");
    broker.resume()?;
    heatd.wait_for_line(is_subscribed)?;
    publish(broker.port(), "late", 20)?;
    expect(&town, &mut broker, 21)
}

/// How long heatd waits after each attempt, in milliseconds.
fn waits(heatd: &Program) -> Vec<u64> {
    let lines = heatd.lines();
    let lost = lines.iter().filter(|line| is_given_up(line));
    lost.filter_map(|line| line.split("wait_ms=").nth(1)?.trim().parse().ok()).collect()
}

#[test]
fn a_connection_that_swallows_everything_is_given_up_after_twice_its_keep_alive() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let proxy = Proxy::start(broker.port())?;
    let (heatd, _writer) = start(&town, proxy.port(), "keep_alive = \"2s\"\n")?;
    publish(broker.port(), "before", 10)?;
    town.wait_for_figure("heatd_faves_total", 10)?;
    let seen = heatd.lines().len();
    proxy.set(Way::Swallow);
    let silent = Instant::now();
    publish(broker.port(), "meanwhile", 10)?;
    town.chat.say("seaside", "ann", "?fave");
    heatd.wait_for_line_after(seen, is_given_up)?;
    let noticed = silent.elapsed();
    // Two seconds until it asks, and two for an answer; the rest is for a machine that is busy. With the usual keep alive it would be 40 s.
    ensure!(noticed < Duration::from_secs(4) + patience() / 4, "noticed after {noticed:?}");
    proxy.set(Way::Open);
    expect(&town, &mut broker, 21)
}

#[test]
fn a_wrong_password_is_said_tried_slowly_and_forgotten_when_it_is_right() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start_with(Options::default().user("heatd", "another"))?;
    std::fs::write(town.path("password"), "secret\n")?;
    let login = "user = \"heatd\"\npassword_file = \"password\"\n";
    let heatd = town.heatd(&configuration(&town, broker.port(), login)?)?;
    heatd.wait_for_line(|line| line.contains("check `user` and `password_file`"))?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave");
    let waits = eventually("some attempts", || {
        let waits = waits(&heatd);
        (waits.len() >= 4).then_some(waits)
    })?;
    ensure!(waits[3] > waits[0], "the waits do not grow: {waits:?}");
    broker.stop()?;
    broker.set_password("heatd", "secret")?;
    broker.resume()?;
    heatd.wait_for_line(is_subscribed)?;
    let password = town.path("password").display().to_string();
    let arguments = ["--user", "heatd", "--password-file", &password];
    let _writer = town.writer(broker.port(), &town.path("heat.txt"), &arguments)?;
    broker.publish("deck/fave", br#"{"id":"mended"}"#, false, 1)?;
    expect(&town, &mut broker, 2)
}
