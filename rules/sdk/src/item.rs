//! The name of an item: one line of what can be seen, of a bounded length.

/// The longest item, in characters. Twitch's lines have 500, but an item is a name.
const LONGEST: usize = 200;

/// Words with one space between them, without what cannot be seen: "pie" and "pie" with an invisible character are one item.
pub fn clean(text: &str) -> String {
    let mut item = String::new();
    for word in text.split_whitespace() {
        // No more than can be kept: an MQTT message may have 64 KiB, and a call only so much fuel.
        let seen = word.chars().filter(|character| !invisible(*character));
        let seen: String = seen.take(LONGEST + 1).collect();
        // Joiners are part of emoji and of some scripts, and nothing on their own.
        if seen.chars().all(joins) {
            continue;
        }
        if !item.is_empty() {
            item.push(' ');
        }
        item.push_str(&seen);
        if item.chars().nth(LONGEST).is_some() {
            break;
        }
    }
    match item.char_indices().nth(LONGEST) {
        Some((end, _)) => item[..end].trim_end().to_owned(),
        None => item,
    }
}

fn joins(character: char) -> bool {
    matches!(character, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}')
}

/// Control characters, marks that turn the direction of writing, spaces without width, fillers, and characters without meaning.
fn invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{115F}'
                | '\u{1160}'
                | '\u{17B4}'
                | '\u{17B5}'
                | '\u{180B}'..='\u{180F}'
                | '\u{200B}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}'
                | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E001F}'
                | '\u{E0080}'..='\u{E00FF}'
                | '\u{E01F0}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_makes_no_item() {
        for (text, expected) in [
            ("  the  big\tsong\n", "the big song"),
            ("pie\u{E0000}", "pie"),
            ("pie \u{34F}", "pie"),
            ("\u{34F}", ""),
            ("p\u{200B}i\u{202E}e", "pie"),
            ("\u{2800} \u{3164}\u{200D}", ""),
            ("a \u{7} b", "a b"),
            ("👩\u{200D}💻 ❤\u{FE0F}", "👩\u{200D}💻 ❤\u{FE0F}"),
            ("عربي", "عربي"),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_item_is_cut_between_characters() {
        assert_eq!(clean(&"ü".repeat(10_000)).chars().count(), LONGEST);
        assert_eq!(clean(&format!("{} b", "a".repeat(LONGEST - 1))).len(), LONGEST - 1);
    }
}
