//! Channels that are added and removed while heatd runs, by `heat channels`.

use anyhow::{Context, Result, ensure};
use heat_tests::mosquitto::Mosquitto;
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use serde_json::Value;

use crate::client::{answer, ask, heat, run};
use crate::town::{Broker, Town};

fn list(town: &Town) -> Result<Value> {
    Ok(serde_json::from_str(&answer(town, &["channels", "list", "--json"])?)?)
}

/// The names of the channels, and of those that were removed.
fn names(town: &Town) -> Result<(Vec<String>, Vec<String>)> {
    let told = list(town)?;
    let of = |what: &str| -> Vec<String> {
        let all = told[what].as_array().into_iter().flatten();
        all.filter_map(|it| Some(it["name"].as_str()?.to_owned())).collect()
    };
    Ok((of("channels"), of("removed")))
}

/// Waits until a line in this channel has counted, and says what is shown then.
fn fave(town: &Town, channel: &str, login: &str) -> Result<()> {
    let before = town.figure("heatd_faves_total")?;
    town.chat.say(channel, login, "?fave");
    town.wait_for_figure("heatd_faves_total", before + 1)
}

fn series(town: &Town, channel: &str) -> Result<(u16, String)> {
    let token = std::fs::read_to_string(town.path("heat-data/api.token"))?;
    let request = format!("GET /api/v1/channels/{channel}/series?of=faves");
    ask(town, &request, token.trim(), "")
}

fn start(town: &Town, configuration: &str) -> Result<Program> {
    let heatd = town.heatd(configuration)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    Ok(heatd)
}

#[test]
fn a_channel_is_added_and_removed_and_stays_so_over_restarts() -> Result<()> {
    let (town, mut broker) = (Town::new()?, Mosquitto::start()?);
    let configuration = town.head(&["seaside"], &Broker::At(broker.port())) + &Town::rules("LUL")?;
    let mut heatd = start(&town, &configuration)?;
    town.chat.wait_joined("seaside")?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    let watch = broker.subscribe("heat/v1/#")?;
    let told = answer(&town, &["channels", "add", "#Harbour"])?;
    assert_eq!(told, "#harbour is read from now on; its rules are fave, decay\n");
    town.chat.wait_joined("harbour")?;
    fave(&town, "harbour", "ann")?;
    fave(&town, "harbour", "bob")?;
    fave(&town, "seaside", "ann")?;
    watch.wait_for_last("heat/v1/harbour/heat", "2")?;
    watch.wait_for_last("heat/v1/seaside/heat", "1")?;
    // It is a channel like any other: a message by MQTT counts in both, and its rules can be changed.
    broker.publish("deck/fave", b"pie", false, 1)?;
    watch.wait_for_last("heat/v1/harbour/heat", "3")?;
    watch.wait_for_last("heat/v1/seaside/heat", "2")?;
    answer(&town, &["rules", "disable", "decay", "--channel", "harbour"])?;
    watch.wait_for_last("heat/v1/harbour/heat", "")?;
    answer(&town, &["rules", "enable", "decay", "--channel", "harbour"])?;
    let diff = answer(&town, &["config", "diff"])?;
    ensure!(diff.contains("harbour") && diff.contains("added"), "{diff}");
    ensure!(heatd.terminate()?.success());
    heatd = start(&town, &configuration)?;
    town.wait_for_joins("harbour", 2)?;
    town.wait_for_joins("seaside", 2)?;
    town.wait_for_figure("heatd_channels_joined", 2)?;
    fave(&town, "harbour", "cleo")?;
    watch.wait_for_last("heat/v1/harbour/heat", "4")?;

    let told = answer(&town, &["channels", "remove", "harbour"])?;
    assert_eq!(told, "#harbour is read no more; what was counted there is kept\n");
    town.chat.wait_parted("harbour")?;
    // What is retained is gone, so that no writer shows it.
    watch.wait_for_last("heat/v1/harbour/heat", "")?;
    town.wait_for_figure("heatd_channels_joined", 1)?;
    assert_eq!(names(&town)?, (vec!["seaside".to_owned()], vec!["harbour".to_owned()]));
    ensure!(heatd.terminate()?.success());
    heatd = start(&town, &configuration)?;
    town.wait_for_joins("seaside", 3)?;
    town.wait_for_figure("heatd_channels_joined", 1)?;
    assert_eq!(names(&town)?.1, ["harbour"]);

    answer(&town, &["channels", "add", "harbour"])?;
    watch.wait_for_last("heat/v1/harbour/heat", "4")?;
    town.wait_for_joins("harbour", 3)?;
    fave(&town, "harbour", "dora")?;
    watch.wait_for_last("heat/v1/harbour/heat", "5")?;
    // Nobody listened there for a while.
    town.wait_for_figure("heatd_chat_gaps_total", 2)?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}

