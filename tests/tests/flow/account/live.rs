//! Which streams are live, what they are called, and how many watch: of own channels and of others, in one question.

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::twitch_api::LiveRow;

use super::payloads::{channel, online, update};
use super::stage::{Plan, Stage};

fn live(title: &str, viewers: u64, started: u64) -> LiveRow {
    LiveRow { title: title.to_owned(), category: "Baking".to_owned(), viewers, started }
}

fn wait_for_state(stage: &Stage, place: usize, state: &str) -> Result<()> {
    eventually(format!("the stream to be {state}"), || {
        let (_, words) = stage.says(&["status", "--json"])?;
        let status: serde_json::Value = serde_json::from_str(&words)?;
        let found = status["channels"][place]["stream"]["state"].clone();
        ensure!(found == state, "{found}");
        anyhow::Ok(())
    })
}

#[test]
fn streams_of_own_and_other_channels_are_known_with_their_titles_and_viewers() -> Result<()> {
    let plan = Plan {
        channels: &["seaside", "harbor"],
        twitch: "live_every = \"200ms\"\n",
        ..Plan::default()
    };
    let stage = Stage::new(&plan)?;
    // The first word of Twitch: nobody is live.
    wait_for_state(&stage, 0, "offline")?;
    stage
        .api
        .change(|desk| desk.live.insert("harbor".to_owned(), live("Boats", 12, 1_796_068_800_000)));
    wait_for_state(&stage, 1, "live")?;
    stage.api.wait_for_subscription("channel.update")?;
    stage.api.change(|desk| {
        desk.live.insert("seaside".to_owned(), live("Pies", 340, 1_796_068_800_000))
    });
    stage.wait_for_output("stream/viewers", "340")?;
    stage.wait_for_output("stream/title", "Pies")?;
    wait_for_state(&stage, 0, "live")?;
    // A moderator's word holds until Twitch says something else.
    ensure!(stage.says(&["stream", "end", "--channel", "seaside"])?.0);
    let asked = stage.api.count("GET", "streams");
    eventually("some more questions", || stage.api.count("GET", "streams") > asked + 3)?;
    wait_for_state(&stage, 0, "offline")?;
    stage.api.notify("stream.online", &online());
    stage.api.change(|desk| desk.live.remove("seaside"));
    stage.api.notify("stream.offline", &channel());
    wait_for_state(&stage, 0, "offline")?;
    stage.api.notify("stream.online", &online());
    wait_for_state(&stage, 0, "live")?;
    // All channels are in one question.
    let asked = stage.api.asked();
    let streams = asked.iter().rev().find(|it| it.path.starts_with("streams"));
    ensure!(
        streams.is_some_and(|it| it.path.contains("seaside") && it.path.contains("harbor")),
        "{streams:?}"
    );
    Ok(())
}

#[test]
fn a_change_of_the_title_is_shown_at_once() -> Result<()> {
    let stage = Stage::new(&Plan::default())?;
    stage.api.wait_for_subscription("channel.update")?;
    eventually("the title", || {
        stage.api.notify("channel.update", &update("Late pies", "Baking"));
        stage.output("stream/title").is_ok_and(|title| title.as_deref() == Some("Late pies"))
    })?;
    stage.wait_for_output("stream/category", "Baking")
}

#[test]
fn what_happens_while_heatd_still_subscribes_is_heard_and_the_list_runs_behind() -> Result<()> {
    let plan = Plan { twitch: "live_every = \"200ms\"\n", ..Plan::default() };
    let stage = Stage::with(&plan, |_, api| api.change(|desk| desk.slow_subscriptions = 700))?;
    stage.api.wait_for_subscription("stream.online")?;
    ensure!(stage.account()?["eventsub"]["connected"] != true, "it is heard already");
    stage.api.notify("stream.online", &online());
    wait_for_state(&stage, 0, "live")?;
    // The list of streams does not have it yet.
    let asked = stage.api.count("GET", "streams");
    eventually("some more questions", || stage.api.count("GET", "streams") > asked + 3)?;
    wait_for_state(&stage, 0, "live")
}
