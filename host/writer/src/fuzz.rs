//! Fuzz targets of heat-writer: templates and payloads, and settings files.

use std::path::Path;

use heat_tests::fuzz::Target;

use crate::sheet_file::SheetFile;
use crate::template::{Payload, Template, ValueField};
use crate::text::one_line;

const TEMPLATES: Target = Target {
    name: "writer_template",
    run: templates,
    seeds: &[
        "\u{1F525} HEAT LEVEL: {value}\n7".as_bytes(),
        b"{{{value}}}\n7",
        b"{song.title}: {level}\n{\"song\":{\"title\":\"Pie\",\"by\":null},\"level\":7.5,\"queue\":[{\"title\":\"next\"}]}",
        b"{queue.0.title}{value}\n{\"queue\":[{\"title\":\"next\"}],\"value\":0}",
        b"{value}\n{\"value\":\"0e3\"}",
    ],
    words: &[
        "{", "}", "{{", "}}", "{value}", "\n", ".", "0", "null", "\"value\":", "{\"a\":", "[", "]",
        "18446744073709551616", "\u{202e}", "\u{2028}", "\\u0000",
    ],
    recorded: &["eventsub/chatterino_event_bodies.ndjson"],
    inputs: 20_000,
};

fn templates(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (raw, payload) = text.split_once('\n').unwrap_or(("{value}", &text));
    let value = ValueField::default();
    let payload = Payload::read(payload, &value);
    let zero = payload.is_zero();
    match raw.parse::<Template>() {
        Ok(template) => {
            let rendered = template.render(&payload.alone());
            for name in &rendered.missing {
                assert!(raw.contains(name), "{name:?} stands nowhere in {raw:?}");
                assert_ne!(*name, "value", "there is always a value");
            }
            shown(&rendered.text);
        }
        Err(problem) => assert!(raw.contains(['{', '}']), "{raw:?}: {problem}"),
    }
    // Braces that are doubled are what they were.
    let literal = raw.replace('{', "{{").replace('}', "}}");
    let rendered: Template = literal.parse().expect("a template of doubled braces");
    assert_eq!(rendered.render(&payload.alone()).text, raw);
    let whole: Template = "{value}".parse().expect("a template");
    let whole = whole.render(&payload.alone()).text;
    assert_eq!(whole.trim().parse::<f64>().is_ok_and(|it| it == 0.0), zero, "{whole:?}");
}

/// What a file is given is one line of bounded length.
fn shown(text: &str) {
    let line = one_line(text);
    assert!(line.chars().count() <= 1000);
    assert!(!line.contains(char::is_control), "{line:?}");
    assert_eq!(one_line(&line), line, "a line of what is one line");
}

const SHEETS: Target = Target {
    name: "writer_settings",
    run: sheets,
    seeds: &[
        include_bytes!("../writer.toml"),
        b"broker = 'pi'\n[[file]]\npath = 'x'\n",
        b"broker = 'pi:8883'\ntls = true\nprefix = 'heat/v1'\noffline-after = '10s'\n[[file]]\npath = 'x'\ntext = 'heat {value}'\nvalue = 'song.count'\nzero-text = '0'\nevery = '500ms'\n",
        b"\xef\xbb\xbfbroker = 'pi'\nbrokr = 1\n",
    ],
    words: &[
        "[", "]", "[[file]]\n", "=", "'", "\"", "\n", "\\", "broker = ", "path = ", "topic = ", "channel = ",
        "text = ", "every = ", "'{value'", "'a/#'", "\u{1F525}", "\r\n", "\u{7}", "'''",
    ],
    recorded: &[],
    inputs: 3_000,
};

fn sheets(input: &[u8]) {
    let Ok(file) = SheetFile::of(Path::new("writer.toml"), input.to_vec()) else { return };
    let lines = input.iter().filter(|byte| **byte == b'\n').count() + 1;
    let Err(error) = file.sheet() else { return };
    let said = error.to_string();
    assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
    let rest = said.strip_prefix("writer.toml").expect("the name of the file");
    if let Some(rest) = rest.strip_prefix(", line ") {
        let number: usize =
            rest.split(':').next().and_then(|it| it.parse().ok()).expect("a number of a line");
        assert!((1..=lines).contains(&number), "line {number} of {lines}");
    }
}

#[test]
fn any_template_and_payload_make_one_line() {
    TEMPLATES.check();
}

#[test]
fn any_settings_file_is_read_or_says_where_not() {
    SHEETS.check();
}
