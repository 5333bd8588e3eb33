//! Takes names and words of people out of what viewers get. All redaction is in this file.
//!
//! Only what is known to be harmless stays: numbers, and that something happened. The text of an output may be what somebody wrote in chat.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::view::feed::{ChatEntry, Entry, EntryKind, Summary};

/// The name that every person gets.
const SOMEBODY: &str = "somebody";

/// The longest text that is taken for a number.
const LONGEST: usize = 24;

/// An entry of the feed without names and words.
pub(crate) fn entry(entry: &Entry) -> Cow<'_, Entry> {
    let what = match &entry.what {
        EntryKind::Summary(Summary::Chat(line)) => {
            let (name, login) = (SOMEBODY.to_owned(), SOMEBODY.to_owned());
            let line = ChatEntry { at: line.at, name, login, ..ChatEntry::default() };
            EntryKind::Summary(Summary::Chat(Box::new(line)))
        }
        EntryKind::Summary(Summary::Event { event, at, .. }) => {
            EntryKind::Summary(Summary::Event { event, at: *at, text: String::new() })
        }
        EntryKind::Rule { slot, effects, .. } => EntryKind::Rule {
            slot: slot.clone(),
            of: None,
            effects: effects.iter().map(|line| effect(line)).collect(),
        },
        EntryKind::Fault { slot, .. } => {
            EntryKind::Fault { slot: slot.clone(), text: "it failed".to_owned(), of: None }
        }
        EntryKind::Output { name, text } => EntryKind::Output {
            name: name.clone(),
            text: text.clone().filter(|text| is_number(text)),
        },
        EntryKind::Removed { .. } => EntryKind::Removed { id: None, login: None },
        EntryKind::Hello { .. }
        | EntryKind::Past { .. }
        | EntryKind::Stream { .. }
        | EntryKind::Missed { .. } => {
            return Cow::Borrowed(entry);
        }
    };
    Cow::Owned(Entry { channel: entry.channel.clone(), what })
}

/// Removes outputs whose text is not a number.
pub(crate) fn outputs(shown: &mut BTreeMap<String, String>) {
    shown.retain(|_, text| is_number(text));
}

/// Removes the reason why a rule is off. It may quote chat.
pub(crate) fn reason(reason: &mut Option<String>) {
    *reason = None;
}

/// An effect of a rule: its verb, and the value if that is a number.
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
            EntryKind::Summary(Summary::Chat(Box::new(ChatEntry {
                id: "zoe-pie".to_owned(),
                name: "Zoe".to_owned(),
                login: login.clone(),
                text: text.clone(),
                reply_to: Some(login.clone()),
                shared_from: Some("zoe".to_owned()),
                colour: Some("#zoe".to_owned()),
                ..ChatEntry::default()
            }))),
            EntryKind::Removed { id: Some("pie".to_owned()), login: Some(login) },
            EntryKind::Summary(Summary::Event { event: "raid", at: 0, text: text.clone() }),
            EntryKind::Rule {
                slot: "x".to_owned(),
                effects: rule.map(str::to_owned).to_vec(),
                of: Some("zoe".to_owned()),
            },
            EntryKind::Fault { slot: "x".to_owned(), text: text.clone(), of: None },
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
            of: None,
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
    fn outputs_that_are_numbers_are_left_and_no_reason_is() {
        let all = [("heat", "7"), ("latest", "pie of ann")];
        let mut shown = all.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        outputs(&mut shown);
        assert_eq!(shown, [("heat".to_owned(), "7".to_owned())].into());
        let mut words = Some("ann".to_owned());
        reason(&mut words);
        assert_eq!(words, None);
    }
}
