//! The counts of a file, and what is wrong with it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest item, in characters.
const LONGEST_ITEM: usize = 500;

/// What a file has.
#[derive(Debug, Default)]
pub(super) struct ImportFile {
    pub(super) source: String,
    pub(super) includes: Vec<String>,
    pub(super) counts: Vec<Count>,
    /// Where, and what is wrong there.
    pub(super) bad: Vec<(String, String)>,
    /// Counts of people who are left out.
    pub(super) left_out: u64,
}

impl ImportFile {
    /// Keeps the counts of one channel, for a channel of heatd, and says which of the file that is. Without `from` it is the one of the same
    /// name, or the only one that the file has: the channel may have another name now.
    pub(super) fn take_into(&mut self, from: Option<&str>, to: &str) -> Result<String, String> {
        let names: BTreeSet<&str> = self.counts.iter().map(|it| it.channel.as_str()).collect();
        let taken = match (from, names.first()) {
            (Some(from), _) => from,
            (None, Some(only)) if names.len() == 1 => only,
            _ => to,
        };
        if !names.is_empty() && !names.contains(taken) {
            let names: Vec<String> = names.iter().map(|name| format!("#{name}")).collect();
            return Err(format!(
                "the file has no counts of #{taken}, but of {}; if one of them is #{to} under another name, say --channel OLD={to}",
                names.join(", ")
            ));
        }
        let taken = taken.to_owned();
        self.counts.retain(|count| count.channel == taken);
        self.counts.iter_mut().for_each(|count| to.clone_into(&mut count.channel));
        Ok(taken)
    }
}

/// Faves of one person for one item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Count {
    #[serde(skip)]
    pub(super) channel: String,
    pub(super) person: Person,
    pub(super) item: String,
    pub(super) faves: u64,
    pub(super) weight: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Person {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    pub(super) login: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
}

/// What is wrong with a count; the same as heatd finds.
pub(super) fn check(count: &Count) -> Result<(), String> {
    let Person { id, login, name } = &count.person;
    for text in id.iter().chain([login]).chain(name) {
        if text.is_empty() || text.len() > 200 || text.contains(char::is_control) {
            return Err(format!(
                "{text:?} names nobody: 1 to 200 bytes, and no control characters"
            ));
        }
    }
    if count.item.chars().count() > LONGEST_ITEM {
        return Err(format!("the item has more than {LONGEST_ITEM} characters"));
    }
    if !(1..=1_000_000_000).contains(&count.faves) {
        return Err("`faves` must be from 1 to 1000000000".to_owned());
    }
    if !count.weight.is_finite() || count.weight.abs() > 1e9 {
        return Err("`weight` must be from -1000000000 to 1000000000".to_owned());
    }
    Ok(())
}

/// A value that is told in a problem, cut to what can be read.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(channels: &[&str]) -> ImportFile {
        let person = Person { id: None, login: "ann".to_owned(), name: None };
        let count = |channel: &&str| Count {
            channel: (*channel).to_owned(),
            person: person.clone(),
            item: String::new(),
            faves: 1,
            weight: 1.0,
        };
        ImportFile { counts: channels.iter().map(count).collect(), ..ImportFile::default() }
    }

    #[test]
    fn counts_of_one_channel_go_into_one_that_may_have_another_name() {
        let taken = |channels: &[&str], from, to| {
            let mut file = file(channels);
            let taken = file.take_into(from, to)?;
            assert!(file.counts.iter().all(|count| count.channel == to));
            Ok::<_, String>((taken, file.counts.len()))
        };
        let of = |name: &str, counts| Ok((name.to_owned(), counts));
        assert_eq!(taken(&["a", "a"], None, "new"), of("a", 2));
        assert_eq!(taken(&["a", "new", "b"], None, "new"), of("new", 1));
        assert_eq!(taken(&["a", "b", "b"], Some("b"), "new"), of("b", 2));
        assert_eq!(taken(&[], None, "new"), of("new", 0));
        for (channels, from) in [(&["a", "b"][..], None), (&["a"], Some("b"))] {
            let problem = taken(channels, from, "new").unwrap_err();
            assert!(problem.contains("--channel OLD=new"), "{problem}");
        }
    }
}
