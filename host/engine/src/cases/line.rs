//! Reads one line of a case: a setting, time that passes, or something that happens.

use crate::contract::settings::{Given, parse_duration};
use crate::contract::{
    ChatLine, Cheer, Emote, EmoteProvider, Gift, Happening, HypeTrain, HypeTrainStage, MqttMessage,
    Person, Raid, Standing, Subscription, Tier,
};

/// What a line asks for.
pub(crate) enum Line {
    /// An empty line, a comment, or a setting, which is read before the play.
    Silent,
    /// So many milliseconds go by.
    Pass(u64),
    Happens(Box<Happening>),
}

/// What opens a setting.
pub(super) const SET: &str = "set ";

/// Reads a line that is no answer.
pub(crate) fn read(line: &str) -> Result<Line, String> {
    if line.is_empty() || line.starts_with('#') || line.starts_with(SET) {
        return Ok(Line::Silent);
    }
    if let Some(time) = line.strip_prefix('+') {
        return parse_duration(time).map(Line::Pass);
    }
    if let Some(what) = line.strip_prefix("* ") {
        return event(what).map(|what| Line::Happens(Box::new(what)));
    }
    let (who, text) = line.split_once(": ").ok_or(
        "it is no line of a case; write `ann: ?fave pie`, `+10m`, `* raid bob 120`, `mqtt topic: text` or `set name = value`",
    )?;
    Ok(Line::Happens(Box::new(match who.strip_prefix("mqtt ") {
        Some(topic) => Happening::Mqtt(message(topic, text)),
        None => Happening::Chat(chat_line(who, text)?),
    })))
}

/// Reads what follows `set `: a name and a value of TOML.
pub(crate) fn setting(text: &str) -> Result<(String, Given), String> {
    let (name, value) = text.split_once('=').ok_or("a setting is written `set name = value`")?;
    let table: toml::Table = format!("value = {value}").parse().map_err(|_| {
        format!(
            "{} is no value of TOML; texts stand in quotes, as in `set output = \"heat\"`",
            value.trim()
        )
    })?;
    Ok((name.trim().to_owned(), given(&table["value"])?))
}

/// A value of TOML as a setting.
pub fn given(value: &toml::Value) -> Result<Given, String> {
    Ok(match value {
        toml::Value::Boolean(value) => Given::Boolean(*value),
        toml::Value::Integer(value) => Given::Integer(*value),
        toml::Value::Float(value) => Given::Float(*value),
        toml::Value::String(value) => Given::Text(value.clone()),
        toml::Value::Array(list) => Given::List(list.iter().map(given).collect::<Result<_, _>>()?),
        toml::Value::Table(table) => {
            let entries = table.iter().map(|(name, value)| Ok((name.clone(), given(value)?)));
            Given::Table(entries.collect::<Result<_, String>>()?)
        }
        toml::Value::Datetime(_) => return Err("no setting is a date".to_owned()),
    })
}

fn message(topic: &str, text: &str) -> MqttMessage {
    let (topic, retained) = match topic.strip_suffix(" (retained)") {
        Some(topic) => (topic, true),
        None => (topic, false),
    };
    MqttMessage { topic: topic.to_owned(), payload: text.as_bytes().to_vec(), retained }
}

/// A chat line of `ann`, or of `ann (moderator, tier two, first, bits 100, emote Kappa)`.
pub fn chat_line(who: &str, text: &str) -> Result<ChatLine, String> {
    let (login, traits) = match who.split_once(" (") {
        Some((login, traits)) => (login, traits.strip_suffix(')').ok_or("a ) is missing")?),
        None => (who, ""),
    };
    let mut line = plain_line(login, text);
    for word in traits.split(", ").filter(|word| !word.is_empty()) {
        match word.split_once(' ') {
            None if word == "broadcaster" => line.standing.broadcaster = true,
            None if word == "moderator" => line.standing.moderator = true,
            None if word == "vip" => line.standing.vip = true,
            None if word == "first" => line.standing.first_message = true,
            None if word == "returning" => line.standing.returning = true,
            Some(("tier", name)) => line.standing.subscription = Some(tier(name)?),
            Some(("bits", bits)) => line.bits = number(bits)?,
            Some(("emote", name)) => mark(&mut line, name),
            Some(("shared", channel)) => line.shared_from = Some(channel.to_owned()),
            _ => {
                return Err(format!(
                    "nobody is {word:?}; a person may be broadcaster, moderator, vip, first, returning, tier two, bits 100, emote Kappa, shared CHANNEL"
                ));
            }
        }
    }
    Ok(line)
}

