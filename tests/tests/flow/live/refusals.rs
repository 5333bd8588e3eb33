//! Requests that cannot be: unknown places, settings that do not fit, wrong tokens, too much at once.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::api::{JSON, WASM};
use super::{Stage, cast};

#[test]
fn what_there_is_not_is_a_problem_that_names_what_there_is() -> Result<()> {
    let mut stage = Stage::new()?;
    let api = &stage.api;
    let slot = |path: &str, body: &Value| api.slot(path, body);
    for path in [
        "heat/settings",
        "heat/shadow",
        "heat/promote",
        "heat/rollback",
        "heat/disable",
        "heat/retry",
    ] {
        let why = slot(path, &json!({ "set": { "a": 1 } }))?.problem(404)?;
        ensure!(why == "#seaside has no slot \"heat\"; it has fave, decay", "{path}: {why}");
    }
    for path in
        ["rules/decay/settings", "simulate", "undo", "replay?slot=decay", "rules/decay/promote"]
    {
        let body = json!({ "set": {}, "unset": ["x"] });
        let body = if path == "simulate" { json!({ "event": { "kind": "fave" } }) } else { body };
        let body = if path == "undo" { json!({ "user": "ann" }) } else { body };
        let why = api.post(&format!("channels/nowhere/{path}"), &body)?.problem(404)?;
        ensure!(why.contains("heatd has no channel \"nowhere\""), "{path}: {why}");
    }
    ensure!(slot("decay/explode", &json!({}))?.problem(404)?.contains("no such resource"));
    for (method, path) in [
        ("GET", "channels/seaside/rules/decay"),
        ("POST", "channels/seaside/rules/decay"),
        ("DELETE", "channels/seaside/rules"),
        ("GET", "channels/seaside/rules/decay/shadow"),
        ("GET", "channels/seaside/replay"),
        ("PUT", "rules"),
        ("PATCH", "channels/seaside/undo"),
    ] {
        let why = api.ask(method, path, JSON, b"")?.problem(405)?;
        ensure!(why.contains("no such method"), "{method} {path}: {why}");
    }
    api.get("rulez")?.problem(404)?;
    api.get("audit?chanel=seaside")?.problem(400)?;
    api.get("channels/seaside/why?count=many")?.problem(400)?;

    // Too much: said before anybody tries to make a rule of it.
    let why = api
        .ask("POST", "channels/seaside/rules/decay/settings", JSON, &vec![b' '; 70_000])?
        .problem(413)?;
    ensure!(!why.is_empty());
    api.ask("PUT", "channels/seaside/rules/decay", WASM, &vec![0; (64 << 20) + 1])?.problem(413)?;

    let token = std::mem::replace(&mut stage.api.token, "wrong".to_owned());
    for answer in [stage.api.get("rules")?, stage.api.deploy("decay", &cast::rule("decay")?)?] {
        ensure!(answer.problem(401)?.contains("the token is wrong"), "{answer:?}");
    }
    stage.api.token = token;
    stage.api.get("rules")?.json()?;
    ensure!(stage.history()?.is_empty(), "nobody has changed anything");
    Ok(())
}

#[test]
fn settings_that_do_not_fit_are_refused_with_the_reason() -> Result<()> {
    let stage = Stage::new()?;
    let cases = [
        (json!({ "set": { "half_life": null } }), "`half_life`: nothing is no value; `unset`"),
        (json!({ "set": { "half_life": 90 } }), "it must be a length of time such as \"90s\""),
        (json!({ "set": { "half_life": "soon" } }), "half_life"),
        (json!({ "set": { "half_life": "31d" } }), "half_life"),
        (json!({ "set": { "per_fave": "2" } }), "setting `per_fave`: it must be a number"),
        (json!({ "set": { "per_fave": 0 } }), "0 is not from 0.001 to 1000"),
        (json!({ "set": { "scope": "month" } }), "\"month\" is none of all_time, stream"),
        (json!({ "set": { "levels": ["warm"] } }), "a table of names and numbers"),
        (json!({ "set": { "halflife": "1m" } }), "did you mean `half_life`?"),
        (json!({ "set": { "output": "x".repeat(40) } }), "longer than 32 characters"),
        (json!({ "set": { "output": "a/b" } }), "output"),
        (json!({ "unset": ["cap"] }), "`cap` is not set"),
        (json!({ "set": { "half_life": "0s" } }), "it is live already, with the same settings"),
    ];
    for (edit, part) in &cases {
        let why = stage.api.slot("decay/settings", edit)?.refused()?;
        ensure!(why.contains(part), "{edit}: {part:?} is not in {why:?}");
    }
    for body in ["{", "[]", "{\"sett\": {}}", "{\"set\": 1}", "{}", ""] {
        let path = "channels/seaside/rules/decay/settings";
        let why = stage.api.ask("POST", path, JSON, body.as_bytes())?.problem(400)?;
        ensure!(!why.is_empty(), "{body}");
    }
    // The type of a body may say more.
    let path = "channels/seaside/rules/decay/shadow";
    let edit = b"{\"set\": {\"per_fave\": 2}}";
    stage.api.ask("POST", path, "application/json; charset=utf-8", edit)?.done()?;
    stage.api.slot("decay/drop", &json!({}))?.done()?;
    assert_eq!(stage.history()?.len(), cases.len());
    ensure!(stage.rule("decay")?["changed"] == false);
    stage.fave("ann");
    stage.heat("1")
}
