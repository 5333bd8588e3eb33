//! `heatd rule` on components of this project: what it says of cases, and of what cannot be played.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use heat_tests::processes::binary;
use serde_json::Value;

use crate::workshop::{Workshop, said};

/// What `cargo xtask rules` built: a rule, or a guest of the tests.
fn built(file: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(3).context("the test does not run from a target folder")?;
    let file = target.join(file);
    ensure!(file.is_file(), "{} is not built; run `cargo xtask rules`", file.display());
    Ok(file)
}

/// A workshop with this component in it.
fn with(file: &str) -> Result<Workshop> {
    let workshop = Workshop::new()?;
    workshop.write("it.wasm", std::fs::read(built(file)?)?)?;
    Ok(workshop)
}

#[test]
fn a_rule_is_held_against_the_cases_that_it_brings_along() -> Result<()> {
    let workshop = with("rules/decay.wasm")?;
    let answer = workshop.heatd("", &["rule", "test", "it.wasm", "--json"])?.answer()?;
    let answer: Value = serde_json::from_str(&answer)?;
    assert_eq!((&answer["rule"], &answer["passed"]), (&"decay".into(), &true.into()));
    let cases = answer["cases"].as_array().context("no cases")?;
    ensure!(cases.len() > 10 && cases.iter().all(|case| case["outcome"] == "ok"), "{answer}");
    Ok(())
}

#[test]
fn a_case_that_is_otherwise_is_shown_and_blessed_when_it_is_wished() -> Result<()> {
    let workshop = with("rules/crowd.wasm")?;
    workshop.write("cases/two.txt", "ann: hello\n  show crowd \"7\"\nbob: hi\n")?;
    let test = ["rule", "test", "it.wasm", "--cases", "cases"];
    let failed = workshop.heatd("", &test)?;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    for line in [
        "FAILED   two.txt",
        "      ann: hello\n",
        "-   show crowd \"7\"",
        "+   show crowd \"1\"",
        "1 of 1 case failed",
    ] {
        ensure!(failed.out.contains(line), "{line}: {}", failed.out);
    }
    let blessed = workshop.heatd("", &[&test[..], &["--bless"]].concat())?.answer()?;
    ensure!(blessed.contains("blessed  two.txt"), "{blessed}");
    ensure!(
        workshop.read("cases/two.txt")?.ends_with("show crowd \"2\"\n  wake forget in 60000 ms\n")
    );
    workshop.heatd("", &test)?.answer()?;

    workshop.write("cases/odd.txt", "ann: hello\nwhat is this\n")?;
    let odd = workshop.heatd("", &test)?;
    ensure!(odd.code == Some(1) && odd.out.contains("odd.txt cannot be played"), "{odd:?}");
    ensure!(odd.out.contains("line 2, \"what is this\": it is no line of a case"), "{odd:?}");
    Ok(())
}

#[test]
fn what_a_rule_remembers_in_a_variable_is_found_in_its_state_too() -> Result<()> {
    let workshop = with("guests/misbehave.wasm")?;
    let line = "mallory: !do remember\n  fave mallory \"remember\" 1\n";
    workshop.write("cases/remember.txt", line.repeat(2))?;
    let said = workshop.heatd("", &["rule", "test", "it.wasm", "--cases", "cases", "--json"])?;
    assert_eq!(said.code, Some(1), "{said:?}");
    let answer: Value = serde_json::from_str(&said.out)?;
    let case = &answer["cases"][0];
    assert_eq!(case["outcome"], "keeps-state", "{answer}");
    let details = case["details"].as_str().context("no details")?;
    ensure!(
        details.contains(
            "- state remembered = \"\\x01\\x00\\x00\\x00\"\n+ state remembered = \"\\x02"
        ),
        "{details}"
    );
    // With one event, an instance is as good as the other.
    workshop.write("cases/remember.txt", line)?;
    workshop.heatd("", &["rule", "test", "it.wasm", "--cases", "cases"])?.answer()?;
    Ok(())
}

#[test]
fn a_call_that_traps_can_be_read_in_the_log() -> Result<()> {
    let workshop = with("guests/misbehave.wasm")?;
    workshop.write("cases/panic.txt", "mallory: !do panic\n")?;
    let test = ["rule", "test", "it.wasm", "--cases", "cases"];
    let said = workshop.heatd("", &test)?;
    ensure!(said.code == Some(1) && said.out.contains("1 of 1 case failed"), "{said:?}");
    ensure!(said.out.contains("fails: it trapped") && said.out.contains("--log shows"), "{said:?}");
    ensure!(!said.err.contains("on purpose"), "{said:?}");
    let said = workshop.heatd("", &[&test[..], &["--log"]].concat())?;
    ensure!(said.err.contains("on purpose"), "{said:?}");
    Ok(())
}

