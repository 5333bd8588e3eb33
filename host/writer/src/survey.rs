//! Which outputs there are below the prefix, for somebody who has asked for one that nobody publishes. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::topic::{Source, Topic};

/// The most outputs that are remembered: more would fit no message.
const MOST: usize = 500;

/// The outputs of each channel, as far as they were heard.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    outputs: BTreeMap<String, BTreeSet<String>>,
    count: usize,
}

impl Survey {
    pub(crate) fn take(&mut self, prefix: &Topic, topic: &str, payload: &[u8]) {
        let Some((channel, output)) = prefix.channel_and_output(topic) else { return };
        if payload.is_empty() || self.count >= MOST {
            return;
        }
        let outputs = self.outputs.entry(channel.to_owned()).or_default();
        if outputs.insert(output.to_owned()) {
            self.count += 1;
        }
    }

    /// Why there may be no value, and what could be shown instead.
    pub(crate) fn explain(&self, prefix: &Topic, missing: &Source) -> String {
        let filter = missing.filter();
        let wanted = prefix.channel_and_output(&filter).filter(|_| !self.outputs.is_empty());
        let Some((channel, output)) = wanted else {
            return format!(
                "no value on {filter} yet: is the daemon running, is the name right, may this user read it?"
            );
        };
        match self.outputs.get(channel) {
            None if channel != "+" => {
                let channels = self.outputs.keys().map(String::as_str);
                format!(
                    "no value on {filter} yet: no channel {channel} publishes; there are {}",
                    list(channels, channel)
                )
            }
            of_channel => {
                let all = self.outputs.values().flatten();
                let outputs: BTreeSet<&str> = match of_channel {
                    Some(outputs) => outputs.iter().map(String::as_str).collect(),
                    None => all.map(String::as_str).collect(),
                };
                format!(
                    "no value on {filter} yet: there is no output {output}; there are {}",
                    list(outputs, output)
                )
            }
        }
    }
}

/// The names, and which of them was probably meant.
fn list<'a>(names: impl IntoIterator<Item = &'a str>, wanted: &str) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let likeness = |name: &&&str| strsim::jaro_winkler(wanted, name);
    let likely = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match likely.filter(|name| likeness(name) > 0.8) {
        Some(name) => format!("{}. Did you mean {name}?", names.join(", ")),
        None => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, published: &[&str], expected: &str) {
        let prefix = Topic::default_prefix();
        let mut survey = Survey::default();
        for topic in published {
            survey.take(&prefix, topic, b"1");
        }
        let source = match wanted.strip_prefix("+/") {
            Some(output) => Source::output(&prefix, None, &output.parse().unwrap()),
            None => Source::topic(wanted.parse().unwrap()),
        };
        let told = survey.explain(&prefix, &source);
        assert!(told.contains(expected), "{told}");
    }

    #[test]
    fn outputs_that_are_there_are_named_and_the_likely_one_too() {
        let published =
            ["heat/v1/ann/heat", "heat/v1/ann/latest", "heat/v1/bob/level", "heat/v1/status"];
        check(
            "+/heet",
            &published,
            "no output heet; there are heat, latest, level. Did you mean heat?",
        );
        check("heat/v1/ann/level", &published, "no output level; there are heat, latest");
        check(
            "heat/v1/anne/heat",
            &published,
            "no channel anne publishes; there are ann, bob. Did you mean ann?",
        );
        check("+/heet", &[], "is the daemon running");
        check("home/heat", &published, "no value on home/heat yet: is the daemon running");
    }

    #[test]
    fn what_was_removed_is_not_there() {
        let mut survey = Survey::default();
        survey.take(&Topic::default_prefix(), "heat/v1/ann/heat", b"");
        assert!(survey.outputs.is_empty());
    }
}
