//! A rule's settings: the schema that the rule describes, checked, and a configuration's values held against it.

use crate::contract::{Setting, SettingKind, SettingValue, Settings};
use crate::error::LoadError;

/// How many settings a rule may have.
const MOST: usize = 64;

/// How long what a rule says of one setting may be, in bytes: its help, a text, an entry of a list.
const LONGEST: usize = 2000;

/// How many entries a list of a rule's own may have.
const MOST_ENTRIES: usize = 256;

/// A value as a configuration file writes it, before it is held against the rule's schema.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Given {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a point.
    Float(f64),
    /// A text; lengths of time are written as texts too: "90s", "1h30m".
    Text(String),
    /// A list.
    List(Vec<Given>),
    /// A table of its own.
    Table(Vec<(String, Given)>),
}

impl Given {
    /// A value as a configuration would write it.
    pub fn of(value: &SettingValue) -> Self {
        match value {
            SettingValue::Boolean(value) => Self::Boolean(*value),
            SettingValue::Integer(value) => Self::Integer(*value),
            SettingValue::Number(value) => Self::Float(*value),
            SettingValue::Duration(milliseconds) => Self::Text(format!("{milliseconds}ms")),
            SettingValue::Text(text) => Self::Text(text.clone()),
            SettingValue::Texts(texts) => {
                Self::List(texts.iter().cloned().map(Self::Text).collect())
            }
            SettingValue::Numbers(numbers) => Self::Table(
                numbers.iter().map(|(name, number)| (name.clone(), Self::Float(*number))).collect(),
            ),
        }
    }
}

/// The value of every setting of the schema: as given, or the default. What is not in the schema, and what does
/// not fit it, is refused, all of it at once.
pub(crate) fn resolve(
    schema: &[Setting],
    given: &[(String, Given)],
) -> Result<Settings, LoadError> {
    let mut mistakes = Vec::new();
    for (name, _) in given {
        if !schema.iter().any(|setting| setting.name == *name) {
            let known: Vec<&str> = schema.iter().map(|setting| setting.name.as_str()).collect();
            let problem = format!("the rule has no such setting; it has {}", known.join(", "));
            mistakes.push((name.clone(), problem));
        }
    }
    let mut settings = Settings::new();
    for setting in schema {
        let resolved = match given.iter().find(|(name, _)| *name == setting.name) {
            Some((_, given)) => value(&setting.kind, given),
            None => Ok(default(&setting.kind)),
        };
        match resolved {
            Ok(value) => settings.push((setting.name.clone(), value)),
            Err(problem) => mistakes.push((setting.name.clone(), problem)),
        }
    }
    if mistakes.is_empty() { Ok(settings) } else { Err(LoadError::Settings(mistakes)) }
}

/// Refuses a schema whose defaults break its own bounds: a lie in `describe` is found here, not mid-stream.
pub(crate) fn check_schema(schema: &[Setting]) -> Result<(), String> {
    if schema.len() > MOST {
        return Err(format!("it has {} settings, and the limit is {MOST}", schema.len()));
    }
    for (place, setting) in schema.iter().enumerate() {
        let name = &setting.name;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            return Err(format!(
                "the setting {name:?} is not named with lower-case letters, digits and underscores"
            ));
        }
        if schema[..place].iter().any(|other| other.name == *name) {
            return Err(format!("the setting {name:?} is described twice"));
        }
        check_texts(setting)?;
        check_default(&setting.kind)
            .map_err(|problem| format!("the default of {name:?} does not fit: {problem}"))?;
    }
    Ok(())
}

/// What people are shown of a setting is short, and plain text.
fn check_texts(setting: &Setting) -> Result<(), String> {
    let texts: Vec<&String> = match &setting.kind {
        SettingKind::Text(it) => vec![&it.default],
        SettingKind::Choice(it) => it.choices.iter().collect(),
        SettingKind::Texts(it) => it.iter().collect(),
        SettingKind::Numbers(it) => it.iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    };
    let odd = |text: &String| text.len() > LONGEST || text.contains(char::is_control);
    if texts.len() > MOST_ENTRIES || odd(&setting.help) || texts.into_iter().any(odd) {
        return Err(format!(
            "the setting {:?} has control characters, more than {MOST_ENTRIES} entries, or a text of more than {LONGEST} bytes",
            setting.name
        ));
    }
    Ok(())
}

fn check_default(kind: &SettingKind) -> Result<(), String> {
    match kind {
        SettingKind::Integer(it) => within(it.default, it.min, it.max),
        SettingKind::Number(it) if !it.default.is_finite() => Err("it is not finite".to_owned()),
        SettingKind::Number(it) => within(it.default, it.min, it.max),
        SettingKind::Duration(it) => within(it.default, it.min, it.max),
        SettingKind::Text(it) => no_longer(&it.default, it.max_length),
        SettingKind::Choice(it) if it.choices.is_empty() => {
            Err("there is nothing to choose".to_owned())
        }
        SettingKind::Numbers(it) if it.iter().any(|(_, number)| !number.is_finite()) => {
            Err("it is not finite".to_owned())
        }
        _ => Ok(()),
    }
}

