//! What is counted over time, as the API tells it, while heatd is killed again and again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::town::{Broker, Town};

/// Asks the API, and answers with what comes.
fn ask(town: &Town, path: &str) -> Result<TcpStream> {
    let token = std::fs::read_to_string(town.path("heat-data/api.token"))?;
    let mut stream = TcpStream::connect(("127.0.0.1", town.http))?;
    let (version, token) = ("HTTP/1.0\r\nHost: localhost", token.trim());
    write!(stream, "GET /api/v1{path} {version}\r\nAuthorization: Bearer {token}\r\n\r\n")?;
    Ok(stream)
}

/// How often it was counted, all bins together, in those of each width.
fn counted(town: &Town, channel: &str, of: &str) -> Result<Vec<i64>> {
    ["1s", "30s", "1h"]
        .into_iter()
        .map(|interval| {
            let mut answer = String::new();
            let path = format!("/channels/{channel}/series?of={of}&interval={interval}");
            ask(town, &path)?.read_to_string(&mut answer)?;
            let body = answer.split_once("\r\n\r\n").context("half an answer")?.1;
            let body: Value = serde_json::from_str(body).with_context(|| answer.clone())?;
            let points = body["series"][0]["points"].as_array().context("no points")?;
            Ok(points.iter().filter_map(|point| point[1].as_i64()).sum())
        })
        .collect()
}

#[test]
fn a_killed_heatd_counts_at_once_when_it_is_back_and_tells_all_of_the_hour() -> Result<()> {
    const LINES: usize = 20;
    let town = Town::new()?;
    let channels = ["seaside", "harbour"];
    let configuration = town.head(&channels, &Broker::Embedded(town.mqtt))
        + "[series.kept]\n1s = \"2h\"\n1h = \"365d\"\n"
        + &Town::rules("LUL")?;
    for start in 1..=3 {
        let mut heatd = town.heatd(&configuration)?;
        for channel in channels {
            town.wait_for_joins(channel, start)?;
        }
        for number in 0..LINES {
            // What is a fave is on the disk when it is counted, with every line before it.
            town.chat.say("harbour", "ann", "hello");
            town.chat.say("seaside", &format!("user{number}"), "?fave pie");
        }
        town.wait_for_figure("heatd_faves_total", LINES as u64)?;
        for (channel, of) in
            [("seaside", "messages"), ("seaside", "faves"), ("harbour", "messages")]
        {
            let found = counted(&town, channel, of)?;
            // The chat of two channels comes by one connection, in order.
            ensure!(found == vec![(start * LINES) as i64; 3], "{channel} {of}: {found:?}");
        }
        let live = ask(&town, "/channels/seaside/live?of=messages&interval=1s")?;
        let told = BufReader::new(live).lines().map_while(Result::ok);
        let mut told = told.filter(|line| line.contains("data:"));
        ensure!(told.next().context("nothing is told live")?.contains("\"bins\""));
        heatd.kill()?;
    }
    Ok(())
}
