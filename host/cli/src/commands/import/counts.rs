//! The counts of a file, and what is wrong with it.

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