fn default(kind: &SettingKind) -> SettingValue {
    match kind {
        SettingKind::Boolean(value) => SettingValue::Boolean(*value),
        SettingKind::Integer(it) => SettingValue::Integer(it.default),
        SettingKind::Number(it) => SettingValue::Number(it.default),
        SettingKind::Duration(it) => SettingValue::Duration(it.default),
        SettingKind::Text(it) => SettingValue::Text(it.default.clone()),
        SettingKind::Choice(it) => {
            SettingValue::Text(it.choices.first().cloned().unwrap_or_default())
        }
        SettingKind::Texts(value) => SettingValue::Texts(value.clone()),
        SettingKind::Numbers(value) => SettingValue::Numbers(value.clone()),
    }
}

fn value(kind: &SettingKind, given: &Given) -> Result<SettingValue, String> {
    match (kind, given) {
        (SettingKind::Boolean(_), Given::Boolean(value)) => Ok(SettingValue::Boolean(*value)),
        (SettingKind::Integer(it), Given::Integer(value)) => {
            within(*value, it.min, it.max).map(|()| SettingValue::Integer(*value))
        }
        (SettingKind::Number(it), Given::Integer(_) | Given::Float(_)) => {
            let value = number(given)?;
            within(value, it.min, it.max).map(|()| SettingValue::Number(value))
        }
        (SettingKind::Duration(it), Given::Text(text)) => {
            let value = parse_duration(text)?;
            if value < it.min || value > it.max {
                let (text, min, max) = (text.trim(), length(it.min), length(it.max));
                return Err(format!("{text} is not from {min} to {max}"));
            }
            Ok(SettingValue::Duration(value))
        }
        (SettingKind::Text(it), Given::Text(text)) => {
            no_longer(text, it.max_length).map(|()| SettingValue::Text(text.clone()))
        }
        (SettingKind::Choice(it), Given::Text(text)) => match it.choices.contains(text) {
            true => Ok(SettingValue::Text(text.clone())),
            false => Err(format!("{text:?} is none of {}", it.choices.join(", "))),
        },
        (SettingKind::Texts(_), Given::List(list)) => texts(list).map(SettingValue::Texts),
        (SettingKind::Numbers(_), Given::Table(table)) => {
            let entries = table.iter().map(|(name, given)| Ok((name.clone(), number(given)?)));
            entries.collect::<Result<_, String>>().map(SettingValue::Numbers)
        }
        _ => Err(format!("it must be {}", wanted(kind))),
    }
}

fn texts(list: &[Given]) -> Result<Vec<String>, String> {
    let text = |given: &Given| match given {
        Given::Text(text) => Ok(text.clone()),
        _ => Err("it must be a list of texts".to_owned()),
    };
    list.iter().map(text).collect()
}

fn number(given: &Given) -> Result<f64, String> {
    match given {
        Given::Integer(value) => Ok(*value as f64),
        Given::Float(value) if value.is_finite() => Ok(*value),
        _ => Err("it must be a number".to_owned()),
    }
}

fn within<N: PartialOrd + std::fmt::Display>(value: N, min: N, max: N) -> Result<(), String> {
    if value >= min && value <= max {
        return Ok(());
    }
    Err(format!("{value} is not from {min} to {max}"))
}

fn no_longer(text: &str, max: u32) -> Result<(), String> {
    if text.chars().count() <= max as usize {
        Ok(())
    } else {
        Err(format!("it is longer than {max} characters"))
    }
}

fn wanted(kind: &SettingKind) -> &'static str {
    match kind {
        SettingKind::Boolean(_) => "true or false",
        SettingKind::Integer(_) => "a whole number",
        SettingKind::Number(_) => "a number",
        SettingKind::Duration(_) => "a length of time such as \"90s\" or \"10m\"",
        SettingKind::Text(_) | SettingKind::Choice(_) => "a text",
        SettingKind::Texts(_) => "a list of texts",
        SettingKind::Numbers(_) => "a table of names and numbers",
    }
}

/// Milliseconds of a length of time: whole numbers with the units ms, s, m, h, d, in any order and number: "1h30m".
pub fn parse_duration(text: &str) -> Result<u64, String> {
    let problem =
        || format!("{text:?} is no length of time; write \"500ms\", \"90s\", \"10m\", \"1h30m\"");
    let mut rest = text.trim();
    let mut total = 0u64;
    if rest.is_empty() {
        return Err(problem());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(problem)?;
        let unit = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |end| digits + end);
        let count: u64 = rest[..digits].parse().map_err(|_| problem())?;
        let factor = match rest[digits..unit].trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(problem()),
        };
        total = count
            .checked_mul(factor)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(problem)?;
        rest = &rest[unit..];
    }
    Ok(total)
}

/// A length of time, in the largest unit that gives a whole number, as `parse_duration` reads it.
pub fn length(milliseconds: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    let whole = UNITS
        .into_iter()
        .find(|(_, length)| milliseconds >= *length && milliseconds.is_multiple_of(*length));
    match (whole, milliseconds) {
        (_, 0) => "0s".to_owned(),
        (Some((unit, length)), _) => format!("{}{unit}", milliseconds / length),
        (None, _) => format!("{milliseconds}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_numbers_with_units() {
        for (text, expected) in
            [("500ms", 500), ("90s", 90_000), ("1h30m", 5_400_000), (" 2d ", 172_800_000)]
        {
            assert_eq!(parse_duration(text), Ok(expected));
        }
        for text in
            ["", "10", "m", "1.5h", "-1s", "10x", "99999999999999999999s", "200000000000000d"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_told_as_they_are_written() {
        let told = [0, 250, 90_000, 600_000, 3_600_000, 2_592_000_000].map(length);
        assert_eq!(told, ["0s", "250ms", "90s", "10m", "1h", "30d"]);
    }
}
