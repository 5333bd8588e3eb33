//! A rule's outputs: their names, and which of them have to be told.

use crate::{Call, Formula, state};

/// The key of what is shown: names and texts.
const SHOWN: &str = "shown";

type Shown = Vec<(String, String)>;

/// Refuses names that no output can have, and two that are equal. An empty name is none.
pub fn check(names: &[&str]) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    for (place, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        if !name.chars().all(plain) {
            return Err(format!(
                "the output {name:?} must be named with lower-case letters, digits, - and _"
            ));
        }
        if names[..place].contains(name) {
            return Err(format!("two outputs are named {name:?}; give each a name of its own"));
        }
    }
    Ok(())
}

/// Shows these names and texts, and nothing else: what has changed is told, and an output that is not among them any more, as when
/// a setting has changed, is taken back. An empty name or text is none. What is shown is kept under the key `shown` of the rule's state.
pub fn show<R: Formula>(call: &mut Call<R>, wanted: &[(&str, String)]) {
    let before: Shown = state::get(SHOWN).unwrap_or_default();
    let wanted: Shown = wanted
        .iter()
        .filter(|(name, text)| !name.is_empty() && !text.is_empty())
        .map(|(name, text)| ((*name).to_owned(), text.clone()))
        .collect();
    if wanted == before {
        return;
    }
    for (name, _) in &before {
        if !wanted.iter().any(|(other, _)| other == name) {
            call.show(name, "");
        }
    }
    for output in wanted.iter().filter(|output| !before.contains(output)) {
        call.show(&output.0, &output.1);
    }
    call.put(SHOWN, wanted);
}
