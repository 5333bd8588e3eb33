//! 7TV's events: a change is there at once, without a question.

use anyhow::{Result, ensure};
use heat_tests::emotes::{Answer, seventv_user};
use serde_json::json;

use super::{SELDOM, Stage, wait_for_set, wait_for_sets};

const SET: &str = "emote_set.update";

#[test]
fn what_is_pushed_pulled_and_renamed_holds_at_once() -> Result<()> {
    let stage = Stage::with_emotes(SELDOM)?;
    let mut heatd = stage.start()?;
    wait_for_sets(&heatd)?;
    for (kind, object) in [(SET, "set1"), (SET, "g"), ("user.update", "user1")] {
        stage.providers.wait_for_subscription(1, kind, object)?;
    }
    let change = |what: &dyn Fn() -> usize, of: &str| {
        let seen = heatd.lines().len();
        ensure!(what() == 1, "nobody has subscribed");
        wait_for_set(&heatd, seen, "7tv", of)
    };
    change(&|| stage.providers.change_set("set1", &[("new", "n1")], &[(".*", "s6")]), "seaside")?;
    stage.say("new .*");
    stage.wait_for(&[("7tv:new", "n1", 1)])?;
    change(&|| stage.providers.rename_emote("set1", "n1", "new", "newer"), "seaside")?;
    change(&|| stage.providers.change_set("g", &[], &[("EZ", "s2")]), "everybody")?;
    stage.say("new newer EZ");
    stage.wait_for(&[("7tv:new", "n1", 1), ("7tv:newer", "n1", 1)])?;
    assert_eq!(stage.providers.asked().len(), 6, "an event needs no question");

    // A user who takes another set, and a change that does not fit what is known: both are asked for.
    let other = seventv_user(&stage.room, "set2", "user1", &[("other", "o1")]);
    stage.providers.answer(&stage.seventv(), Answer::Json(other));
    let body = json!({ "id": "user1", "kind": 1, "updated": [{ "key": "connections", "nested": true, "value": [] }] });
    change(&|| stage.providers.push("user.update", "user1", &body), "seaside")?;
    stage.providers.wait_for_subscription(1, SET, "set2")?;
    let another = seventv_user(&stage.room, "set2", "user1", &[("other", "o1"), ("more", "m1")]);
    stage.providers.answer(&stage.seventv(), Answer::Json(another));
    change(&|| stage.providers.change_set("set2", &[], &[("never", "x")]), "seaside")?;
    stage.say("newer other more");
    stage.wait_for(&[
        ("7tv:new", "n1", 1),
        ("7tv:newer", "n1", 1),
        ("7tv:other", "o1", 1),
        ("7tv:more", "m1", 1),
    ])?;
    ensure!(heatd.terminate()?.success());
    let changes = stage.changes()?;
    ensure!(changes.len() == 11, "{changes:?}");
    let renamed = (vec!["newer".to_owned()], vec!["new".to_owned()]);
    ensure!(
        changes.iter().any(|(.., added, removed)| (added, removed) == (&renamed.0, &renamed.1))
    );
    Ok(())
}

#[test]
fn a_break_in_the_events_is_made_good_by_asking() -> Result<()> {
    let stage = Stage::with_emotes(SELDOM)?;
    let mut heatd = stage.start()?;
    wait_for_sets(&heatd)?;
    stage.providers.wait_for_subscription(1, SET, "set1")?;
    let now = |name: &str| {
        let answer = seventv_user(&stage.room, "set1", "user1", &[(name, "x1")]);
        stage.providers.answer(&stage.seventv(), Answer::Json(answer));
        heatd.lines().len()
    };
    // Without a word.
    let seen = now("first");
    stage.providers.break_events();
    stage.providers.wait_for_subscription(2, SET, "set1")?;
    wait_for_set(&heatd, seen, "7tv", "seaside")?;
    // With one, as every hour. The next connection then falls silent: it promises heartbeats that do not come.
    stage.providers.set_heartbeat(200);
    let seen = now("second");
    stage.providers.say_to_all(&json!({ "op": 4, "t": 1, "d": null }));
    stage.providers.wait_for_subscription(3, SET, "set1")?;
    stage.providers.set_heartbeat(45_000);
    wait_for_set(&heatd, seen, "7tv", "seaside")?;
    let seen = now("third");
    heatd.wait_for_line(|line| line.contains("fallen silent"))?;
    wait_for_set(&heatd, seen, "7tv", "seaside")?;
    stage.say("first second third");
    stage.wait_for(&[("7tv:third", "x1", 1)])?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}
