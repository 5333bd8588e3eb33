//! Holds a rule's answer against its role and its limits, before any of it touches the overlay.

use crate::contract::interest::{check_topic, matches};
use crate::contract::limits::Limits;
use crate::contract::{Delivery, Effect, Entry, Role};
use crate::error::on_one_line;

/// The largest weight, in thousandths: a million faves. Sums of it cannot overflow before the sun burns out.
const LARGEST_WEIGHT: i64 = 1_000_000_000;

/// Takes the effects of one call whole, or says why not: of a rule of this role, with these limits, which takes these topics. `on_fave`:
/// the call was for a fave.
pub(crate) fn check_for(
    effects: &[Effect],
    role: Role,
    limits: &Limits,
    takes: &[String],
    on_fave: bool,
) -> Result<(), String> {
    if effects.len() > limits.effects {
        return Err(format!(
            "it has {} effects, and the limit is {}",
            effects.len(),
            limits.effects
        ));
    }
    let faves = effects.iter().filter(|effect| matches!(effect, Effect::Fave(_))).count();
    if faves > limits.faves {
        return Err(format!("it asks for {faves} faves, and the limit is {}", limits.faves));
    }
    let says =
        effects.iter().filter(|effect| matches!(effect, Effect::Say(_) | Effect::Reply(_))).count();
    if says > limits.says {
        return Err(format!("it says {says} lines in chat, and the limit is {}", limits.says));
    }
    for effect in effects {
        allowed(effect, role, on_fave)?;
        check_sizes(effect, limits)?;
        if let Effect::Publish(message) = effect {
            check_granted(&message.topic, limits, takes)?;
        }
    }
    Ok(())
}

/// How many messages the effects would publish.
pub(crate) fn messages(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Publish(_))).count()
}

/// Whether an output is a notice: a state that people have to know of, such as that faves are paused. The page, `heat status` and
/// `heat channels` tell them to everybody, and rules of any role may show them.
pub fn is_notice(output: &str) -> bool {
    output.starts_with("notice-")
}

fn allowed(effect: &Effect, role: Role, on_fave: bool) -> Result<(), String> {
    let (name, fits) = match effect {
        Effect::Put(_)
        | Effect::Delete(_)
        | Effect::Say(_)
        | Effect::Reply(_)
        | Effect::Wake(_) => return Ok(()),
        Effect::Fave(_) => ("fave", role == Role::Handler),
        Effect::Weigh(_) => ("weigh", role == Role::Multiplier && on_fave),
        Effect::Drop => ("drop", role == Role::Multiplier && on_fave),
        Effect::Show(output) => ("show", role == Role::Formula || is_notice(&output.name)),
        Effect::Publish(_) => ("publish", role == Role::Formula),
        Effect::Clip(_) => ("clip", role == Role::Formula),
    };
    if fits { Ok(()) } else { Err(format!("`{name}` is not for a {} here", role_name(role))) }
}

fn check_sizes(effect: &Effect, limits: &Limits) -> Result<(), String> {
    match effect {
        Effect::Put(entry) => check_entry(entry, limits),
        Effect::Delete(name) => key(name, limits),
        Effect::Fave(fave) => {
            text("item", &fave.item, limits)?;
            let person = &fave.person;
            if person.id.is_empty() {
                return Err("a fave needs the id of a person".to_owned());
            }
            [&person.id, &person.login, &person.name]
                .into_iter()
                .try_for_each(|part| key(part, limits))?;
            weight(fave.weight)
        }
        Effect::Weigh(to) => weight(*to),
        Effect::Drop => Ok(()),
        Effect::Show(output) => {
            output_name(&output.name)?;
            text("output", &output.text, limits)
        }
        Effect::Publish(message) => {
            check_topic(&message.topic)?;
            check_not_reserved(&message.topic, limits)?;
            key(&message.topic, limits)?;
            bytes("payload", message.payload.len(), limits)
        }
        Effect::Say(line) | Effect::Reply(line) => {
            one_line("chat line", line)?;
            text("chat line", line, limits)
        }
        Effect::Wake(alarm) => key(&alarm.name, limits),
        Effect::Clip(clip) => {
            one_line("title", &clip.title)?;
            text("title", &clip.title, limits)?;
            // Twitch, Create Clip: 5 to 60 seconds.
            if (5..=60).contains(&clip.seconds) {
                Ok(())
            } else {
                Err("a clip has 5 to 60 seconds".to_owned())
            }
        }
    }
}

/// Whether an entry may be kept.
pub(crate) fn check_entry(entry: &Entry, limits: &Limits) -> Result<(), String> {
    key(&entry.key, limits)?;
    bytes("value", entry.value.len(), limits)
}

