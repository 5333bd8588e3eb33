//! What people type: lines held against a command, and texts in the form in which they are counted.

use heat_tests::fuzz::Target;

use crate::contract::typed::{after_command, composed, seen};

const TYPED: Target = Target {
    name: "typed_lines",
    run: typed,
    seeds: &[
        b"?fave pie",
        b"? fave pie",
        "？ｆａｖｅ　pie".as_bytes(),
        "\u{FEFF}?fa\u{200B}ve pie\u{301}".as_bytes(),
        b"?heat undo @bob",
    ],
    words: &[
        "?",
        "fave",
        "？",
        "ｆ",
        " ",
        "\u{3000}",
        "\u{200B}",
        "\u{301}",
        "\u{1112}\u{1161}\u{11AB}",
        "Å",
        "ﷺ",
    ],
    recorded: &[],
    inputs: 20_000,
};

fn typed(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let found = after_command(&text, "?fave");
    if let Some(rest) = found {
        assert!(text.ends_with(rest) && rest.trim_start() == rest, "{text:?} {rest:?}");
    }
    // As commands were known before anybody typed otherwise.
    let first = text.split_whitespace().next().unwrap_or_default();
    if first.eq_ignore_ascii_case("?fave") {
        assert!(found.is_some(), "{text:?}");
    }
    // What nobody sees changes nothing.
    for marked in [format!("\u{200B}{text}"), format!("\u{FEFF} {text}")] {
        assert_eq!(after_command(&marked, "?fave"), found, "{marked:?}");
    }
    let once = composed(&text);
    assert_eq!(composed(&once), once);
    let once = seen(&text);
    assert_eq!(seen(&once), once);
}

#[test]
fn a_line_is_held_against_a_command_whatever_is_in_it() {
    TYPED.check();
}
