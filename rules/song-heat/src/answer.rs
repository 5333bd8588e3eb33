//! The JSON of an answer: `{"name": "Plastic Love", "faveCount": 3}`. Pure.

use heat_rule::text;

/// A song, and how many people have faved it.
pub(crate) struct Answer<'a> {
    pub(crate) song: &'a str,
    pub(crate) people: u32,
}

impl Answer<'_> {
    /// As the original wrote it, byte for byte: Python's `json.dumps` escapes all but the printable ASCII characters.
    pub(crate) fn in_ascii(&self) -> String {
        let printable = |character| (' '..='~').contains(&character);
        let name: String =
            self.song.chars().map(|character| escaped(character, printable)).collect();
        self.with(&name)
    }

    /// The same to every reader of JSON, but shorter, and never longer than an output may be: then the name ends early.
    pub(crate) fn for_output(&self) -> String {
        let room = text::LONGEST - self.with("").len();
        let mut name = String::new();
        let (mut length, mut end) = (0, 0);
        for character in self.song.chars() {
            let piece = escaped(character, |character| !character.is_control());
            length += piece.chars().count();
            if length > room {
                name.truncate(end);
                return self.with(&format!("{name}…"));
            }
            name.push_str(&piece);
            if length < room {
                end = name.len();
            }
        }
        self.with(&name)
    }

    fn with(&self, name: &str) -> String {
        format!(r#"{{"name": "{name}", "faveCount": {}}}"#, self.people)
    }
}

/// A character as JSON has it in a text: itself if it is `plain`, else an escape.
fn escaped(character: char, plain: impl Fn(char) -> bool) -> String {
    match character {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        _ if plain(character) => character.to_string(),
        _ => {
            let mut units = [0; 2];
            character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
        }
    }
}
