//! Faves that wait for one another, for the sake of the disk: fewer commits, later texts, and nothing less counted.

use anyhow::{Result, ensure};
use heat_tests::mosquitto::Mosquitto;

use crate::town::{Broker, Town};

const FAVES: u64 = 12;

#[test]
fn faves_that_may_wait_share_a_commit_and_are_shown_together() -> Result<()> {
    let (town, mut broker) = (Town::new()?, Mosquitto::start()?);
    let watch = broker.subscribe("heat/v1/seaside/heat")?;
    let configuration = town.head(&["seaside"], &Broker::At(broker.port()));
    let configuration = format!("gather = \"4s\"\n{configuration}");
    let mut heatd = town.heatd(&(configuration + &Town::rules("LUL")?))?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    town.chat.wait_joined("seaside")?;
    // Each is decided before the next is sent, so that they are a group only because they wait.
    for number in 1..FAVES {
        town.chat.say("seaside", "ann", "?fave");
        town.wait_for_figure("heatd_faves_total", number)?;
    }
    // A message waits for its acknowledgement as long, and is a fave like the others.
    broker.publish("deck/fave", b"pie", false, 1)?;
    watch.wait_for_last("heat/v1/seaside/heat", &FAVES.to_string())?;
    let shown = watch.messages().len() as u64;
    ensure!(shown <= FAVES / 2, "{shown} texts for {FAVES} faves: they did not wait");
    // Nothing waits at the end.
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_figure("heatd_faves_total", FAVES + 1)?;
    ensure!(heatd.terminate()?.success());
    watch.wait_for_last("heat/v1/seaside/heat", &(FAVES + 1).to_string())?;
    Ok(())
}
