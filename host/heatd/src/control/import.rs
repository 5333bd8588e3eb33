//! Import: adds counts that were made elsewhere, a group at a time between two events, so that events never wait long.

use heat_engine::wit::Person;
use heat_engine::{ImportSummary, Imported};
use serde::Deserialize;
use tracing::info;

use super::answers::{ImportAnswer, weight as as_written};
use super::error::Error;
use super::handle::Control;

/// How many counts a group may have. The engine's thread does nothing else meanwhile.
const MOST: usize = 500;

/// The longest item, in characters: what a fave may have.
const LONGEST_ITEM: usize = 500;

/// The longest id, login or name, in bytes.
const LONGEST_NAME: usize = 200;

/// The greatest count, and the greatest sum of weights: far from where sums would end.
const GREATEST: u64 = 1_000_000_000;

/// A group of counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Import {
    /// Where the counts come from. A count that the same source has brought before is not added again.
    source: String,
    /// Sources whose counts are contained in these.
    #[serde(default)]
    includes: Vec<String>,
    counts: Vec<Count>,
    #[serde(default)]
    dry_run: bool,
    /// A note for the audit log; one group of a file is enough.
    note: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    person: Whose,
    item: String,
    faves: u64,
    /// In faves, with decimals. The default is `faves`.
    weight: Option<f64>,
}

/// A person. Without an id only the login is known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whose {
    id: Option<String>,
    login: String,
    name: Option<String>,
}

impl Control {
    /// Adds the counts of a group that are new, or returns how many that would be.
    pub(crate) fn import(
        &self,
        channel: &str,
        import: Import,
        by: &str,
    ) -> Result<ImportAnswer, Error> {
        let Import { source, includes, counts, dry_run, note } = import;
        for name in includes.iter().chain([&source]) {
            check_source(name)?;
        }
        if counts.len() > MOST {
            return Err(Error::because(format!("a group has at most {MOST} counts")));
        }
        let mut lines = Vec::with_capacity(counts.len());
        for (place, count) in (1..).zip(counts) {
            let line =
                count.check().map_err(|why| Error::because(format!("count {place}: {why}")))?;
            lines.push(line);
        }
        let snapshot =
            self.on_engine_thread("import.snapshot", |access| access.engine.snapshot())?;
        if let Some(conflict) = snapshot.conflict(channel, &source, &includes)? {
            return Err(Error::because(conflict));
        }
        let logins = match lines.iter().any(|it| it.person.id.starts_with('@')) {
            true => snapshot.logins(channel)?,
            false => std::collections::HashMap::new(),
        };
        // An open snapshot would keep old pages of the store while the group is written.
        drop(snapshot);
        let (name, from, by) = (channel.to_owned(), source.clone(), by.to_owned());
        let brought = self.on_engine_thread("import.add", move |access| {
            let brought = access.engine.import((&name, &from), &lines, &logins, dry_run)?;
            if !dry_run {
                access.engine.note_sources(&name, &from, &includes);
                // Whatever was added is in the audit log, also when the caller has nothing to say about it.
                let added = format!("{} counts from {from}", brought.counts);
                if let Some(note) = note.or((brought.counts > 0).then_some(added)) {
                    access.engine.note_import(&name, &by, &note);
                }
            }
            Ok(brought)
        })?;
        let ImportSummary { counts, known, faves, weight } = brought;
        if !dry_run && counts > 0 {
            info!(channel, source, counts, faves, "counts imported");
        }
        Ok(ImportAnswer { counts, unchanged: known, faves, weight: as_written(weight) })
    }
}

fn check_source(name: &str) -> Result<(), Error> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    match name.len() {
        1..=100 if name.bytes().all(fits) => Ok(()),
        _ => Err(Error::because(format!(
            "{name:?} names no source: write 1 to 100 letters, digits, and any of - _ . :"
        ))),
    }
}

impl Count {
    fn check(self) -> Result<Imported, String> {
        let Whose { id, login, name } = self.person;
        let login = login.to_lowercase();
        let id = id.unwrap_or_else(|| format!("@{login}"));
        let name = name.unwrap_or_else(|| login.clone());
        for (what, text) in [("id", &id), ("login", &login), ("name", &name)] {
            if text.is_empty() || text.len() > LONGEST_NAME || text.contains(char::is_control) {
                return Err(format!(
                    "the {what} {text:?} must have 1 to {LONGEST_NAME} bytes and no control characters"
                ));
            }
        }
        if id.starts_with('@') && id[1..] != login {
            return Err(format!("the id {id:?} stands for another login than {login:?}"));
        }
        if self.item.chars().count() > LONGEST_ITEM {
            return Err(format!("the item must have at most {LONGEST_ITEM} characters"));
        }
        if self.faves == 0 || self.faves > GREATEST {
            return Err(format!("`faves` must be from 1 to {GREATEST}"));
        }
        let weight = self.weight.unwrap_or(self.faves as f64);
        if !weight.is_finite() || weight.abs() > GREATEST as f64 {
            return Err(format!("`weight` must be from -{GREATEST} to {GREATEST}"));
        }
        // In thousandths, whole: far below 2^53.
        let weight = (weight * 1000.0).round() as i64;
        Ok(Imported {
            person: Person { id, login, name },
            item: self.item,
            faves: self.faves,
            weight,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(count: Value) -> Result<Imported, String> {
        serde_json::from_value::<Count>(count).unwrap().check()
    }

    #[test]
    fn who_has_no_id_is_known_by_login() {
        let it = check(json!({ "person": { "login": "Ann" }, "item": "pie", "faves": 2 })).unwrap();
        assert_eq!(
            (it.person.id.as_str(), it.person.login.as_str(), it.weight),
            ("@ann", "ann", 2000)
        );
    }

    #[test]
    fn what_cannot_be_counted_is_refused_with_the_reason() {
        let count = |id: &str, item: &str, faves: u64, weight: f64| {
            check(
                json!({ "person": { "id": id, "login": "ann", "name": "Ann" }, "item": item, "faves": faves, "weight": weight }),
            )
        };
        assert!(count("7", "pie", 1, 0.001).is_ok());
        for (refused, reason) in [
            (count("", "pie", 1, 1.0), "the id"),
            (count("@bob", "pie", 1, 1.0), "another login"),
            (count("7", &"x".repeat(501), 1, 1.0), "at most 500 characters"),
            (count("7\u{1b}[2J", "pie", 1, 1.0), "no control characters"),
            (count("7", "pie", 0, 1.0), "`faves` must be"),
            (count("7", "pie", 1, 1e12), "`weight` must be"),
        ] {
            assert!(refused.as_ref().is_err_and(|it| it.contains(reason)), "{refused:?}");
        }
        for odd in ["", "a b", "x/y"] {
            assert!(check_source(odd).is_err(), "{odd}");
        }
    }
}
