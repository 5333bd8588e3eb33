//! `heat rules dead-letters` and `heat rules retry`: calls that failed and had no effects, and running them again.

use anyhow::{Result, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Api, slots};
use crate::target::{AnswerArgs, ChannelArgs, SlotChoice, choose};
use crate::terminal::table::{Colour, Table, has_colours, short};
use crate::terminal::{clean, print, print_json};
use crate::when;

#[derive(Args)]
pub(crate) struct DeadLettersArgs {
    /// Only those of this slot.
    #[arg(long, value_name = "SLOT")]
    slot: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Args)]
pub(crate) struct RetryArgs {
    /// The number of the dead letter; without one, all of the slot.
    #[arg(value_name = "NUMBER")]
    letter: Option<u64>,
    /// The slot; not needed with a number, or when only one slot has dead letters.
    #[arg(long, value_name = "SLOT")]
    slot: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// A call that failed.
#[derive(Debug, Deserialize)]
struct DeadLetter {
    number: u64,
    at: u64,
    channel: String,
    slot: String,
    digest: String,
    cause: String,
    #[serde(default)]
    event: Value,
    #[serde(default)]
    kind: String,
    person: Option<String>,
}

pub(super) fn run(options: &DeadLettersArgs) -> Result<()> {
    let told = ask(&options.answer.at, options.slot.as_deref(), &options.answer.at.api()?)?;
    if options.answer.json {
        return print_json(&told);
    }
    print(&page(&read(told)?, has_colours()))?;
    Ok(())
}

pub(super) fn retry(options: &RetryArgs) -> Result<()> {
    let api = options.answer.at.api()?;
    let letters = read(ask(&options.answer.at, options.slot.as_deref(), &api)?)?;
    let (channel, slot) = meant(&letters, options.letter)?;
    let rules = slots::rules(&api, Some(&channel))?;
    let rule = choose(&rules, &SlotChoice::Slot(&slot))?;
    let wish = options.letter.map_or(json!({}), |letter| json!({ "letter": letter }));
    let answer = api.post(&rule.path("/retry"), &wish)?;
    if options.answer.json {
        print(&format!("{}\n", clean::json(&answer.to_string())))?;
    } else {
        print(&format!("{}\n", clean::text(answer["message"].as_str().unwrap_or("done"))))?;
    }
    match answer["failed"].as_u64() {
        Some(failed) if failed > 0 => {
            bail!("{failed} failed again; heat rules dead-letters says why")
        }
        _ => Ok(()),
    }
}

fn ask(at: &ChannelArgs, slot: Option<&str>, api: &Api) -> Result<Value> {
    let mut query = at.query()?;
    query.extend(slot.map(|slot| ("slot", slot.to_owned())));
    Ok(api.get("/dead-letters", &query)?)
}

fn read(told: Value) -> Result<Vec<DeadLetter>> {
    #[derive(Deserialize)]
    struct DeadLetterList {
        dead_letters: Vec<DeadLetter>,
    }
    Ok(api::read::<DeadLetterList>(told, "failed calls")?.dead_letters)
}

/// The channel and the slot of the letters that shall be run again.
fn meant(letters: &[DeadLetter], number: Option<u64>) -> Result<(String, String)> {
    let mut places: Vec<(&str, &str)> = letters
        .iter()
        .filter(|letter| number.is_none_or(|number| letter.number == number))
        .map(|letter| (letter.channel.as_str(), letter.slot.as_str()))
        .collect();
    places.sort_unstable();
    places.dedup();
    match (places.as_slice(), number) {
        ([(channel, slot)], _) => Ok(((*channel).to_owned(), (*slot).to_owned())),
        ([], Some(number)) => {
            bail!("there is no dead letter {number}; heat rules dead-letters lists them")
        }
        ([], None) => bail!("no call has failed, so there is nothing to run again"),
        (places, _) => {
            let places: Vec<String> =
                places.iter().map(|(channel, slot)| format!("#{channel} {slot}")).collect();
            bail!(
                "several slots have dead letters; say which with --slot or --channel: {}",
                places.join(", ")
            )
        }
    }
}

fn page(letters: &[DeadLetter], colours: bool) -> String {
    if letters.is_empty() {
        return "no call has failed\n".to_owned();
    }
    let mut table =
        Table::new(&["#", "at", "channel", "slot", "digest", "event", "person", "cause"]);
    for letter in letters {
        table.row([
            (letter.number.to_string(), Colour::Plain),
            (when::show(letter.at), Colour::Plain),
            (format!("#{}", letter.channel), Colour::Plain),
            (letter.slot.clone(), Colour::Plain),
            (short(&letter.digest), Colour::Plain),
            (said(letter), Colour::Plain),
            (letter.person.clone().unwrap_or_default(), Colour::Plain),
            (letter.cause.clone(), Colour::Red),
        ]);
    }
    table.text(colours)
}

/// What the event was, in few words.
fn said(letter: &DeadLetter) -> String {
    match (&letter.event, letter.kind.as_str()) {
        (Value::String(event), "") => event.clone(),
        (_, kind) => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters() -> Vec<DeadLetter> {
        let letter = |number, slot| {
            json!({
                "number": number, "at": 0, "channel": "seaside", "slot": slot, "digest": "0123456789abcdef", "call": 0,
                "cause": "unreachable\u{1b}[2J", "event": "c-1", "kind": "chat", "person": "ann",
            })
        };
        read(json!({ "dead_letters": [letter(7, "decay"), letter(8, "fave")] })).unwrap()
    }

    #[test]
    fn letters_say_what_failed_and_why() {
        let page = page(&letters(), false);
        assert!(
            page.contains("decay  0123456789ab  chat   ann     unreachable\u{FFFD}[2J"),
            "{page}"
        );
        assert_eq!(super::page(&[], false), "no call has failed\n");
    }

    #[test]
    fn a_number_says_the_slot() {
        let place = |number| meant(&letters(), number).map_err(|error| error.to_string());
        assert_eq!(place(Some(7)), Ok(("seaside".to_owned(), "decay".to_owned())));
        assert!(place(Some(9)).unwrap_err().contains("no dead letter 9"));
        assert!(place(None).unwrap_err().contains("#seaside decay, #seaside fave"));
        assert!(meant(&[], None).unwrap_err().to_string().contains("nothing to run again"));
    }
}
