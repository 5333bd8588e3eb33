//! `heat watch`, as lines: with heatd, over its restart, without it, and with a watcher that does not read.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, free_port};
use heat_tests::twitch::Line;
use serde_json::Value;

use super::{answer, configuration, heat, run, start};
use crate::town::{Town, component};

/// Starts a watch, and waits until heatd knows of it.
fn watch(town: &Town, heatd: &Program, arguments: &[&str]) -> Result<Program> {
    let known = watches(heatd);
    let watch = Program::start(heat(town, &[&["watch"], arguments].concat())?)?;
    eventually("heatd to be watched", || watches(heatd) > known)?;
    Ok(watch)
}

fn watches(heatd: &Program) -> usize {
    heatd.lines().iter().filter(|line| line.contains("somebody watches")).count()
}

#[test]
fn chat_what_rules_answer_and_the_heat_are_shown() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town, &["seaside"])?;
    let mut watch = watch(&town, &heatd, &[])?;
    let ann = Line::chat("seaside", "ann", "?fave pie").name("Ann");
    town.chat.send("seaside", &ann);
    watch.wait_for_line(|line| line == "        Ann: ?fave pie")?;
    watch.wait_for_line(|line| line == "             fave → fave ann \"pie\" 1")?;
    watch.wait_for_line(|line| line == "             decay → show heat \"1\"")?;
    watch.wait_for_line(|line| line.starts_with("▕█░") && line.ends_with("▏ heat 1"))?;
    town.chat.send("seaside", &Line::raid("seaside", "cat", 120));
    watch.wait_for_line(|line| line == "           * cat raids with 120 viewers")?;
    assert_eq!(answer(&town, &["stream", "start"])?, "#seaside is live\n");
    watch.wait_for_line(|line| line == "           * the stream starts")?;
    ensure!(watch.terminate()?.success(), "{:?}", watch.lines());

    // Who comes later is told at once what stands.
    let mut late = self::watch(&town, &heatd, &["--channel", "#Seaside"])?;
    late.wait_for_line(|line| line == "           * the stream is live")?;
    late.wait_for_line(|line| line.ends_with("▏ heat 1"))?;
    ensure!(late.terminate()?.success());
    Ok(())
}

#[test]
fn what_strangers_write_cannot_play_with_the_terminal() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town, &["seaside"])?;
    let plain = watch(&town, &heatd, &["--plain"])?;
    let json = watch(&town, &heatd, &["--json"])?;
    let evil = "\u{1b}[2J\u{7}\u{9b}31m \u{202E}evil\u{2066}";
    town.chat.send("seaside", &Line::chat("seaside", "mallory", evil).name("M\u{1b}[31m"));
    town.chat.say("seaside", "ann", "the end");
    for watch in [&plain, &json] {
        watch.wait_for_line(|line| line.contains("the end"))?;
        let seen = watch.lines().concat();
        let harmful = |c: char| {
            c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        };
        ensure!(seen.contains("evil") && !seen.contains(harmful), "{seen:?}");
    }
    // In JSON it says the same.
    let lines = json.lines();
    let entries: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line)).collect::<Result<_, _>>()?;
    assert_eq!(entries[0]["kind"], "hello");
    let chat = entries.iter().find(|entry| entry["login"] == "mallory").context("no such line")?;
    assert_eq!(chat["text"], evil);
    Ok(())
}

#[test]
fn a_rule_that_fails_is_seen() -> Result<()> {
    let town = Town::new()?;
    let misbehave = component("guests", "misbehave")?;
    let rule = format!("[[rule]]\nfile = {misbehave:?}\n");
    let heatd = town.heatd(&(configuration(&town, &["seaside"])? + &rule))?;
    town.chat.wait_joined("seaside")?;
    let watch = watch(&town, &heatd, &[])?;
    town.chat.say("seaside", "mallory", "!do panic");
    watch.wait_for_line(|line| line.contains("! misbehave failed: it trapped"))?;
    Ok(())
}

#[test]
fn a_watch_goes_on_when_heatd_is_back() -> Result<()> {
    let town = Town::new()?;
    let mut heatd = start(&town, &["seaside"])?;
    let mut once = watch(&town, &heatd, &["--once"])?;
    let mut watch = watch(&town, &heatd, &[])?;
    ensure!(heatd.terminate()?.success());
    watch.wait_for_line(|line| line == "heatd has stopped; waiting until it is back")?;
    ensure!(once.wait()?.success(), "{:?}", once.lines());

    let mut heatd = start(&town, &["seaside"])?;
    watch.wait_for_line(|line| line == "heatd is back")?;
    eventually("heatd to be watched again", || watches(&heatd) == 1)?;
    town.chat.say("seaside", "ann", "?fave pie");
    watch.wait_for_line(|line| line.ends_with("▏ heat 1"))?;

    // A power cut is no goodbye.
    heatd.kill()?;
    let heatd = start(&town, &["seaside"])?;
    eventually("heatd to be watched again", || watches(&heatd) == 1)?;
    town.chat.say("seaside", "bob", "?fave pie");
    watch.wait_for_line(|line| line.ends_with("▏ heat 2"))?;
    ensure!(watch.terminate()?.success());
    Ok(())
}

