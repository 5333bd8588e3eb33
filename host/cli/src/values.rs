//! Settings as they are typed: KEY=VALUE, the value as in the configuration, and a bare word for a text.

use anyhow::{Result, anyhow, bail};
use serde_json::{Map, Value, json};

/// The wish to change these settings, for heatd.
pub(crate) fn wish(set: &[String], unset: &[String]) -> Result<Value> {
    let mut settings = Map::new();
    for typed in set {
        let (key, value) = read(typed)?;
        if unset.contains(&key) {
            bail!("the setting {key} is both set and unset; say one of them");
        }
        if settings.insert(key.clone(), value).is_some() {
            bail!("the setting {key} is set twice");
        }
    }
    Ok(json!({ "set": settings, "unset": unset }))
}

/// The same as a part of the query, beside a rule from a file. None: nothing is set.
pub(crate) fn query(set: &[String], unset: &[String]) -> Result<Option<(&'static str, String)>> {
    if set.is_empty() && unset.is_empty() {
        return Ok(None);
    }
    Ok(Some(("settings", wish(set, unset)?.to_string())))
}

/// The names of the settings that are set or unset.
pub(crate) fn keys<'a>(set: &'a [String], unset: &'a [String]) -> Vec<&'a str> {
    let set = set.iter().map(|typed| typed.split('=').next().unwrap_or(typed).trim());
    set.chain(unset.iter().map(String::as_str)).collect()
}

fn read(typed: &str) -> Result<(String, Value)> {
    let Some((key, value)) = typed.split_once('=') else {
        bail!("{typed:?} is no setting; write KEY=VALUE, such as half_life=3m")
    };
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() || key.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
    {
        bail!("{key:?} is no name of a setting; write KEY=VALUE, such as half_life=3m");
    }
    Ok((key.to_owned(), value_of(value).map_err(|error| anyhow!("the setting {key}: {error}"))?))
}

fn value_of(text: &str) -> Result<Value> {
    let read: Result<toml::Table, _> = toml::from_str(&format!("value = {text}"));
    match read {
        Ok(mut table) if table.len() == 1 => match table.remove("value") {
            Some(value) => json_of(value),
            None => bail!("{text:?} is no value"),
        },
        // A line end in it would begin another setting.
        Ok(_) => bail!("{text:?} is more than one value"),
        Err(error) if text.starts_with(['{', '[', '"', '\'']) => {
            let reason = error.message().to_owned();
            bail!(
                "{text} is no value as in the configuration: {reason}; write for example '[\"a\", \"b\"]' or '{{ warm = 10 }}', in quotes for the shell"
            )
        }
        Err(_) => Ok(Value::from(text)),
    }
}

fn json_of(value: toml::Value) -> Result<Value> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) if number.is_finite() => number.into(),
        toml::Value::Float(number) => bail!("{number} is no number that a rule could use"),
        toml::Value::Boolean(is) => is.into(),
        // No setting is a date: it is a text that looks like one.
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(values) => {
            values.into_iter().map(json_of).collect::<Result<Vec<_>>>()?.into()
        }
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| Ok((key, json_of(value)?)));
            Value::Object(entries.collect::<Result<_>>()?)
        }
    })
}

/// A value as it would be typed.
pub(crate) fn typed(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Array(values) => {
            format!("[{}]", values.iter().map(typed).collect::<Vec<_>>().join(", "))
        }
        Value::Object(table) if table.is_empty() => "{}".to_owned(),
        Value::Object(table) => {
            let entry =
                |(key, value): (&String, &Value)| format!("{} = {}", name(key), typed(value));
            format!("{{ {} }}", table.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::Number(number) => number_typed(number),
        plain => plain.to_string(),
    }
}

/// A number; 10.0 is 10 for people.
fn number_typed(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float.to_string(),
        _ => number.to_string(),
    }
}

/// A key of a table, in quotes where it needs them.
fn name(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { format!("{key:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(typed: &str) -> Value {
        read(typed).unwrap().1
    }

    #[test]
    fn values_are_as_in_the_configuration_and_bare_words_are_texts() {
        assert_eq!(set("half_life=3m"), json!("3m"));
        assert_eq!(set("half_life=\"3m\""), json!("3m"));
        assert_eq!(set("scope = stream"), json!("stream"));
        assert_eq!(set("command=?fave"), json!("?fave"));
        assert_eq!(set("cap=10"), json!(10));
        assert_eq!(set("cap=1.5"), json!(1.5));
        assert_eq!(set("broadcaster=false"), json!(false));
        assert_eq!(
            set("levels={ warm = 10, \"on fire\" = 45 }"),
            json!({"warm": 10, "on fire": 45})
        );
        assert_eq!(set("words=[\"LUL\", 'KEKW']"), json!(["LUL", "KEKW"]));
        assert_eq!(set("output=2026-11-20"), json!("2026-11-20"));
        assert_eq!(set("output="), json!(""));
        assert_eq!(set("text=a = b"), json!("a = b"));
    }

    #[test]
    fn what_is_no_setting_is_said() {
        for (odd, words) in [
            ("half_life", "KEY=VALUE"),
            ("=3", "no name of a setting"),
            ("a b=3", "no name of a setting"),
            ("levels={ warm", "in quotes for the shell"),
            ("cap=inf", "no number"),
            ("cap=1\nfloor = 2", "more than one value"),
        ] {
            let problem = read(odd).unwrap_err().to_string();
            assert!(problem.contains(words), "{odd}: {problem}");
        }
        let twice = ["a=1".to_owned(), "a=2".to_owned()];
        assert!(wish(&twice, &[]).is_err());
        assert!(wish(&twice[..1], &["a".to_owned()]).is_err());
        assert_eq!(
            wish(&twice[..1], &["b".to_owned()]).unwrap(),
            json!({"set": {"a": 1}, "unset": ["b"]})
        );
    }

    #[test]
    fn values_are_shown_as_they_are_typed() {
        for value in
            [json!("6s"), json!(1.5), json!(["a"]), json!({"on fire": 45, "warm": 10}), json!({})]
        {
            assert_eq!(value_of(&typed(&value)).unwrap(), value);
        }
    }
}
