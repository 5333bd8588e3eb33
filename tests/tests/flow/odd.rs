//! Input that nobody should send: nothing crashes, nothing else is lost.

use anyhow::{Result, ensure};
use heat_tests::mosquitto::{Mosquitto, Options};
use heat_tests::twitch::Line;

use crate::town::{Broker, Town};

#[test]
fn odd_chat_is_counted_like_any_other() -> Result<()> {
    let town = Town::new()?;
    let heatd = town
        .heatd(&(town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?))?;
    town.chat.wait_joined("seaside")?;
    let emoji = "😂".repeat(500);
    let odd = [
        "?fave \u{1}\u{2}\u{7}\u{1b}[31mred",
        "?fave \u{202E}backwards\u{2066}\u{2069}",
        "?fave שלום עליכם مرحبا",
        "?fave nul\u{0}nul",
        "?fave 👩‍👩‍👧‍👦 family",
        &format!("?fave {emoji}"),
        "?fave",
        "?fave      ",
    ];
    for text in odd {
        town.chat.say("seaside", "ann", text);
    }
    for bad in ["25:6-2", "25:0-99999", "25:04", "25:-1-2", "x", ":::", "25:0-18446744073709551615"]
    {
        town.chat.send("seaside", &Line::chat("seaside", "bob", "?fave emote").emotes(bad));
    }
    for missing in ["id", "user-id", "tmi-sent-ts", "badges", "display-name", "emotes", "room-id"] {
        town.chat.send("seaside", &Line::chat("seaside", "cat", "?fave tag").without(missing));
    }
    town.wait_for_figure("heatd_faves_total", (odd.len() + 7 + 7) as u64)?;
    ensure!(!heatd.lines().iter().any(|line| line.contains("panicked")), "{:?}", heatd.lines());
    Ok(())
}

#[test]
fn the_same_message_twice_is_counted_once() -> Result<()> {
    let town = Town::new()?;
    let _heatd = town
        .heatd(&(town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?))?;
    town.chat.wait_joined("seaside")?;
    let line = Line::chat("seaside", "ann", "?fave").id("the-same");
    for _ in 0..3 {
        town.chat.send("seaside", &line);
    }
    town.wait_for_figure("heatd_duplicate_events_total", 2)?;
    assert_eq!(town.figure("heatd_faves_total")?, 1);
    Ok(())
}

#[test]
fn odd_messages_break_nothing_and_the_next_good_one_counts() -> Result<()> {
    let town = Town::new()?;
    let broker = Mosquitto::start_with(Options::default().extra("message_size_limit 0"))?;
    // A hostile retained message waits for every subscriber.
    broker.publish("deck/fave", vec![b'x'; 1 << 20], true, 1)?;
    let heatd =
        town.heatd(&(town.head(&["seaside"], &Broker::At(broker.port())) + &Town::rules("LUL")?))?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    town.chat.wait_joined("seaside")?;
    broker.publish("deck/fave", b"\xFF\xFE\xFD", false, 1)?;
    broker.publish("deck/fave", b"", false, 1)?;
    broker.publish("deck/fave", b"{\"id\": broken", false, 1)?;
    broker.publish("deck/fave", vec![b'y'; 1 << 20], false, 1)?;
    broker.publish("deck/fave", "\u{0}\u{202E}".as_bytes(), false, 1)?;
    broker.publish("deck/fave", b"a good one", false, 1)?;
    // The empty, the broken, the odd and the good one are texts; the others are not, or too large to be sent to us.
    town.wait_for_figure("heatd_faves_total", 4)?;
    assert_eq!(town.figure("heatd_rule_failures_total{slot=\"fave\"}")?, 1);
    ensure!(
        heatd.lines().iter().any(|line| line.contains("deck/fave is not UTF-8")),
        "{:?}",
        heatd.lines()
    );
    ensure!(heatd.lines().iter().filter(|line| line.contains("broker connected")).count() == 1);
    Ok(())
}

#[test]
fn a_retained_fave_is_not_counted_at_every_start() -> Result<()> {
    let town = Town::new()?;
    let broker = Mosquitto::start()?;
    broker.publish("deck/fave", b"old", true, 1)?;
    let configuration = town.head(&["seaside"], &Broker::At(broker.port())) + &Town::rules("LUL")?;
    let _heatd = town.heatd(&configuration)?;
    town.wait_for_figure("heatd_mqtt_messages_total", 1)?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_figure("heatd_faves_total", 1)
}

#[test]
fn what_a_rule_does_not_count_is_counted_as_such() -> Result<()> {
    let town = Town::new()?;
    let rules = Town::rules("LUL")?
        .replace("settings.words", "settings.user_cooldown = \"1h\"\nsettings.words");
    let configuration = town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &rules;
    let _heatd = town.heatd(&configuration)?;
    town.chat.wait_joined("seaside")?;
    // The second fave waits for its cooldown, and orders are for moderators.
    for text in ["?fave", "?fave", "?heat pause"] {
        town.chat.say("seaside", "ann", text);
    }
    town.wait_for_figure("heatd_rule_silent_calls_total{slot=\"fave\"}", 2)?;
    town.wait_for_figure("heatd_faves_total", 1)
}

#[test]
fn a_rule_that_misbehaves_harms_nobody_else() -> Result<()> {
    let town = Town::new()?;
    let misbehave = crate::town::component("guests", "misbehave")?;
    let configuration = town.head(&["seaside"], &Broker::Embedded(town.mqtt))
        + &format!("[[rule]]\nfile = {misbehave:?}\n")
        + &Town::rules("!do")?;
    let heatd = town.heatd(&configuration)?;
    town.chat.wait_joined("seaside")?;
    let deeds =
        ["spin", "recurse", "grow", "panic", "error", "flood", "huge answer", "read", "chatter"];
    for deed in deeds {
        town.chat.say("seaside", "mallory", &format!("!do {deed}"));
    }
    // The word "!do" is a fave of the rule beside it, and "chatter" one of the misbehaving rule as well.
    town.wait_for_figure("heatd_faves_total", deeds.len() as u64 + 1)?;
    assert_eq!(
        town.figure("heatd_rule_failures_total{slot=\"misbehave\"}")?,
        deeds.len() as u64 - 1
    );
    heatd.wait_for_line(|line| {
        line.contains("rule failed") && line.contains("misbehave") && line.contains("fuel")
    })?;
    Ok(())
}
