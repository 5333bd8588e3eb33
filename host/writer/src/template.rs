//! The streamer's template: `🔥 HEAT LEVEL: {value}` and a payload become a text. Pure.
//!
//! `{value}` is the payload as text. If the payload is a JSON object, `{name}` is its field and `{song.title}` a field
//! of a field, and `{value}` its own field `value`, or another that the settings choose. `{{` and `}}` are literal braces. A field
//! that is not there shows as nothing, and the caller learns its name.
//!
//! A text of several outputs names each: `{heat} · {level}`, and `{latest.title}` is a field of one. All else is that of the first.

use std::str::FromStr;

use serde_json::{Map, Value};

/// A template from the settings, already taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(String),
}

/// What a template made of a payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rendered<'a> {
    pub(crate) text: String,
    /// Fields that the template names and the payload does not have.
    pub(crate) missing: Vec<&'a str>,
}

/// The field of a JSON object that `{value}` stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueField(String);

impl Default for ValueField {
    fn default() -> Self {
        Self("value".to_owned())
    }
}

impl FromStr for ValueField {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        if raw.trim() != raw || raw.contains(['{', '}']) || raw.split('.').any(str::is_empty) {
            return Err(format!(
                "`{raw}` names no field; write a name such as count or song.count, without braces"
            ));
        }
        Ok(Self(raw.to_owned()))
    }
}

/// One message, as a template sees it.
pub(crate) struct Payload<'a> {
    text: &'a str,
    fields: Option<Map<String, Value>>,
    value: &'a ValueField,
}

impl<'a> Payload<'a> {
    /// Whatever is not a JSON object is plain text, also when it only looks like one.
    pub(crate) fn read(text: &'a str, value: &'a ValueField) -> Self {
        let text = text.trim();
        let fields = text.starts_with('{').then(|| serde_json::from_str(text).ok()).flatten();
        Self { text, fields, value }
    }

    /// That of a text with one output.
    #[cfg(test)]
    pub(crate) fn alone(&self) -> Payloads<'_> {
        Payloads { names: &[], first: self, others: &[] }
    }

    /// Whether `{value}` is the number 0, however it is written.
    pub(crate) fn is_zero(&self) -> bool {
        let value = self.field("value").unwrap_or_default();
        value.trim().parse::<f64>().is_ok_and(|number| number == 0.0)
    }

    fn field(&self, name: &str) -> Option<String> {
        let path = if name == "value" { &self.value.0 } else { name };
        let found = self.fields.as_ref().and_then(|fields| {
            let mut names = path.split('.');
            let first = fields.get(names.next()?)?;
            names.try_fold(first, step_into)
        });
        match found {
            Some(value) => Some(shown(value)),
            None => (name == "value").then(|| self.text.to_owned()),
        }
    }
}

/// A number names an element of a list, so that `{queue.0.title}` is the next song.
fn step_into<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => fields.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The last messages of the outputs of one text.
pub(crate) struct Payloads<'a> {
    /// The names of the outputs; one alone needs none.
    pub(crate) names: &'a [String],
    pub(crate) first: &'a Payload<'a>,
    /// Those of the others, as far as there are some.
    pub(crate) others: &'a [Option<Payload<'a>>],
}

impl Payloads<'_> {
    fn field(&self, name: &str) -> Option<String> {
        let (output, rest) = name.split_once('.').unwrap_or((name, "value"));
        match self.names.iter().position(|name| name == output) {
            Some(0) => self.first.field(rest),
            // An output that has shown nothing yet is no mistake.
            Some(place) => self.others[place - 1]
                .as_ref()
                .map_or_else(|| Some(String::new()), |payload| payload.field(rest)),
            None => self.first.field(name),
        }
    }
}

impl Template {
    /// Whether it names this output.
    pub(crate) fn names(&self, output: &str) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Field(name) => name.split('.').next() == Some(output),
            Part::Literal(_) => false,
        })
    }

    pub(crate) fn render(&self, payloads: &Payloads<'_>) -> Rendered<'_> {
        let mut text = String::new();
        let mut missing = Vec::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Field(name) => match payloads.field(name) {
                    Some(value) => text.push_str(&value),
                    None => missing.push(name.as_str()),
                },
            }
        }
        Rendered { text, missing }
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = raw;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
            } else if brace == "{" {
                let (name, after) = field_name(after)?;
                parts.push(Part::Literal(std::mem::take(&mut literal)));
                parts.push(Part::Field(name));
                rest = after;
            } else {
                return Err("a `}` has no `{` before it; write `}}` for a literal brace".to_owned());
            }
        }
        literal.push_str(rest);
        parts.push(Part::Literal(literal));
        Ok(Self { parts })
    }
}

