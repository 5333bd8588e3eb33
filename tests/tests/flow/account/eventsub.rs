//! Sessions of EventSub: what is heard moves the heat once, whatever becomes of connections, sessions and heatd.

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;

use super::payloads::{follow, gift, power_up, raid, redemption, subscribe, train};
use super::stage::{Plan, Stage};

/// EventSub is heard, with the last type that heatd asks for.
fn heard(stage: &Stage) -> Result<()> {
    eventually("EventSub", || match stage.account() {
        Ok(account) if account["eventsub"]["connected"] == true => Ok(()),
        other => Err(format!("{other:?}")),
    })
}

fn stage() -> Result<Stage> {
    let stage = Stage::new(&Plan::default())?;
    heard(&stage)?;
    Ok(stage)
}

#[test]
fn follows_rewards_power_ups_and_trains_move_the_heat() -> Result<()> {
    let stage = stage()?;
    ensure!(stage.api.notify("channel.follow", &follow("7")) == 1);
    stage.wait_for_heat(1)?;
    stage.api.notify("channel.bits.use", &power_up("7", 2));
    stage.wait_for_heat(2_001)?;
    stage.api.notify("channel.channel_points_custom_reward_redemption.add", &redemption("7", "r1"));
    stage.wait_for_heat(1_002_001)?;
    stage.api.notify("channel.hype_train.progress", &train(2));
    eventually("the train", || match stage.raw(&["decision"]) {
        Ok(rows) => rows.iter().any(|row| row["became"]["decided"]["event"].is_string()),
        Err(_) => false,
    })?;
    // The same message twice, and a redemption that is told twice, are one.
    for _ in 0..3 {
        stage.api.notify_as("again", "channel.follow", &follow("8"));
        stage
            .api
            .notify("channel.channel_points_custom_reward_redemption.add", &redemption("7", "r1"));
    }
    stage.wait_for_heat(1_002_002)?;
    stage.api.notify("channel.follow", &follow("9"));
    stage.wait_for_heat(1_002_003)
}

#[test]
fn a_session_moves_to_another_connection_and_nothing_is_lost_or_doubled() -> Result<()> {
    let stage = stage()?;
    let subscribed = stage.api.count("POST", "eventsub/subscriptions");
    for round in 0..5_u64 {
        // The next connection is refused once.
        stage.api.change(|desk| desk.refuse_moves = u32::from(round == 2));
        let before = stage.api.change(|desk| desk.open_connections());
        ensure!(before == 1, "{before} connections");
        stage.api.ask_to_move();
        for number in 0..40 {
            stage
                .api
                .notify("channel.follow", &follow(&format!("{}", 1_000 + round * 100 + number)));
        }
        stage.wait_for_heat((round + 1) * 40)?;
        eventually("one connection", || {
            let open = stage.api.change(|desk| desk.open_connections());
            if open == 1 { Ok(()) } else { Err(format!("{open} connections")) }
        })?;
    }
    ensure!(
        stage.api.count("POST", "eventsub/subscriptions") == subscribed,
        "it has subscribed again"
    );
    Ok(())
}

#[test]
fn every_end_of_a_session_is_followed_by_another_that_subscribes_to_all() -> Result<()> {
    let stage = stage()?;
    for (round, code) in
        [(1, Some(4000)), (2, Some(4002)), (3, Some(4004)), (4, Some(4007)), (5, None)]
    {
        match code {
            Some(code) => stage.api.close(code),
            None => stage.api.break_off(),
        }
        // Twitch has not noticed yet that the session before is gone: its subscriptions are in the way, and heatd removes them.
        stage.api.wait_for_subscription("channel.follow")?;
        heard(&stage)?;
        ensure!(stage.api.notify("channel.follow", &follow(&format!("{round}"))) == 1);
        stage.wait_for_heat(round)?;
    }
    ensure!(stage.api.count("DELETE", "eventsub/subscriptions") > 0);
    Ok(())
}

