//! Signs that a stream starts or ends: a moderator's command, an MQTT topic, or silence in chat. Pure.
//!
//! A sign becomes an event like any other; the engine drops it if the stream's state is known already.

use std::collections::HashMap;
use std::sync::Arc;

use heat_engine::wit::{ChatLine, Event, Happening, MqttMessage};
use heat_engine::{Stream, after_command, command_word, is_order};

use super::input::Topics;
use crate::config::StreamSigns;

/// Reads the signs that streams start and end.
pub(crate) struct Streams {
    signs: StreamSigns,
    /// When the last line of each channel came, in milliseconds since 1970. Empty unless silence is a sign.
    heard: HashMap<String, u64>,
}

/// What an event says about the stream.
#[derive(Debug, PartialEq)]
pub(crate) enum Sign {
    Nothing,
    Starts,
    Ends,
    /// The command, by somebody who is no moderator.
    NotAllowed,
    /// The topic or the command says neither `start` nor `end`.
    Unclear,
}

impl Streams {
    /// `now` stands in for the last line before the start.
    pub(crate) fn new(signs: StreamSigns, channels: &[String], now: u64) -> Self {
        let watched = if signs.silence > 0 { channels } else { &[] };
        Self { heard: watched.iter().map(|channel| (channel.clone(), now)).collect(), signs }
    }

    /// What an event says, before the engine has it. A line after a long silence starts a stream.
    pub(crate) fn before(&mut self, now: u64, event: &Event, stream: Option<Stream>) -> Sign {
        if !matches!(event.what, Happening::Chat(_)) || is_order(event) {
            return Sign::Nothing;
        }
        if self.signs.silence == 0 {
            return Sign::Nothing;
        }
        // The first line of a channel that was just added counts as no silence.
        let heard = self.heard.entry(event.channel.clone()).or_insert(now);
        let silent = now.saturating_sub(std::mem::replace(heard, now)) >= self.signs.silence;
        match stream {
            None => Sign::Starts,
            Some(Stream { live: false, .. }) if silent => Sign::Starts,
            Some(_) => Sign::Nothing,
        }
    }

    /// What an event says, after the engine has it.
    pub(crate) fn after(&self, event: &Event) -> Sign {
        match &event.what {
            Happening::Chat(line) => self.command(line),
            Happening::Mqtt(message) => self.message(&event.channel, message),
            _ => Sign::Nothing,
        }
    }

    /// The topics that rules take, and those on which it is said that the streams of these channels start or end.
    pub(crate) fn with_topics(&self, of_rules: Topics, channels: &[Arc<str>]) -> Topics {
        let said = |channel: &Arc<str>| Some((Arc::clone(channel), self.signs.topic_of(channel)?));
        let mut topics = of_rules;
        topics.extend(channels.iter().filter_map(said));
        topics.sort();
        topics
    }

    fn command(&self, line: &ChatLine) -> Sign {
        let Some(rest) = after_command(&line.text, &self.signs.command) else {
            return Sign::Nothing;
        };
        // In a shared chat, a moderator of another channel is no moderator here.
        let may =
            (line.standing.moderator || line.standing.broadcaster) && line.shared_from.is_none();
        if may {
            said(&command_word(rest.split_whitespace().next().unwrap_or_default()))
        } else {
            Sign::NotAllowed
        }
    }

    fn message(&self, channel: &str, message: &MqttMessage) -> Sign {
        if self.signs.topic_of(channel).is_none_or(|topic| topic != message.topic) {
            return Sign::Nothing;
        }
        std::str::from_utf8(&message.payload)
            .map_or(Sign::Unclear, |text| said(&text.trim().to_lowercase()))
    }

