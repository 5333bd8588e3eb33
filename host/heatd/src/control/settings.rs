//! Settings as JSON and as TOML, and changes of them.

use std::fmt::Write as _;

use heat_engine::Given;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Settings that are set, and those that get their default back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    #[serde(default)]
    set: Map<String, Value>,
    #[serde(default)]
    unset: Vec<String>,
}

impl Edit {
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }

    /// The settings after this change.
    pub(crate) fn apply(&self, before: &[(String, Given)]) -> Result<Vec<(String, Given)>, String> {
        for name in &self.unset {
            if !before.iter().any(|(known, _)| known == name) {
                return Err(format!("`{name}` is not set, so it has its default already"));
            }
        }
        let mut after: Vec<(String, Given)> = before
            .iter()
            .filter(|(name, _)| !self.set.contains_key(name) && !self.unset.contains(name))
            .cloned()
            .collect();
        for (name, value) in &self.set {
            let value = given(value).map_err(|problem| format!("`{name}`: {problem}"))?;
            after.push((name.clone(), value));
        }
        Ok(after)
    }
}

/// A value of JSON as a setting.
fn given(value: &Value) -> Result<Given, String> {
    Ok(match value {
        Value::Bool(value) => Given::Boolean(*value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Given::Integer(whole),
            (None, Some(number)) => Given::Float(number),
            (None, None) => return Err("the number is too large".to_owned()),
        },
        Value::String(text) => Given::Text(text.clone()),
        Value::Array(list) => Given::List(list.iter().map(given).collect::<Result<_, _>>()?),
        Value::Object(table) => {
            let entries = table.iter().map(|(name, value)| Ok((name.clone(), given(value)?)));
            Given::Table(entries.collect::<Result<_, String>>()?)
        }
        Value::Null => return Err("nothing is no value; `unset` gives the default back".to_owned()),
    })
}

/// A setting as JSON.
pub(crate) fn as_json(given: &Given) -> Value {
    match given {
        Given::Boolean(value) => Value::Bool(*value),
        Given::Integer(value) => Value::from(*value),
        Given::Float(value) => Value::from(*value),
        Given::Text(text) => Value::from(text.clone()),
        Given::List(list) => Value::Array(list.iter().map(as_json).collect()),
        Given::Table(table) => Value::Object(
            table.iter().map(|(name, value)| (name.clone(), as_json(value))).collect(),
        ),
    }
}

/// A setting as a value of TOML on one line.
pub(crate) fn as_toml(given: &Given) -> String {
    match given {
        Given::Boolean(value) => value.to_string(),
        Given::Integer(value) => value.to_string(),
        // With a point, or it would be a whole number.
        Given::Float(value) => format!("{value:?}"),
        Given::Text(text) => quoted(text),
        Given::List(list) => {
            format!("[{}]", list.iter().map(as_toml).collect::<Vec<_>>().join(", "))
        }
        Given::Table(table) => {
            let entries =
                table.iter().map(|(name, value)| format!("{} = {}", quoted(name), as_toml(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A basic string of TOML.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            // Writing into a string does not fail.
            c if c.is_control() => drop(write!(quoted, "\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(text: &str) -> Edit {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn settings_are_set_and_unset_and_the_others_stay() {
        let before = [
            ("a".to_owned(), Given::Integer(1)),
            ("b".to_owned(), Given::Integer(2)),
            ("c".to_owned(), Given::Integer(3)),
        ];
        let after = edit(r#"{"set": {"b": 2.5, "d": "90s"}, "unset": ["c"]}"#).apply(&before);
        assert_eq!(
            after.unwrap(),
            [
                ("a".to_owned(), Given::Integer(1)),
                ("b".to_owned(), Given::Float(2.5)),
                ("d".to_owned(), Given::Text("90s".to_owned())),
            ]
        );
        assert!(edit(r#"{"unset": ["z"]}"#).apply(&before).is_err());
        assert!(edit(r#"{"set": {"a": null}}"#).apply(&before).is_err());
    }

    #[test]
    fn what_is_written_as_toml_is_read_back_the_same() {
        let levels = vec![("warm \"x\"\n".to_owned(), Given::Float(2.0))];
        let all = [
            Given::Boolean(true),
            Given::Integer(-3),
            Given::Float(1.0),
            Given::Text("a \\ b \" \u{7} 🔥".to_owned()),
            Given::List(vec![Given::Text("x".to_owned()), Given::Text(String::new())]),
            Given::Table(levels),
        ];
        for value in all {
            let table: toml::Table = format!("value = {}", as_toml(&value)).parse().unwrap();
            assert_eq!(heat_engine::cases::given(&table["value"]).unwrap(), value);
        }
    }
}
