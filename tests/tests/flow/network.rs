//! What a network does to the connection to chat.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use heat_tests::twitch::{Segments, To};

use crate::town::{Broker, Town};

fn start(town: &Town, channels: &[&str]) -> Result<Program> {
    let configuration = town.head(channels, &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?;
    let heatd = town.heatd(&configuration)?;
    for channel in channels {
        town.chat.wait_joined(channel)?;
    }
    Ok(heatd)
}

#[test]
fn a_reconnect_of_twitch_is_followed_at_once_and_channels_are_joined_again() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside", "harbour"])?;
    town.chat.ask_to_reconnect();
    town.wait_for_joins("seaside", 2)?;
    town.wait_for_joins("harbour", 2)?;
    town.chat.say("harbour", "ann", "?fave");
    town.wait_for_figure("heatd_faves_total", 1)
}

#[test]
fn a_connection_that_no_longer_answers_is_given_up() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town, &["seaside"])?;
    town.chat.fall_silent();
    heatd.wait_for_line(|line| line.contains("the server no longer answers"))?;
    town.wait_for_joins("seaside", 2)?;
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_figure("heatd_faves_total", 1)
}

#[test]
fn a_server_that_is_down_is_tried_again_later_each_time() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town, &["seaside"])?;
    town.chat.refuse_connections();
    town.chat.close_abruptly();
    let wait =
        |line: &str| line.split("wait_ms=").nth(1).and_then(|wait| wait.trim().parse::<u64>().ok());
    let waits = eventually("three attempts", || {
        let lines = heatd.lines();
        let waits: Vec<u64> = lines
            .iter()
            .filter(|line| line.contains("chat connection lost"))
            .filter_map(|line| wait(line))
            .collect();
        (waits.len() >= 4).then_some(waits)
    })?;
    ensure!(waits[3] > waits[0], "the waits do not grow: {waits:?}");
    eventually("not to be ready", || matches!(town.page("/readyz"), Ok((503, _))))?;
    town.chat.accept_connections()?;
    town.wait_for_joins("seaside", 2)?;
    eventually("to be ready", || matches!(town.page("/readyz"), Ok((200, _))))
}

#[test]
fn lines_in_pieces_bad_bytes_and_garbage_cost_nothing_but_themselves() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    town.chat.behave(|behaviour| behaviour.segments = Segments::Every(3));
    town.chat.say("seaside", "ann", "?fave 😂😂");
    town.chat.send_raw(To::Everyone, b"\xFF\xFE\xFD broken :\xC3\x28\r\n");
    town.chat.send_raw(To::Everyone, b"   \r\n\r\n@\r\n:\r\n@a=b\r\n");
    town.chat.send_raw(To::Everyone, b":x!x@x PRIVMSG #seaside :?fave \xFF\xFE\r\n");
    town.chat.send_raw(To::Everyone, &[&[b'A'; 100_000][..], b"\r\n"].concat());
    town.chat.say("seaside", "bob", "?fave after all that");
    town.wait_for_figure("heatd_faves_total", 3)?;
    ensure!(town.chat.connections_made() == 1, "the connection was dropped");
    Ok(())
}

#[test]
fn the_server_may_ask_for_a_sign_of_life() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    town.chat.ping()
}

#[test]
fn channels_are_joined_no_faster_than_twitch_allows_also_after_a_reconnect() -> Result<()> {
    let town = Town::new()?;
    let names: Vec<String> = (0..20).map(|number| format!("channel_{number}")).collect();
    let channels: Vec<&str> = names.iter().map(String::as_str).collect();
    let configuration = town.head(&channels, &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?;
    let _heatd = town.heatd(&configuration)?;
    let start = Instant::now();
    eventually("the first joins", || town.chat.joins().len() >= 18)?;
    // A reconnect in the middle starts no new allowance: 18 joins have been taken of this window.
    town.chat.ask_to_reconnect();
    eventually("all to be joined again", || town.chat.joins().len() >= 38)?;
    let joins = town.chat.joins();
    let times: Vec<Instant> = joins.iter().map(|join| join.at).collect();
    for window in times.windows(19) {
        let took = window[18].duration_since(window[0]);
        ensure!(
            took >= Duration::from_millis(12_000),
            "19 joins in {took:?}, {:?} after the start",
            start.elapsed()
        );
    }
    Ok(())
}

#[test]
fn a_channel_that_does_not_exist_is_named_and_asked_for_again() -> Result<()> {
    let town = Town::new()?;
    town.chat.behave(|behaviour| behaviour.missing = vec!["nowhere".to_owned()]);
    let configuration = town.head(&["nowhere", "seaside"], &Broker::Embedded(town.mqtt));
    let heatd = town.heatd(&(configuration + &Town::rules("LUL")?))?;
    heatd.wait_for_line(|line| {
        line.contains("Twitch does not confirm the channel") && line.contains("nowhere")
    })?;
    town.wait_for_figure("heatd_channels_joined", 1)?;
    town.chat.behave(|behaviour| behaviour.missing.clear());
    town.wait_for_figure("heatd_channels_joined", 2)?;
    town.chat.say("nowhere", "ann", "?fave");
    town.wait_for_figure("heatd_faves_total", 1)
}
