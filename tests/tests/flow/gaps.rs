//! Chat that is not heard for a while: it is marked, told, and counts nothing.

use anyhow::{Context, Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, binaries, run};
use heat_tests::twitch::To;
use serde_json::Value;

use crate::town::{Broker, Town};

const AWAY: &str = "chat was away for ";

fn start(town: &Town, channels: &[&str]) -> Result<Program> {
    let configuration = town.head(channels, &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?;
    let heatd = town.heatd(&configuration)?;
    channels.iter().try_for_each(|channel| town.chat.wait_joined(channel).map(drop))?;
    Ok(heatd)
}

fn heat(town: &Town, arguments: &[&str]) -> Result<std::process::Command> {
    let mut command = std::process::Command::new(binaries()?.heat);
    command.args(arguments).current_dir(town.folder.path());
    Ok(command)
}

/// How many gaps the status has of the channels, in their order.
fn gaps(town: &Town) -> Result<Vec<u64>> {
    let answer = run(heat(town, &["status", "--json"])?, &[])?;
    let status: Value = serde_json::from_slice(&answer.stdout)?;
    let channels = status["channels"].as_array().context("no channels")?;
    Ok(channels.iter().filter_map(|channel| channel["gaps"]["count"].as_u64()).collect())
}

fn part(channel: &str) -> String {
    format!(":justinfan123!justinfan123@justinfan123.tmi.twitch.tv PART #{channel}\r\n")
}

fn suspended(channel: &str) -> String {
    let text = "This channel does not exist or has been suspended.";
    format!("@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #{channel} :{text}\r\n")
}

fn tell(town: &Town, line: &str) {
    let _ = town.chat.send_raw(To::Channel("seaside"), line.as_bytes());
}

/// What ends the hearing, and of how many of the two channels.
type Loss = (&'static str, fn(&Town), u64);

#[test]
fn every_way_to_lose_chat_is_a_gap_and_every_channel_is_joined_again() -> Result<()> {
    let losses: [Loss; 5] = [
        ("asked to reconnect", |town| town.chat.ask_to_reconnect(), 2),
        ("closed", |town| town.chat.close_abruptly(), 2),
        ("silent", |town| town.chat.fall_silent(), 2),
        ("put out of a channel", |town| tell(town, &part("seaside")), 1),
        ("suspended", |town| tell(town, &suspended("seaside")), 1),
    ];
    let town = Town::new()?;
    let heatd = start(&town, &["seaside", "harbour"])?;
    town.wait_for_figure("heatd_channels_joined", 2)?;
    let watch = Program::start(heat(&town, &["watch"])?)?;
    heatd.wait_for_line(|line| line.contains("somebody watches"))?;
    let (mut lost, mut faves) = (0, 0);
    for (name, lose, channels) in losses {
        town.chat.say("seaside", "ann", "?fave before");
        faves += 1;
        town.wait_for_figure("heatd_faves_total", faves)?;
        lose(&town);
        lost += channels;
        town.wait_for_figure("heatd_chat_gaps_total", lost).context(name)?;
        town.wait_for_figure("heatd_channels_joined", 2).context(name)?;
        town.chat.say("seaside", "ann", "?fave after");
        faves += 1;
        town.wait_for_figure("heatd_faves_total", faves).context(name)?;
        eventually(format!("{lost} lines of the watch ({name})"), || {
            let lines = watch.lines();
            let told = lines.iter().filter(|line| line.contains(AWAY)).count();
            if told as u64 == lost { Ok(()) } else { Err(format!("{lines:?}")) }
        })?;
    }
    assert_eq!(gaps(&town)?, [5, 3]);
    watch.wait_for_line(|line| {
        line.contains(AWAY) && line.ends_with(": lines in between are missing")
    })?;
    let page = String::from_utf8(run(heat(&town, &["status"])?, &[])?.stdout)?;
    ensure!(page.contains("\n  chat was away 5 times within a day, for "), "{page}");
    // Waiting for the server that fell silent took seconds.
    let (_, page) = town.page("/metrics")?;
    let seconds = page.lines().find_map(|line| line.strip_prefix("heatd_chat_gap_seconds_total "));
    let seconds: f64 = seconds.context("no seconds")?.parse()?;
    ensure!(seconds > 2.0, "{seconds}");
    Ok(())
}

#[test]
fn the_time_between_two_runs_is_a_gap_of_the_channels_that_were_there() -> Result<()> {
    let town = Town::new()?;
    let mut heatd = start(&town, &["seaside"])?;
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_figure("heatd_faves_total", 1)?;
    assert_eq!((town.figure("heatd_chat_gaps_total")?, gaps(&town)?), (0, vec![0]));
    // A channel that is new has missed nothing at its first start.
    for (gaps_of_run, expected) in [(1, [1, 0]), (2, [2, 1])] {
        ensure!(heatd.terminate()?.success());
        heatd = start(&town, &["seaside", "harbour"])?;
        town.wait_for_figure("heatd_chat_gaps_total", gaps_of_run)?;
        eventually("the gaps of all runs", || match gaps(&town) {
            Ok(gaps) if gaps == expected => Ok(()),
            other => Err(format!("{other:?}")),
        })?;
    }
    assert_eq!(town.figure("heatd_faves_total")?, 0);

    // heatd ends while it hears nothing: until then is one gap, and until it is back another.
    town.chat.refuse_connections();
    town.chat.close_abruptly();
    heatd.wait_for_line(|line| line.contains("chat connection lost"))?;
    ensure!(heatd.terminate()?.success());
    town.chat.accept_connections()?;
    let _heatd = start(&town, &["seaside", "harbour"])?;
    town.wait_for_figure("heatd_chat_gaps_total", 2)?;
    eventually("the gaps of all runs", || match gaps(&town) {
        Ok(gaps) if gaps == [4, 3] => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    Ok(())
}
