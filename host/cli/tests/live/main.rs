//! `heat` against a heatd that answers what a test says: what it asks, what it shows, and how it ends.

#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod fake;
#[cfg(unix)]
mod terminal;

use serde_json::json;

use fake::{Answer, Fake};

/// What a component begins with; nobody looks further here.
const RULE: &[u8] = b"\0asm\x0d\0\x01\0rule";

fn done() -> serde_json::Value {
    json!({ "message": "decay 1.3.0 is live in slot decay of #seaside", "checked": "the last 1000 events", "state": "kept" })
}

#[test]
fn a_rule_goes_into_the_slot_of_its_name() {
    let fake = Fake::new(|_| {
        let compile = json!({ "step": "compile", "expected_ms": 31_000, "elapsed_ms": 0 });
        Answer::steps(&[compile, json!({ "step": "check", "done": 10, "total": 1000 }), done()])
    });
    let file = fake.file("decay-1.3.0.wasm", RULE);
    let (code, out, words) = fake.heat(&["rules", "deploy", file.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{words}");
    let expected = "decay 1.3.0 is live in slot decay of #seaside\ntried on the last 1000 events; its state is kept\n";
    assert_eq!(out, expected);
    assert!(words.starts_with("compiling takes about 31 s\ntrying it on"), "{words}");
    let asked = &fake.asked()[0];
    assert_eq!(asked.line, "PUT /api/v1/channels/seaside/rules/decay");
    assert_eq!((asked.kind.as_str(), asked.body.as_slice()), ("application/wasm", RULE));
}

#[test]
fn a_file_of_no_known_rule_needs_a_slot() {
    let fake = Fake::new(|_| Answer::steps(&[done()]));
    let file = fake.file("hotter.wasm", RULE);
    let (code, _, words) = fake.heat(&["rules", "deploy", file.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(words.contains(": fave (fave 1.0.0), decay (decay 1.0.0)"), "{words}");
    let (code, ..) = fake.heat(&["rules", "deploy", file.to_str().unwrap(), "--slot", "decay"]);
    assert_eq!((code, fake.asked().len()), (Some(0), 1));
    // What is set beside it goes along.
    let file = file.to_str().unwrap();
    for verb in [&["rules", "deploy"][..], &["rules", "shadow"], &["replay"]] {
        let rest = [file, "--slot", "decay", "--set", "half_life=3m"];
        fake.heat(&[verb, &rest].concat());
        let asked = fake.asked();
        let line = &asked.last().unwrap().line;
        assert!(line.contains("settings=") && line.contains("half_life"), "{line}");
    }
}

#[test]
fn json_is_passed_on_line_by_line_and_harmless() {
    let fake = Fake::new(|_| {
        Answer::steps(&[
            json!({ "step": "check\u{202E}" }),
            json!({ "refused": "it traps\u{1b}[2J" }),
        ])
    });
    let (code, out, words) = fake.heat(&["rules", "settings", "set", "half_life=3m", "--json"]);
    assert_eq!(code, Some(1));
    assert_eq!(out, "{\"step\":\"check\\u202e\"}\n{\"refused\":\"it traps\\u001b[2J\"}\n");
    assert_eq!(words, "heat: heatd refuses: it traps\u{FFFD}[2J\n");
    let asked = &fake.asked()[0];
    assert_eq!(asked.line, "POST /api/v1/channels/seaside/rules/decay/settings");
    assert_eq!(asked.json(), json!({ "set": { "half_life": "3m" }, "unset": [] }));
}

#[test]
fn an_answer_that_breaks_off_is_no_success() {
    let check = json!({ "step": "check", "done": 10, "total": 1000 });
    for answer in [vec![], vec![check]] {
        let fake = Fake::new(move |_| Answer::steps(&answer).cut());
        let (code, out, words) = fake.heat(&["rules", "shadow", "--set", "half_life=3m"]);
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(words.contains("broke off") && words.contains("heat rules audit"), "{words}");
    }
}

#[test]
fn what_heatd_says_is_wrong_is_said() {
    let fake = Fake::new(|_| Answer::problem(409, "slot decay has no shadow\u{1b}[2J"));
    let (code, _, words) = fake.heat(&["rules", "promote", "decay"]);
    assert_eq!((code, words.as_str()), (Some(1), "heat: slot decay has no shadow\u{FFFD}[2J\n"));
    assert_eq!(fake.asked()[0].line, "POST /api/v1/channels/seaside/rules/decay/promote");
}

#[test]
fn a_recording_goes_before_the_rule_and_curves_are_drawn() {
    let fake = Fake::new(|_| {
        let curve = |high: u64| json!([[0, 0], [20_000, high], [40_000, high / 2], [60_000, 3]]);
        let last = json!({
            "message": "replayed", "events": 1234, "elapsed_ms": 1500.0, "events_per_second": 822.6, "faults": 0, "from": 0,
            "to": 60_000, "output": "heat", "live": curve(20), "candidate": curve(30), "live_faves": 3, "candidate_faves": 3,
        });
        Answer::steps(&[json!({ "step": "replay", "done": 5, "total": 1234 }), last])
    });
    let recording = b"@tmi-sent-ts=1700000000000 :a!a@a PRIVMSG #x :?fave\n";
    let (rule, log) = (fake.file("decay.wasm", RULE), fake.file("chat.irc", recording));
    let (rule, log) = (rule.to_str().unwrap(), log.to_str().unwrap());
    let (code, out, words) = fake.heat(&["replay", rule, "--log", log, "--svg", "out.svg"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(out.contains("** candidate") && out.contains("30 at 1970-01-01 00:00:20"), "{out}");
    assert!(out.is_ascii() && out.lines().all(|line| line.len() <= 80), "{out}");
    assert!(
        std::fs::read_to_string(fake.path("out.svg")).unwrap().contains("class=\"line candidate\"")
    );
    let asked = &fake.asked()[0];
    let query = format!("slot=decay&output=heat&log={}", recording.len());
    assert_eq!(asked.line, format!("POST /api/v1/channels/seaside/replay?{query}"));
    assert_eq!(asked.kind, "application/wasm");
    assert_eq!(asked.body, [recording, RULE].concat());
    let times = ["--from", "2026-11-20 18:30", "--to", "2026-11-20T18:31:00Z"];
    let (code, _, words) =
        fake.heat(&[&["replay", "--set", "half_life=3m", "--json"], &times[..]].concat());
    assert_eq!(code, Some(0), "{words}");
    let asked = &fake.asked()[1];
    assert!(asked.line.ends_with("&from=1795199400000&to=1795199460000"), "{}", asked.line);
    assert_eq!(asked.json(), json!({ "set": { "half_life": "3m" }, "unset": [] }));
}

#[test]
fn nothing_is_taken_back_where_nobody_can_be_asked() {
    let fake = Fake::new(|_| {
        Answer::steps(&[json!({
            "message": "taken back", "preview": false, "events": 2, "faves": 1, "weight": 1.5,
            "outputs": { "heat": { "before": "9", "after": "8" } }, "corrected": "all",
        })])
    });
    let (code, _, words) = fake.heat(&["undo", "--digest", "ab12", "--channel", "seaside"]);
    assert_eq!(code, Some(1));
    assert!(words.contains("--yes") && words.contains("--preview"), "{words}");
    assert!(fake.asked().is_empty());
    let (code, out, words) =
        fake.heat(&["undo", "--digest", "ab12", "--channel", "seaside", "--yes"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(
        out.starts_with(
            "taken back
"
        ),
        "{out}"
    );
    assert!(out.contains("heat shows \"8\" instead of \"9\""), "{out}");
    let asked = fake.asked().pop().unwrap();
    assert_eq!(asked.line, "POST /api/v1/channels/seaside/undo");
    assert_eq!(asked.json(), json!({ "digest": "ab12", "preview": false }));
}

#[test]
fn a_call_that_fails_again_is_a_failure() {
    let fake = Fake::new(|request| match request.line.contains("/dead-letters") {
        true => Answer::json(&json!({ "dead_letters": [{
            "number": 7, "at": 0, "channel": "seaside", "slot": "decay", "digest": "00", "call": 0, "cause": "trap",
            "event": "c-1", "kind": "chat", "person": null,
        }]})),
        false => Answer::json(&json!({ "message": "1 was run again", "again": 1, "failed": 1 })),
    });
    let (code, out, words) = fake.heat(&["rules", "retry", "7"]);
    assert_eq!((code, out.as_str()), (Some(1), "1 was run again\n"), "{words}");
    let asked = fake.asked().pop().unwrap();
    assert_eq!(asked.line, "POST /api/v1/channels/seaside/rules/decay/retry");
    assert_eq!(asked.json(), json!({ "letter": 7 }));
}

#[test]
fn what_is_simulated_is_asked_as_it_was_typed() {
    let fake = Fake::new(|_| {
        Answer::json(&json!({ "simulated": true, "answers": [], "faves": 0, "outputs": {} }))
    });
    let (code, out, words) =
        fake.heat(&["simulate", "raid", "--viewers", "250", "--channel", "#Seaside"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(
        out.starts_with("simulated, nothing of this happened in #seaside: raid, viewers 250\n"),
        "{out}"
    );
    let asked = fake.asked().pop().unwrap();
    assert_eq!(asked.line, "POST /api/v1/channels/seaside/simulate");
    assert_eq!(asked.json(), json!({ "event": { "kind": "raid", "viewers": 250 }, "live": false }));
}

#[test]
fn a_file_gets_exactly_the_configuration_that_runs() {
    let toml = "[[rule]]\nfile = \"décay.wasm\"\n";
    let fake = Fake::new(move |_| Answer::toml(toml));
    assert_eq!(fake.heat(&["config", "export"]), (Some(0), toml.to_owned(), String::new()));
}

#[test]
fn a_wrong_command_line_is_64_and_asks_nothing() {
    let fake = Fake::new(|_| Answer::steps(&[done()]));
    for wrong in [
        &["rules", "deploy"][..],
        &["rules", "shadow"],
        &["rules", "settings", "set"],
        &["replay", "a.wasm", "--from", "soon"],
        &["replay", "a.wasm", "--from", "2h", "--log", "chat.irc"],
        &["undo", "--user", "troll"],
        &["undo", "--since", "10m"],
        &["undo", "--event", "1", "--digest", "abcd"],
        &["simulate", "chat"],
        &["simulate", "earthquake"],
    ] {
        let (code, _, words) = fake.heat(wrong);
        assert_eq!(code, Some(64), "{wrong:?}: {words}");
    }
    assert!(fake.asked().is_empty());
}
