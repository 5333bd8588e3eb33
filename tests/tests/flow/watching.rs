//! Whether heatd is ready, as it says itself: false as soon as a source is lost, with the source and the time; true again when it is back.

use anyhow::{Result, ensure};
use heat_tests::mosquitto::Mosquitto;
use heat_tests::patience::eventually;
use heat_tests::processes::Program;

use crate::town::{Broker, Town};

struct Watched {
    town: Town,
    broker: Mosquitto,
    _heatd: Program,
}

impl Watched {
    /// heatd in these channels, of which Twitch does not know the missing ones.
    fn new(channels: &[&str], missing: &[&str]) -> Result<Self> {
        let (town, broker) = (Town::new()?, Mosquitto::start()?);
        town.chat.behave(|behaviour| {
            behaviour.missing = missing.iter().map(|name| (*name).to_owned()).collect();
        });
        let configuration = town.head(channels, &Broker::At(broker.port()));
        let heatd = town.heatd(&(configuration + &Town::rules("LUL")?))?;
        Ok(Self { town, broker, _heatd: heatd })
    }

    /// Waits until heatd is ready.
    fn ready(&self) -> Result<()> {
        eventually("heatd to be ready", || match self.town.page("/readyz") {
            Ok((200, _)) => Ok(()),
            Ok((_, reasons)) => Err(reasons),
            Err(error) => Err(error.to_string()),
        })
    }

    /// Waits until it is not, for this reason alone and since a moment, and alive all the same.
    fn not_ready(&self, reason: &str) -> Result<()> {
        let reasons = eventually(format!("heatd not to be ready: {reason}"), || {
            let (code, text) = self.town.page("/readyz").map_err(|error| error.to_string())?;
            if code == 503 && text.contains(reason) { Ok(text) } else { Err(text) }
        })?;
        ensure!(reasons.lines().count() == 1, "{reasons}");
        let since = reasons.split("for ").nth(1).and_then(|rest| rest.split(' ').next());
        ensure!(since.is_some_and(|it| it.parse::<u64>().is_ok()), "since when? {reasons}");
        let (alive, words) = self.town.page("/healthz")?;
        ensure!(alive == 200, "a lost source is no reason to start heatd again: {words}");
        Ok(())
    }
}

#[test]
fn heatd_is_not_ready_while_chat_is_lost_and_ready_again_when_it_is_back() -> Result<()> {
    let watched = Watched::new(&["seaside"], &[])?;
    watched.ready()?;
    watched.town.chat.refuse_connections();
    watched.town.chat.close_abruptly();
    watched.not_ready("chat is not connected, for ")?;
    assert_eq!(watched.town.figure("heatd_chat_connections")?, 0);
    assert_eq!(watched.town.figure("heatd_channels_joined")?, 0);
    watched.town.chat.accept_connections()?;
    watched.ready()?;
    watched.town.wait_for_figure("heatd_channels_joined", 1)?;
    assert_eq!(watched.town.figure("heatd_chat_connections_opened_total")?, 2);
    Ok(())
}

#[test]
fn heatd_is_not_ready_while_twitch_does_not_confirm_a_channel() -> Result<()> {
    let watched = Watched::new(&["seaside", "nowhere"], &["nowhere"])?;
    watched.not_ready("Twitch has not confirmed the channel nowhere for ")?;
    watched.town.chat.behave(|behaviour| behaviour.missing.clear());
    watched.ready()
}

#[test]
fn heatd_is_not_ready_while_the_broker_is_away_and_ready_again_when_it_is_back() -> Result<()> {
    let mut watched = Watched::new(&["seaside"], &[])?;
    watched.ready()?;
    watched.broker.stop()?;
    watched.not_ready("the MQTT broker is not connected, for ")?;
    assert_eq!(watched.town.figure("heatd_mqtt_connected")?, 0);
    watched.broker.resume()?;
    watched.ready()?;
    assert_eq!(watched.town.figure("heatd_mqtt_connections_opened_total")?, 2);
    Ok(())
}
