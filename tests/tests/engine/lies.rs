//! What a component says of itself is checked when it is loaded, and a migration is held against limits of its own.

use anyhow::{Context, Result, ensure};
use heat_engine::{LoadError, OpenError, Rule, Store};

use crate::stage::{Part, Stage, loaded, patient, plain, sandbox};

/// Why a component that tells this lie is refused.
fn refusal(lie: &'static str) -> Result<String> {
    let name: &'static str = format!("hostile:{lie}").leak();
    let refused = |error: LoadError| error.to_string();
    let component = match loaded(name) {
        Ok(component) => component,
        Err(error) => return Ok(refused(error.downcast()?)),
    };
    let limits = std::sync::Arc::new(patient());
    Rule::new(&*sandbox()?, &limits, &component, &[]).err().map(refused).context(lie)
}

#[test]
fn a_lie_about_itself_is_named() -> Result<()> {
    for (lie, expected) in [
        ("long-name", "its name"),
        ("path-name", "its name \"../../etc\" is not"),
        ("no-name", "its name \"\" is not"),
        ("control-summary", "its summary is longer than 500 bytes, or has control characters"),
        ("long-summary", "its summary is longer"),
        ("long-version", "its version is longer"),
        ("not-utf8", "it trapped"),
        ("claimed-length", "it trapped"),
        ("many-settings", "it has 5000 settings, and the limit is 64"),
        ("twice", "the setting \"same\" is described twice"),
        ("control-setting", "the setting \"a\\nb\" is not named with"),
        ("control-help", "the setting \"topics\" has control characters"),
        ("long-help", "or a text of more than 2000 bytes"),
        ("nan-bounds", "the default of \"number\" does not fit"),
        ("turned-bounds", "the default of \"integer\" does not fit"),
        ("long-default", "the setting \"text\" has control characters, more than"),
        ("many-choices", "more than 256 entries"),
        ("many-texts", "the setting \"list\" has control characters, more than 256 entries"),
        ("spin-describe", "units of fuel"),
        ("trap-describe", "it trapped"),
        ("takes-commands", "it may take 64 commands"),
        ("takes-long", "of at most 256 bytes"),
        ("takes-control", "must be one word"),
        ("takes-word-control", "must be one word"),
        ("takes-filter", "is no MQTT topic filter"),
        ("takes-nul", "is no MQTT topic filter"),
        ("takes-shared", "is shared with other clients"),
        ("takes-kinds", "more than 64 kinds"),
        ("takes-spin", "units of fuel"),
        ("takes-trap", "it trapped"),
        ("takes-refusal", "no [2Jno [2J"),
    ] {
        let words = refusal(lie)?;
        ensure!(words.contains(expected), "{lie}: {words}");
        ensure!(words.len() < 2000 && !words.contains(char::is_control), "{lie}: {words}");
    }
    Ok(())
}

/// Opens a stage over state of an older version, and tells why that is refused.
fn migration(lie: &'static str) -> Result<Option<String>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let mut stage = Stage::with(vec![plain("hostile")], patient(), Store::open(&file)?)?;
    for _ in 0..4 {
        stage.wait(1)?;
        stage.chat("mallory", "!attack keys")?;
    }
    stage.engine.commit()?;
    let before = stage.engine.snapshot()?.rows()?.0;
    drop(stage);
    let part: Part = ("hostile", format!("hostile:{lie}").leak(), Vec::new());
    let refused = match Stage::with(vec![part], patient(), Store::open(&file)?) {
        Ok(_) => return Ok(None),
        Err(error) => error.downcast::<OpenError>()?.to_string(),
    };
    let stage = Stage::with(vec![plain("hostile")], patient(), Store::open(&file)?)?;
    assert_eq!(stage.engine.snapshot()?.rows()?.0, before, "{lie}: the old state has changed");
    Ok(Some(refused))
}

#[test]
fn a_migration_that_is_slow_or_makes_too_much_is_refused_and_changes_nothing() -> Result<()> {
    for (lie, expected) in [
        ("migrate-slow", "rewriting it takes more than 1000000000 units of fuel"),
        ("migrate-spin", "units of fuel"),
        ("migrate-much", "it makes more state than a rule may keep"),
        ("migrate-twice", "twice"),
        ("migrate-long", "a name of 5000 bytes is longer than 256"),
    ] {
        let words = migration(lie)?.context(lie)?;
        ensure!(words.contains("slot hostile") && words.contains(expected), "{lie}: {words}");
    }
    ensure!(migration("migrate")?.is_none(), "a good migration is refused");
    Ok(())
}
