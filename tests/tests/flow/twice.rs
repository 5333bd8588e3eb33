//! What Twitch tells more than once, and floods: each thing counts once, and nothing is lost.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use heat_tests::chat::Generator;
use heat_tests::twitch::{Line, Pace, To};

use crate::town::{Broker, Town, component};

/// Figures of heatd, by the names of this table.
const FIGURES: [&str; 4] = [
    "heatd_chat_lines_total",
    "heatd_faves_total",
    "heatd_duplicate_events_total",
    "heatd_rule_calls_total{slot=\"hype-train\"}",
];

/// What is sent to which channel, and what comes of it: lines, faves, duplicates, calls of a rule that takes subscriptions
/// and gifts.
type Row = (&'static str, Vec<(&'static str, Line)>, [u64; 4]);

fn rows() -> Vec<Row> {
    let line = |id: &str| Line::chat("seaside", "ann", "?fave").id(id);
    let shared = |channel: &str, id: &str| {
        let line = Line::chat(channel, "bob", "?fave shared").id(id);
        line.tag("source-id", "shared-1")
            .tag("source-room-id", Line::chat("seaside", "x", "").get("room-id"))
    };
    let sub = || Line::subscription("seaside", "cy", 3).id("sub-1");
    let gift = || {
        let mass = Line::user_notice("seaside", "dan", "submysterygift").id("mass");
        mass.tag("msg-param-mass-gift-count", "3").tag("msg-param-origin-id", "gift-1")
    };
    let part = |number: u32| {
        let part = Line::user_notice("seaside", "dan", "subgift").id(&format!("part-{number}"));
        part.tag("msg-param-origin-id", "gift-1").tag("msg-param-recipient-user-name", "eve")
    };
    let mirrored = || {
        let notice = Line::user_notice("harbour", "cy", "sharedchatnotice").id("mirrored");
        notice.tag("source-msg-id", "sub").tag("source-id", "sub-1")
    };
    let gifts = |times: usize| (0..times).flat_map(|_| [gift(), part(1), part(2), part(3)]);
    vec![
        ("a line", vec![("seaside", line("a")), ("seaside", line("b"))], [2, 2, 0, 0]),
        ("a line again", vec![("seaside", line("a")), ("seaside", line("b"))], [2, 0, 2, 0]),
        (
            "a line in a shared chat counts in the channel where it was written",
            vec![
                ("seaside", shared("seaside", "shared-1")),
                ("harbour", shared("harbour", "copy-1")),
            ],
            [2, 1, 0, 0],
        ),
        (
            "its copies again, with ids of their own",
            vec![
                ("harbour", shared("harbour", "copy-2")),
                ("seaside", shared("seaside", "copy-3")),
            ],
            [2, 0, 2, 0],
        ),
        ("a subscription twice", vec![("seaside", sub()), ("seaside", sub())], [0, 0, 1, 1]),
        ("the same in a shared chat", vec![("harbour", mirrored())], [0, 0, 0, 0]),
        (
            "a mass gift with its parts",
            gifts(1).map(|line| ("seaside", line)).collect(),
            [0, 0, 0, 1],
        ),
        ("the same again", gifts(1).map(|line| ("seaside", line)).collect(), [0, 0, 1, 0]),
    ]
}

#[test]
fn what_is_told_twice_counts_once() -> Result<()> {
    let town = Town::new()?;
    let rules = Town::rules("LUL")?.replace("settings.shared = true\n", "");
    let train = format!("[[rule]]\nfile = {:?}\n", component("rules", "hype-train")?);
    let head = town.head(&["seaside", "harbour"], &Broker::Embedded(town.mqtt));
    let _heatd = town.heatd(&(head + &rules + &train))?;
    for channel in ["seaside", "harbour"] {
        town.chat.wait_joined(channel)?;
    }
    let mut expected = [0; 4];
    for (name, lines, counts) in rows() {
        for (channel, line) in &lines {
            ensure!(town.chat.send(channel, line) == 1, "{name}: nobody listens");
        }
        // On the same connection: what came before it has been decided when it has.
        town.chat.say("harbour", "last", "?fave");
        for (place, count) in counts.iter().enumerate() {
            expected[place] += count + u64::from(place < 2);
        }
        town.wait_for_figure("heatd_faves_total", expected[1]).context(name)?;
        for (figure, expected) in FIGURES.iter().zip(expected) {
            let found = town.figure(figure).unwrap_or_default();
            ensure!(found == expected, "{name}: {figure} is {found} and not {expected}");
        }
    }
    Ok(())
}

