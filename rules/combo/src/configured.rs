//! The settings, read once in the life of an instance.

use heat_rule::people::{is_listed, listed};
use heat_rule::{ChatLine, Settings, configured, outputs};

use crate::JSON;

pub(crate) struct Configured {
    pub(crate) people: u64,
    pub(crate) timeout: u64,
    pub(crate) json: bool,
    pub(crate) output: String,
    /// Empty when the record is not shown.
    pub(crate) record_output: String,
    emotes: Vec<String>,
    bots: Vec<String>,
    shared: bool,
}

configured!(Configured);

impl Configured {
    /// Reads the settings. An error says which are wrong, and what would do.
    pub(crate) fn read(settings: &Settings) -> Result<Self, String> {
        let [output, record_output] = ["output", "record_output"].map(|name| settings.text(name));
        if output.is_empty() {
            return Err("`output` has no name; write output = \"combo\"".to_owned());
        }
        outputs::check(&[&output, &record_output])?;
        Ok(Self {
            people: settings.integer("people").unsigned_abs(),
            timeout: settings.duration("timeout"),
            json: settings.text("format") == JSON,
            output,
            record_output,
            emotes: settings.texts("emotes"),
            bots: listed(settings, "bots"),
            shared: settings.boolean("shared"),
        })
    }

    /// Whether a line neither goes on with a combo nor ends it.
    pub(crate) fn passes_over(&self, line: &ChatLine) -> bool {
        (line.shared_from.is_some() && !self.shared) || is_listed(&self.bots, &line.person)
    }

    /// Whether this emote makes combos.
    pub(crate) fn may_combine(&self, emote: &str) -> bool {
        self.emotes.is_empty() || self.emotes.iter().any(|wanted| wanted == emote)
    }
}
