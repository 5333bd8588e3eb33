//! The rules that make a show of what happens: combos, trains, lamps and moments, from real lines of chat to a real broker.

use anyhow::{Result, ensure};
use heat_tests::mosquitto::Mosquitto;
use heat_tests::twitch::Line;

use crate::live::Api;
use crate::town::{Broker, Town, component};

/// These rules, each with settings.
fn rules(wanted: &[(&str, &str)]) -> Result<String> {
    let table = |(name, settings): &(&str, &str)| {
        Ok(format!("[[rule]]\nfile = {:?}\n{settings}\n", component("rules", name)?))
    };
    wanted.iter().map(table).collect()
}

#[test]
fn combos_trains_and_lamps_go_with_the_chat() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let watch = broker.subscribe("#")?;
    let rules = rules(&[
        ("fave", ""),
        ("combo", "settings.people = 3"),
        ("hype-train", "settings.format = \"json\"\nsettings.kickoff_events = 2"),
        (
            "lights",
            "publish = [\"wled/#\"]\nsettings.topic = \"wled/all/api\"\nsettings.levels = { warm = 2 }\nsettings.payloads = ['{\"on\":false}', '{\"on\":true,\"ps\":{number}}']",
        ),
        ("hype-clip", "settings.clip = false"),
    ])?;
    let configuration = town.head(&["seaside"], &Broker::At(broker.port())) + &rules;
    let _heatd = town.heatd(&configuration)?;
    town.chat.wait_joined("seaside")?;

    for login in ["ann", "bob", "cat"] {
        town.chat.send("seaside", &Line::chat("seaside", login, "Kappa").emote("25", "Kappa"));
    }
    watch.wait_for_last("heat/v1/seaside/combo", "Kappa x3")?;
    watch.wait_for_last("heat/v1/seaside/combo-record", "Kappa x3")?;

    town.chat.say("seaside", "ann", "?fave pie");
    // Nothing is taken back that was not shown: the combo was, and any other line ends it.
    watch.wait_for_last("heat/v1/seaside/combo", "")?;
    town.chat.say("seaside", "bob", "?fave pie");
    watch.wait_for_last("wled/all/api", "{\"on\":true,\"ps\":1}")?;

    town.chat.send("seaside", &Line::subscription("seaside", "ann", 1));
    town.chat.send("seaside", &Line::subscription("seaside", "bob", 7));
    watch.wait_for_last("heat/v1/seaside/hype-train-record", "{\"value\": 1, \"points\": 1000}")?;
    Ok(())
}

#[test]
fn without_a_login_what_must_speak_or_clip_is_refused() -> Result<()> {
    let town = Town::new()?;
    for (rule, settings, right) in [
        ("replies", "", false),
        ("hype-clip", "", false),
        ("hype-clip", "settings.clip = false", true),
    ] {
        let configuration = town.head(&["seaside"], &Broker::Embedded(town.mqtt))
            + &rules(&[("fave", ""), (rule, settings)])?;
        let output = town.heatd_command("check", &configuration)?.output()?;
        let words = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let code = if right { 0 } else { 64 };
        ensure!(output.status.code() == Some(code), "{rule} {settings}: {words}");
        let is_told = ["no account speaks in #seaside", "heatd cannot make any yet"];
        ensure!(right || is_told.iter().any(|it| words.contains(it)), "{words}");
    }
    Ok(())
}

#[test]
fn a_pause_stands_everywhere_until_it_is_over() -> Result<()> {
    const NOTICE: &str = "heat/v1/seaside/notice-faves";
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let watch = broker.subscribe("#")?;
    let configuration =
        town.head(&["seaside"], &Broker::At(broker.port())) + &rules(&[("fave", "")])?;
    let mut heatd = town.heatd(&configuration)?;
    town.chat.wait_joined("seaside")?;
    town.chat
        .send("seaside", &Line::chat("seaside", "seaside", "?heat pause").badge("broadcaster/1"));
    watch.wait_for_last(NOTICE, "Faves are paused")?;
    let notices = |town: &Town| -> Result<serde_json::Value> {
        let channels = Api::new(town)?.get("channels")?.json()?;
        Ok(channels["channels"][0]["notices"].clone())
    };
    ensure!(notices(&town)? == serde_json::json!(["Faves are paused"]));
    // It is a state: it stands after a restart, and at the broker for whoever comes later.
    ensure!(heatd.terminate()?.success());
    let _heatd = town.heatd(&configuration)?;
    town.wait_for_joins("seaside", 2)?;
    ensure!(notices(&town)? == serde_json::json!(["Faves are paused"]));
    let later = broker.subscribe(NOTICE)?;
    later.wait_for_last(NOTICE, "Faves are paused")?;
    town.chat
        .send("seaside", &Line::chat("seaside", "seaside", "?heat resume").badge("broadcaster/1"));
    watch.wait_for_last(NOTICE, "")?;
    ensure!(notices(&town)? == serde_json::json!([]));
    Ok(())
}
