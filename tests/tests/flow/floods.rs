//! More than usual: a client that floods a topic, messages of the largest size, and an engine that cannot keep up.

use std::io::{BufWriter, Read, Write};
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use heat_tests::mosquitto::{Mosquitto, Options};
use heat_tests::mqtt::{PUBACK, PUBLISH, Publisher, QOS_1, connect, packet, read_packet, text};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, slow_disk};

use crate::town::{Broker, Town};

/// heatd is told by the broker of no packet that is larger.
const LARGEST: usize = 64 << 10;

/// As many messages are sent with QoS 0 and with QoS 1 each.
const FLOOD: u64 = 20_000;

/// How much memory heatd may take for a flood, in kilobytes: the queue of 1,024 messages, what is under way, and what is remembered of
/// each id for ten minutes.
const FLOOD_KB: u64 = 96 << 10;

fn start(town: &Town, broker: &Broker) -> Result<Program> {
    let heatd = town.heatd(&quiet(&(town.head(&["seaside"], broker) + &Town::rules("LUL")?)))?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    town.chat.wait_joined("seaside")?;
    Ok(heatd)
}

/// A line of the log for each of so many messages would be kept by the test.
fn quiet(configuration: &str) -> String {
    configuration.replace("info,heatd=debug", "info")
}

/// The most memory that a program has had, in kilobytes.
fn most_memory(program: &Program) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[test]
fn a_flood_takes_bounded_memory_and_nobody_elses_fave() -> Result<()> {
    let town = Town::new()?;
    let broker = Mosquitto::start()?;
    let heatd = start(&town, &Broker::At(broker.port()))?;
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_figure("heatd_faves_total", 1)?;
    let before = most_memory(&heatd)?;
    let port = broker.port();
    let unsure = thread::spawn(move || flood(port, FLOOD));
    let mut sure = Publisher::new(port, 512);
    for number in 0..FLOOD {
        sure.publish("deck/fave", format!("{number}"))?;
        if number % (FLOOD / 10) == 0 {
            town.chat.say("seaside", "bob", "?fave");
        }
    }
    ensure!(sure.finish()? == FLOOD);
    unsure.join().map_err(|_| anyhow!("the flood panicked"))??;
    // What is no text fails the rule, and so tells that everything before it was decided on.
    sure.publish("deck/fave", b"\xFF")?;
    let mut faves = 0;
    while !is_over(&town)? {
        let so_far = faves;
        eventually("more faves", || {
            faves = town.figure("heatd_faves_total")?;
            ensure!(faves > so_far || is_over(&town)?, "{faves} faves");
            Ok(())
        })?;
    }
    let counted = town.figure("heatd_faves_total")?;
    // A connection that broke on a busy machine may have had so many under way, which come again (docs/promises.md).
    let connected = heatd.lines().iter().filter(|line| line.contains("broker connected")).count();
    let again = 512 * (connected as u64).saturating_sub(1);
    ensure!((FLOOD + 11..=2 * FLOOD + 11 + again).contains(&counted), "{counted} are counted");
    let taken = most_memory(&heatd)? - before;
    ensure!(taken < FLOOD_KB, "the flood took {taken} kB");
    Ok(())
}

fn is_over(town: &Town) -> Result<bool> {
    Ok(town.figure("heatd_rule_failures_total{slot=\"fave\"}").is_ok_and(|failures| failures > 0))
}

/// Sends so many messages with QoS 0, as fast as the socket takes them, and returns when the broker has read them.
fn flood(port: u16, count: u64) -> Result<()> {
    let mut stream = connect(port, "flood")?;
    let mut writing = BufWriter::new(stream.try_clone()?);
    for number in 0..count {
        let body = [&text("deck/fave")[..], format!("unsure {number}").as_bytes()].concat();
        writing.write_all(&packet(PUBLISH, &body))?;
    }
    let sure = [&text("nobody/listens")[..], &[0, 1]].concat();
    writing.write_all(&packet(PUBLISH | QOS_1, &sure))?;
    writing.flush()?;
    let (kind, _) = read_packet(&mut stream)?;
    ensure!(kind == PUBACK, "the broker answers {kind:#x}");
    Ok(())
}

