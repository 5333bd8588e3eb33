//! A streamer has another name now: the configuration names it, and Twitch's id says that it is the same channel.

use anyhow::{Result, ensure};
use heat_tests::mosquitto::Mosquitto;
use heat_tests::twitch::room_id;

use crate::client::{answer, heat, run};
use crate::town::{Broker, Town};

#[test]
fn a_channel_with_another_name_keeps_its_counts_and_its_heat_and_nothing_stays_under_the_old_one()
-> Result<()> {
    let (town, mut broker) = (Town::new()?, Mosquitto::start()?);
    let id = room_id("oldname");
    town.chat.set_room_id("newname", &id);
    let configuration = |name: &str| -> Result<String> {
        Ok(town.head(&[name], &Broker::At(broker.port())) + &Town::rules("LUL")?)
    };
    let (before, after) = (configuration("oldname")?, configuration("newname")?);
    let mut heatd = town.heatd(&before)?;
    town.chat.wait_joined("oldname")?;
    let watch = broker.subscribe("heat/v1/#")?;
    for login in ["ann", "bob"] {
        town.chat.say("oldname", login, "?fave pie");
    }
    watch.wait_for_last("heat/v1/oldname/heat", "2")?;
    let export = town.path("old.jsonl").display().to_string();
    answer(&town, &["export", "--what", "counts", "--output", &export])?;
    ensure!(heatd.terminate()?.success());

    let mut heatd = town.heatd(&after)?;
    let line = heatd.wait_for_line(|line| line.contains("the channel has another name now"))?;
    for word in ["newname", "oldname", &id, "faves=2"] {
        ensure!(line.contains(word), "{word} is not said: {line}");
    }
    watch.wait_for_last("heat/v1/newname/heat", "2")?;
    watch.wait_for_last("heat/v1/oldname/heat", "")?;
    town.chat.say("newname", "cy", "?fave pie");
    watch.wait_for_last("heat/v1/newname/heat", "3")?;
    let audit = answer(&town, &["rules", "audit", "--json"])?;
    ensure!(audit.contains("it was #oldname before"), "{audit}");
    // What was exported under the old name is here, and counts no second time.
    let (code, told, words) = run(heat(&town, &["import", &export, "--channel", "newname"])?)?;
    ensure!(code == Some(0) && words.contains("#oldname in the file are for #newname"), "{words}");
    ensure!(told.contains("0 faves") && told.contains("2 counts were here already"), "{told}");
    ensure!(heatd.terminate()?.success());

    // The next start has nothing to move.
    let mut heatd = town.heatd(&after)?;
    town.wait_for_joins("newname", 2)?;
    town.chat.say("newname", "dee", "?fave pie");
    watch.wait_for_last("heat/v1/newname/heat", "4")?;
    let moved = |line: &String| line.contains("another name");
    ensure!(!heatd.lines().iter().any(moved), "{:?}", heatd.lines());
    ensure!(heatd.terminate()?.success());
    Ok(())
}

#[test]
fn where_both_names_have_counts_heatd_says_the_command_that_adds_them() -> Result<()> {
    let town = Town::new()?;
    let configuration = |name: &str| -> Result<String> {
        Ok(town.head(&[name], &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?)
    };
    for name in ["oldname", "newname"] {
        let mut heatd = town.heatd(&configuration(name)?)?;
        town.chat.wait_joined(name)?;
        town.chat.say(name, "ann", "?fave pie");
        town.wait_for_figure("heatd_faves_total", 1)?;
        ensure!(heatd.terminate()?.success());
    }
    town.chat.set_room_id("newname", &room_id("oldname"));
    let mut heatd = town.heatd(&configuration("newname")?)?;
    heatd.wait_for_line(|line| line.contains("heatd rename oldname newname --data"))?;
    let data = town.path("heat-data").display().to_string();
    let rename = || -> Result<(Option<i32>, String, String)> {
        let mut command = std::process::Command::new(heat_tests::processes::binaries()?.heatd);
        command.args(["rename", "oldname", "newname", "--data", &data]);
        run(command)
    };
    let (code, _, words) = rename()?;
    ensure!(code == Some(1) && words.contains("stop it first"), "{words}");
    ensure!(heatd.terminate()?.success());
    let (code, told, words) = rename()?;
    ensure!(code == Some(0) && told.contains("has the 1 faves of #oldname"), "{told} {words}");
    let (code, _, words) = rename()?;
    ensure!(code == Some(1) && words.contains("nothing was counted under #oldname"), "{words}");
    Ok(())
}
