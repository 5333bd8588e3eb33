//! The JSON of an answer: `{"name": "Plastic Love", "faveCount": 3}`. Pure.

use heat_rule::{json::escaped, text};

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