#[test]
fn what_cannot_be_played_is_said_with_what_would_do() -> Result<()> {
    let workshop = with("guests/witness.wasm")?;
    workshop.write("module.wasm", b"\0asm\x01\0\0\0")?;
    workshop.write("empty/readme.md", "")?;
    workshop.write("none/heat-rule.toml", "component = \"../module.wasm\"")?;
    for (name, import) in [("wasi", "wasi_snapshot_preview1"), ("foreign", "env")] {
        let module = format!("(module (import \"{import}\" \"f\" (func)))");
        workshop.write(&format!("{name}.wasm"), wat::parse_str(module)?)?;
    }
    for (arguments, expected) in [
        (&["rule", "test", "gone.wasm"][..], "failed to read gone.wasm"),
        (&["rule", "test", "it.wasm"], "brings no cases along"),
        (&["rule", "bench", "it.wasm"], "brings no cases along"),
        (&["rule", "test", "it.wasm", "--cases", "empty"], "no case files (*.txt)"),
        (&["rule", "test", "module.wasm"], "core module"),
    ] {
        let said = workshop.heatd("", arguments)?;
        ensure!(said.code == Some(1) && said.err.contains(expected), "{expected}: {said:?}");
    }
    for (arguments, expected) in [
        (&["rules", "test"][..], "it has no heat-rule.toml"),
        (&["rules", "test", "gone"], "there is no gone"),
        (&["rules", "test", "none"], "no export `describe`"),
        (&["rules", "test", "wasi.wasm"], "it wants WASI"),
        (&["rules", "test", "foreign.wasm"], "it does not look like a rule"),
        (&["rules", "pack", "it.wasm"], "--output"),
        (&["rules", "new", "Streak", "--lang", "rust"], "is no name for a rule"),
    ] {
        let said = workshop.heat("", arguments)?;
        ensure!(said.code == Some(1) && said.err.contains(expected), "{expected}: {said:?}");
    }
    Ok(())
}

#[test]
fn a_rule_whose_faves_nobody_makes_says_which_file_is_missing() -> Result<()> {
    let workshop = with("rules/crowd.wasm")?;
    // Where there is no folder rules/, beside the program or above.
    workshop.write("deep/bin/empty", "")?;
    let name = format!("deep/bin/heatd{}", std::env::consts::EXE_SUFFIX);
    std::fs::copy(binary("heatd")?, workshop.path(&name))?;
    let run = |with: &[&str]| {
        let mut heatd = std::process::Command::new(workshop.path(&name));
        said(heatd.args(["rule", "test", "it.wasm"]).args(with).current_dir(workshop.path("")))
    };
    let missing = run(&[])?;
    ensure!(missing.code == Some(1), "{missing:?}");
    ensure!(
        missing.err.contains("crowd is a formula") && missing.err.contains("--with fave.wasm"),
        "{missing:?}"
    );
    std::fs::copy(built("rules/fave.wasm")?, workshop.path("elsewhere.wasm"))?;
    run(&["--with", "elsewhere.wasm"])?.answer()?;
    let twice = run(&["--with", "it.wasm"])?;
    ensure!(twice.code == Some(1) && twice.out.contains("two rules are named crowd"), "{twice:?}");
    workshop.write("fave.wasm", std::fs::read(built("rules/fave.wasm")?)?)?;
    run(&[])?.answer()?;
    Ok(())
}

#[test]
fn a_line_in_which_timers_come_due_without_end_is_given_up() -> Result<()> {
    let workshop = with("rules/decay.wasm")?;
    // Falls four times a second, for years.
    let case = "set half_life = \"30d\"\nmona (moderator): ?heat set 1000000000\n+900d\n";
    workshop.write("cases/years.txt", case)?;
    let said = workshop.heatd("", &["rule", "test", "it.wasm", "--cases", "cases"])?;
    ensure!(said.code == Some(1) && said.out.contains("timers come due in one line"), "{said:?}");
    Ok(())
}

#[test]
fn a_rule_is_compiled_once_however_often_its_cases_are_played() -> Result<()> {
    let workshop = with("guests/witness.wasm")?;
    workshop.write("cases/one.txt", "ann: hello\n")?;
    // In a folder for caches of its own: nobody else has played this rule there.
    let test = || -> Result<String> {
        let mut command = std::process::Command::new(binary("heatd")?);
        command.args(["rule", "test", "it.wasm", "--cases", "cases"]);
        command.current_dir(workshop.path("")).env("XDG_CACHE_HOME", workshop.path("caches"));
        said(&mut command)?.answer()
    };
    let compiled = || -> Result<Vec<std::time::SystemTime>> {
        let files = std::fs::read_dir(workshop.path("caches/heat-level/compiled"))?;
        files.map(|file| Ok(file?.metadata()?.modified()?)).collect()
    };
    test()?;
    let first = compiled()?;
    ensure!(!first.is_empty(), "nothing is kept");
    test()?;
    ensure!(compiled()? == first, "it was compiled again");
    Ok(())
}
