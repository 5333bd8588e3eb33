//! The rules' case files: chat in, effects out. `UPDATE_EXPECT=1` rewrites them with what the rules answer.
//!
//! A file is a list of lines. `name: text` is a chat line, `+10m` lets time pass, `mqtt topic: text` is a message, `mqtt
//! topic (retained): text` one that the broker had kept, and `set name = value` a setting, in the values of TOML, before anything
//! else. A name may say what the person is: `ann (moderator, tier two, first)`. `* raid bob 120`, `* sub ann two`, `* gift ann 5`, `* cheer ann 100`, `* follow ann`,
//! `* stream start` and `* stream end` are what else Twitch tells. What the rule answers stands indented below, without what it
//! keeps for itself (`put`, `delete`). A multiplier or formula gets its faves from the rule `fave`. Settings that are refused are
//! answered with the reason below the last line.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use heat_engine::wit::{Effect, Happening, Role};
use heat_engine::{Answer, Given, Limits, LoadError, Store, effect_line, parse_duration};

use crate::events;
use crate::stage::{Part, Stage, loaded, patient, root};

#[test]
fn every_case_of_every_rule_is_as_written() -> Result<()> {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut different = Vec::new();
    let mut count = 0;
    for (rule, file) in case_files()? {
        let written = std::fs::read_to_string(&file)?;
        let play = |instance_events| {
            play(&rule, &written, instance_events).with_context(|| file.display().to_string())
        };
        let played = play(64)?;
        ensure!(
            played == play(1)?,
            "{}: the rule keeps state in a variable: it answers otherwise when its instance is new",
            file.display()
        );
        if update {
            std::fs::write(&file, &played)?;
        } else if played != written {
            different
                .push(format!("{}\n--- written\n{written}\n--- played\n{played}", file.display()));
        }
        count += 1;
    }
    ensure!(count > 0, "there are no cases");
    ensure!(
        different.is_empty(),
        "{}\nUPDATE_EXPECT=1 takes what was played\n",
        different.join("\n")
    );
    Ok(())
}

/// The rules, and the case files of each.
pub(crate) fn case_files() -> Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for rule in crate::contract::rules()? {
        let folder = root().join("rules").join(&rule).join("cases");
        for entry in std::fs::read_dir(&folder)
            .with_context(|| format!("{} has no cases", folder.display()))?
        {
            files.push((rule.clone(), entry?.path()));
        }
    }
    files.retain(|(_, file)| file.extension() == Some("txt".as_ref()));
    files.sort();
    Ok(files)
}

/// Plays a file, and returns it with the answers of now.
pub(crate) fn play(rule: &str, text: &str, instance_events: u32) -> Result<String> {
    let inputs: Vec<&str> = text.lines().filter(|line| !line.starts_with("  ")).collect();
    let settings = inputs
        .iter()
        .filter_map(|line| line.strip_prefix("set "))
        .map(setting)
        .collect::<Result<Vec<_>>>()?;
    let limits = Limits { instance_events, ..patient() };
    let mut stage = match Stage::with(chain(rule, settings)?, limits, Store::in_memory()?) {
        Ok(stage) => stage,
        Err(error) => {
            let refusal = error.downcast::<LoadError>()?;
            return Ok(format!("{}\n  refused: {refusal}\n", inputs.join("\n")));
        }
    };
    let mut played = String::new();
    for line in inputs {
        played.push_str(line);
        played.push('\n');
        for (now, answer) in step(&mut stage, line)? {
            if *answer.slot == *rule {
                for line in answer_lines(&answer, now) {
                    played.push_str(&format!("  {line}\n"));
                }
            }
        }
    }
    Ok(played)
}

/// The rule alone if it makes faves itself, else behind the rule that does.
fn chain(rule: &str, settings: Vec<(String, Given)>) -> Result<Vec<Part>> {
    let name: &'static str = rule.to_owned().leak();
    let mut chain = vec![(name, name, settings)];
    if loaded(rule)?.description.role != Role::Handler {
        chain.insert(0, ("fave", "fave", Vec::new()));
    }
    Ok(chain)
}

fn setting(line: &str) -> Result<(String, Given)> {
    let (name, value) = line.split_once('=').context("a setting is written `set name = value`")?;
    let table: toml::Table = format!("value = {value}").parse()?;
    Ok((name.trim().to_owned(), given(&table["value"])?))
}

pub(crate) fn given(value: &toml::Value) -> Result<Given> {
    Ok(match value {
        toml::Value::Boolean(value) => Given::Boolean(*value),
        toml::Value::Integer(value) => Given::Integer(*value),
        toml::Value::Float(value) => Given::Float(*value),
        toml::Value::String(value) => Given::Text(value.clone()),
        toml::Value::Array(list) => Given::List(list.iter().map(given).collect::<Result<_>>()?),
        toml::Value::Table(table) => Given::Table(
            table
                .iter()
                .map(|(name, value)| Ok((name.clone(), given(value)?)))
                .collect::<Result<_>>()?,
        ),
        toml::Value::Datetime(_) => anyhow::bail!("no setting is a date"),
    })
}

/// Plays one line, and returns what was answered, each with its time.
fn step(stage: &mut Stage, line: &str) -> Result<Vec<(u64, Answer)>> {
    if line.is_empty() || line.starts_with('#') || line.starts_with("set ") {
        return Ok(Vec::new());
    }
    if let Some(time) = line.strip_prefix('+') {
        return pass(stage, parse_duration(time).map_err(anyhow::Error::msg)?);
    }
    let decision = if let Some(what) = line.strip_prefix("* ") {
        stage.event(events::read(what).with_context(|| format!("{line:?} is no event"))?)?
    } else {
        let (who, text) =
            line.split_once(": ").with_context(|| format!("{line:?} is no line of a case"))?;
        match who.strip_prefix("mqtt ") {
            Some(topic) => match topic.strip_suffix(" (retained)") {
                Some(topic) => stage.mqtt(topic, text.as_bytes(), true)?,
                None => stage.mqtt(topic, text.as_bytes(), false)?,
            },
            None => stage.event(Happening::Chat(events::line(who, text)?))?,
        }
    };
    Ok(decision.answers.into_iter().map(|answer| (stage.now, answer)).collect())
}

/// Lets time pass from timer to timer.
fn pass(stage: &mut Stage, milliseconds: u64) -> Result<Vec<(u64, Answer)>> {
    let end = stage.now + milliseconds;
    let mut answers = Vec::new();
    while stage.now < end {
        let next = stage.engine.next_wake().unwrap_or(end).clamp(stage.now, end);
        for decision in stage.wait(next - stage.now)? {
            answers.extend(decision.answers.into_iter().map(|answer| (stage.now, answer)));
        }
    }
    Ok(answers)
}

fn answer_lines(answer: &Answer, now: u64) -> Vec<String> {
    match &answer.outcome {
        Ok(effects) => effects.iter().filter_map(|effect| visible(effect, now)).collect(),
        Err(fault) => vec![format!("fails: {fault}")],
    }
}

/// Times are written from now on, as a case is read.
fn visible(effect: &Effect, now: u64) -> Option<String> {
    match effect {
        Effect::Put(_) | Effect::Delete(_) => None,
        Effect::Wake(alarm) => Some(match alarm.at {
            Some(at) => format!("wake {} in {} ms", alarm.name, at.saturating_sub(now)),
            None => format!("wake {} never", alarm.name),
        }),
        other => Some(effect_line(other)),
    }
}

/// Kept here so that a rule without cases fails by name.
pub(crate) fn folder_of(rule: &str) -> PathBuf {
    Path::new("rules").join(rule).join("cases")
}
