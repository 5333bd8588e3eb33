//! Another rule in a slot while events pour in: each is counted once, in order.

use anyhow::{Result, ensure};
use heat_tests::twitch::{Line, Pace};
use serde_json::json;

use super::{HEAT, Stage, cast};

const FAVES: usize = 1_000;

/// Lines with a fave each, of a few people.
fn faves(count: usize) -> Vec<Vec<u8>> {
    let person = |number: usize| format!("person{}", number % 17);
    (0..count)
        .map(|number| Line::chat("seaside", &person(number), "?fave").to_string().into_bytes())
        .collect()
}

#[test]
fn every_fave_counts_once_and_in_order_while_rules_are_swapped() -> Result<()> {
    let stage = Stage::new()?;
    let decay = cast::rule("decay")?;
    let sent = std::thread::scope(|scope| -> Result<_> {
        let chat = &stage.town.chat;
        let sender = scope.spawn(move || chat.replay(faves(FAVES), Pace::AsFastAsPossible));
        for number in 1..=10 {
            let done = match number % 4 {
                0 => stage.api.deploy("decay", &cast::padded(&decay, number)?)?.done()?,
                1 => stage.api.slot("decay/rollback", &json!({})).and_then(|it| match it.code {
                    // There is nothing to go back to the first time.
                    409 if number == 1 => Ok(json!({})),
                    _ => it.done(),
                })?,
                _ => {
                    let cap = json!({ "set": { "cap": 1_000_000 + number } });
                    stage.api.slot("decay/settings", &cap)?.done()?
                }
            };
            ensure!(done["state"].is_null() || done["state"] == "kept", "{done}");
        }
        sender.join().map_err(|_| anyhow::anyhow!("the sender failed"))
    })?;
    assert_eq!(sent.sent, FAVES);
    stage.heat(&FAVES.to_string())?;
    assert_eq!(stage.faves()?, FAVES as u64);
    let shown: Vec<usize> =
        stage.shown(HEAT).iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let backwards = shown.windows(2).find(|pair| pair[0] >= pair[1]);
    ensure!(backwards.is_none(), "{backwards:?} in {shown:?}");
    ensure!(
        stage.town.figure(
            "heatd_rule_swaps_total{slot=\"decay\",action=\"settings\",outcome=\"done\"}"
        )? >= 4
    );
    Ok(())
}
