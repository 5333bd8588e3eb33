//! What one file shows: messages in, text out. Pure; it neither knows the time nor the file.

use crate::template::{Payload, Template, ValueField};
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
    source: Source,
    look: Look,
    /// The channel that came first, when the settings left it open. The others are ignored.
    channel: Option<String>,
    /// What to show; `None` while an older text in the file is still good enough.
    current: Option<String>,
    /// Whether a message has ever arrived for this output.
    heard: bool,
    told: Told,
}

/// What was reported already, so that a fault in every message is one line and not thousands.
#[derive(Debug, Default)]
struct Told {
    two_channels: bool,
    not_utf8: bool,
    missing_field: bool,
}

impl Meter {
    /// `keep` leaves the text that the file has until a value arrives: a restart in mid-stream must not flicker.
    pub(crate) fn new(source: Source, look: Look, keep: bool) -> Self {
        let current = (!keep).then(|| look.default.as_str().to_owned());
        Self { source, look, channel: None, current, heard: false, told: Told::default() }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    pub(crate) fn has_heard(&self) -> bool {
        self.heard
    }

    /// Takes a message that may be for this output. The answer is something to report.
    pub(crate) fn take(&mut self, topic: &str, payload: &[u8]) -> Option<String> {
        if !self.source.takes(topic) {
            return None;
        }
        let channel = self.source.channel_of(topic);
        if let (Some(chosen), Some(channel)) = (&self.channel, channel)
            && chosen != channel
        {
            let news = !payload.is_empty() && !std::mem::replace(&mut self.told.two_channels, true);
            return news.then(|| self.two_channels(topic, channel));
        }
        self.heard = true;
        if payload.is_empty() {
            self.channel = None;
            self.current = Some(self.look.default.as_str().to_owned());
            return None;
        }
        let Ok(value) = str::from_utf8(payload) else {
            let news = !std::mem::replace(&mut self.told.not_utf8, true);
            return news.then(|| {
                format!("a message on {topic} is not UTF-8 text; kept the text from before")
            });
        };
        self.told.not_utf8 = false;
        self.channel = channel.map(str::to_owned);
        self.show(topic, value)
    }

    fn show(&mut self, topic: &str, value: &str) -> Option<String> {
        let payload = Payload::read(value, &self.look.value);
        if payload.is_zero() {
            self.current = Some(self.look.zero.as_str().to_owned());
            return None;
        }
        let rendered = self.look.template.render(&payload);
        let line = text::one_line(&rendered.text);
        self.current =
            Some(if line.is_empty() { self.look.default.as_str().to_owned() } else { line });
        let field = rendered.missing.first()?;
        let news = !std::mem::replace(&mut self.told.missing_field, true);
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
    use crate::topic::{Level, Topic};

    fn meter(keep: bool) -> Meter {
        let look = Look {
            template: "heat {value}".parse().unwrap(),
            value: ValueField::default(),
            zero: "rising".parse().unwrap(),
            default: "waiting".parse().unwrap(),
            offline: Some("away".parse().unwrap()),
        };
        let source = Source::output(&Topic::default_prefix(), None, Level::main_output());
        Meter::new(source, look, keep)
    }

    #[test]
    fn value_is_shown_and_zero_has_its_own_text() {
        let mut meter = meter(false);
        assert_eq!(meter.text(false), Some("waiting"));
        assert_eq!(meter.take("heat/v1/ann/heat", b"7"), None);
        assert_eq!(meter.text(false), Some("heat 7"));
        meter.take("heat/v1/ann/heat", b"0");
        assert_eq!(meter.text(false), Some("rising"));
    }

    #[test]
    fn removed_output_shows_the_default() {
        let mut meter = meter(false);
        meter.take("heat/v1/ann/heat", b"7");
        meter.take("heat/v1/ann/heat", b"");
        assert_eq!(meter.text(false), Some("waiting"));
    }

    #[test]
    fn text_from_before_the_start_is_kept_until_a_value_or_offline() {
        let mut meter = meter(true);
        assert_eq!(meter.text(false), None);
        assert_eq!(meter.text(true), Some("away"));
        assert_eq!(meter.text_after_offline(), "waiting");
        meter.take("heat/v1/ann/heat", b"7");
        assert_eq!(meter.text_after_offline(), "heat 7");
    }

    #[test]
    fn second_channel_is_reported_once_and_ignored() {
        let mut meter = meter(false);
        meter.take("heat/v1/ann/heat", b"7");
        assert_eq!(meter.take("heat/v1/bob/heat", b""), None);
        let report = meter.take("heat/v1/bob/heat", b"9").unwrap();
        assert!(report.contains("both ann and bob publish heat"), "{report}");
        assert_eq!(meter.take("heat/v1/bob/heat", b"9"), None);
        assert_eq!(meter.text(false), Some("heat 7"));
    }

    #[test]
    fn another_channel_may_follow_a_removed_one() {
        let mut meter = meter(false);
        meter.take("heat/v1/ann/heat", b"7");
        meter.take("heat/v1/ann/heat", b"");
        meter.take("heat/v1/bob/heat", b"9");
        assert_eq!(meter.text(false), Some("heat 9"));
    }

    #[test]
    fn message_that_is_not_utf8_is_reported_once_and_skipped() {
        let mut meter = meter(false);
        meter.take("heat/v1/ann/heat", b"7");
        assert!(meter.take("heat/v1/ann/heat", b"\xff\xfe7").is_some());
        assert_eq!(meter.take("heat/v1/ann/heat", b"\xff"), None);
        assert_eq!(meter.text(false), Some("heat 7"));
        meter.take("heat/v1/ann/heat", b"8");
        assert!(meter.take("heat/v1/ann/heat", b"\xff").is_some());
    }

    #[test]
    fn field_that_is_not_there_is_reported_once() {
        let mut meter = meter(false);
        meter.look.template = "{song.title}".parse().unwrap();
        let report = meter.take("heat/v1/ann/heat", br#"{"song":{}}"#).unwrap();
        assert!(report.contains("`song.title`"), "{report}");
        assert_eq!(meter.take("heat/v1/ann/heat", b"{}"), None);
        assert_eq!(meter.text(false), Some("waiting"), "an empty text is the default");
    }

    #[test]
    fn other_topics_are_not_heard() {
        let mut meter = meter(false);
        meter.take("heat/v1/ann/latest", b"pie");
        assert!(!meter.has_heard());
    }
}