#[test]
fn a_configured_channel_can_be_removed_until_the_configuration_is_changed() -> Result<()> {
    let town = Town::new()?;
    let broker = Broker::Embedded(town.mqtt);
    let configuration = town.head(&["seaside"], &broker) + &Town::rules("LUL")?;
    let mut heatd = start(&town, &configuration)?;
    town.chat.wait_joined("seaside")?;
    fave(&town, "seaside", "ann")?;
    answer(&town, &["channels", "remove", "seaside"])?;
    town.chat.wait_parted("seaside")?;
    eventually("heatd to be ready", || match town.page("/readyz") {
        Ok((200, _)) => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    assert_eq!(names(&town)?, (vec![], vec!["seaside".to_owned()]));
    // What was counted there can still be asked for.
    let (status, found) = series(&town, "seaside")?;
    ensure!(status == 200 && found.contains("\"points\""), "{status} {found}");
    assert_eq!(series(&town, "nowhere")?.0, 404);
    ensure!(heatd.terminate()?.success());
    heatd = start(&town, &configuration)?;
    assert_eq!(names(&town)?.0, Vec::<String>::new());
    ensure!(heatd.terminate()?.success());
    let other = town.head(&["harbour"], &broker) + &Town::rules("LUL")?;
    heatd = start(&town, &other)?;
    assert_eq!(names(&town)?.0, ["harbour"]);
    ensure!(heatd.terminate()?.success());
    // Now the configuration has the later word.
    heatd = start(&town, &configuration)?;
    assert_eq!(names(&town)?.0, ["seaside"]);
    town.wait_for_joins("seaside", 2)?;
    fave(&town, "seaside", "bob")?;
    eventually("what was counted before to count", || {
        let status = answer(&town, &["status", "--json"]).unwrap_or_default();
        let status: Value = serde_json::from_str(&status).unwrap_or_default();
        status["channels"][0]["outputs"]["heat"] == "2"
    })?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}

#[test]
fn what_is_no_channel_or_there_already_is_refused() -> Result<()> {
    let town = Town::new()?;
    let configuration =
        town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?;
    let configuration =
        configuration.replace("[emotes]", "[stream]\ntopic = \"stream/state\"\n[emotes]");
    let _heatd = start(&town, &configuration)?;
    for (arguments, why) in [
        (["channels", "add", "sea side"], "is no channel"),
        (["channels", "add", "seaside"], "reads #seaside already"),
        (["channels", "add", "harbour"], "does not say which channel is meant"),
        (["channels", "remove", "harbour"], "has no channel \"harbour\""),
    ] {
        let (code, _, words) = run(heat(&town, &arguments)?)?;
        ensure!(code == Some(1) && words.contains(why), "{arguments:?}: {words}");
    }
    assert_eq!(names(&town)?.0, ["seaside"]);
    Ok(())
}

/// As many as Twitch lets a client join takes a minute, and no processor.
#[test]
fn a_hundred_channels_are_read_of_which_most_were_added_while_running() -> Result<()> {
    const ALL: usize = 100;
    let town = Town::new()?;
    let names: Vec<String> = (0..ALL).map(|number| format!("channel{number:02}")).collect();
    let configured: Vec<&str> = names[..25].iter().map(String::as_str).collect();
    let configuration = town.head(&configured, &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?;
    let _heatd = start(&town, &configuration)?;
    let added: Vec<&str> = names[25..].iter().map(String::as_str).collect();
    answer(&town, &[&["channels", "add"], &added[..]].concat())?;
    for wave in [25, 50, 75, ALL as u64] {
        eventually(format!("{wave} channels to be joined"), || {
            let joined = town.figure("heatd_channels_joined").unwrap_or_default();
            if joined >= wave { Ok(()) } else { Err(joined.to_string()) }
        })?;
    }
    assert_eq!(town.figure("heatd_chat_connections")?, 2);
    for name in &names {
        town.chat.say(name, "ann", "?fave");
    }
    town.wait_for_figure("heatd_faves_total", ALL as u64)?;
    // A connection that nobody needs ends, and the channels of the other one do not notice.
    let gone: Vec<&str> = names[..60].iter().map(String::as_str).collect();
    answer(&town, &[&["channels", "remove"], &gone[..]].concat())?;
    town.wait_for_figure("heatd_channels_joined", 40)?;
    for name in &names {
        town.chat.say(name, "bob", "?fave");
    }
    let left = || -> Result<u64> {
        let told = list(&town)?;
        Ok(told["channels"].as_array().context("no channels")?.len() as u64)
    };
    assert_eq!(left()?, 40);
    eventually("the others to count", || {
        let faves: Result<Vec<u64>> = names[60..]
            .iter()
            .map(|name| town.figure(&format!("heatd_faves_total{{channel=\"{name}\"}}")))
            .collect();
        faves.is_ok_and(|faves| faves.iter().all(|count| *count == 2))
    })?;
    Ok(())
}
