//! What runs beside what the configuration says: the difference, and a configuration that says it.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{Stage, cast};

#[test]
fn the_export_is_a_configuration_that_says_what_runs() -> Result<()> {
    let rules =
        cast::rules(
            "settings.words = [\"LUL\", \"a\\\"b\"]",
            "settings.levels = { warm = 2, hot = 5.5 }\nsettings.per_fave = 2",
        )? + &cast::one_guest("publisher", "publish = [\"lights/#\"]\nmemory = \"32 MiB\"")?;
    let mut stage = Stage::with(&rules)?;
    ensure!(stage.api.get("config/diff")?.json()?["differences"] == json!([]));
    stage.fave("ann");
    stage.heat("2")?;
    let edit = json!({ "set": { "half_life": "90m", "levels": { "cold": 0, "hot": 7.25 } }, "unset": ["per_fave"] });
    stage.api.slot("decay/settings", &edit)?.done()?;
    let diff = stage.api.get("config/diff")?.json()?;
    let told: Vec<_> = diff["differences"].as_array().context("no list")?.iter().collect();
    let whats: Vec<_> = told.iter().filter_map(|it| it["what"].as_str()).collect();
    assert_eq!(whats, ["half_life", "levels", "per_fave"]);
    ensure!(told[0]["configured"] == "\"0s\"" && told[0]["live"] == "\"90m\"", "{diff}");
    ensure!(told[2]["configured"] == "2" && told[2]["live"].is_null(), "{diff}");

    let answer = stage.api.get("config/export")?;
    ensure!(answer.code == 200 && answer.head.contains("application/toml"), "{answer:?}");
    let table: toml::Table = answer.body.parse()?;
    let exported = table["rule"].as_array().context("no rules")?;
    let slots: Vec<_> = exported.iter().filter_map(|it| it["slot"].as_str()).collect();
    assert_eq!(slots, ["fave", "decay", "publisher"]);
    stage.restart(Some(&answer.body))?;
    let diff = stage.api.get("config/diff")?.json()?;
    ensure!(diff["differences"] == json!([]), "{diff}");
    let rule = stage.rule("decay")?;
    ensure!(rule["changed"] == false && rule["settings"]["half_life"] == "90m", "{rule}");
    // It says all that the configuration before has said.
    let again = stage.api.get("config/export")?.body;
    assert_eq!(again, answer.body);
    ensure!(again.contains("memory = \"32768 KiB\"") && again.contains("lights/#"), "{again}");
    Ok(())
}

#[test]
fn what_runs_otherwise_in_one_channel_is_exported_for_each() -> Result<()> {
    let rules = cast::rules("", "")?;
    let mut stage = Stage::of(&["seaside", "harbour"], &rules)?;
    stage.town.wait_for_joins("harbour", 1)?;
    stage.api.slot("decay/settings", &json!({ "set": { "per_fave": 4 } }))?.done()?;
    let export = stage.api.get("config/export")?.body;
    ensure!(export.matches("\n[[rule]]").count() == 3, "{export}");
    ensure!(export.contains("channels = [\"harbour\"]"), "{export}");
    stage.restart(Some(&export))?;
    ensure!(stage.api.get("config/diff")?.json()?["differences"] == json!([]));
    stage.fave("ann");
    stage.heat("4")?;
    stage.town.wait_for_joins("harbour", 2)?;
    stage.town.chat.say("harbour", "ann", "?fave");
    stage.watch.wait_for_last("heat/v1/harbour/heat", "1").map(drop)
}

#[test]
fn the_export_names_files_as_the_configuration_does() -> Result<()> {
    let mut stage = Stage::new()?;
    std::fs::create_dir(stage.town.path("rules"))?;
    std::fs::write(stage.town.path("rules/decay.wasm"), cast::rule("decay")?)?;
    // Relative to the folder of the configuration, which heatd was not started in.
    let rules = cast::one("fave", "")? + "[[rule]]\nfile = \"rules/decay.wasm\"\n";
    stage.restart(Some(&rules))?;
    let export = stage.api.get("config/export")?.body;
    ensure!(export.contains("\nfile = \"rules/decay.wasm\"\n"), "{export}");
    stage.restart(Some(&export))?;
    assert_eq!(stage.api.get("config/export")?.body, export);
    Ok(())
}
