//! What one file shows: messages in, text out. Pure; it neither knows the time nor the file.

use crate::template::{Payload, Payloads, Template, ValueField};
use crate::text::{self, Line};
use crate::topic::Source;

/// How an output is shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Look {
    pub(crate) template: Template,
    /// What `{value}` stands for, and what is looked at for the number 0.
    pub(crate) value: ValueField,
    /// Instead of the template while the value is the number 0.
    pub(crate) zero: Line,
    /// While there is no value.
    pub(crate) default: Line,
    /// While broker or daemon are away; without one the last text stays.
    pub(crate) offline: Option<Line>,
}

/// The state of one output.
#[derive(Debug)]
pub(crate) struct Meter {
    /// The first one is the value.
    sources: Vec<Source>,
    /// What the template calls them, where there are several.
    names: Vec<String>,
    /// The last message of each.
    values: Vec<Option<String>>,
    look: Look,
    /// The channel that came first, when the settings left it open. The others are ignored.
    channel: Option<String>,
    /// What to show; `None` while an older text in the file is still good enough.
    current: Option<String>,
    /// Whether a message has ever arrived for each.
    heard: Vec<bool>,
    reported: Reported,
}

/// What was reported already, so that a fault in every message is one line and not thousands.
#[derive(Debug, Default)]
struct Reported {
    two_channels: bool,
    not_utf8: bool,
    missing_field: bool,
}

impl Meter {
    pub(crate) fn new(sources: Vec<(String, Source)>, look: Look) -> Self {
        let (mut names, sources): (Vec<_>, Vec<_>) = sources.into_iter().unzip();
        if sources.len() == 1 {
            // A field of its JSON may have the same name.
            names.clear();
        }
        Self {
            values: vec![None; sources.len()],
            heard: vec![false; sources.len()],
            sources,
            names,
            look,
            channel: None,
            current: None,
            reported: Reported::default(),
        }
    }

    pub(crate) fn takes(&self, topic: &str) -> bool {
        self.sources.iter().any(|source| source.takes(topic))
    }

    /// The outputs that have never sent a message.
    pub(crate) fn silent(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().zip(&self.heard).filter(|(_, heard)| !**heard).map(|(source, _)| source)
    }

    /// Takes a message that may be for this output. The answer is something to report.
    pub(crate) fn take(&mut self, topic: &str, payload: &[u8]) -> Option<String> {
        let place = self.sources.iter().position(|source| source.takes(topic))?;
        let channel = self.sources[place].channel_of(topic);
        if let (Some(chosen), Some(channel)) = (&self.channel, channel)
            && chosen != channel
        {
            let news =
                !payload.is_empty() && !std::mem::replace(&mut self.reported.two_channels, true);
            return news.then(|| self.two_channels(topic, channel));
        }
        self.heard[place] = true;
        if payload.is_empty() {
            self.values[place] = None;
            if self.values.iter().all(Option::is_none) {
                self.channel = None;
            }
            return self.show(topic);
        }
        let Ok(value) = str::from_utf8(payload) else {
            let news = !std::mem::replace(&mut self.reported.not_utf8, true);
            return news.then(|| {
                format!("a message on {topic} is not UTF-8 text; kept the text from before")
            });
        };
        self.reported.not_utf8 = false;
        self.channel = channel.map(str::to_owned);
        self.values[place] = Some(value.to_owned());
        self.show(topic)
    }

    /// Updates the text. The first output decides whether there is a value, and whether it is 0.
    fn show(&mut self, topic: &str) -> Option<String> {
        let mut payloads =
            self.values.iter().map(|value| Some(Payload::read(value.as_ref()?, &self.look.value)));
        let Some(first) = payloads.next().flatten() else {
            self.current = Some(self.look.default.as_str().to_owned());
            return None;
        };
        if first.is_zero() {
            self.current = Some(self.look.zero.as_str().to_owned());
            return None;
        }
        let others: Vec<Option<Payload<'_>>> = payloads.collect();
        let payloads = Payloads { names: &self.names, first: &first, others: &others };
        let rendered = self.look.template.render(&payloads);
        let line = text::one_line(&rendered.text);
        self.current =
            Some(if line.is_empty() { self.look.default.as_str().to_owned() } else { line });
        let field = rendered.missing.first()?;
        let news = !std::mem::replace(&mut self.reported.missing_field, true);
        news.then(|| {
            format!("the message on {topic} has no field `{field}`, which the text names; it shows as nothing")
        })
    }

    fn two_channels(&self, topic: &str, other: &str) -> String {
        let output = topic.rsplit('/').next().unwrap_or(topic);
        let chosen = self.channel.as_deref().unwrap_or_default();
        format!(
            "both {chosen} and {other} publish {output}; choose one with --channel (showing {chosen})"
        )
    }

    /// The text for the file; `None` leaves what it has.
    pub(crate) fn text(&self, offline: bool) -> Option<&str> {
        match &self.look.offline {
            Some(text) if offline => Some(text.as_str()),
            _ => self.current.as_deref(),
        }
    }

    /// The text that follows the offline text, when what the file had before is gone.
    pub(crate) fn text_after_offline(&self) -> &str {
        self.current.as_deref().unwrap_or_else(|| self.look.default.as_str())
    }

