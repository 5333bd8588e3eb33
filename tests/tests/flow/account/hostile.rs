//! A Twitch that is ill, slow, rude, or another program: heatd goes on, says what is wrong, and never loops.

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;

use super::payloads::follow;
use super::stage::{Plan, Stage};

fn heard(stage: &Stage) -> Result<()> {
    eventually("EventSub", || match stage.account() {
        Ok(account) if account["eventsub"]["connected"] == true => Ok(()),
        other => Err(format!("{other:?}")),
    })
}

#[test]
fn garbage_and_megabytes_cost_at_most_a_connection() -> Result<()> {
    let stage = Stage::new(&Plan::default())?;
    heard(&stage)?;
    for text in ["", "hello", "{}", "{\"metadata\":{\"message_type\":7}}", "[1,2", "\u{0}\u{1b}[2J"]
    {
        stage.api.send_raw(text);
    }
    let odd = "{\"metadata\":{\"message_id\":\"m\",\"message_type\":\"notification\",\"message_timestamp\":\"yesterday\",\"subscription_type\":\"channel.tomorrow\"},\"payload\":{\"event\":{\"broadcaster_user_id\":\"11\"}}}";
    stage.api.send_raw(odd);
    stage.api.notify("channel.follow", &follow("7"));
    stage.wait_for_heat(1)?;
    ensure!(stage.town.figure("heatd_unrecognized_total{interface=\"twitch-eventsub\"}")? >= 6);
    let sessions = stage.api.change(|desk| desk.open_connections());
    ensure!(sessions == 1);
    stage.api.send_raw(&format!("{{\"metadata\":\"{}\"}}", "x".repeat(3 << 20)));
    stage.api.wait_for_sessions(2)?;
    heard(&stage)?;
    stage.api.notify("channel.follow", &follow("8"));
    stage.wait_for_heat(2)
}

#[test]
fn an_ill_helix_is_asked_again_and_no_login_ends_for_it() -> Result<()> {
    for (status, body) in [
        (500, "{}"),
        (503, "<html>busy</html>"),
        (200, ""),
        (200, "[]"),
        (403, "<html>hotel</html>"),
    ] {
        let stage = Stage::with(&Plan::default(), |_, api| {
            api.change(|desk| desk.ill = Some((status, body.to_owned())));
        })?;
        eventually("a question", || stage.api.count("POST", "eventsub/subscriptions") > 0)?;
        stage.town.chat.say("seaside", "ann", "?fave");
        stage.wait_for_heat(1)?;
        let account = stage.account()?;
        ensure!(account["state"] == "logged-in", "{status} {body}: {account}");
        ensure!(account["eventsub"]["connected"] != true, "{account}");
    }
    Ok(())
}

#[test]
fn a_token_that_is_not_taken_is_refreshed_once_and_not_in_a_loop() -> Result<()> {
    let stage = Stage::with(&Plan::default(), |_, api| {
        api.change(|desk| {
            desk.ill =
                Some((401, "{\"status\":401,\"message\":\"Invalid OAuth token\"}".to_owned()));
        });
    })?;
    eventually("the reasons", || {
        let account = stage.account()?;
        let refused = account["eventsub"]["refused"].as_object().map_or(0, serde_json::Map::len);
        ensure!(refused > 10, "{account}");
        anyhow::Ok(())
    })?;
    let refreshed = stage.logins.count("token", "refresh_token");
    ensure!(refreshed <= 2, "{refreshed} refreshes");
    stage.api.change(|desk| desk.ill = None);
    // The session without subscriptions ends (4003), and the next one is heard.
    stage.api.change(|desk| desk.deadline = 100);
    stage.api.wait_for_sessions(2)?;
    stage.api.change(|desk| desk.deadline = 10_000);
    heard(&stage)
}

#[test]
fn refused_subscriptions_are_named_and_the_rest_of_heatd_goes_on() -> Result<()> {
    let full = "number of websocket transports limit exceeded";
    let stage = Stage::with(&Plan::default(), |_, api| {
        api.change(|desk| desk.refuse_subscriptions = Some((429, full.to_owned())));
    })?;
    eventually("the reason", || {
        let account = stage.account()?;
        let why = &account["eventsub"]["refused"]["channel.follow"];
        ensure!(why.as_str().is_some_and(|why| why.contains(full)), "{account}");
        anyhow::Ok(())
    })?;
    stage.town.chat.say("seaside", "ann", "?fave");
    stage.wait_for_heat(1)
}

#[test]
fn a_clock_that_is_an_hour_off_loses_nothing() -> Result<()> {
    for off in [-3_600_000, 3_600_000] {
        let stage =
            Stage::with(&Plan::default(), |_, api| api.change(|desk| desk.clock_off = off))?;
        heard(&stage)?;
        stage.api.notify("channel.follow", &follow("7"));
        stage.wait_for_heat(1)?;
    }
    Ok(())
}
