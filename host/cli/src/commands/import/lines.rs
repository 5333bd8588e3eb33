//! Reads what `heat export` wrote: a header, counts, records, and an end that says how many they were.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::counts::{Count, ImportFile, Person, check, shown};

/// The version of the format that is understood.
const VERSION: u64 = 1;

/// The longest line, in bytes: a record may hold the state of a rule.
const LONGEST: usize = 64 << 20;

#[derive(Deserialize)]
struct Header {
    format: String,
    version: u64,
    store: String,
    #[serde(default)]
    includes: Vec<String>,
    what: String,
}

#[derive(Deserialize)]
struct ExportedCount {
    channel: String,
    person: Person,
    #[serde(default)]
    item: String,
    faves: u64,
    weight: f64,
}

pub(super) fn read(file: &Path) -> Result<ImportFile> {
    let failed = || format!("failed to read {}", file.display());
    let mut reader = BufReader::new(File::open(file).with_context(failed)?);
    let mut found = ImportFile::default();
    let mut reading = LineReader::default();
    let (mut line, mut number) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        let read = reader
            .by_ref()
            .take(LONGEST as u64)
            .read_until(b'\n', &mut line)
            .with_context(failed)?;
        if read == 0 {
            break;
        }
        number += 1;
        if number == 1 {
            without_mark(&mut line).with_context(|| file.display().to_string())?;
        }
        let text = String::from_utf8_lossy(&line);
        if number == 1 {
            let header =
                header(text.trim()).with_context(|| format!("{}, line 1", file.display()))?;
            (found.source, found.includes) = (header.store, header.includes);
            continue;
        }
        match reading.line(text.trim()) {
            Ok(Some(count)) => found.counts.push(count),
            Ok(None) => {}
            Err(problem) => found.bad.push((format!("line {number}"), problem)),
        }
    }
    if number == 0 {
        bail!("{} is empty", file.display());
    }
    if let Err(problem) = reading.end() {
        found.bad.push((format!("line {number}"), problem));
    }
    Ok(found)
}

/// Takes a byte order mark off: editors on Windows set one. PowerShell 5 writes UTF-16, which is named.
fn without_mark(line: &mut Vec<u8>) -> Result<()> {
    if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
        bail!("it is UTF-16 text, as PowerShell's `>` writes it; save it as UTF-8");
    }
    if line.starts_with(b"\xef\xbb\xbf") {
        line.drain(..3);
    }
    Ok(())
}

fn header(line: &str) -> Result<Header> {
    let header: Option<Header> = serde_json::from_str(line).ok();
    let Some(header) = header.filter(|header| header.format == "heat-export") else {
        bail!("it is no export of heatd; for the original's saved_songs say --mongo");
    };
    if header.version > VERSION {
        bail!(
            "it has version {} of the format, and this heat knows {VERSION}; use the heat that came with the heatd it is from, or a later one",
            header.version
        );
    }
    if header.what == "log" {
        bail!("it has only the log; counts are imported: export with --what counts or --what all");
    }
    Ok(header)
}

/// What was read so far.
#[derive(Default)]
struct LineReader {
    counts: u64,
    records: u64,
    /// What the end says, once it was there.
    end: Option<(u64, u64)>,
    /// Hashes of channel, person and item: two lines of one would not add up.
    seen: HashSet<u64>,
}

impl LineReader {
    fn line(&mut self, line: &str) -> Result<Option<Count>, String> {
        if line.is_empty() {
            return Ok(None);
        }
        if self.end.is_some() {
            return Err("it stands behind the end of the export".to_owned());
        }
        let value: Value =
            serde_json::from_str(line).map_err(|error| format!("it is not JSON: {error}"))?;
        match value["line"].as_str() {
            Some("count") => {
                self.counts += 1;
                if value["of"] == "person-item" { self.count(value).map(Some) } else { Ok(None) }
            }
            // Counts are facts; what led to them is not done again.
            Some("record") => {
                self.records += 1;
                Ok(None)
            }
            Some("end") => {
                let of = |name: &str| value[name].as_u64().ok_or(format!("`{name}` is no number"));
                self.end = Some((of("counts")?, of("records")?));
                Ok(None)
            }
            Some("header") => Err("a second header: one file at a time".to_owned()),
            _ => Err(format!("{} is no line of an export", shown(&value))),
        }
    }