/// The name up to the closing brace, and what follows it.
fn field_name(raw: &str) -> Result<(String, &str), String> {
    let Some((name, rest)) = raw.split_once('}') else {
        return Err(
            "a `{` is never closed; write `{value}` for the value or `{{` for a literal brace"
                .to_owned(),
        );
    };
    let name = name.trim();
    if name.is_empty() || name.split('.').any(str::is_empty) || name.contains('{') {
        return Err(format!(
            "`{{{name}}}` names no field; write `{{value}}`, or the name of a field such as `{{song.title}}`"
        ));
    }
    Ok((name.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, payload: &str, expected: &str) {
        let template: Template = template.parse().unwrap();
        let value = ValueField::default();
        assert_eq!(template.render(&Payload::read(payload, &value).alone()).text, expected);
    }

    #[test]
    fn value_is_the_payload_as_text() {
        check("🔥 HEAT LEVEL: {value}", "7", "🔥 HEAT LEVEL: 7");
        check("{ value }°", " 7\n", "7°");
        check("[{value}]", "[1, 2]", "[[1, 2]]");
        check("{value}", "{not json", "{not json");
    }

    #[test]
    fn doubled_braces_are_literal() {
        check("{{{value}}}", "7", "{7}");
        check("{{value}}", "7", "{value}");
    }

    #[test]
    fn fields_of_an_object_are_named() {
        let payload = r#"{"song":{"title":"Pie","by":null},"level":7.5,"on":true,"queue":[{"title":"next"}]}"#;
        check("{song.title}: {level}", payload, "Pie: 7.5");
        check("{on} {queue.0.title}", payload, "true next");
        check("[{song.by}]", payload, "[]");
        check("{song}", r#"{"song":{"a":1}}"#, r#"{"a":1}"#);
    }

    #[test]
    fn value_of_an_object_is_its_field_or_the_whole() {
        check("{value}", r#"{"value":3,"x":1}"#, "3");
        check("{value}", r#"{"x": 1}"#, r#"{"x": 1}"#);
    }

    #[test]
    fn another_field_may_be_the_value() {
        let value: ValueField = "song.faveCount".parse().unwrap();
        let template: Template = "heat {value}".parse().unwrap();
        for (payload, expected, zero) in [
            (r#"{"song": {"name": "Pie", "faveCount": 3}, "value": 0}"#, "heat 3", false),
            (r#"{"song": {"name": "Pie", "faveCount": 0}}"#, "heat 0", true),
            ("0", "heat 0", true),
        ] {
            let payload = Payload::read(payload, &value);
            assert_eq!(
                (template.render(&payload.alone()).text.as_str(), payload.is_zero()),
                (expected, zero)
            );
        }
        for wrong in ["", "{x}", "a..b", " a"] {
            assert!(wrong.parse::<ValueField>().unwrap_err().contains("song.count"), "{wrong}");
        }
    }

    #[test]
    fn missing_fields_show_as_nothing_and_are_named() {
        let template: Template = "{a}-{b.c}-{value}".parse().unwrap();
        let value = ValueField::default();
        let payload = Payload::read(r#"{"b":1,"value":2}"#, &value);
        let rendered = template.render(&payload.alone());
        assert_eq!(rendered.text, "--2");
        assert_eq!(rendered.missing, ["a", "b.c"]);
    }

    #[test]
    fn zero_is_the_number_however_written() {
        let value = ValueField::default();
        for zero in ["0", " 0\n", "0.0", "-0", "0e3", r#"{"value":0}"#, r#"{"value":"0"}"#] {
            assert!(Payload::read(zero, &value).is_zero(), "{zero}");
        }
        for other in ["7", "", "zero", "0x0", "0 points", r#"{"level":0}"#] {
            assert!(!Payload::read(other, &value).is_zero(), "{other}");
        }
    }

    #[test]
    fn unbalanced_braces_are_refused_with_a_suggestion() {
        assert!("{value".parse::<Template>().unwrap_err().contains("`{{`"));
        assert!("value}".parse::<Template>().unwrap_err().contains("`}}`"));
        for wrong in ["{}", "{a..b}", "{.a}", "{a{b}"] {
            assert!(wrong.parse::<Template>().unwrap_err().contains("{value}"), "{wrong}");
        }
    }

    #[test]
    fn deep_and_wide_json_is_only_text() {
        let deep = format!("{}{}", "{\"a\":".repeat(5000), "}".repeat(5000));
        check("{value}!", &deep, &format!("{deep}!"));
    }
}
