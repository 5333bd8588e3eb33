//! The JSON of an answer: `{"name": "Plastic Love", "faveCount": 3}`. Pure.

use heat_rule::{json::escape, text};

/// A song, and how many people have faved it.
pub(crate) struct Answer<'a> {
    pub(crate) song: &'a str,
    pub(crate) people: u32,
}

impl Answer<'_> {
    /// As the original wrote it, byte for byte: Python's `json.dumps` escapes all but the printable ASCII characters.
    pub(crate) fn in_ascii(&self) -> String {
        let printable = |character| (' '..='~').contains(&character);
        let mut name = String::with_capacity(self.song.len());
        for character in self.song.chars() {
            escape(&mut name, character, printable);
        }
        self.with(&name)
    }

    /// The same to every reader of JSON, but shorter, and never longer than an output may be: then the name ends early.
    pub(crate) fn for_output(&self) -> String {
        let room = text::LONGEST - self.with("").len();
        let mut name = String::new();
        let (mut length, mut end) = (0, 0);
        for character in self.song.chars() {
            let before = name.len();
            escape(&mut name, character, |character| !character.is_control());
            length += name[before..].chars().count();
            if length > room {
                name.truncate(end);
                return self.with(&format!("{name}…"));
            }
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
