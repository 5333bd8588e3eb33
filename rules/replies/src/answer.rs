//! Looks up what is asked, and puts it into words.

use heat_rule::{Command, Weight, counts, item, template, thousandths};

use crate::configured::Configured;

/// What asks, behind the command of lists, for people.
pub(crate) const PEOPLE: &str = "people";

/// The answer to a command.
pub(crate) fn to(settings: &Configured, command: &Command) -> String {
    let name = command.line.person.name.as_str();
    if command.name == settings.heat_command {
        return told(&settings.heat_text, name, "", &counts::of_channel());
    }
    if command.name == settings.top_command {
        let (list, text) = match command.arguments.is_empty() {
            true => (items(settings.top), &settings.top_text),
            false => (people(settings.top), &settings.people_text),
        };
        return match list.is_empty() {
            true => template::filled(&settings.nothing_text, &[("name", name)]),
            false => template::filled(text, &[("name", name), ("list", &list)]),
        };
    }
    // Named as the rule `fave` names it, so that it is the same item.
    let item = item::clean(&command.arguments);
    match item.is_empty() {
        true => {
            let tally = counts::of_person(&command.line.person.id);
            told(&settings.faves_text, name, "", &tally)
        }
        false => told(&settings.item_text, name, &item, &counts::of_item(&item)),
    }
}

fn told(text: &str, name: &str, item: &str, tally: &counts::Tally) -> String {
    let [faves, people] = [tally.faves, tally.people.into()].map(|number| number.to_string());
    let weight = thousandths::write(tally.weight);
    let values = [
        ("name", name),
        ("item", item),
        ("faves", &faves),
        ("people", &people),
        ("weight", &weight),
    ];
    template::filled(text, &values)
}

/// The items that are faved most. Faves of "this moment" have none.
fn items(top: u32) -> String {
    let top_items = counts::top_items(top + 1).into_iter();
    list(top, top_items.map(|(item, tally)| (item, tally.weight)))
}

/// The people who fave most. Messages by MQTT may be of nobody.
fn people(top: u32) -> String {
    let top_people = counts::top_people(top + 1).into_iter();
    list(top, top_people.map(|(person, tally)| (person.name, tally.weight)))
}

/// "1. pie (12), 2. cake (3)", without items that have no name, and without those that were taken back entirely.
fn list(top: u32, entries: impl Iterator<Item = (String, Weight)>) -> String {
    entries
        .filter(|(name, weight)| !name.is_empty() && *weight > 0)
        .take(top as usize)
        .enumerate()
        .map(|(place, (name, weight))| {
            format!("{}. {name} ({})", place + 1, thousandths::write(weight))
        })
        .collect::<Vec<_>>()
        .join(", ")
}