/// What heatd shows under its own prefix is state, with an owner each; a message there would be a lie.
fn check_not_reserved(topic: &str, limits: &Limits) -> Result<(), String> {
    let reserved = &limits.reserved_topics;
    let below = !reserved.is_empty()
        && topic.strip_prefix(reserved.as_str()).is_some_and(|rest| rest.starts_with('/'));
    if below || topic.starts_with('$') {
        return Err(format!("{topic:?} belongs to heatd or to the broker"));
    }
    Ok(())
}

/// A rule publishes where its configuration lets it, and never to itself: a broker that sends heatd's messages back, or a bridge
/// between two, would make that a loop.
fn check_granted(topic: &str, limits: &Limits, takes: &[String]) -> Result<(), String> {
    if !limits.publish.iter().any(|filter| matches(filter, topic)) {
        return Err(format!(
            "it may not publish to {topic:?}; if it shall, add that to `publish` in its [[rule]]"
        ));
    }
    match takes.iter().find(|filter| matches(filter, topic)) {
        Some(filter) => Err(format!(
            "it takes the topic that it publishes to: that would be a loop ({topic:?} matches {filter:?})"
        )),
        None => Ok(()),
    }
}

/// An output's name is a level of an MQTT topic, so it may hold neither a level's end nor a wildcard.
fn output_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(format!(
            "the output {name:?} is not named with 1 to 64 lower-case letters, digits, - and _"
        ));
    }
    Ok(())
}

fn weight(weight: i64) -> Result<(), String> {
    if weight == 0 || weight.checked_abs().is_none_or(|size| size > LARGEST_WEIGHT) {
        return Err(format!(
            "the weight {weight} is 0, or larger than {LARGEST_WEIGHT} thousandths"
        ));
    }
    Ok(())
}

fn key(key: &str, limits: &Limits) -> Result<(), String> {
    if key.len() > limits.key_bytes {
        return Err(format!("a name of {} bytes is longer than {}", key.len(), limits.key_bytes));
    }
    Ok(())
}

fn bytes(what: &str, length: usize, limits: &Limits) -> Result<(), String> {
    if length > limits.value_bytes {
        return Err(format!("a {what} of {length} bytes is longer than {}", limits.value_bytes));
    }
    Ok(())
}

fn text(what: &str, text: &str, limits: &Limits) -> Result<(), String> {
    if text.chars().count() > limits.text_chars {
        return Err(format!(
            "the text of the {what} is longer than {} characters",
            limits.text_chars
        ));
    }
    Ok(())
}

/// A line break in a chat line would be a command of its own to the server.
fn one_line(what: &str, text: &str) -> Result<(), String> {
    match text.contains(char::is_control) {
        true => Err(format!("the text of the {what} has control characters")),
        false => Ok(()),
    }
}

/// The role as people call it.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Handler => "handler",
        Role::Multiplier => "multiplier",
        Role::Formula => "formula",
    }
}

/// One effect on one line, for logs, case files and people: `show heat "7"`.
pub fn effect_line(effect: &Effect) -> String {
    on_one_line(&match effect {
        Effect::Put(entry) => format!("put {} ({} bytes)", entry.key, entry.value.len()),
        Effect::Delete(key) => format!("delete {key}"),
        Effect::Fave(fave) => {
            format!("fave {} {:?} {}", fave.person.login, fave.item, thousandths(fave.weight))
        }
        Effect::Weigh(weight) => format!("weigh {}", thousandths(*weight)),
        Effect::Drop => "drop".to_owned(),
        Effect::Show(output) => format!("show {} {:?}", output.name, output.text),
        Effect::Publish(message) => {
            let payload = String::from_utf8_lossy(&message.payload);
            let once = match message.delivery {
                Delivery::AtLeastOnce => "",
                Delivery::AtMostOnce => " at most once",
            };
            format!("publish {} {payload:?}{once}", message.topic)
        }
        Effect::Say(line) => format!("say {line:?}"),
        Effect::Reply(line) => format!("reply {line:?}"),
        Effect::Wake(alarm) => match alarm.at {
            Some(at) => format!("wake {} at {at}", alarm.name),
            None => format!("wake {} never", alarm.name),
        },
        Effect::Clip(clip) => format!("clip {:?} {} s", clip.title, clip.seconds),
    })
}

/// A weight as people read it: 1500 thousandths are `1.5`.
pub fn thousandths(weight: i64) -> String {
    let sign = if weight < 0 { "-" } else { "" };
    let (whole, rest) = (weight.unsigned_abs() / 1000, weight.unsigned_abs() % 1000);
    if rest == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{rest:03}").trim_end_matches('0').to_owned()
    }
}
