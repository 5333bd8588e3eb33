//! Topics: what the settings may name, what is subscribed, which messages belong to an output. Pure.

use std::str::FromStr;

/// One part of a topic between slashes: a channel or an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Level(String);

/// A whole topic, or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topic(String);

/// The outputs of one text. The first one is its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outputs(Vec<Level>);

impl Level {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Outputs {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Level> {
        self.0.iter()
    }
}

impl Default for Outputs {
    fn default() -> Self {
        Self(vec![Level("heat".to_owned())])
    }
}

/// One name, or several with commas between them.
impl FromStr for Outputs {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        let mut outputs = Vec::new();
        for name in raw.split(',') {
            let level: Level = name.trim().parse()?;
            if outputs.contains(&level) {
                return Err(format!("`{}` is named twice", level.0));
            }
            outputs.push(level);
        }
        Ok(Self(outputs))
    }
}

impl Topic {
    pub(crate) fn default_prefix() -> Self {
        Self("heat/v1".to_owned())
    }

    /// Every output of every channel.
    pub(crate) fn all_outputs(&self) -> String {
        format!("{}/+/+", self.0)
    }

    /// The channel and the output of a topic.
    pub(crate) fn channel_and_output<'a>(&self, topic: &'a str) -> Option<(&'a str, &'a str)> {
        let rest = topic.strip_prefix(self.0.as_str())?.strip_prefix('/')?;
        rest.split_once('/').filter(|(channel, output)| {
            !channel.is_empty() && !output.is_empty() && !output.contains('/')
        })
    }

    /// Where the daemon says whether it is there.
    pub(crate) fn status(&self) -> String {
        format!("{}/status", self.0)
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        if let Some(name) = raw.strip_prefix('#') {
            return Err(format!("write the name without `#`: `{name}`"));
        }
        if raw.contains('/') {
            return Err(format!(
                "`{raw}` has a `/`, but this is one name; a whole topic goes into `topic`"
            ));
        }
        checked(raw).map(Self)
    }
}

impl FromStr for Topic {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        if raw.starts_with('/') || raw.ends_with('/') {
            return Err(format!(
                "`{raw}` begins or ends with `/`; write `{}`",
                raw.trim_matches('/')
            ));
        }
        checked(raw).map(Self)
    }
}

fn checked(raw: &str) -> Result<String, String> {
    if raw.is_empty() {
        return Err("this is empty; leave it out or write a name".to_owned());
    }
    if raw.contains(['+', '#']) {
        return Err(format!(
            "`{raw}` has a wildcard (`+` or `#`), but one file shows one output; write the name in full"
        ));
    }
    if raw.contains(char::is_control) || raw.len() > 1000 {
        return Err(format!(
            "{raw:?} cannot be part of a topic; use printable characters, at most 1000 bytes"
        ));
    }
    Ok(raw.to_owned())
}

/// Where an output's values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Exactly this topic.
    Topic(String),
    /// `<prefix>/+/<output>`: the only channel there is, usually.
    AnyChannel { prefix: String, output: String },
}

impl Source {
    pub(crate) fn topic(topic: Topic) -> Self {
        Self::Topic(topic.0)
    }

    pub(crate) fn output(prefix: &Topic, channel: Option<&Level>, output: &Level) -> Self {
        match channel {
            Some(channel) => Self::Topic(format!("{}/{}/{}", prefix.0, channel.0, output.0)),
            None => Self::AnyChannel { prefix: prefix.0.clone(), output: output.0.clone() },
        }
    }

    /// What to subscribe.
    pub(crate) fn filter(&self) -> String {
        match self {
            Self::Topic(topic) => topic.clone(),
            Self::AnyChannel { prefix, output } => format!("{prefix}/+/{output}"),
        }
    }

    pub(crate) fn takes(&self, topic: &str) -> bool {
        match self {
            Self::Topic(own) => own == topic,
            Self::AnyChannel { .. } => self.channel_of(topic).is_some(),
        }
    }

