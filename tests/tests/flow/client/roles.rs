//! What each role may do, and what a viewer is told.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use heat_tests::patience::{eventually, patience};
use serde_json::Value;

use super::asked::{ask, begin, new_token, of_owner, read_until};
use super::{answer, heat, run, squeeze, start, status, write_token};
use crate::town::{Town, component};

const ROLES: [&str; 3] = ["viewer", "moderator", "owner"];

/// Every row of the page about the API that is not for anybody: the request, and the least role.
fn rows() -> Vec<(String, String)> {
    let page = include_str!("../../../../docs/api.md");
    let mut rows = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let request = cells[1].split('`').nth(1).unwrap_or_default();
        let request = request.split(['?', '[']).next().unwrap_or_default();
        // Those that come later in the page need the channel.
        let request = request.replace("DELETE /channels/CHANNEL", "DELETE /channels/nowhere");
        let request = request.replace("CHANNEL", "seaside").replace("SLOT", "decay");
        rows.push((request.replace("NAME", "nobody"), cells[2].to_owned()));
    }
    rows.retain(|(_, least)| least != "anybody");
    rows
}

#[test]
fn every_resource_lets_in_its_roles_and_tells_the_others_which_one_it_needs() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    let mut tokens = Vec::new();
    for role in ROLES {
        tokens.push((role, new_token(&town, &["--role", role, "--name", &format!("{role}s")])?));
    }
    let rows = rows();
    ensure!(rows.len() > 18, "{rows:?}");
    for (request, least) in rows {
        let (method, path) = request.split_once(' ').context("no method")?;
        let request = format!("{method} /api/v1{path}");
        let enough = ROLES.iter().position(|role| *role == least).context("no such role")?;
        for (place, (role, token)) in tokens.iter().enumerate() {
            let (status, mut rest) = begin(&town, &request, token, "{}")?;
            if place < enough {
                let mut text = String::new();
                rest.read_to_string(&mut text)?;
                ensure!(status == 403, "{request} as {role}: {status} {text}");
                let says = format!("for this the role {least} is needed");
                ensure!(text.contains(&says) && text.contains("problem+json"), "{request}: {text}");
            } else {
                ensure!(![401, 403, 405, 429].contains(&status), "{request} as {role}: {status}");
            }
        }
    }
    let (_, token) = &tokens[1];
    for (path, body) in
        [("simulate", r#"{"event":{"kind":"fave"},"live":true}"#), ("undo", r#"{"digest":"abcd"}"#)]
    {
        let request = format!("POST /api/v1/channels/seaside/{path}");
        let (status, text) = ask(&town, &request, token, body)?;
        ensure!(status == 403 && text.contains("the role owner is needed"), "{path}: {text}");
    }
    Ok(())
}

#[test]
fn a_viewer_is_told_figures_and_neither_names_nor_words() -> Result<()> {
    let town = Town::new()?;
    let witness = component("guests", "witness")?;
    let configuration = super::configuration(&town, &["seaside"])?;
    let heatd = town.heatd(&format!("{configuration}[[rule]]\nfile = {witness:?}\n"))?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    town.chat.wait_joined("seaside")?;
    let token = new_token(&town, &["--role", "viewer"])?;
    let owner = of_owner(&town)?;
    let (_, mut watch) = begin(&town, "GET /api/v1/watch", &token, "")?;
    let (_, mut whole) = begin(&town, "GET /api/v1/watch", &owner, "")?;
    read_until(&mut watch, &["hello"])?;
    read_until(&mut whole, &["hello"])?;
    town.chat.say("seaside", "annabella", "?fave rhubarb");
    town.chat.say("seaside", "annabella", "gooseberry");
    town.chat.say("seaside", "bartholomew", "?fave rhubarb");
    let hot = ["\"kind\":\"output\"", "\"heat\"", "\"2\""];
    let mut told = read_until(&mut watch, &hot)?;
    let all = read_until(&mut whole, &hot)?;
    ensure!(told.contains("\"kind\":\"chat\"") && told.contains("somebody"), "{told}");
    // Whatever else there is to ask.
    for (request, _) in rows() {
        if request.starts_with("GET ") && !request.ends_with("/watch") {
            let request = request.replace("GET ", "GET /api/v1");
            told.push_str(&ask(&town, &request, &token, "")?.1);
        }
    }
    for page in ["/", "/metrics", "/readyz"] {
        told.push_str(&town.page(page)?.1);
    }
    let told = told.to_lowercase();
    for word in ["annabella", "bartholomew", "rhubarb", "gooseberry"] {
        ensure!(all.contains(word), "the owner is not told {word}: {all}");
        ensure!(!told.contains(word), "{word} is told: {told}");
    }
    let status: Value = {
        let text = ask(&town, "GET /api/v1/status", &token, "")?.1;
        serde_json::from_str(text.split_once("\r\n\r\n").context("no body")?.1)?
    };
    assert_eq!(status["faves"], 2);
    assert_eq!(status["channels"][0]["outputs"], serde_json::json!({ "heat": "2", "record": "2" }));
    let (code, page, words) = as_somebody(&town, &token, &["status"])?;
    ensure!(code == Some(0) && squeeze(&page).contains("heat shows \"2\""), "{page}{words}");
    Ok(())
}

/// `heat` as somebody who has this token.
fn as_somebody(
    town: &Town,
    token: &str,
    arguments: &[&str],
) -> Result<(Option<i32>, String, String)> {
    write_token(&town.path("a.token"), token)?;
    let mut command = heat(town, arguments)?;
    command.env("HEAT_TOKEN_FILE", town.path("a.token"));
    command.env("HEAT_URL", format!("http://127.0.0.1:{}", town.http));
    run(command)
}

#[test]
fn moderators_give_orders_without_chat_and_fave_for_nobody() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    let token = new_token(&town, &["--role", "moderator", "--name", "ann"])?;
    let order = |text: &str| as_somebody(&town, &token, &["command", text]);
    let heat = || Ok::<_, anyhow::Error>(status(&town)?["channels"][0]["outputs"]["heat"].clone());

    let (code, told, words) = order("?heat set 50")?;
    ensure!(code == Some(0) && told.contains("show heat \"50\""), "{told}{words}");
    assert_eq!(heat()?, "50");
    let (code, told, words) = order("?heat add 5 @bob pie")?;
    ensure!(code == Some(0) && told.contains("fave bob \"pie\" 5"), "{told}{words}");
    assert_eq!(heat()?, "55");
    ensure!(order("?heat pause")?.0 == Some(0));
    town.chat.say("seaside", "cat", "?fave pie");
    town.wait_for_figure("heatd_chat_lines_total", 1)?;
    assert_eq!(heat()?, "55");
    ensure!(order("?heat resume")?.0 == Some(0));
    ensure!(order("?heat reset")?.0 == Some(0));
    assert_eq!(heat()?, "0");

    for (text, says) in [
        ("?fave pie", "everybody may say \"?fave\""),
        ("LUL", "no rule of #seaside takes \"LUL\" as a command"),
        ("?stream start", "heat stream start"),
        ("?heat", "no rule would do anything"),
        ("?heat undo @bob 10m now", "heat undo --user NAME"),
        (" ", "an order is one line"),
    ] {
        let (code, told, words) = order(text)?;
        ensure!(code == Some(1) && words.contains(says), "{text}: {told}{words}");
    }
    assert_eq!(town.figure("heatd_faves_total")?, 1, "what was refused has faved");

    let (code, _, words) = as_somebody(&town, &token, &["rules", "disable", "decay"])?;
    ensure!(code == Some(1) && words.contains("the role owner is needed"), "{words}");
    ensure!(as_somebody(&town, &token, &["stream", "start"])?.0 == Some(0));
    ensure!(
        as_somebody(&town, &token, &["undo", "--user", "bob", "--since", "1h", "--yes"])?.0
            == Some(0)
    );
    answer(&town, &["rules", "disable", "decay"])?;
    let told: Value = serde_json::from_str(&answer(&town, &["rules", "history", "--json"])?)?;
    let entries = told["entries"].as_array().context("no entries")?;
    let by = |action: &str| {
        let found = entries.iter().find(|entry| entry["action"] == action);
        found.map(|entry| format!("{} {}", entry["by"], entry["note"]))
    };
    assert_eq!(by("token").as_deref(), Some("\"owner\" \"ann is made, moderator\""));
    assert_eq!(by("command").as_deref(), Some("\"ann\" \"?heat reset\""));
    assert_eq!(by("stream").as_deref(), Some("\"ann\" \"starts\""));
    ensure!(by("undo").is_some_and(|by| by.starts_with("\"ann\" ")), "{told}");
    ensure!(by("disable").is_some_and(|by| by.starts_with("\"owner\" ")), "{told}");
    Ok(())
}

