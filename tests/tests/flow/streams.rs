//! Whether a stream is live: said by a moderator, by MQTT, or by silence; kept over restarts, and shown.

use anyhow::{Result, ensure};
use heat_tests::mosquitto::Mosquitto;
use heat_tests::twitch::Line;

use crate::town::{Broker, Town};

const SHOWN: &str = "heat/v1/seaside/stream";

#[test]
fn a_moderator_and_a_topic_say_it_and_nobody_else() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let watch = broker.subscribe("heat/v1/#")?;
    let configuration = town.head(&["seaside"], &Broker::At(broker.port()))
        + "[stream]\ntopic = \"studio/{channel}\"\n"
        + &Town::rules("LUL")?;
    let mut heatd = town.heatd(&configuration)?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    town.chat.wait_joined("seaside")?;
    watch.wait_for_last(SHOWN, "unknown")?;

    town.chat.say("seaside", "ann", "?stream start");
    town.wait_for_figure("heatd_events_refused_total{reason=\"not_allowed\"}", 1)?;
    let moderator = |text| Line::chat("seaside", "mia", text).badge("moderator/1");
    town.chat.send("seaside", &moderator("?stream start"));
    watch.wait_for_last(SHOWN, "live")?;
    broker.publish("studio/seaside", b" END\n", false, 1)?;
    watch.wait_for_last(SHOWN, "offline")?;
    broker.publish("studio/seaside", b"perhaps", false, 1)?;
    heatd.wait_for_line(|line| line.contains("says neither start nor end"))?;

    // What was known is known after a restart, and said again when the broker has forgotten it.
    ensure!(heatd.terminate()?.success());
    broker.publish(SHOWN, b"", true, 1)?;
    let _heatd = town.heatd(&configuration)?;
    watch.wait_for_last(SHOWN, "offline")?;
    Ok(())
}

#[test]
fn the_first_line_starts_a_stream_where_silence_ends_it() -> Result<()> {
    let town = Town::new()?;
    let mut broker = Mosquitto::start()?;
    let watch = broker.subscribe("heat/v1/#")?;
    let configuration = town.head(&["seaside"], &Broker::At(broker.port()))
        + "[stream]\nsilence = \"1m\"\n"
        + &Town::rules("LUL")?;
    let _heatd = town.heatd(&configuration)?;
    town.chat.wait_joined("seaside")?;
    watch.wait_for_last(SHOWN, "unknown")?;
    town.chat.say("seaside", "ann", "hello");
    watch.wait_for_last(SHOWN, "live")?;
    Ok(())
}
