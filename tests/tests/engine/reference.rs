//! docs/configuration.md tells the settings of every rule as the rule itself describes them. `UPDATE_EXPECT=1` rewrites it.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use heat_engine::role_name;
use heat_engine::wit::{Setting, SettingKind};

use crate::stage::{loaded, root};

/// What stands behind this line is written by the test.
const MARK: &str =
    "<!-- What follows is written by a test from what the rules say of themselves. -->\n";

#[test]
fn the_settings_of_every_rule_are_documented_as_they_are() -> Result<()> {
    let file = root().join("docs/configuration.md");
    let page = std::fs::read_to_string(&file).context("docs/configuration.md")?;
    let (words, written) = page.split_once(MARK).context("the page has lost its mark")?;
    let mut described = String::new();
    for rule in crate::contract::rules()? {
        let loaded = loaded(&rule)?;
        let about = &loaded.description;
        write!(
            described,
            "\n### `{}`, a {}\n\n{}\n",
            about.name,
            role_name(about.role),
            about.summary
        )?;
        if about.settings.is_empty() {
            continue;
        }
        described.push_str("\n| setting | what it is | default | |\n|---|---|---|---|\n");
        for setting in &about.settings {
            described.push_str(&row(setting));
        }
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&file, format!("{words}{MARK}{described}"))?;
        return Ok(());
    }
    ensure!(
        written == described,
        "docs/configuration.md is not what the rules say; UPDATE_EXPECT=1 writes it again"
    );
    Ok(())
}

#[test]
fn the_first_formula_of_the_docs_is_the_rule_that_is_tested() -> Result<()> {
    let page = std::fs::read_to_string(root().join("docs/first-formula.md"))?;
    let rule = std::fs::read_to_string(root().join("rules/crowd/src/lib.rs"))?;
    ensure!(
        page.contains(&format!("```rust\n{rule}```")),
        "docs/first-formula.md shows other code"
    );
    Ok(())
}

fn row(setting: &Setting) -> String {
    let (kind, default) = match &setting.kind {
        SettingKind::Boolean(value) => ("`true` or `false`".to_owned(), value.to_string()),
        SettingKind::Integer(it) => {
            (format!("whole number from {} to {}", it.min, it.max), it.default.to_string())
        }
        SettingKind::Number(it) => {
            (format!("number from {} to {}", it.min, it.max), it.default.to_string())
        }
        SettingKind::Duration(it) => (
            format!("time from {} to {}", duration(it.min), duration(it.max)),
            format!("{:?}", duration(it.default)),
        ),
        SettingKind::Text(it) => {
            (format!("text of at most {} characters", it.max_length), format!("{:?}", it.default))
        }
        SettingKind::Choice(it) => (
            format!("one of {}", quoted(&it.choices)),
            it.choices.first().map_or_else(String::new, |first| format!("{first:?}")),
        ),
        SettingKind::Texts(list) => ("list of texts".to_owned(), format!("[{}]", quoted(list))),
        SettingKind::Numbers(table) => {
            let entries: Vec<String> =
                table.iter().map(|(name, number)| format!("{} = {number}", key(name))).collect();
            ("table of names and numbers".to_owned(), format!("{{ {} }}", entries.join(", ")))
        }
    };
    // A pipe would end the cell.
    let help = setting.help.replace('|', "\\|");
    format!("| `{}` | {kind} | `{default}` | {help} |\n", setting.name)
}

/// A key as TOML wants it.
fn key(name: &str) -> String {
    let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_bare && !name.is_empty() { name.to_owned() } else { format!("{name:?}") }
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(", ")
}

/// A length of time in the greatest unit that it is a whole number of.
fn duration(milliseconds: u64) -> String {
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if milliseconds > 0 && milliseconds.is_multiple_of(length) {
            return format!("{}{unit}", milliseconds / length);
        }
    }
    if milliseconds == 0 { "0s".to_owned() } else { format!("{milliseconds}ms") }
}
