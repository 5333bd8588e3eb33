//! Counts and log go out of one heatd, and counts into another, with `heat export` and `heat import`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use heat_tests::processes::Program;
use serde_json::{Value, json};

use crate::client::{answer, heat, run};
use crate::town::{Broker, Town};

/// A town whose heatd counts `?fave`.
fn town() -> Result<(Town, Program)> {
    let town = Town::new()?;
    let head = town.head(&["seaside"], &Broker::Embedded(town.mqtt));
    let heatd = town.heatd(&(head + &Town::rules("?fave")?))?;
    town.chat.wait_joined("seaside")?;
    Ok((town, heatd))
}

fn export(town: &Town, name: &str, what: &str) -> Result<Vec<Value>> {
    let file = town.path(name).display().to_string();
    answer(town, &["export", "--output", &file, "--what", what])?;
    let text = std::fs::read_to_string(file)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Faves of each person for each item.
fn counts(lines: &[Value]) -> BTreeMap<String, u64> {
    let of_people = lines.iter().filter(|it| it["line"] == "count" && it["of"] == "person-item");
    of_people
        .map(|it| {
            (format!("{} {}", it["person"]["login"], it["item"]), it["faves"].as_u64().unwrap_or(0))
        })
        .collect()
}

/// Exit code, and what it says.
fn import(
    town: &Town,
    file: &std::path::Path,
    more: &[&str],
) -> Result<(Option<i32>, String, String)> {
    let file = file.display().to_string();
    run(heat(town, &[&["import", &file], more].concat())?)
}

fn fave(town: &Town, people: &[&str]) -> Result<()> {
    let before = town.figure("heatd_faves_total")?;
    people.iter().for_each(|login| drop(town.chat.say("seaside", login, "?fave")));
    town.wait_for_figure("heatd_faves_total", before + people.len() as u64)
}

#[test]
fn counts_go_from_one_heatd_to_another_once() -> Result<()> {
    let ((one, _heatd), (other, mut other_heatd)) = (town()?, town()?);
    fave(&one, &["ann", "bob", "ann"])?;
    fave(&other, &["ann"])?;
    let lines = export(&one, "one.jsonl", "all")?;
    let (header, end) = (&lines[0], lines.last().context("no lines")?);
    ensure!(header["format"] == "heat-export" && header["version"] == 1, "{header}");
    ensure!(header["store"].as_str().is_some_and(|it| it.len() == 16), "{header}");
    let counted = lines.iter().filter(|it| it["line"] == "count").count();
    let records: Vec<&Value> = lines.iter().filter(|it| it["line"] == "record").collect();
    assert_eq!(end, &json!({ "line": "end", "counts": counted, "records": records.len() }));
    let kinds = |kind: &str| records.iter().filter(|it| it["kind"] == kind).count();
    ensure!(kinds("event") >= 3 && kinds("faves") == 3 && kinds("chain") == 1, "{records:?}");
    let said = records.iter().find(|it| it["kind"] == "event").context("no event")?;
    ensure!(
        said["event"]["person"]["login"] == "ann" && said["event"]["text"] == "?fave",
        "{said}"
    );

    let file = one.path("one.jsonl");
    let (code, told, _) = import(&other, &file, &["--dry-run", "--json"])?;
    let told: Value = serde_json::from_str(&told)?;
    ensure!(code == Some(0) && told["faves"] == 3 && told["dry_run"] == true, "{told}");
    let before = counts(&export(&other, "before.jsonl", "counts")?);
    assert_eq!(before.values().sum::<u64>(), 1);
    for faves in [3, 0] {
        let (code, told, words) = import(&other, &file, &[])?;
        ensure!(code == Some(0) && told.starts_with(&format!("{faves} faves")), "{told} {words}");
    }
    let ann = "\"ann\" \"\"";
    let after = counts(&export(&other, "after.jsonl", "counts")?);
    assert_eq!((after.values().sum::<u64>(), after.get(ann)), (4, Some(&3)));
    // The first one goes on; its next export brings what is new. What the other has of it does not come back.
    fave(&one, &["cy"])?;
    export(&one, "later.jsonl", "counts")?;
    let (_, told, _) = import(&other, &one.path("later.jsonl"), &[])?;
    ensure!(told.starts_with("1 fave (weight 1) added"), "{told}");
    let (code, _, words) = import(&one, &other.path("after.jsonl"), &[])?;
    ensure!(code == Some(1) && words.contains("exported from this heatd"), "{words}");
    // Its own export brings nothing, and it is all there after a restart.
    let (_, told, _) = import(&one, &one.path("later.jsonl"), &[])?;
    ensure!(told.starts_with("0 faves"), "{told}");
    ensure!(other_heatd.terminate()?.success());
    let _again = other.heatd(&std::fs::read_to_string(other.path("heatd.toml"))?)?;
    other.wait_for_joins("seaside", 2)?;
    let restarted = counts(&export(&other, "restarted.jsonl", "counts")?);
    assert_eq!(restarted.values().sum::<u64>(), 5);
    let (_, told, _) = import(&other, &file, &[])?;
    ensure!(told.starts_with("0 faves"), "{told}");
    Ok(())
}

/// An export by hand, of a thousand people.
fn made(people: usize, end: usize) -> String {
    let mut lines = vec![
        json!({ "line": "header", "format": "heat-export", "version": 1, "store": "made", "what": "counts" }),
    ];
    lines.extend((0..people).map(|number| {
        let login = format!("p{number}");
        json!({
            "line": "count", "channel": "seaside", "of": "person-item", "faves": 2, "weight": 2.5,
            "person": { "id": format!("9{number}"), "login": login, "name": login }, "item": "pie",
        })
    }));
    lines.push(json!({ "line": "end", "counts": end, "records": 0 }));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn an_import_takes_all_or_nothing_and_goes_on_where_it_was_interrupted() -> Result<()> {
    let (town, _heatd) = town()?;
    let file = town.path("made.jsonl");
    let whole = made(1000, 1000);
    // One line is bad: it is named, and nothing is taken.
    std::fs::write(&file, whole.replacen("\"faves\":2", "\"faves\":0", 1))?;
    let (code, told, words) = import(&town, &file, &[])?;
    ensure!(code == Some(1) && told.is_empty(), "{told}");
    ensure!(
        words.contains("line 2: `faves` must be") && words.contains("nothing was imported"),
        "{words}"
    );
    // So is a file that was cut short, and a channel that heatd does not have.
    std::fs::write(&file, &whole[..whole.len() / 2])?;
    let (code, _, words) = import(&town, &file, &[])?;
    ensure!(code == Some(1) && words.contains("cut short"), "{words}");
    std::fs::write(&file, whole.replace("seaside", "elsewhere"))?;
    let (code, _, words) = import(&town, &file, &[])?;
    ensure!(
        code == Some(1) && words.contains("nothing was imported: heatd has no channel"),
        "{words}"
    );
    assert_eq!(counts(&export(&town, "none.jsonl", "counts")?).len(), 0);
    // A part of it, as after an interruption; then all of it.
    let group: Vec<Value> =
        whole.lines().skip(1).take(250).map(serde_json::from_str).collect::<Result<_, _>>()?;
    let group: Vec<Value> = group
        .iter()
        .map(|it| json!({ "person": it["person"], "item": it["item"], "faves": it["faves"], "weight": it["weight"] }))
        .collect();
    let api = crate::live::Api::new(&town)?;
    let wish = json!({ "source": "made", "counts": group });
    assert_eq!(api.post("channels/seaside/import", &wish)?.json()?["faves"], 500);
    // Without a note it is in the audit log all the same, with whose token it was.
    let entry = api.get("audit?count=1")?.json()?["entries"][0].clone();
    let says = (&entry["action"], &entry["by"], &entry["note"]);
    let expected = (json!("import"), json!("owner"), json!("250 counts from made"));
    assert_eq!(says, (&expected.0, &expected.1, &expected.2));
    api.post("channels/seaside/import", &json!({ "source": "a b", "counts": [] }))?.problem(409)?;
    std::fs::write(&file, &whole)?;
    let (code, told, words) = import(&town, &file, &[])?;
    ensure!(
        code == Some(0) && told.starts_with("1,500 faves (weight 1875) added"),
        "{told} {words}"
    );
    ensure!(told.contains("250 counts were here already"), "{told}");
    let all = export(&town, "all.jsonl", "all")?;
    let channel = all.iter().find(|it| it["of"] == "channel").context("no count of the channel")?;
    ensure!(
        channel["faves"] == 2000 && channel["weight"] == 2500 && channel["people"] == 1000,
        "{channel}"
    );
    // The rest of a file with bad lines, if that is wanted.
    std::fs::write(&file, made(1001, 1001).replacen("\"faves\":2", "\"faves\":0", 1))?;
    let (code, told, words) = import(&town, &file, &["--skip-bad"])?;
    ensure!(code == Some(0) && told.starts_with("2 faves (weight 2.5) added"), "{told} {words}");
    ensure!(words.contains("1 bad line left out"), "{words}");
    Ok(())
}

#[test]
fn an_export_is_one_moment_while_events_pour_in() -> Result<()> {
    let (town, _heatd) = town()?;
    let lines: Vec<_> = (0..800)
        .map(|_| heat_tests::twitch::Line::chat("seaside", "bob", "?fave").to_string().into_bytes())
        .collect();
    std::thread::scope(|scope| -> Result<()> {
        let chat = &town.chat;
        let sender =
            scope.spawn(move || chat.replay(&lines, heat_tests::twitch::Pace::AsFastAsPossible));
        for number in 0..3 {
            let lines = export(&town, &format!("{number}.jsonl"), "all")?;
            let logged: usize = lines
                .iter()
                .filter(|it| it["kind"] == "faves")
                .map(|it| it["faves"].as_array().map_or(0, Vec::len))
                .sum();
            assert_eq!(
                counts(&lines).values().sum::<u64>(),
                logged as u64,
                "log and counts are of one moment"
            );
        }
        sender.join().map(drop).map_err(|_| anyhow::anyhow!("the sender failed"))
    })?;
    town.wait_for_figure("heatd_faves_total", 800)
}