#[test]
fn without_heatd_chat_is_read_from_twitch() -> Result<()> {
    let town = Town::new()?;
    let server = town.chat.addr().to_string();
    let chat = ["watch", "--channel", "Seaside", "--server", &server, "--no-tls"];
    let mut command = heat(&town, &chat)?;
    command.env("HEAT_DATA", town.path("nowhere"));
    let mut watch = Program::start(command)?;
    watch.wait_for_line(|line| line.contains("no heatd found"))?;
    watch.wait_for_line(|line| line.contains("Twitch chat of #seaside is read without heatd"))?;
    town.chat.wait_joined("seaside")?;
    town.chat.ping()?;
    town.chat.send("seaside", &Line::chat("seaside", "ann", "hello").name("Ann"));
    watch.wait_for_line(|line| line == "        Ann: hello")?;
    let sub = Line::subscription("seaside", "bob", 3).text("for the songs");
    town.chat.send("seaside", &sub);
    watch.wait_for_line(|line| line == "           * bob: resub for the songs")?;
    town.chat.send("seaside", &Line::raid("seaside", "cat", 9));
    watch.wait_for_line(|line| line == "           * cat: raid")?;

    town.chat.ask_to_reconnect();
    town.wait_for_joins("seaside", 2)?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "dan", "again");
    watch.wait_for_line(|line| line == "        dan: again")?;
    ensure!(!watch.lines().iter().any(|line| line.contains('▕')), "{:?}", watch.lines());
    ensure!(watch.terminate()?.success());
    Ok(())
}

#[test]
fn chat_that_is_never_there_is_a_failure_once() -> Result<()> {
    let town = Town::new()?;
    let server = format!("127.0.0.1:{}", free_port()?);
    let chat =
        ["watch", "--channel", "x", "--no-daemon", "--server", &server, "--no-tls", "--once"];
    let (code, _, words) = run(heat(&town, &chat)?)?;
    ensure!(code == Some(1) && words.contains("no connection to chat"), "{code:?} {words}");
    Ok(())
}

#[test]
fn no_daemon_is_asked_when_none_shall_be() -> Result<()> {
    let town = Town::new()?;
    let heatd = start(&town, &["seaside"])?;
    let server = town.chat.addr().to_string();
    let chat = ["watch", "--channel", "harbour", "--no-daemon", "--server", &server, "--no-tls"];
    let watch = Program::start(heat(&town, &chat)?)?;
    town.chat.wait_joined("harbour")?;
    town.chat.say("harbour", "ann", "hello");
    watch.wait_for_line(|line| line == "        ann: hello")?;
    assert_eq!(watches(&heatd), 0);
    Ok(())
}

#[test]
fn a_watcher_that_does_not_read_holds_up_nobody_and_is_told() -> Result<()> {
    let town = Town::new()?;
    // Whoever reads too slowly is let go after a while, which a busy machine takes for the lines below.
    let patient = "[http]\nrequest_timeout = \"5m\"\n";
    let configuration = configuration(&town, &["seaside"])?.replacen("[http]\n", patient, 1);
    let mut heatd = town.heatd(&configuration)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    town.chat.wait_joined("seaside")?;
    let (asleep, _stuck) = (silent_watcher(&town)?, silent_watcher(&town)?);
    eventually("heatd to be watched", || watches(&heatd) == 2)?;
    // More than sockets and the feed hold together.
    const LINES: u64 = 10_000;
    let text = "😂".repeat(490);
    for _ in 0..LINES {
        town.chat.say("seaside", "ann", &text);
    }
    town.wait_for_figure("heatd_chat_lines_total", LINES)?;
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_figure("heatd_faves_total", 1)?;
    let told = BufReader::new(asleep).lines().find_map(|line| {
        let line = line.ok()?;
        let entry: Value = serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
        (entry["kind"] == "missed").then(|| entry["entries"].as_u64())?
    });
    ensure!(told.is_some_and(|missed| missed > 0 && missed < LINES), "{told:?}");
    // Nor does the other one keep heatd from ending.
    ensure!(heatd.terminate()?.success(), "{:?}", heatd.lines());
    Ok(())
}

/// Asks for the feed, and does not read it.
fn silent_watcher(town: &Town) -> Result<TcpStream> {
    let token = std::fs::read_to_string(town.path("heat-data/api.token"))?;
    let mut watcher = TcpStream::connect(("127.0.0.1", town.http))?;
    let bearer = format!("Authorization: Bearer {}", token.trim());
    write!(watcher, "GET /api/v1/watch HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n\r\n")?;
    Ok(watcher)
}
