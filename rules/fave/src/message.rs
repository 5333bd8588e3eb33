//! Faves by MQTT: a JSON object that says whose and of what, or any other text, which is the item.

use heat_rule::{MqttMessage, NewFave, ONE_FAVE, Person, Weight};
use serde_json::{Map, Value};

use crate::item;

/// The id and login of faves that come by MQTT without a person.
const NOBODY: &str = "mqtt";

/// The longest name of a person, in characters: with it, no key of the state is too long.
const LONGEST_NAME: usize = 60;

/// The heaviest fave, up or down, in thousandths.
pub(crate) const HEAVIEST: Weight = 10_000 * ONE_FAVE;

/// Whether a fave came without a person. Limits for people do not hold for it.
pub(crate) fn is_nobodys(fave: &NewFave) -> bool {
    fave.standing.is_none() && fave.person.id == NOBODY
}

/// Reads a message. A retained one is left out: it was sent before, and counting it again at every start would be wrong.
pub(crate) fn read(message: &MqttMessage) -> Result<Option<NewFave>, String> {
    if message.retained {
        return Ok(None);
    }
    let text = std::str::from_utf8(&message.payload)
        .map_err(|error| format!("{} is not UTF-8: {error}", message.topic))?;
    // .NET and PowerShell write a byte order mark before what they send.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let object = text.trim_start().starts_with('{').then(|| serde_json::from_str(text));
    let fave = match object {
        Some(Ok(object)) => of_object(&object)
            .map_err(|problem| format!("a message to {} is no fave: {problem}", message.topic))?,
        _ => fave(nobody(), item::clean(text), ONE_FAVE),
    };
    Ok(Some(fave))
}

fn of_object(object: &Map<String, Value>) -> Result<NewFave, String> {
    let item = text(object, "item")?.unwrap_or_default();
    let named = match text(object, "person")? {
        Some(name) => Some(name),
        None => text(object, "user")?,
    };
    let person = named.map_or_else(nobody, person);
    let weight = match object.get("weight") {
        None | Some(Value::Null) => ONE_FAVE,
        Some(value) => value
            .as_f64()
            .and_then(weight)
            .ok_or("\"weight\" must be a number from -10000 to 10000, and not 0")?,
    };
    Ok(fave(person, item::clean(item), weight))
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("\"{name}\" must be a text in quotation marks")),
    }
}

fn weight(number: f64) -> Option<Weight> {
    let thousandths = (number * ONE_FAVE as f64).round();
    let fits = thousandths != 0.0 && thousandths.abs() <= HEAVIEST as f64;
    fits.then_some(thousandths as Weight)
}

/// Someone whose id is not known.
pub(crate) fn person(name: &str) -> Person {
    let name: String =
        item::clean(name.trim().trim_start_matches('@')).chars().take(LONGEST_NAME).collect();
    if name.is_empty() {
        return nobody();
    }
    let login: String = name.to_lowercase().chars().take(LONGEST_NAME).collect();
    Person { id: login.clone(), login, name }
}

fn nobody() -> Person {
    Person { id: NOBODY.to_owned(), login: NOBODY.to_owned(), name: "MQTT".to_owned() }
}

fn fave(person: Person, item: String, weight: Weight) -> NewFave {
    NewFave { person, standing: None, bits: 0, item, weight }
}