    pub(crate) fn has_offline_text(&self) -> bool {
        self.look.offline.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::{Level, Outputs, Topic};

    fn meter() -> Meter {
        let look = Look {
            template: "heat {value}".parse().unwrap(),
            value: ValueField::default(),
            zero: "rising".parse().unwrap(),
            default: "waiting".parse().unwrap(),
            offline: Some("away".parse().unwrap()),
        };
        with(look, "heat")
    }

    fn with(look: Look, outputs: &str) -> Meter {
        let outputs: Outputs = outputs.parse().unwrap();
        let prefix = Topic::default_prefix();
        let source =
            |output: &Level| (output.as_str().to_owned(), Source::output(&prefix, None, output));
        Meter::new(outputs.iter().map(source).collect(), look)
    }

    #[test]
    fn value_is_shown_and_zero_has_its_own_text() {
        let mut meter = meter();
        assert_eq!(meter.take("heat/v1/ann/heat", b"7"), None);
        assert_eq!(meter.text(false), Some("heat 7"));
        meter.take("heat/v1/ann/heat", b"0");
        assert_eq!(meter.text(false), Some("rising"));
    }

    #[test]
    fn removed_output_shows_the_default() {
        let mut meter = meter();
        meter.take("heat/v1/ann/heat", b"7");
        meter.take("heat/v1/ann/heat", b"");
        assert_eq!(meter.text(false), Some("waiting"));
    }

    #[test]
    fn text_from_before_the_start_is_kept_until_a_value_or_offline() {
        let mut meter = meter();
        assert_eq!(meter.text(false), None);
        assert_eq!(meter.text(true), Some("away"));
        assert_eq!(meter.text_after_offline(), "waiting");
        meter.take("heat/v1/ann/heat", b"7");
        assert_eq!(meter.text_after_offline(), "heat 7");
    }

    #[test]
    fn second_channel_is_reported_once_and_ignored() {
        let mut meter = meter();
        meter.take("heat/v1/ann/heat", b"7");
        assert_eq!(meter.take("heat/v1/bob/heat", b""), None);
        let report = meter.take("heat/v1/bob/heat", b"9").unwrap();
        assert!(report.contains("both ann and bob publish heat"), "{report}");
        assert_eq!(meter.take("heat/v1/bob/heat", b"9"), None);
        assert_eq!(meter.text(false), Some("heat 7"));
    }

    #[test]
    fn another_channel_may_follow_a_removed_one() {
        let mut meter = meter();
        meter.take("heat/v1/ann/heat", b"7");
        meter.take("heat/v1/ann/heat", b"");
        meter.take("heat/v1/bob/heat", b"9");
        assert_eq!(meter.text(false), Some("heat 9"));
    }

    #[test]
    fn message_that_is_not_utf8_is_reported_once_and_skipped() {
        let mut meter = meter();
        meter.take("heat/v1/ann/heat", b"7");
        assert!(meter.take("heat/v1/ann/heat", b"\xff\xfe7").is_some());
        assert_eq!(meter.take("heat/v1/ann/heat", b"\xff"), None);
        assert_eq!(meter.text(false), Some("heat 7"));
        meter.take("heat/v1/ann/heat", b"8");
        assert!(meter.take("heat/v1/ann/heat", b"\xff").is_some());
    }

    #[test]
    fn field_that_is_not_there_is_reported_once() {
        let mut meter = meter();
        meter.look.template = "{song.title}".parse().unwrap();
        let report = meter.take("heat/v1/ann/heat", br#"{"song":{}}"#).unwrap();
        assert!(report.contains("`song.title`"), "{report}");
        assert_eq!(meter.take("heat/v1/ann/heat", b"{}"), None);
        assert_eq!(meter.text(false), Some("waiting"), "an empty text is the default");
    }

    #[test]
    fn other_topics_are_not_heard() {
        let mut meter = meter();
        meter.take("heat/v1/ann/latest", b"pie");
        assert_eq!(meter.silent().count(), 1);
        meter.take("heat/v1/ann/heat", b"7");
        assert_eq!(meter.silent().count(), 0);
    }

    #[test]
    fn one_text_has_several_outputs() {
        let look = Look { template: "{heat} · {level}{song.by}".parse().unwrap(), ..meter().look };
        let mut meter = with(look, "heat,level,song");
        meter.take("heat/v1/ann/level", b"on fire");
        assert_eq!(meter.text(false), Some("waiting"), "the first output is the value");
        assert_eq!(meter.take("heat/v1/ann/heat", b"42"), None);
        assert_eq!(meter.text(false), Some("42 · on fire"));
        meter.take("heat/v1/ann/song", br#"{"by":" by ann"}"#);
        assert_eq!(meter.text(false), Some("42 · on fire by ann"));
        meter.take("heat/v1/ann/level", b"");
        assert_eq!(meter.text(false), Some("42 ·  by ann"));
        meter.take("heat/v1/ann/heat", b"0");
        assert_eq!(meter.text(false), Some("rising"));
        assert!(meter.take("heat/v1/bob/level", b"cold").unwrap().contains("both ann and bob"));
        meter.take("heat/v1/ann/heat", b"");
        assert_eq!(meter.text(false), Some("waiting"));
    }
}