/// Makes an emote of each word of the line that is this one.
fn mark(line: &mut ChatLine, name: &str) {
    let mut start = 0;
    for word in line.text.split(' ') {
        let end = start + u32::try_from(word.chars().count()).unwrap_or(u32::MAX - start);
        if word == name {
            let (name, id) = (name.to_owned(), format!("id-{name}"));
            line.emotes.push(Emote { name, id, provider: EmoteProvider::Twitch, start, end });
        }
        start = end.saturating_add(1);
    }
    line.emotes.sort_by_key(|emote| emote.start);
}

fn plain_line(login: &str, text: &str) -> ChatLine {
    let standing = Standing {
        broadcaster: false,
        moderator: false,
        vip: false,
        subscription: None,
        first_message: false,
        returning: false,
    };
    ChatLine {
        message: String::new(),
        person: person(login),
        standing,
        text: text.to_owned(),
        emotes: Vec::new(),
        bits: 0,
        reply_to: None,
        shared_from: None,
    }
}

/// A person whose id and name follow from the login.
pub fn person(login: &str) -> Person {
    Person { id: format!("id-{login}"), login: login.to_owned(), name: login.to_owned() }
}

/// An event as a case writes it, behind the star.
fn event(text: &str) -> Result<Happening, String> {
    let words: Vec<&str> = text.split(' ').collect();
    Ok(match words.as_slice() {
        ["stream", "start"] => Happening::StreamStart,
        ["stream", "end"] => Happening::StreamEnd,
        ["follow", login] => Happening::Follow(person(login)),
        ["raid", login, viewers] => {
            Happening::Raid(Raid { person: person(login), viewers: number(viewers)? })
        }
        ["cheer", login, bits] => Happening::Cheer(Cheer {
            person: giver(login),
            bits: number(bits)?,
            text: String::new(),
        }),
        ["sub", login, name] => Happening::Subscription(Subscription {
            person: person(login),
            tier: tier(name)?,
            months: 1,
            renewed: false,
            text: String::new(),
        }),
        ["gift", login, count] => gift(login, count, Tier::One)?,
        ["gift", login, count, name] => gift(login, count, tier(name)?)?,
        ["hype-train", train, at, level, points, goal] => Happening::HypeTrain(HypeTrain {
            train: (*train).to_owned(),
            stage: stage(at)?,
            level: number(level)?,
            points: number(points)?.into(),
            goal: number(goal)?.into(),
        }),
        _ => {
            return Err("it is none of * raid bob 120, * sub ann two, * gift ann 5, * gift nobody 5 two, * cheer ann 100, * follow ann, * hype-train ID progress LEVEL POINTS GOAL, * stream start, * stream end".to_owned());
        }
    })
}

fn gift(login: &str, count: &str, tier: Tier) -> Result<Happening, String> {
    Ok(Happening::Gift(Gift { person: giver(login), tier, count: number(count)?, receiver: None }))
}

/// Who gives, unless that is `nobody`, who stays unnamed.
fn giver(login: &str) -> Option<Person> {
    Some(login).filter(|login| *login != "nobody").map(person)
}

fn stage(name: &str) -> Result<HypeTrainStage, String> {
    Ok(match name {
        "begin" => HypeTrainStage::Begin,
        "progress" => HypeTrainStage::Progress,
        "end" => HypeTrainStage::End,
        _ => return Err(format!("there is no stage {name:?}; it is begin, progress or end")),
    })
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text:?} is no whole number"))
}

fn tier(name: &str) -> Result<Tier, String> {
    Ok(match name {
        "prime" => Tier::Prime,
        "one" => Tier::One,
        "two" => Tier::Two,
        "three" => Tier::Three,
        _ => return Err(format!("there is no tier {name:?}; it is prime, one, two or three")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_line_is_said_with_what_would_do() {
        for (line, expected) in [
            ("hello", "no line of a case"),
            ("ann (mod): hi", "nobody is \"mod\""),
            ("ann (vip: hi", "a ) is missing"),
            ("+10", "no length of time"),
            ("* raid bob many", "no whole number"),
            ("* sub ann four", "prime, one, two or three"),
            ("* party", "* follow ann"),
        ] {
            match read(line) {
                Ok(_) => panic!("{line:?} was read"),
                Err(problem) => assert!(problem.contains(expected), "{line:?}: {problem}"),
            }
        }
        assert!(setting("output = heat").is_err_and(|problem| problem.contains("in quotes")));
        assert!(setting("output").is_err());
    }
}
