//! The settings of a rule in an answer: which ones it declares, and their values.

use heat_engine::wit::{Setting, SettingKind};
use heat_engine::{Rule, length};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::control::as_json;

/// The settings of a slot.
#[derive(Serialize)]
pub(crate) struct SlotSettings {
    /// The values of all.
    settings: Map<String, Value>,
    /// The names of the settings that have a value of their own, by the configuration or by a change while running.
    set: Vec<String>,
    /// The settings that the rule declares, in its order.
    declared: Vec<DeclaredSetting>,
}

/// A setting that a rule declares.
#[derive(Serialize)]
struct DeclaredSetting {
    name: String,
    /// What it may be, in words for people.
    kind: String,
    default: Value,
    about: String,
}

impl SlotSettings {
    pub(crate) fn of(rule: &Rule) -> Self {
        let schema = &rule.description().settings;
        let mut settings: Map<String, Value> =
            schema.iter().map(|setting| (setting.name.clone(), kind(setting).1)).collect();
        // Set values stay as they were written: `1h30m`, not `5400000ms`.
        let given = rule.given().iter().map(|(name, given)| (name.clone(), as_json(given)));
        settings.extend(given);
        let set = rule.given().iter().map(|(name, _)| name.clone()).collect();
        Self { settings, set, declared: schema.iter().map(declared).collect() }
    }
}

fn declared(setting: &Setting) -> DeclaredSetting {
    let (kind, default) = kind(setting);
    DeclaredSetting { name: setting.name.clone(), kind, default, about: setting.help.clone() }
}

/// The values that a setting may have, in words for people, and its default.
fn kind(setting: &Setting) -> (String, Value) {
    match &setting.kind {
        SettingKind::Boolean(default) => ("true or false".to_owned(), json!(default)),
        SettingKind::Integer(it) => {
            (format!("whole number from {} to {}", it.min, it.max), json!(it.default))
        }
        SettingKind::Number(it) => {
            (format!("number from {} to {}", it.min, it.max), json!(it.default))
        }
        SettingKind::Duration(it) => (
            format!("time from {} to {}", length(it.min), length(it.max)),
            json!(length(it.default)),
        ),
        SettingKind::Text(it) => {
            (format!("text of at most {} characters", it.max_length), json!(it.default))
        }
        SettingKind::Choice(it) => {
            (format!("one of {}", it.choices.join(", ")), json!(it.choices.first()))
        }
        SettingKind::Texts(default) => ("list of texts".to_owned(), json!(default)),
        SettingKind::Numbers(default) => {
            let default: Map<String, Value> =
                default.iter().map(|(name, number)| (name.clone(), json!(number))).collect();
            ("table of names and numbers".to_owned(), Value::Object(default))
        }
    }
}
