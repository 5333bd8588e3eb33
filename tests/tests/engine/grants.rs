//! What a rule may publish: where its configuration lets it, never to itself, and not without end.

use anyhow::{Result, ensure};
use heat_engine::{Given, Limits, Store};

use crate::stage::{Part, Stage, lines, patient, plain};

fn hostile(topics: &[&str]) -> Part {
    let topics = topics.iter().map(|topic| Given::Text((*topic).to_owned())).collect();
    ("hostile", "hostile", vec![("topics".to_owned(), Given::List(topics))])
}

/// A stage whose rules may publish to these topics.
fn granting(publish: &[&str], part: Part) -> Result<Stage> {
    let publish = publish.iter().map(|filter| (*filter).to_owned()).collect();
    let limits =
        Limits { publish, reserved_topics: "heat/v1".to_owned(), faults: usize::MAX, ..patient() };
    Stage::with(vec![part, plain("fave")], limits, Store::in_memory()?)
}

fn attack(stage: &mut Stage, what: &str) -> Result<Vec<String>> {
    Ok(lines(&stage.chat("mallory", &format!("!attack {what}"))?.answers, "hostile"))
}

#[test]
fn a_rule_publishes_where_its_configuration_lets_it_and_nowhere_else() -> Result<()> {
    let mut stage = granting(&["lights/#", "songs/answer", "+/open"], hostile(&[]))?;
    for topic in ["lights", "lights/flash", "songs/answer", "door/open"] {
        for how in ["publish", "publish-passing"] {
            let said = attack(&mut stage, &format!("{how} {topic}"))?;
            ensure!(said.len() == 2 && said[1].starts_with("publish "), "{topic}: {said:?}");
        }
    }
    for (topic, expected) in [
        ("songs", "it may not publish to \"songs\"; if it shall, add that to `publish`"),
        ("lightsaber/on", "may not publish to \"lightsaber/on\""),
        ("songs/answer/more", "may not publish to \"songs/answer/more\""),
        ("heat/v1/seaside/heat", "belongs to heatd or to the broker"),
        ("$SYS/uptime", "belongs to heatd or to the broker"),
        ("lights/#", "+ and # belong to filters"),
        ("lights/\u{1}", "control characters"),
        ("", "it is empty"),
    ] {
        for how in ["publish", "publish-passing"] {
            let said = attack(&mut stage, &format!("{how} {topic}"))?;
            ensure!(said.len() == 1 && said[0].contains(expected), "{topic}: {said:?}");
        }
        // So many faults in one minute would turn it off.
        stage.now += 60_000;
    }
    assert_eq!(stage.engine.commit()?.messages.len(), 4);
    Ok(())
}

#[test]
fn a_wildcard_grants_neither_heatds_own_topics_nor_the_brokers() -> Result<()> {
    let mut stage = granting(&["#", "heat/#"], hostile(&[]))?;
    for topic in ["heat/v1/seaside/heat", "heat/v1/status", "$SYS/uptime", "$share/group/lights"] {
        let said = attack(&mut stage, &format!("publish {topic}"))?;
        ensure!(said[0].contains("belongs to heatd") || said[0].contains("shared"), "{said:?}");
    }
    assert_eq!(attack(&mut stage, "publish heat/v2")?.len(), 2);
    Ok(())
}

#[test]
fn a_rule_without_a_grant_publishes_nothing() -> Result<()> {
    let mut stage = granting(&[], hostile(&[]))?;
    ensure!(attack(&mut stage, "publish lights/flash")?[0].contains("may not publish"));
    ensure!(stage.engine.commit()?.messages.is_empty());
    assert_eq!(stage.engine.snapshot()?.rows()?.0, 0, "something of the refused call was kept");
    Ok(())
}

#[test]
fn a_rule_that_publishes_to_itself_is_refused_by_name() -> Result<()> {
    let mut stage = granting(&["#"], hostile(&["echo/+/back"]))?;
    let said = attack(&mut stage, "publish echo/1/back")?;
    ensure!(said.len() == 1, "{said:?}");
    ensure!(
        said[0].contains("it takes the topic that it publishes to: that would be a loop")
            && said[0].contains("\"echo/1/back\" matches \"echo/+/back\""),
        "{said:?}"
    );
    assert_eq!(attack(&mut stage, "publish echo/1")?.len(), 2);
    Ok(())
}

#[test]
fn a_rule_that_publishes_without_end_is_slowed_down_by_the_time_of_the_events() -> Result<()> {
    let mut stage = granting(&["lights"], hostile(&[]))?;
    for _ in 0..10 {
        assert_eq!(attack(&mut stage, "publish-much lights")?.len(), 101);
    }
    let refused = "it publishes too fast: 1000 messages may go at once, and 100 per second";
    for how in ["publish", "publish-passing"] {
        let said = attack(&mut stage, &format!("{how} lights"))?;
        ensure!(said.len() == 1 && said[0].contains(refused), "{said:?}");
    }
    stage.wait(999)?;
    ensure!(attack(&mut stage, "publish-much lights")?[0].contains(refused));
    stage.wait(1)?;
    assert_eq!(attack(&mut stage, "publish-much lights")?.len(), 101);
    assert_eq!(stage.engine.commit()?.messages.len(), 1100);
    Ok(())
}
