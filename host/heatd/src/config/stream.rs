//! The part of the configuration that is about streams: who says that one starts or ends.

use heat_engine::check_topic;

use super::mistakes::Mistakes;
use super::section::Section;

/// What stands for the channel's name in a topic.
const CHANNEL: &str = "{channel}";

/// Without a login to Twitch nobody tells heatd that a stream starts; these do.
#[derive(Debug, Clone)]
pub(crate) struct StreamSigns {
    /// The chat command of moderators, in lower case; followed by `start` or `end`. Empty for none.
    pub(crate) command: String,
    /// The MQTT topic on which `start` or `end` is said, with `{channel}` for the channel. Empty for none.
    pub(crate) topic: String,
    /// A stream ends when chat was silent for so many milliseconds, and starts with the first line after. 0: never.
    pub(crate) silence: u64,
}

impl Default for StreamSigns {
    fn default() -> Self {
        Self { command: "?stream".to_owned(), topic: String::new(), silence: 0 }
    }
}

impl StreamSigns {
    pub(super) fn read(section: Option<Section<'_>>, channels: usize, mistakes: &Mistakes) -> Self {
        let mut signs = Self::default();
        let Some(mut section) = section else { return signs };
        if let Some((command, span)) = section.text("command") {
            if command.contains(char::is_whitespace) {
                mistakes.add(&span, "`command` must be one word, such as \"?stream\", or empty");
            }
            signs.command = command.to_lowercase();
        }
        if let Some((topic, span)) = section.text("topic") {
            if !topic.is_empty()
                && let Err(problem) = check_topic(&topic.replace(CHANNEL, "channel"))
            {
                mistakes.add(&span, problem);
            }
            if !topic.is_empty() && channels > 1 && !topic.contains(CHANNEL) {
                let hint = "write {channel} where its name stands: \"stream/{channel}\"";
                mistakes.add_with_hint(&span, "`topic` does not say which channel is meant", hint);
            }
            signs.topic = topic;
        }
        // Ten minutes of silence are no end of a stream in a small channel; less than one is none anywhere.
        signs.silence = match section.text("silence") {
            Some((text, span)) => match heat_engine::parse_duration(&text) {
                Ok(0) => 0,
                Ok(silence @ 60_000..=86_400_000) => silence,
                Ok(_) => {
                    mistakes
                        .add(&span, "`silence` must be \"0s\" for never, or from \"1m\" to \"1d\"");
                    0
                }
                Err(problem) => {
                    mistakes.add(&span, problem);
                    0
                }
            },
            None => 0,
        };
        section.end();
        signs
    }

    /// Whether a topic stands for more than one channel.
    pub(crate) fn is_ambiguous(&self) -> bool {
        !self.topic.is_empty() && !self.topic.contains(CHANNEL)
    }

    /// The topic of one channel, if there is one.
    pub(crate) fn topic_of(&self, channel: &str) -> Option<String> {
        (!self.topic.is_empty()).then(|| self.topic.replace(CHANNEL, channel))
    }
}
