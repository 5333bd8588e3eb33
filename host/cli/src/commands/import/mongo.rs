//! Reads the original's collection `saved_songs`, as `mongoexport` writes it: a document a line, or all in one array, in either version
//! of MongoDB's extended JSON.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::counts::{Count, ImportFile, Person, check, shown};

/// By what heatd knows what came from there.
const SOURCE: &str = "mongo-saved_songs";

pub(super) fn read(file: &Path, channel: &str) -> Result<ImportFile> {
    let bytes =
        std::fs::read(file).with_context(|| format!("failed to read {}", file.display()))?;
    let text = String::from_utf8(bytes)
        .with_context(|| format!("{} is not UTF-8; mongoexport writes that", file.display()))?;
    let mut found = parse(text.trim_start_matches('\u{feff}'))?;
    found.counts.iter_mut().for_each(|count| channel.clone_into(&mut count.channel));
    Ok(found)
}

fn parse(text: &str) -> Result<ImportFile> {
    let mut reading = DocumentReader::default();
    if text.trim_start().starts_with('[') {
        let documents: Vec<Value> = serde_json::from_str(text).context(
            "the file begins as an array of documents (--jsonArray), and does not go on as one",
        )?;
        for (number, document) in (1..).zip(&documents) {
            reading.document(&format!("document {number}"), document);
        }
    } else {
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let place = format!("line {number}");
            match serde_json::from_str(line) {
                Ok(document) => reading.document(&place, &document),
                Err(error) => reading.bad.push((place, format!("it is not JSON: {error}"))),
            }
        }
    }
    if reading.documents == 0 && reading.bad.is_empty() {
        bail!("the file has no documents");
    }
    let counts = reading.faves.into_iter().map(|(login, item)| Count {
        channel: String::new(),
        person: Person { id: None, login, name: None },
        item,
        faves: 1,
        weight: 1.0,
    });
    Ok(ImportFile {
        source: SOURCE.to_owned(),
        counts: counts.collect(),
        bad: reading.bad,
        ..ImportFile::default()
    })
}

#[derive(Default)]
struct DocumentReader {
    documents: u64,
    /// Login and title. The original counted people: who has saved a song twice has saved it.
    faves: BTreeSet<(String, String)>,
    bad: Vec<(String, String)>,
}

impl DocumentReader {
    fn document(&mut self, place: &str, document: &Value) {
        self.documents += 1;
        let user = text_of(&document["user"]).map(|user| user.trim().to_lowercase());
        let Some(user) = user.filter(|user| !user.is_empty()) else {
            let problem = format!("`user` must be a login, and is {}", shown(&document["user"]));
            return self.bad.push((place.to_owned(), problem));
        };
        let songs = match &document["songs"] {
            Value::Array(songs) => songs,
            Value::Null => return,
            other => {
                let problem = format!("`songs` must be an array, and is {}", shown(other));
                return self.bad.push((place.to_owned(), problem));
            }
        };
        for (number, song) in (1..).zip(songs) {
            if let Err(problem) = self.song(&user, song) {
                self.bad.push((format!("{place}, song {number}"), problem));
            }
        }
    }

    fn song(&mut self, user: &str, song: &Value) -> Result<(), String> {
        let Some(title) = text_of(&song["song"]) else {
            return Err(format!("`song` must be a title, and is {}", shown(&song["song"])));
        };
        let title = title.trim_matches(is_space).to_owned();
        // heatd answers 0 for an empty title, as the original did.
        if title.is_empty() {
            return Ok(());
        }
        let person = Person { id: None, login: user.to_owned(), name: None };
        check(&Count {
            channel: String::new(),
            person,
            item: title.clone(),
            faves: 1,
            weight: 1.0,
        })?;
        self.faves.insert((user.to_owned(), title));
        Ok(())
    }
}

/// A text, or what extended JSON wraps around one; numbers are what a title of digits was read as.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(wrapped) if wrapped.len() == 1 => {
            let names = ["$symbol", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal"];
            names.iter().find_map(|name| text_of(wrapped.get(*name)?))
        }
        _ => None,
    }
}

/// What Python's `strip` takes off, as the rules for songs do.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faves(text: &str) -> Vec<(String, String)> {
        let found = parse(text).unwrap();
        assert!(found.bad.is_empty(), "{found:?}");
        found.counts.into_iter().map(|it| (it.person.login, it.item)).collect()
    }

    const FIRST: &str = r#"{"_id":{"$oid":"5f1"},"user":"Ann","songs":[{"song":"Plastic Love  \n","at":{"$date":"2022-01-01T00:00:00Z"}},{"song":"Plastic Love"},{"song":{"$numberLong":"1999"}},{"song":" "}]}"#;
    const SECOND: &str = r#"{"_id":{"$oid":"5f2"},"user":"bob","songs":[{"song":"Plastic Love","at":{"$date":{"$numberLong":"1640995200000"}}}]}"#;

    #[test]
    fn both_forms_of_mongoexport_are_read_and_a_song_counts_once_for_a_person() {
        let expected = [("ann", "1999"), ("ann", "Plastic Love"), ("bob", "Plastic Love")]
            .map(|(login, item)| (login.to_owned(), item.to_owned()));
        assert_eq!(faves(&format!("{FIRST}\n{SECOND}\n")), expected);
        assert_eq!(faves(&format!("\n[{FIRST},\n{SECOND}]")), expected);
        assert_eq!(faves(r#"{"user":"cat"}"#), []);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let bad = |text: &str| parse(text).unwrap().bad;
        for (text, place, reason) in [
            ("{\"user\":\"ann\"}\n{", "line 2", "not JSON"),
            (r#"{"songs":[]}"#, "line 1", "`user` must be a login, and is null"),
            (r#"[{"user":"ann","songs":7}]"#, "document 1", "`songs` must be an array"),
            (
                r#"{"user":"ann","songs":[{"song":"x"},{"title":"y"}]}"#,
                "line 1, song 2",
                "`song` must be",
            ),
        ] {
            let bad = bad(text);
            assert!(bad.len() == 1 && bad[0].0 == place && bad[0].1.contains(reason), "{bad:?}");
        }
        assert!(parse("[{").unwrap_err().to_string().contains("--jsonArray"));
        assert!(parse("").unwrap_err().to_string().contains("no documents"));
    }
}
