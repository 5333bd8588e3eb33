//! A rule in Rust, from the first command to the file that heatd runs.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::workshop::Workshop;

const BUILD: [&str; 2] = ["build", "--release"];

/// In place of the state that the template keeps: what every author tries first.
const WITH_A_VARIABLE: (&str, &str) = (
    "let degrees = state::get::<i64>(\"degrees\").unwrap_or(0) + settings.integer(\"per_fave\");\n        call.put(\"degrees\", degrees);",
    "static DEGREES: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);\n        \
     let more = settings.integer(\"per_fave\");\n        \
     let degrees = DEGREES.fetch_add(more, std::sync::atomic::Ordering::Relaxed) + more;",
);

#[test]
fn a_new_rule_builds_passes_its_cases_and_is_measured() -> Result<()> {
    let workshop = Workshop::new()?;
    let made = workshop.heat("", &["rules", "new", "streak", "--lang", "rust"])?.answer()?;
    ensure!(made.contains("cargo build --release") && made.contains("heat rules test"), "{made}");

    let unbuilt = workshop.heat("", &["rules", "test", "streak"])?;
    ensure!(
        unbuilt.code == Some(1) && unbuilt.err.contains("cargo build --release"),
        "{unbuilt:?}"
    );

    let built = workshop.cargo("streak", &BUILD)?;
    ensure!(built.code == Some(0) && !built.err.contains("warning"), "{}", built.err);
    let tested = workshop.heat("streak", &["rules", "test"])?.answer()?;
    ensure!(
        tested.contains("ok       first.txt") && tested.contains("groups of 1 and of 64"),
        "{tested}"
    );

    let figures: Value =
        serde_json::from_str(&workshop.heat("streak", &["rules", "bench", "--json"])?.answer()?)?;
    let number = |place: &str| figures.pointer(place).and_then(Value::as_f64).unwrap_or_default();
    assert_eq!(figures["rule"], "streak");
    ensure!(number("/calls") > 100.0 && number("/faults") == 0.0, "{figures}");
    for what in ["fuel", "memory", "effects"] {
        let (max, limit) = (number(&format!("/{what}/max")), number(&format!("/{what}/limit")));
        ensure!(max > 0.0 && max < limit, "{what}: {figures}");
    }
    let (median, p99) = (number("/call_us/median"), number("/call_us/p99"));
    ensure!(median > 0.0 && median <= p99, "{figures}");
    ensure!(number("/instance_us/median") > 0.0 && number("/compile_ms") > 0.0, "{figures}");

    workshop.heat("streak", &["rules", "pack"])?.answer()?;
    let packed = workshop.heatd("streak", &["rule", "test", "streak.wasm"])?.answer()?;
    ensure!(packed.contains("1 case, played"), "the packed rule brings no cases: {packed}");
    Ok(())
}

#[test]
fn a_rule_that_keeps_state_in_a_variable_is_told_so() -> Result<()> {
    let workshop = Workshop::new()?;
    workshop.heat("", &["rules", "new", "forgetful", "--lang", "rust"])?.answer()?;
    let (state, variable) = WITH_A_VARIABLE;
    workshop.replace("forgetful/src/lib.rs", state, variable)?;
    workshop.replace("forgetful/src/lib.rs", ", state}", "}")?;
    workshop.cargo("forgetful", &BUILD)?.answer()?;
    for arguments in [&["rules", "test"][..], &["rules", "test", "--bless"]] {
        let tested = workshop.heat("forgetful", arguments)?;
        ensure!(tested.code == Some(1), "{tested:?}");
        ensure!(
            tested.out.contains("FAILED   first.txt: the rule keeps state in a variable"),
            "{tested:?}"
        );
        ensure!(
            tested.out.contains("-   show forgetful \"1\"\n    +   show forgetful \"2\""),
            "{tested:?}"
        );
    }
    let case = workshop.read("forgetful/cases/first.txt")?;
    ensure!(case.contains("show forgetful \"2\""), "a case was blessed that must not be: {case}");
    Ok(())
}

#[test]
fn every_role_has_a_working_example() -> Result<()> {
    let workshop = Workshop::new()?;
    for role in ["handler", "multiplier"] {
        workshop.heat("", &["rules", "new", role, "--lang", "rust", "--role", role])?.answer()?;
        let built = workshop.cargo(role, &BUILD)?;
        ensure!(built.code == Some(0) && !built.err.contains("warning"), "{}", built.err);
        let tested = workshop.heat("", &["rules", "test", role])?.answer()?;
        ensure!(tested.starts_with(&format!("{role} 0.1.0, a {role} of ")), "{tested}");
        let case = workshop.read(&format!("{role}/cases/first.txt"))?;
        ensure!(case.contains("\n  "), "the case has no answers: {case}");
    }
    let again = workshop.heat("", &["rules", "new", "handler", "--lang", "rust"])?;
    ensure!(again.code == Some(1) && again.err.contains("is not empty"), "{again:?}");
    Ok(())
}
