//! Which events a rule is called for: commands, words, MQTT topics and kinds of event.

use std::collections::HashSet;

use crate::contract::typed::{Opening, command_word, composed, seen};
use crate::contract::{Ability, ChatLine, Command, Event, Happening, Interests, Kind};

/// How many commands, words and topics a rule may take, each.
const MOST: usize = 64;

/// How long each of them may be, in bytes.
const LONGEST: usize = 256;

/// What one slot takes, in the form that is quick to ask.
#[derive(Debug, Default)]
pub(crate) struct Interest {
    /// As typed words are compared with it, and as the rule has written it.
    pub(crate) commands: Vec<(String, String)>,
    /// As [`seen`] makes them.
    words: HashSet<String>,
    pub(crate) topics: Vec<String>,
    kinds: Vec<Kind>,
    pub(crate) needs: Vec<Ability>,
}

impl Interest {
    /// Checks what a rule wants. The error says what is wrong with it.
    pub(crate) fn new(wanted: Interests) -> Result<Self, String> {
        let lists = [&wanted.commands, &wanted.words, &wanted.topics];
        for list in lists {
            let long = list.iter().any(|entry| entry.len() > LONGEST);
            if list.len() > MOST || long {
                return Err(format!(
                    "it may take {MOST} commands, words and topics each, of at most {LONGEST} bytes"
                ));
            }
        }
        if wanted.kinds.len() > MOST || wanted.needs.len() > MOST {
            return Err(format!("it asks for more than {MOST} kinds of event, or abilities"));
        }
        let odd = |c: char| c.is_whitespace() || c.is_control();
        for command in &wanted.commands {
            if command.is_empty() || command.contains(odd) {
                return Err(format!("the command {command:?} must be one word"));
            }
        }
        for word in &wanted.words {
            if word.is_empty() || word.contains(' ') || word.contains(char::is_control) {
                return Err(format!("the word {word:?} must be one word, without spaces"));
            }
        }
        for filter in &wanted.topics {
            check_filter(filter)?;
        }
        Ok(Self {
            commands: wanted
                .commands
                .into_iter()
                .map(|command| (command_word(&command), command))
                .collect(),
            words: wanted.words.iter().map(|word| seen(word).into_owned()).collect(),
            topics: wanted.topics,
            kinds: wanted.kinds,
            needs: wanted.needs,
        })
    }

    pub(crate) fn takes_faves(&self) -> bool {
        self.kinds.contains(&Kind::Faves)
    }

    /// The event in the form in which this slot takes it, or none when it does not.
    pub(crate) fn taken(&self, event: &Event) -> Option<Taken> {
        match &event.what {
            Happening::Chat(line) => self.taken_line(line),
            Happening::Mqtt(message) => self
                .topics
                .iter()
                .any(|filter| matches(filter, &message.topic))
                .then_some(Taken::AsItIs),
            other => {
                kind(other).is_some_and(|kind| self.kinds.contains(&kind)).then_some(Taken::AsItIs)
            }
        }
    }

    fn taken_line(&self, line: &ChatLine) -> Option<Taken> {
        if !self.commands.is_empty() {
            let opening = Opening::of(&line.text);
            let asked = self.commands.iter().find_map(|(command, name)| {
                opening.after(command).map(|arguments| (name, arguments))
            });
            if let Some((name, arguments)) = asked {
                let arguments = composed(arguments.trim()).into_owned();
                let command = Command { name: name.clone(), arguments, line: line.clone() };
                return Some(Taken::Command(Box::new(command)));
            }
        }
        let wanted = self.kinds.contains(&Kind::Chat)
            || (!self.words.is_empty()
                && line.text.split(' ').any(|word| self.words.contains(&*seen(word))));
        wanted.then_some(Taken::AsItIs)
    }
}

/// The form in which a slot takes an event.
pub(crate) enum Taken {
    AsItIs,
    Command(Box<Command>),
}

fn kind(what: &Happening) -> Option<Kind> {
    Some(match what {
        Happening::Subscription(_) => Kind::Subscriptions,
        Happening::Gift(_) => Kind::Gifts,
        Happening::Cheer(_) => Kind::Cheers,
        Happening::Raid(_) => Kind::Raids,
        Happening::Follow(_) => Kind::Follows,
        Happening::Redemption(_) => Kind::Redemptions,
        Happening::HypeTrain(_) => Kind::HypeTrains,
        Happening::StreamStart | Happening::StreamEnd => Kind::Streams,
        Happening::Chat(_) => Kind::Chat,
        Happening::Fave(_) => Kind::Faves,
        Happening::Command(_) | Happening::Mqtt(_) | Happening::Timer(_) => return None,
    })
}

/// Refuses what is no topic filter (MQTT 5, section 4.7).
pub fn check_filter(filter: &str) -> Result<(), String> {
    if filter.is_empty() || filter.len() > 1024 || filter.contains(char::is_control) {
        return Err(format!(
            "{filter:?} is no MQTT topic filter: it is empty, too long, or has control characters"
        ));
    }
    if filter.starts_with("$share/") || filter.starts_with("$queue/") {
        return Err(format!(
            "{filter:?} is shared with other clients, which would get a part of the messages"
        ));
    }
    let levels: Vec<&str> = filter.split('/').collect();
    for (place, level) in levels.iter().enumerate() {
        let alone = level.len() == 1;
        let last = place + 1 == levels.len();
        if (level.contains('+') && !alone) || (level.contains('#') && !(alone && last)) {
            return Err(format!(
                "{filter:?} is no MQTT topic filter: + and # stand for whole levels, # for the last"
            ));
        }
    }
    Ok(())
}

/// Refuses what no message can be published to.
pub fn check_topic(topic: &str) -> Result<(), String> {
    if topic.contains(['+', '#']) {
        return Err(format!("{topic:?} is no MQTT topic: + and # belong to filters"));
    }
    check_filter(topic)
}

/// Whether a topic matches a filter (MQTT 5, section 4.7). Topics that start with `$` match no leading wildcard.
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
    loop {
        match (filter.next(), topic.next()) {
            (Some("#"), _) => return true,
            (Some("+"), Some(_)) => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_whole_levels() {
        for (filter, topic, expected) in [
            ("new-heat", "new-heat", true),
            ("new-heat", "new-heat/x", false),
            ("a/+/c", "a/b/c", true),
            ("a/+/c", "a/b/d/c", false),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("+/b", "/b", true),
            ("#", "$SYS/uptime", false),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn a_filter_with_a_wildcard_inside_a_level_is_refused() {
        for filter in ["", "a+/b", "a/#/b", "a/b#", "a\0b", "$share/group/a"] {
            assert!(check_filter(filter).is_err(), "{filter:?}");
        }
        assert!(check_topic("a/+").is_err());
    }
}
