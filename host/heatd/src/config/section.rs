//! Reads one table of a configuration: typed values by key, and a mistake for every key that nobody asked for.

use std::net::SocketAddr;
use std::ops::Range;

use heat_engine::{Given, parse_duration};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistakes::{Mistakes, most_like};

/// A table that is being read. Every key that is asked for becomes a known one; `end` reports the others.
pub(crate) struct Section<'a> {
    name: String,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    known: Vec<&'static str>,
    mistakes: &'a Mistakes,
}

impl<'a> Section<'a> {
    pub(crate) fn new(
        name: &str,
        table: &'a DeTable<'a>,
        span: Range<usize>,
        mistakes: &'a Mistakes,
    ) -> Self {
        Self { name: name.to_owned(), table, span, known: Vec::new(), mistakes }
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(crate) fn mistakes(&self) -> &'a Mistakes {
        self.mistakes
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.table.get(key)
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let found = value.get_ref().type_str();
        let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
        let problem = format!("`{key}` must be {wanted}, and is {article} {found}");
        self.mistakes.add(&value.span(), problem);
    }

    /// A text, with its place.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<(String, Range<usize>)> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some((text.to_owned(), value.span())),
            None => {
                self.wrong(key, value, "a text in quotes");
                None
            }
        }
    }

    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let read = value.get_ref().as_bool();
        if read.is_none() {
            self.wrong(key, value, "true or false");
        }
        read
    }

    /// A whole number from `least` to `most`.
    pub(crate) fn integer(&mut self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        let value = self.value(key)?;
        let number =
            value.get_ref().as_integer().and_then(|number| whole(number.as_str(), number.radix()));
        match number.and_then(|number| u64::try_from(number).ok()) {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                self.wrong(key, value, &format!("a whole number from {least} to {most}"));
                None
            }
        }
    }

    /// A length of time, in milliseconds.
    pub(crate) fn duration(&mut self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        let (text, span) = self.text(key)?;
        match parse_duration(&text) {
            Ok(time) if (least..=most).contains(&time) => Some(time),
            Ok(_) => {
                self.mistakes
                    .add(&span, format!("`{key}` must be from {least} to {most} milliseconds"));
                None
            }
            Err(problem) => {
                self.mistakes.add(&span, problem);
                None
            }
        }
    }

    /// An amount of memory, in bytes: a whole number of KiB or MiB.
    pub(crate) fn size(&mut self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        let (text, span) = self.text(key)?;
        match parse_size(&text).filter(|size| (least..=most).contains(size)) {
            Some(size) => Some(size),
            None => {
                let (least, most) = (least >> 20, most >> 20);
                let problem = format!("`{key}` must be from {least} to {most} MiB");
                self.mistakes.add_with_hint(&span, problem, format!("write {key} = \"64 MiB\""));
                None
            }
        }
    }

    /// An address to listen on: IP and port.
    pub(crate) fn listen(&mut self, key: &'static str) -> Option<(SocketAddr, Range<usize>)> {
        let (text, span) = self.text(key)?;
        match text.parse() {
            Ok(address) => Some((address, span)),
            Err(_) => {
                let problem =
                    format!("`{key}` must be an IP address and a port, such as \"127.0.0.1:1883\"");
                self.mistakes.add(&span, problem);
                None
            }
        }
    }

    /// A list of texts, each with its place.
    pub(crate) fn texts(&mut self, key: &'static str) -> Option<Vec<(String, Range<usize>)>> {
        let value = self.value(key)?;
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of texts");
            return None;
        };
        let mut texts = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text.to_owned(), item.span())),
                None => self.wrong(key, item, "a list of texts"),
            }
        }
        Some(texts)
    }

    /// A table below this one.
    pub(crate) fn section(&mut self, key: &'static str) -> Option<Section<'a>> {
        let value = self.value(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Section::new(&self.below(key), table, value.span(), self.mistakes)),
            None => {
                self.wrong(key, value, "a table");
                None
            }
        }
    }

    /// A list of tables below this one.
    pub(crate) fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(key, value, &format!("a list of tables, each written [[{key}]]"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_table() {
                Some(table) => {
                    sections.push(Section::new(
                        &self.below(key),
                        table,
                        item.span(),
                        self.mistakes,
                    ));
                }
                None => self.wrong(key, item, "a table"),
            }
        }
        sections
    }

    /// Every key and value, for a rule to judge, each with its place.
    pub(crate) fn all(&mut self) -> Vec<(String, Given, Range<usize>)> {
        let mut all = Vec::new();
        for (key, value) in self.table {
            match given(value.get_ref()) {
                Some(given) => all.push((key.get_ref().to_string(), given, key.span())),
                None => self.wrong(key.get_ref(), value, "a value that a rule can take"),
            }
        }
        all
    }

    /// Reports the keys that nobody asked for.
    pub(crate) fn end(self) {
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if self.known.contains(&name) {
                continue;
            }
            let place = if self.name.is_empty() {
                "here".to_owned()
            } else {
                format!("in [{}]", self.name)
            };
            let hint = match most_like(name, self.known.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known {place}: {}", self.known.join(", ")),
            };
            self.mistakes.add_with_hint(&key.span(), format!("unknown key `{name}` {place}"), hint);
        }
    }

    fn below(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

fn whole(digits: &str, radix: u32) -> Option<i64> {
    i64::from_str_radix(digits, radix).ok()
}

/// `64 MiB` in bytes.
fn parse_size(text: &str) -> Option<u64> {
    let (number, factor) = match text.strip_suffix("MiB") {
        Some(number) => (number, 1 << 20),
        None => (text.strip_suffix("KiB")?, 1 << 10),
    };
    number.trim().parse::<u64>().ok()?.checked_mul(factor)
}

fn given(value: &DeValue<'_>) -> Option<Given> {
    Some(match value {
        DeValue::Boolean(value) => Given::Boolean(*value),
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Integer(number) => Given::Integer(whole(number.as_str(), number.radix())?),
        DeValue::Float(number) => Given::Float(number.as_str().parse().ok()?),
        DeValue::Array(list) => {
            Given::List(list.iter().map(|item| given(item.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Table(table) => {
            let entries = table
                .iter()
                .map(|(key, value)| Some((key.get_ref().to_string(), given(value.get_ref())?)));
            Given::Table(entries.collect::<Option<_>>()?)
        }
        DeValue::Datetime(_) => return None,
    })
}