    /// The channel in a topic, when the settings left the channel open.
    pub(crate) fn channel_of<'a>(&self, topic: &'a str) -> Option<&'a str> {
        let Self::AnyChannel { prefix, output } = self else {
            return None;
        };
        let middle = topic.strip_prefix(prefix.as_str())?.strip_prefix('/')?;
        let channel = middle.strip_suffix(output.as_str())?.strip_suffix('/')?;
        (!channel.is_empty() && !channel.contains('/')).then_some(channel)
    }

    /// Whether the daemon's status says anything about this output: a topic of somebody else's does not follow it.
    pub(crate) fn is_below(&self, prefix: &Topic) -> bool {
        match self {
            Self::AnyChannel { .. } => true,
            Self::Topic(topic) => {
                topic.strip_prefix(prefix.0.as_str()).is_some_and(|rest| rest.starts_with('/'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(raw: &str) -> Level {
        raw.parse().unwrap()
    }

    #[test]
    fn channel_and_output_make_one_topic() {
        let prefix = Topic::default_prefix();
        let source = Source::output(&prefix, Some(&level("ann")), &level("heat"));
        assert_eq!(source.filter(), "heat/v1/ann/heat");
        assert!(source.takes("heat/v1/ann/heat"));
        assert!(!source.takes("heat/v1/bob/heat"));
        assert_eq!(source.channel_of("heat/v1/ann/heat"), None);
    }

    #[test]
    fn without_a_channel_any_one_is_taken() {
        let source = Source::output(&Topic::default_prefix(), None, &level("heat"));
        assert_eq!(source.filter(), "heat/v1/+/heat");
        assert_eq!(source.channel_of("heat/v1/ann/heat"), Some("ann"));
        for other in [
            "heat/v1/status",
            "heat/v1/heat",
            "heat/v1//heat",
            "heat/v1/a/b/heat",
            "heat/v10/ann/heat",
            "heat/v1/ann/preheat",
        ] {
            assert!(!source.takes(other), "{other}");
        }
    }

    #[test]
    fn only_topics_below_the_prefix_follow_the_status() {
        let prefix = Topic::default_prefix();
        assert!(Source::output(&prefix, None, &level("heat")).is_below(&prefix));
        assert!(Source::topic("heat/v1/ann/heat".parse().unwrap()).is_below(&prefix));
        assert!(!Source::topic("heat/v10/x".parse().unwrap()).is_below(&prefix));
        assert!(!Source::topic("home/temperature".parse().unwrap()).is_below(&prefix));
    }

    #[test]
    fn several_outputs_have_commas_between_them() {
        let outputs: Outputs = "heat, level".parse().unwrap();
        assert_eq!(outputs.iter().map(Level::as_str).collect::<Vec<_>>(), ["heat", "level"]);
        for (wrong, words) in [("heat,", "empty"), ("heat,heat", "twice"), ("heat,a/b", "topic")] {
            let refused = wrong.parse::<Outputs>().unwrap_err();
            assert!(refused.contains(words), "{wrong}: {refused}");
        }
    }

    #[test]
    fn topics_below_the_prefix_are_taken_apart() {
        let prefix = Topic::default_prefix();
        assert_eq!(prefix.channel_and_output("heat/v1/ann/heat"), Some(("ann", "heat")));
        for other in
            ["heat/v1/status", "heat/v1/ann/rules/decay", "heat/v10/ann/heat", "heat/v1//x"]
        {
            assert_eq!(prefix.channel_and_output(other), None, "{other}");
        }
    }

    #[test]
    fn names_with_wildcards_are_refused() {
        for wrong in ["", "+", "a#", "a/b", "#ann", "a\0b", "a\nb"] {
            assert!(wrong.parse::<Level>().is_err(), "{wrong:?}");
        }
        for wrong in ["", "heat/+/x", "heat/#", "/heat", "heat/", "a\u{7}"] {
            assert!(wrong.parse::<Topic>().is_err(), "{wrong:?}");
        }
        assert!("#ann".parse::<Level>().unwrap_err().contains("`ann`"));
    }
}