#[test]
fn a_token_is_shown_once_outlives_a_restart_and_ends_at_once() -> Result<()> {
    let town = Town::new()?;
    let mut heatd = start(&town, &["seaside"])?;
    let made = answer(
        &town,
        &[
            "token",
            "new",
            "--role",
            "viewer",
            "--name",
            "tv",
            "--expires",
            "30d",
            "--url",
            "https://heat.example.org/",
        ],
    )?;
    let link = made.lines().find(|line| line.starts_with("https://heat.example.org/#token="));
    let token = link.and_then(|link| link.split_once('=')).context("no link")?.1.to_owned();
    ensure!(token.len() == 64 && made.contains('█'), "{made}");
    let list = answer(&town, &["token", "list"])?;
    ensure!(list.contains("tv") && list.contains("never") && !list.contains(&token), "{list}");
    let (code, _, words) =
        run(heat(&town, &["token", "new", "--role", "viewer", "--name", "tv"])?)?;
    ensure!(code == Some(1) && words.contains("there is a token \"tv\" already"), "{words}");
    ensure!(heatd.terminate()?.success());

    let _heatd = start(&town, &["seaside"])?;
    let (code, mut watch) = begin(&town, "GET /api/v1/watch", &token, "")?;
    assert_eq!(code, 200);
    read_until(&mut watch, &["hello"])?;
    ensure!(!answer(&town, &["token", "list"])?.contains("never"));
    answer(&town, &["token", "revoke", "tv"])?;
    let mut rest = String::new();
    watch.read_to_string(&mut rest).context("the watch goes on")?;
    assert_eq!(ask(&town, "GET /api/v1/status", &token, "")?.0, 401);
    let (code, _, words) = run(heat(&town, &["token", "revoke", "owner"])?)?;
    ensure!(code == Some(1) && words.contains("delete api.token"), "{words}");

    let brief = new_token(&town, &["--role", "viewer", "--expires", "1s"])?;
    eventually("the token to expire", || match ask(&town, "GET /api/v1/whoami", &brief, "") {
        Ok((401, text)) if text.contains("has expired") => Ok(()),
        other => Err(format!("{other:?}")),
    })
}

#[test]
fn a_token_asks_so_often_and_the_owners_as_often_as_it_likes() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    let viewer = new_token(&town, &["--role", "viewer"])?;
    // All at once, on one connection.
    let statuses = |token: &str| -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", town.http))?;
        stream.set_read_timeout(Some(patience()))?;
        let request = |last: &str| {
            format!(
                "GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\n{last}Authorization: Bearer {token}\r\n\r\n"
            )
        };
        let many = request("").repeat(499) + &request("Connection: close\r\n");
        let mut reader = stream.try_clone()?;
        let answers = std::thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).map(|_| text)
        });
        stream.write_all(many.as_bytes())?;
        Ok(answers.join().map_err(|_| anyhow::anyhow!("the reader panicked"))??)
    };
    let told = statuses(&viewer)?;
    let count = |text: &str, what: &str| text.matches(what).count();
    ensure!(count(&told, "HTTP/1.1 200 ") >= 60, "{told}");
    let refused = count(&told, "HTTP/1.1 429 ");
    ensure!(refused > 0 && count(&told.to_lowercase(), "retry-after: 1") == refused, "{told}");
    assert_eq!(count(&statuses(&of_owner(&town)?)?, "HTTP/1.1 200 "), 500);
    Ok(())
}