    fn count(&mut self, value: Value) -> Result<Count, String> {
        let line = ExportedCount::deserialize(value)
            .map_err(|error| format!("it is no count: {error}"))?;
        let ExportedCount { channel, person, item, faves, weight } = line;
        let mut hasher = DefaultHasher::new();
        (&channel, &person.id, &person.login, &item).hash(&mut hasher);
        let count = Count { channel, person, item, faves, weight };
        check(&count)?;
        match self.seen.insert(hasher.finish()) {
            true => Ok(count),
            false => Err("it counts the same person and item as a line before".to_owned()),
        }
    }

    /// What is missing.
    fn end(&self) -> Result<(), String> {
        match self.end {
            None => Err("the end is missing: the file was cut short".to_owned()),
            Some(said) if said != (self.counts, self.records) => Err(format!(
                "there are {} counts and {} records, and the end says {} and {}: lines are missing or too many",
                self.counts, self.records, said.0, said.1
            )),
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"line":"header","format":"heat-export","version":1,"store":"s","includes":["t"],"what":"all"}"#;
    const PIE: &str = r#"{"line":"count","of":"person-item","channel":"seaside","person":{"id":"7","login":"ann","name":"Ann"},"item":"pie","faves":2,"weight":2.5}"#;

    fn file(lines: &[&str]) -> Result<ImportFile> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), lines.join("\n"))?;
        read(file.path())
    }

    #[test]
    fn counts_of_people_and_items_are_taken_and_the_rest_is_passed_over() {
        let item = r#"{"line":"count","of":"item","channel":"seaside","item":"pie","faves":2,"weight":2.5,"people":1}"#;
        let record =
            r#"{"line":"record","kind":"timer","at":1,"channel":"seaside","slot":"x","name":"y"}"#;
        let end = r#"{"line":"end","counts":2,"records":1}"#;
        let found = file(&[HEADER, item, PIE, record, end]).unwrap();
        assert_eq!((found.source.as_str(), found.includes.len(), found.bad.len()), ("s", 1, 0));
        let [count] = &found.counts[..] else { panic!("{found:?}") };
        assert_eq!((count.item.as_str(), count.faves, count.weight), ("pie", 2, 2.5));
        assert_eq!(count.person.id.as_deref(), Some("7"));
    }

    #[test]
    fn bad_lines_are_named_with_the_reason() {
        let negative = PIE.replace("\"faves\":2", "\"faves\":0");
        let long = PIE.replace("pie", &"x".repeat(501));
        for (lines, place, reason) in [
            (
                vec![HEADER, PIE, PIE, r#"{"line":"end","counts":2,"records":0}"#],
                "line 3",
                "same person",
            ),
            (vec![HEADER, "{", r#"{"line":"end","counts":0,"records":0}"#], "line 2", "not JSON"),
            (
                vec![HEADER, r#"{"line":"?"}"#, r#"{"line":"end","counts":0,"records":0}"#],
                "line 2",
                "no line of an export",
            ),
            (
                vec![HEADER, &negative, r#"{"line":"end","counts":1,"records":0}"#],
                "line 2",
                "`faves` must be",
            ),
            (
                vec![HEADER, &long, r#"{"line":"end","counts":1,"records":0}"#],
                "line 2",
                "more than 500",
            ),
            (vec![HEADER, PIE], "line 2", "cut short"),
            (
                vec![HEADER, PIE, r#"{"line":"end","counts":9,"records":0}"#],
                "line 3",
                "lines are missing",
            ),
        ] {
            let found = file(&lines).unwrap();
            let [(at, problem)] = &found.bad[..] else { panic!("{found:?}") };
            assert!(at == place && problem.contains(reason), "{at}: {problem}");
        }
    }

    #[test]
    fn what_is_no_export_is_refused_at_once() {
        for (first, reason) in [
            (r#"{"_id":{"$oid":"x"},"user":"ann","songs":[]}"#, "--mongo"),
            (&HEADER.replace("\"version\":1", "\"version\":2"), "version 2 of the format"),
            (&HEADER.replace("\"all\"", "\"log\""), "only the log"),
        ] {
            let error = format!("{:#}", file(&[first]).unwrap_err());
            assert!(error.contains("line 1") && error.contains(reason), "{error}");
        }
        assert!(file(&[]).unwrap_err().to_string().contains("is empty"));
    }
}