#[test]
fn every_delivered_line_counts_once_however_often_chat_breaks_off_and_repeats() -> Result<()> {
    let town = Town::new()?;
    let file = town.path("heat.txt");
    let configuration =
        town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?;
    let mut heatd = town.heatd(&configuration)?;
    let _writer = town.writer(town.mqtt, &file, &[])?;
    town.chat.wait_joined("seaside")?;
    let losses: [fn(&Town); 4] = [
        |town| town.chat.ask_to_reconnect(),
        |town| town.chat.close_abruptly(),
        // The first half of a line, and nothing more: it is no line, and the whole one comes later.
        |town| {
            let half = Line::chat("seaside", "ann", "?fave").id("half").to_string();
            town.chat.send_raw(To::Everyone, &half.as_bytes()[..half.len() - 2]);
            town.chat.close_abruptly();
        },
        |town| town.chat.fall_silent(),
    ];
    let (mut delivered, mut repeated) = (BTreeSet::new(), 0);
    let mut sent: Vec<Line> = Vec::new();
    let mut number = 0;
    for lose in losses {
        for _ in 0..7 {
            let line = Line::chat("seaside", "ann", "?fave").id(&format!("line-{number}"));
            number += 1;
            if town.chat.send("seaside", &line) > 0 {
                delivered.insert(line.get("id").to_owned());
            }
            sent.push(line);
        }
        lose(&town);
        // Said while nobody listens, and lost for good: Twitch cannot repeat it.
        assert_eq!(town.chat.say("seaside", "bob", "?fave missed").heard_by, 0);
        town.chat.wait_joined("seaside")?;
        for line in sent.iter().rev().take(3) {
            repeated += town.chat.send("seaside", line) as u64;
        }
    }
    let half = Line::chat("seaside", "ann", "?fave").id("half");
    assert_eq!((town.chat.send("seaside", &half), delivered.len(), repeated), (1, 28, 12));
    town.wait_for_text(&file, "🔥 HEAT LEVEL: 29")?;
    assert_eq!(town.figure("heatd_faves_total")?, 29);
    assert_eq!(town.figure("heatd_duplicate_events_total")?, repeated);
    assert_eq!(town.figure("heatd_chat_gaps_total")?, 4);
    ensure!(heatd.terminate()?.success());
    Ok(())
}

#[test]
fn a_flood_after_quiet_chat_is_counted_to_the_last_line() -> Result<()> {
    let town = Town::new()?;
    let file = town.path("heat.txt");
    let configuration =
        town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &Town::rules("nobodysaysthis")?;
    let _heatd = town.heatd(&configuration)?;
    let _writer = town.writer(town.mqtt, &file, &[])?;
    town.chat.wait_joined("seaside")?;
    let mut generator = Generator::new(3, "seaside");
    let mut total = 0;
    // The mean of a busy channel is 11 lines a second: a moment of it, twenty times that for five seconds at once, and three
    // minutes of chat in one piece.
    for burst in [11, 20 * 11 * 5, 180 * 11] {
        let lines: Vec<Vec<u8>> =
            generator.lines(burst).into_iter().map(String::into_bytes).collect();
        let replayed = town.chat.replay(&lines, Pace::AsFastAsPossible);
        assert_eq!((replayed.sent, replayed.unheard), (burst, 0));
        total += burst as u64;
        town.wait_for_figure("heatd_chat_lines_total", total)?;
    }
    let faves = generator.expected().faves.len() as u64;
    ensure!(faves > 100, "too few faves to say anything: {faves}");
    town.wait_for_text(&file, &format!("🔥 HEAT LEVEL: {faves}"))?;
    assert_eq!(town.figure("heatd_faves_total")?, faves);
    assert_eq!(town.figure("heatd_duplicate_events_total")?, 0);
    assert_eq!(town.chat.connections_made(), 1);
    Ok(())
}
