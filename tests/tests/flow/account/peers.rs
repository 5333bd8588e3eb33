//! Two clients that others have written judge the scripted Twitch: they log in, subscribe, are told, move, and complain of nothing.

use anyhow::{Result, ensure};
use heat_tests::event_peer::EventPeer;
use heat_tests::logins::Logins;
use heat_tests::patience::eventually;
use heat_tests::twitch_api::TwitchApi;

use super::payloads::{follow, gift, line, online, raid, redemption, subscribe, train, update};

const TYPES: [&str; 8] = [
    "channel.follow",
    "channel.subscribe",
    "channel.subscription.gift",
    "channel.raid",
    "channel.channel_points_custom_reward_redemption.add",
    "channel.chat.message",
    "stream.online",
    "channel.update",
];

fn twitch() -> Result<(Logins, TwitchApi)> {
    let logins = Logins::start(&[("seaside", "11")])?;
    let api = TwitchApi::start(&logins)?;
    Ok((logins, api))
}

fn judge(api: &TwitchApi, peer: &EventPeer) -> Result<()> {
    eventually("its subscriptions", || {
        let kinds = api.change(|desk| desk.kinds());
        let is_there = |wanted: &&str| kinds.iter().any(|(kind, _)| kind == *wanted);
        let missing: Vec<_> = TYPES.iter().filter(|it| !is_there(it)).collect();
        ensure!(missing.is_empty(), "{missing:?} are missing: {:?}", peer.seen());
        anyhow::Ok(())
    })?;
    for (kind, event) in [
        ("channel.follow", follow("7")),
        ("channel.subscribe", subscribe("7")),
        ("channel.subscription.gift", gift("7", 5)),
        ("channel.raid", raid("9", 120)),
        ("channel.channel_points_custom_reward_redemption.add", redemption("7", "r1")),
        ("channel.hype_train.progress", train(2)),
        ("channel.chat.message", line("m1", "7", "hello there")),
        ("stream.online", online()),
        ("channel.update", update("Pies", "Baking")),
    ] {
        api.notify(kind, &event);
    }
    let text = |text: &str| text.to_owned();
    eventually("the last of all", || peer.told("update") == [(text(""), text("Pies"))])?;
    ensure!(peer.told("follow") == [(text("7"), text(""))], "{:?}", peer.seen());
    ensure!(peer.told("gift") == [(text("7"), text("5"))], "{:?}", peer.seen());
    ensure!(peer.told("raid").len() == 1 && peer.told("raid")[0].0 == "9");
    ensure!(peer.told("redemption") == [(text("7"), text("Water"))], "{:?}", peer.seen());
    ensure!(peer.told("chat") == [(text("7"), text("hello there"))], "{:?}", peer.seen());
    ensure!(peer.told("online").len() == 1);
    // It moves, and is told on the new connection.
    let subscribed = api.count("POST", "eventsub/subscriptions");
    let connections = api.change(|desk| desk.open_connections());
    api.ask_to_move();
    api.wait_for_sessions(connections + 1)?;
    eventually("the move", || {
        api.notify("channel.follow", &follow("8"));
        peer.told("follow").iter().any(|(user, _)| user == "8")
    })?;
    ensure!(api.count("POST", "eventsub/subscriptions") == subscribed, "it has subscribed again");
    ensure!(peer.complaints().is_empty(), "{:?}", peer.complaints());
    Ok(())
}

#[test]
fn twurple_understands_the_scripted_twitch() -> Result<()> {
    let (logins, api) = twitch()?;
    let peer = EventPeer::twurple(&logins, &api, "seaside", "11")?;
    api.wait_for_subscription("channel.hype_train.progress")?;
    judge(&api, &peer)?;
    ensure!(peer.told("hype-train").len() == 1, "{:?}", peer.seen());
    Ok(())
}

#[test]
fn twitch_api_understands_the_scripted_twitch() -> Result<()> {
    let (logins, api) = twitch()?;
    let peer = EventPeer::twitch_api(&logins, &api, "seaside", "11")?;
    judge(&api, &peer)?;
    ensure!(api.said().iter().any(|it| it.text == "hello from python"), "{:?}", peer.seen());
    ensure!(peer.seen().iter().any(|it| it["event"] == "me" && it["user"] == "11"));
    ensure!(logins.count("validate", "") > 0);
    Ok(())
}