#[test]
fn a_message_of_the_largest_size_counts_and_a_larger_one_stops_nothing() -> Result<()> {
    let town = Town::new()?;
    let broker = Mosquitto::start_with(Options::default().extra("message_size_limit 0"))?;
    let heatd = start(&town, &Broker::At(broker.port()))?;
    let mut publisher = Publisher::new(broker.port(), 8);
    broker.publish("deck/fave", b"a small one", false, 1)?;
    town.wait_for_figure("heatd_faves_total", 1)?;
    // One byte for the kind, three for the length, the topic with its length, the packet id, and no property.
    let largest = LARGEST - 1 - 3 - 2 - "deck/fave".len() - 2 - 1;
    publisher.publish("deck/fave", vec![b'x'; largest])?;
    town.wait_for_figure("heatd_faves_total", 2)?;
    // Far too large, too large by a few bytes, and by the one that mosquitto overlooks.
    for bytes in [1 << 20, largest + 2, largest + 1] {
        publisher.publish("deck/fave", vec![b'x'; bytes])?;
    }
    publisher.publish("deck/fave", b"and the next")?;
    publisher.finish()?;
    // In order: when the next has come, no larger one has.
    town.wait_for_figure("heatd_faves_total", 3)?;
    town.wait_for_figure("heatd_mqtt_messages_total", 3)?;
    let given_up = |line: &String| line.contains("no connection to the broker");
    ensure!(heatd.lines().iter().filter(|line| given_up(line)).count() <= 1);
    Ok(())
}

#[test]
fn the_embedded_broker_closes_the_connection_of_who_sends_more_than_it_takes() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &Broker::Embedded(town.mqtt))?;
    let message = |bytes: usize| {
        let body = [&text("deck/fave")[..], &vec![b'x'; bytes]].concat();
        packet(PUBLISH, &body)
    };
    let mut stream = connect(town.mqtt, "largest")?;
    stream.write_all(&message(LARGEST - 1024))?;
    town.wait_for_figure("heatd_faves_total", 1)?;
    let _ = stream.write_all(&message(LARGEST + 1024));
    let ended = stream.read(&mut [0; 16]);
    ensure!(matches!(ended, Ok(0) | Err(_)), "the connection is still there");
    ensure!(town.figure("heatd_faves_total")? == 1);
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn sources_wait_for_an_engine_that_cannot_keep_up_and_nothing_is_dropped() -> Result<()> {
    const LINES: usize = 4_000;
    const MESSAGES: u64 = 4_000;
    /// Places in the queue between the sources and the engine.
    const QUEUE: u64 = 1_024;
    let town = Town::new()?;
    let broker = Mosquitto::start()?;
    let configuration = town.head(&["seaside"], &Broker::At(broker.port())) + &Town::rules("LUL")?;
    let mut command = town.heatd_command("run", &quiet(&configuration))?;
    // Each commit takes a quarter of a second or two, as on a card that is at its end.
    command.env("LD_PRELOAD", slow_disk()?).env("HEAT_SLOW_DISK_MS", "250");
    let heatd = Program::start(command)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    town.chat.wait_joined("seaside")?;
    let port = broker.port();
    let publisher = thread::spawn(move || {
        let mut publisher = Publisher::new(port, 512);
        for number in 0..MESSAGES {
            publisher.publish("deck/fave", format!(r#"{{"id":"{number}"}}"#))?;
        }
        publisher.finish()
    });
    for number in 0..LINES {
        town.chat.say("seaside", "ann", if number % 4 == 0 { "?fave" } else { "just talk" });
    }
    ensure!(publisher.join().map_err(|_| anyhow!("the publisher panicked"))?? == MESSAGES);
    let mut deepest = 0;
    let all = MESSAGES + LINES as u64 / 4;
    // On a busy machine a commit has few messages, and all of them take long: as long as it goes on, it is waited for.
    for wave in 1..=10 {
        eventually("everything to be counted", || {
            deepest = deepest.max(town.figure("heatd_queue_events")?);
            let (faves, lines) =
                (town.figure("heatd_faves_total")?, town.figure("heatd_chat_lines_total")?);
            ensure!(faves >= all * wave / 10, "{faves} faves of {lines} lines");
            Ok(())
        })?;
    }
    town.wait_for_figure("heatd_chat_lines_total", LINES as u64)?;
    assert_eq!(town.figure("heatd_faves_total")?, all);
    ensure!(deepest <= QUEUE, "{deepest} events waited");
    Ok(())
}
