//! EntryKind is left of an answer for whoever may see no names: figures, and that something happened. All hiding is in here.
//!
//! EntryKind is not known to be harmless is left out: a text of an output may be what somebody wrote in chat, a number is not.

use std::borrow::Cow;

use serde_json::Value;

use crate::view::feed::{Entry, EntryKind, Summary};

/// Stands for a person.
const SOMEBODY: &str = "somebody";

/// How long a number may be.
const LONGEST: usize = 24;

/// One entry of the feed.
pub(super) fn entry(entry: &Entry) -> Cow<'_, Entry> {
    let what = match &entry.what {
        EntryKind::Summary(Summary::Chat { .. }) => EntryKind::Summary(Summary::Chat {
            name: SOMEBODY.to_owned(),
            login: SOMEBODY.to_owned(),
            text: String::new(),
        }),
        EntryKind::Summary(Summary::Event { event, .. }) => {
            EntryKind::Summary(Summary::Event { event, text: String::new() })
        }
        EntryKind::Rule { slot, effects } => EntryKind::Rule {
            slot: slot.clone(),
            effects: effects.iter().map(|line| effect(line)).collect(),
        },
        EntryKind::Fault { slot, .. } => {
            EntryKind::Fault { slot: slot.clone(), text: "it failed".to_owned() }
        }
        EntryKind::Output { name, text } => EntryKind::Output {
            name: name.clone(),
            text: text.clone().filter(|text| is_number(text)),
        },
        EntryKind::Hello { .. } | EntryKind::Stream { .. } | EntryKind::Missed { .. } => {
            return Cow::Borrowed(entry);
        }
    };
    Cow::Owned(Entry { channel: entry.channel.clone(), what })
}

/// The status.
pub(super) fn status(mut page: Value) -> Value {
    for channel in page["channels"].as_array_mut().into_iter().flatten() {
        if let Some(outputs) = channel["outputs"].as_object_mut() {
            outputs.retain(|_, text| text.as_str().is_some_and(is_number));
        }
        for rule in channel["rules"].as_array_mut().into_iter().flatten() {
            if let Some(rule) = rule.as_object_mut() {
                // The words of a rule that failed, which may be those of chat.
                rule.remove("reason");
            }
        }
    }
    page
}

/// EntryKind a rule answered: that it did, and the figures.
fn effect(line: &str) -> String {
    let mut words = line.split(' ');
    let verb = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    match (verb, rest.as_slice()) {
        ("show", [.., text]) if is_number(text.trim_matches('"')) => line.to_owned(),
        ("weigh", [weight]) if is_number(weight) => line.to_owned(),
        ("show", [name, ..]) => format!("show {name}"),
        _ => verb.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    text.len() <= LONGEST && text.chars().all(plain) && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hidden(what: EntryKind) -> String {
        let original = Entry { channel: "seaside".into(), what };
        serde_json::to_string(&*entry(&original)).unwrap()
    }

    #[test]
    fn no_name_and_no_text_is_left_in_the_feed() {
        let (text, login) = ("zoe says pie".to_owned(), "zoe".to_owned());
        let rule = [
            "fave zoe \"pie\" 1",
            "show latest \"pie of zoe\"",
            "say \"@zoe\"",
            "publish x/zoe \"zoe\"",
            "clip \"zoe\" 5 s",
        ];
        for what in [
            EntryKind::Summary(Summary::Chat { name: "Zoe".to_owned(), login, text: text.clone() }),
            EntryKind::Summary(Summary::Event { event: "raid", text: text.clone() }),
            EntryKind::Rule { slot: "x".to_owned(), effects: rule.map(str::to_owned).to_vec() },
            EntryKind::Fault { slot: "x".to_owned(), text: text.clone() },
            EntryKind::Output { name: "latest".to_owned(), text: Some(text) },
        ] {
            let line = hidden(what).to_lowercase();
            assert!(!line.contains("zoe") && !line.contains("pie"), "{line}");
        }
    }

    #[test]
    fn figures_are_left() {
        let effects = ["show heat \"7\"", "weigh 1.5", "fave ann \"7\" 1", "drop"];
        let line = hidden(EntryKind::Rule {
            slot: "x".to_owned(),
            effects: effects.map(str::to_owned).to_vec(),
        });
        assert!(line.contains(r#"["show heat \"7\"","weigh 1.5","fave","drop"]"#), "{line}");
        let line =
            hidden(EntryKind::Output { name: "heat".to_owned(), text: Some("-7.5".to_owned()) });
        assert!(line.contains("-7.5"), "{line}");
        for name in ["inf", "NaN", "1e5", "", "7 ann", &"9".repeat(25)] {
            assert!(!is_number(name), "{name}");
        }
    }

    #[test]
    fn of_the_status_outputs_that_are_numbers_are_left() {
        let page = json!({ "faves": 3, "channels": [{
            "name": "seaside", "outputs": { "heat": "7", "latest": "pie of ann" },
            "rules": [{ "slot": "decay", "reason": "ann" }],
        }]});
        let expected = json!({ "faves": 3, "channels": [{
            "name": "seaside", "outputs": { "heat": "7" }, "rules": [{ "slot": "decay" }],
        }]});
        assert_eq!(status(page), expected);
    }
}
