//! Bodies that are nearly right: heatd takes what the document describes, and refuses the others.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::ask::{Answer, Call};
use super::described::Described;
use super::stage::Stage;

/// A good body for each resource that takes JSON, with every field that it may have. None of them changes what the next one needs.
fn good() -> Vec<(&'static str, Value)> {
    let event = json!({
        "kind": "gift", "user": "bob", "text": "x", "item": "x", "tier": 2, "count": 3, "bits": 1, "viewers": 1, "reward": "x",
    });
    let count = json!({ "person": { "id": "7", "login": "ann", "name": "Ann" }, "item": "pie", "faves": 2, "weight": 2.5 });
    let undo = json!({
        "user": "nobody", "users": null, "item": null, "everybody": null, "event": null, "digest": null,
        "since": 5, "until": 9_000_000_000_000_u64, "preview": true,
    });
    vec![
        ("tokens", json!({ "role": "viewer", "name": null, "expires_in": 307 })),
        ("channels", json!({ "channel": "seaside" })),
        ("channels/seaside/stream", json!({ "state": "end" })),
        ("channels/seaside/command", json!({ "text": "hello" })),
        ("channels/seaside/simulate", json!({ "event": event, "live": false })),
        ("channels/seaside/undo", undo),
        (
            "channels/seaside/import",
            json!({ "source": "bodies", "includes": [], "counts": [count], "dry_run": true, "note": "x" }),
        ),
        ("channels/seaside/forget", json!({ "user": "nobody", "preview": true })),
        ("channels/seaside/rules/misbehave/retry", json!({ "letter": 999 })),
        (
            "channels/seaside/rules/decay/settings",
            json!({ "set": { "no_such": 1 }, "unset": ["x"] }),
        ),
    ]
}

#[test]
fn heatd_takes_the_bodies_that_are_described_and_no_others() -> Result<()> {
    let stage = Stage::new()?;
    let document = stage.ask(&Call::get("openapi.json").without_token())?.json()?;
    let mut described = Described::read(document)?;
    let (mut taken, mut refused) = (0, 0);
    for (path, body) in good() {
        let mut bodies = vec![body.clone()];
        places(&body, String::new(), &mut |place| bodies.extend(variants(&body, place)));
        for body in bodies {
            let call = Call::post(path, &body);
            let answer = stage.ask(&call)?;
            if described.takes(&call)? {
                taken += 1;
                ensure!(
                    answer.status != 400,
                    "{path} is described with {body}: {:?}",
                    answer.text()
                );
            } else {
                refused += 1;
                ensure!(is_refused(&answer)?, "{path} is not described with {body}: {answer:?}");
            }
        }
    }
    ensure!(taken > 40 && refused > 100, "{taken} bodies were taken, {refused} refused");
    Ok(())
}

/// Whether nothing was done: by a problem, or by the last line.
fn is_refused(answer: &Answer) -> Result<bool> {
    if (400..500).contains(&answer.status) {
        return Ok(true);
    }
    let last = answer.text()?.lines().last().context("no answer")?;
    Ok(serde_json::from_str::<Value>(last)?["refused"].is_string())
}

/// The places of a value that are not the whole of it.
fn places(value: &Value, place: String, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(object) => {
            for (name, it) in object {
                places(it, format!("{place}/{name}"), found);
            }
        }
        Value::Array(list) => {
            for (number, it) in list.iter().enumerate() {
                places(it, format!("{place}/{number}"), found);
            }
        }
        _ => {}
    }
    if !place.is_empty() {
        found(&place);
    }
}

/// The same body with something else in one place: nothing, another type, the same number otherwise written, a field more, no field.
fn variants(body: &Value, place: &str) -> Vec<Value> {
    let with = |value: Value| {
        let mut other = body.clone();
        if let Some(it) = other.pointer_mut(place) {
            *it = value;
        }
        other
    };
    let mut others = vec![with(Value::Null), with(json!({ "nosuch": 1 })), with(json!(true))];
    let it = &body.pointer(place).cloned().unwrap_or_default();
    if let Some(number) = it.as_u64() {
        others.extend([with(json!(number as f64)), with(json!(number as f64 + 0.5))]);
    }
    let (parent, name) = place.rsplit_once('/').unwrap_or_default();
    for change in [None, Some("nosuch")] {
        let mut other = body.clone();
        let object = match parent {
            "" => Some(&mut other),
            parent => other.pointer_mut(parent),
        };
        if let Some(object) = object.and_then(Value::as_object_mut) {
            match change {
                None => drop(object.remove(name)),
                Some(more) => drop(object.insert(more.to_owned(), 1.into())),
            }
            others.push(other);
        }
    }
    others
}
