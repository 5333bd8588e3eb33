//! Files of rules that change while heatd runs, and what moderators take back in chat.

use anyhow::{Result, ensure};
use heat_tests::mosquitto::Mosquitto;
use heat_tests::twitch::Line;

use crate::town::{Broker, Town, component};

const HEAT: &str = "heat/v1/seaside/heat";
const DECAY: &str = "heat/v1/seaside/rules/decay";

/// A configuration whose formula is a copy in the town's own folder.
fn configuration(town: &Town, port: u16, more: &str) -> Result<String> {
    std::fs::create_dir_all(town.path("rules"))?;
    std::fs::copy(component("rules", "decay")?, town.path("rules/decay.wasm"))?;
    Ok(town.head(&["seaside"], &Broker::At(port))
        + &format!("[[rule]]\nfile = {:?}\n", component("rules", "fave")?)
        + &format!("[[rule]]\nfile = \"rules/decay.wasm\"\n{more}settings.half_life = \"0s\"\n"))
}

#[test]
fn a_changed_file_goes_live_a_half_copied_one_does_not_and_strangers_are_named() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let watch = broker.subscribe("heat/v1/#")?;
    let mut heatd = town.heatd(&configuration(&town, broker.port(), "")?)?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave");
    watch.wait_for_last(HEAT, "1")?;
    let decay = std::fs::read(component("rules", "decay")?)?;
    let file = town.path("rules/decay.wasm");

    // Half of it is refused, and everything stays as it was.
    std::fs::write(&file, &decay[..decay.len() / 2])?;
    heatd.wait_for_line(|line| line.contains("what is in the file does not go live"))?;
    town.chat.say("seaside", "bob", "?fave");
    watch.wait_for_last(HEAT, "2")?;

    // An editor's own file is nobody's; another component is named once.
    std::fs::write(town.path("rules/.decay.wasm.swp"), b"x")?;
    std::fs::write(town.path("rules/other.wasm"), b"x")?;
    heatd.wait_for_line(|line| line.contains("no slot has this file") && line.contains("other"))?;

    // Another build of the rule: the same code, with a section behind it that means nothing.
    std::fs::write(&file, [&decay[..], b"\0\x06\x04note!"].concat())?;
    heatd.wait_for_line(|line| line.contains("what is in the file is live"))?;
    town.chat.say("seaside", "cy", "?fave");
    watch.wait_for_last(HEAT, "3")?;
    // The configuration says so: nothing is changed beside it.
    watch.wait_for(|message| {
        let text = String::from_utf8_lossy(&message.payload);
        message.topic == DECAY
            && text.contains("\"state\":\"probation\"")
            && text.contains("\"changed\":false")
    })?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}

#[test]
fn where_the_file_alone_decides_a_changed_file_still_goes_live() -> Result<()> {
    let town = Town::new()?;
    let broker = Mosquitto::start()?;
    let configuration = configuration(&town, broker.port(), "source = \"file\"\n")?;
    let heatd = town.heatd(&configuration)?;
    town.chat.wait_joined("seaside")?;
    let decay = std::fs::read(component("rules", "decay")?)?;
    let file = town.path("rules/decay.wasm");
    std::fs::write(file, [&decay[..], b"\0\x06\x04note!"].concat())?;
    heatd.wait_for_line(|line| line.contains("what is in the file is live"))?;
    Ok(())
}

#[test]
fn a_moderator_takes_back_what_somebody_did_or_is_told_what_that_would_change() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let watch = broker.subscribe("heat/v1/#")?;
    let heatd = town.heatd(&configuration(&town, broker.port(), "")?)?;
    town.chat.wait_joined("seaside")?;
    for text in ["?fave one", "?fave two", "?fave three"] {
        town.chat.say("seaside", "spammer", text);
    }
    town.chat.say("seaside", "ann", "?fave one");
    watch.wait_for_last(HEAT, "4")?;

    town.chat.say("seaside", "ann", "?heat undo @spammer now");
    town.wait_for_figure("heatd_events_refused_total{reason=\"not_allowed\"}", 1)?;
    let moderator = |text| Line::chat("seaside", "mia", text).badge("moderator/1");
    town.chat.say("seaside", "ann", "?heat undo");
    town.wait_for_figure("heatd_events_refused_total{reason=\"not_allowed\"}", 2)?;
    town.chat.send("seaside", &moderator("?heat undo @spammer 10 minutes"));
    let said = |words: &str| {
        let is_it = |line: &str| line.contains("is not said in chat") && line.contains(words);
        heatd.wait_for_line(is_it)
    };
    said("@mia: nothing is taken back")?;
    town.chat.send("seaside", &moderator("?heat undo @Spammer 10m preview"));
    let told = said("3 events with 3 faves")?;
    ensure!(told.contains("heat 4 → 1"), "{told}");
    ensure!(told.contains("To do it: ?heat undo @spammer 10m"), "{told}");
    town.chat.say("seaside", "bob", "?fave one");
    watch.wait_for_last(HEAT, "5")?;

    town.chat.send("seaside", &moderator("?heat undo @spammer 10m"));
    watch.wait_for_last(HEAT, "2")?;
    town.chat.say("seaside", "cy", "?fave one");
    watch.wait_for_last(HEAT, "3")?;
    Ok(())
}
