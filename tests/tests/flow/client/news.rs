//! What a page is told in the stream that it has open: bins and news, and no line of chat.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;

use anyhow::{Result, ensure};

use super::asked::{ask, begin, new_token, of_owner};
use super::start;
use crate::town::Town;

const LIVE: &str = "GET /api/v1/channels/seaside/live?of=messages";

/// Reads until there was a line for each of these, which has all of its parts, in any order.
fn read_all(stream: &mut BufReader<TcpStream>, wanted: &[&[&str]]) -> Result<String> {
    let (mut seen, mut missing) = (String::new(), wanted.to_vec());
    while !missing.is_empty() {
        let mut line = String::new();
        ensure!(stream.read_line(&mut line)? > 0, "it has ended without {missing:?}: {seen}");
        missing.retain(|parts| !parts.iter().all(|part| line.contains(part)));
        seen.push_str(&line);
    }
    Ok(seen)
}

#[test]
fn a_page_hears_bins_outputs_faves_and_how_fast_chat_is_in_one_stream() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    let (owner, viewer) = (of_owner(&town)?, new_token(&town, &["--role", "viewer"])?);
    let open = |token: &str| begin(&town, &format!("{LIVE}&interval=1h&news=true"), token, "");
    let (owners, viewers) = (open(&owner)?, open(&viewer)?);
    assert_eq!((owners.0, viewers.0), (200, 200));
    town.chat.say("seaside", "ann", "?fave pie");
    town.chat.say("seaside", "ann", "nobody's business");
    let wanted: [&[&str]; 5] = [
        // An hour that grows is told as it does.
        &["\"bins\":", "[2,1]"],
        &["\"kind\":\"rate\"", "\"lines\":2", "\"seconds\":10"],
        &["\"kind\":\"output\"", "\"heat\"", "\"text\":\"1\""],
        &["\"kind\":\"rule\"", "fave"],
        &["\"kind\":\"stream\""],
    ];
    for (mut stream, is_public) in [(owners.1, false), (viewers.1, true)] {
        let seen = read_all(&mut stream, &wanted)?;
        ensure!(!seen.contains("business") && !seen.contains("\"chat\""), "{seen}");
        ensure!(seen.contains("pie") != is_public, "{seen}");
    }
    Ok(())
}

#[test]
fn who_asks_for_no_news_has_bins_alone_and_a_wrong_wish_is_told() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    let owner = of_owner(&town)?;
    let (_, mut bins) = begin(&town, &format!("{LIVE}&interval=1s"), &owner, "")?;
    town.chat.say("seaside", "ann", "?fave pie");
    let seen = read_all(&mut bins, &[&["\"bins\":", "[1,1]"]])?;
    ensure!(!seen.contains("\"kind\""), "{seen}");
    let (status, problem) = ask(&town, &format!("{LIVE}&news=maybe"), &owner, "")?;
    ensure!(status == 400 && problem.contains("news") && problem.contains("maybe"), "{problem}");
    Ok(())
}