#[test]
fn after_a_crash_the_orphans_are_removed_and_those_of_another_program_are_not() -> Result<()> {
    let mut stage = stage()?;
    stage.crash()?;
    stage.api.wait_for_sessions(2)?;
    stage.api.wait_for_subscription("channel.follow")?;
    heard(&stage)?;
    ensure!(stage.api.notify("channel.follow", &follow("7")) == 1, "it is heard twice, or not");
    stage.wait_for_heat(1)?;
    // Another program with the same account and client.
    let tokens = stage.logins.tokens();
    let (access, _) = stage.logins.hand_out("seaside", &["moderator:read:followers"]);
    let known = tokens.find(&access).expect("a good token");
    stage.api.change(|desk| {
        desk.add_foreign_subscription(
            &known,
            "channel.raid",
            serde_json::json!({ "to_broadcaster_user_id": "11" }),
        );
    });
    stage.restart()?;
    heard(&stage)?;
    let sessions = stage.api.change(|desk| desk.sessions());
    ensure!(sessions.iter().any(|it| it == "session-of-another-program"), "{sessions:?}");
    let account = stage.account()?;
    ensure!(
        account["eventsub"]["refused"]["channel.raid"]
            .as_str()
            .is_some_and(|why| why.contains("exists")),
        "{account}"
    );
    // The rest is heard.
    stage.api.notify("channel.follow", &follow("8"));
    stage.wait_for_heat(2)
}

#[test]
fn what_is_revoked_is_told_and_asked_for_again_and_what_lacks_a_scope_is_named() -> Result<()> {
    let stage = Stage::with(&Plan::default(), |_, _| {})?;
    heard(&stage)?;
    stage.api.revoke("channel.follow", "version_removed");
    stage.heatd.wait_for_line(|line| {
        line.contains("Twitch has ended what heatd hears") && line.contains("version_removed")
    })?;
    let account = stage.account()?;
    ensure!(account["eventsub"]["refused"]["channel.follow"] == "version_removed", "{account}");
    // Nothing else has ended.
    ensure!(stage.api.notify("channel.subscribe", &subscribe("7")) == 1);
    Ok(())
}

#[test]
fn a_login_that_ends_ends_what_is_heard_and_everything_else_goes_on() -> Result<()> {
    let stage = stage()?;
    stage.logins.disconnect("seaside");
    stage.api.revoke("channel.follow", "authorization_revoked");
    stage.api.close(4003);
    eventually("the end of the login", || match stage.account() {
        Ok(account) if account["state"] == "lapsed" => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    let asked = stage.api.asked().len();
    stage.town.chat.say("seaside", "ann", "?fave");
    stage.wait_for_heat(1)?;
    ensure!(stage.api.asked().len() <= asked + 1, "it asks on and on");
    stage.wait_for_output("notice-login", &stage.output("notice-login")?.unwrap_or_default())?;
    ensure!(
        stage.output("notice-login")?.is_some_and(|it| it.contains("heat login --channel seaside"))
    );
    Ok(())
}

#[test]
fn a_silent_server_is_given_up() -> Result<()> {
    let stage = Stage::with(&Plan::default(), |_, api| {
        api.change(|desk| (desk.promised, desk.keepalive) = (1, 0));
    })?;
    stage.api.wait_for_subscription("channel.follow")?;
    // It was promised a sign of life every second, and gets none.
    stage.heatd.wait_for_line(|line| line.contains("Twitch has fallen silent"))?;
    stage.api.change(|desk| desk.keepalive = 1);
    stage.api.wait_for_sessions(2)?;
    heard(&stage)?;
    stage.api.notify("channel.subscription.gift", &gift("7", 5));
    stage.api.notify("channel.raid", &raid("9", 5));
    stage.api.notify("channel.follow", &follow("7"));
    stage.wait_for_heat(1)
}