    /// When the next live stream ends if its channel stays silent.
    pub(crate) fn next<'a>(&'a self, live: impl Fn(&str) -> bool + 'a) -> Option<u64> {
        let heard = self.heard.iter().filter(|(channel, _)| live(channel));
        heard.map(|(_, heard)| heard + self.signs.silence).min()
    }

    /// The channels whose live stream has ended by silence.
    pub(crate) fn silent(&self, now: u64, live: impl Fn(&str) -> bool) -> Vec<String> {
        let silent = |heard: u64| now.saturating_sub(heard) >= self.signs.silence;
        let channels =
            self.heard.iter().filter(|(channel, heard)| live(channel) && silent(**heard));
        channels.map(|(channel, _)| channel.clone()).collect()
    }
}

/// What a word in lower case says.
fn said(word: &str) -> Sign {
    match word {
        "start" | "live" => Sign::Starts,
        "end" | "offline" => Sign::Ends,
        _ => Sign::Unclear,
    }
}

impl Sign {
    /// The event of a sign, caused by another or by the passing of time.
    pub(crate) fn event(&self, cause: &str, channel: &str, now: u64) -> Option<Event> {
        let what = match self {
            Self::Starts => Happening::StreamStart,
            Self::Ends => Happening::StreamEnd,
            Self::Nothing | Self::NotAllowed | Self::Unclear => return None,
        };
        Some(Event { id: format!("stream:{cause}"), channel: channel.to_owned(), at: now, what })
    }
}

#[cfg(test)]
mod tests {
    use heat_engine::wit::{Person, Standing};

    use super::*;

    const SILENCE: u64 = 600_000;

    fn streams() -> Streams {
        let signs = StreamSigns { silence: SILENCE, ..StreamSigns::default() };
        Streams::new(signs, &["seaside".to_owned()], 0)
    }

    fn chat(text: &str, moderator: bool) -> Event {
        let standing = Standing {
            broadcaster: false,
            moderator,
            vip: false,
            subscription: None,
            first_message: false,
            returning: false,
        };
        let person = Person { id: "1".into(), login: "ann".into(), name: "Ann".into() };
        let line = ChatLine {
            message: String::new(),
            person,
            standing,
            text: text.to_owned(),
            emotes: Vec::new(),
            bits: 0,
            reply_to: None,
            shared_from: None,
        };
        Event { id: "a".into(), channel: "seaside".into(), at: 0, what: Happening::Chat(line) }
    }

    #[test]
    fn moderators_say_it_and_others_do_not() {
        let streams = streams();
        for (text, moderator, expected) in [
            ("?stream start", true, Sign::Starts),
            ("?STREAM End please", true, Sign::Ends),
            ("？ｓｔｒｅａｍ　ｓｔａｒｔ", true, Sign::Starts),
            ("? stream \u{200B}end", true, Sign::Ends),
            ("?stream", true, Sign::Unclear),
            ("?stream start", false, Sign::NotAllowed),
            ("?streams start", true, Sign::Nothing),
        ] {
            assert_eq!(streams.after(&chat(text, moderator)), expected, "{text}");
        }
    }

    #[test]
    fn the_first_line_starts_an_unknown_stream_and_only_silence_starts_an_ended_one() {
        let (mut streams, line) = (streams(), chat("hello", false));
        let offline = Some(Stream { live: false, since: 0 });
        assert_eq!(streams.before(5, &line, None), Sign::Starts);
        assert_eq!(streams.before(10, &line, offline), Sign::Nothing);
        assert_eq!(streams.before(10 + SILENCE, &line, offline), Sign::Starts);
        assert_eq!(
            streams.before(20 + 3 * SILENCE, &line, Some(Stream { live: true, since: 0 })),
            Sign::Nothing
        );
    }

    #[test]
    fn silence_ends_a_live_stream() {
        let mut streams = streams();
        streams.before(1_000, &chat("hello", false), None);
        assert_eq!(streams.next(|_| true), Some(1_000 + SILENCE));
        assert_eq!(streams.next(|_| false), None);
        assert_eq!(streams.silent(999 + SILENCE, |_| true), Vec::<String>::new());
        assert_eq!(streams.silent(1_000 + SILENCE, |_| true), ["seaside"]);
    }
}
