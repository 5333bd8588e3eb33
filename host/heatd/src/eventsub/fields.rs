//! The fields of a notification, read one by one: each may be missing, null, or of another type than yesterday.

use heat_engine::wit::{Person, Tier};
use serde_json::Value;

#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Value);

impl<'a> Fields<'a> {
    /// A text that is not empty.
    pub(super) fn text(self, name: &str) -> Option<String> {
        self.0[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A whole number, also one that is written as a text.
    pub(super) fn number(self, name: &str) -> Option<u32> {
        let value = &self.0[name];
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
        u32::try_from(number).ok()
    }

    pub(super) fn flag(self, name: &str) -> bool {
        self.0[name].as_bool().unwrap_or(false)
    }

    pub(super) fn inside(self, name: &str) -> Fields<'a> {
        Fields(&self.0[name])
    }

    pub(super) fn list(self, name: &str) -> impl Iterator<Item = Fields<'a>> {
        self.0[name].as_array().into_iter().flatten().map(Fields)
    }

    /// Somebody, by the beginning of the names of three fields.
    pub(super) fn person(self, prefix: &str) -> Option<Person> {
        let id = self.text(&format!("{prefix}_id"))?;
        let login = self.text(&format!("{prefix}_login")).unwrap_or_else(|| id.clone());
        let name = self.text(&format!("{prefix}_name")).unwrap_or_else(|| login.clone());
        Some(Person { id, login: login.to_lowercase(), name })
    }

    pub(super) fn tier(self, name: &str) -> Tier {
        match self.0[name].as_str() {
            Some("Prime") => Tier::Prime,
            Some("2000") => Tier::Two,
            Some("3000") => Tier::Three,
            _ => Tier::One,
        }
    }
}
