//! `combo`: several people in a row with one and the same emote.
//!
//! A line goes on with a combo when it has exactly one emote, and that of the combo; with any other line, and when nobody goes on in time, it ends.
//! `memory` is the combo that is under way, `configured` has the settings.

mod configured;
mod memory;

use heat_rule::{
    About, Call, ChatLine, Event, Formula, Happening, Interests, Kind, Settings, formula, json,
    outputs, people::BOTS, state,
};

use crate::configured::Configured;
use crate::memory::Combo;

/// The key of the combo that is under way, shown or not.
const COMBO: &str = "combo";

/// The key of the longest combo: its emote and its people.
const RECORD: &str = "record";

/// The timer that ends a combo.
const END: &str = "end";

/// What `format` may be.
const TEXT: &str = "text";
const JSON: &str = "json";

struct ComboRule;

impl Formula for ComboRule {
    fn about() -> About {
        About::new(
            "combo",
            env!("CARGO_PKG_VERSION"),
            "Shows emote combos: several people in a row with the same emote.",
        )
        .integer("people", 5, (2, 1000), "How many different people in a row make a combo.")
        .duration(
            "timeout",
            15_000,
            (1_000, 3_600_000),
            "How long a combo waits for the next person before it ends.",
        )
        .texts("emotes", &[], "The only emotes that make combos. Empty: every emote.")
        .choice(
            "format",
            &[TEXT, JSON],
            "How combo and record are shown: as \"Kappa x5\", or as {\"emote\": \"Kappa\", \"value\": 5}.",
        )
        .text("output", "combo", 32, "The name of the output that shows the combo while it lasts.")
        .text(
            "record_output",
            "combo-record",
            32,
            "The name of the output that shows the longest combo so far. Empty for none.",
        )
        .texts("bots", BOTS, "Bots, whose lines are passed over: logins or ids (\"id:123\").")
        .boolean(
            "shared",
            false,
            "Whether lines are looked at that a shared chat brought from another channel.",
        )
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        Configured::read(settings)?;
        Ok(Interests::none().kind(Kind::Chat))
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let settings = configured::of_instance()?;
        match &event.what {
            Happening::Chat(line) if settings.passes_over(line) => {}
            Happening::Chat(line) => heed(call, &settings, line),
            Happening::Timer(_) => {
                call.delete(COMBO);
                show(call, &settings, None);
            }
            _ => {}
        }
        Ok(())
    }
}

fn heed(call: &mut Call<ComboRule>, settings: &Configured, line: &ChatLine) {
    let before: Option<Combo> = state::get(COMBO);
    let emote = only_emote(line).filter(|emote| settings.may_combine(emote));
    let Some(emote) = emote else {
        if before.is_some() {
            call.delete(COMBO);
            call.cancel_wake(END);
            show(call, settings, None);
        }
        return;
    };
    let same = before.filter(|combo| combo.emote == emote);
    let mut combo = same.unwrap_or_else(|| Combo::of(emote));
    // Who says it again neither makes the combo longer nor keeps it alive.
    if !combo.join(&line.person.id) {
        return;
    }
    call.wake_at(END, call.now() + settings.timeout);
    show(call, settings, Some(&combo));
    call.put(COMBO, combo);
}

/// The emote of the line, however often it stands there, if there is no other.
fn only_emote(line: &ChatLine) -> Option<&str> {
    let first = line.emotes.first()?.name.as_str();
    line.emotes.iter().all(|emote| emote.name == first).then_some(first)
}

/// Shows the combo, if it is one, and the record, which it may be.
fn show(call: &mut Call<ComboRule>, settings: &Configured, combo: Option<&Combo>) {
    let combo = combo.filter(|combo| combo.people >= settings.people);
    let mut record: Option<(String, u64)> = state::get(RECORD);
    if let Some(combo) =
        combo.filter(|it| record.as_ref().is_none_or(|(_, most)| it.people > *most))
    {
        let longest = (combo.emote.clone(), combo.people);
        call.put(RECORD, longest.clone());
        record = Some(longest);
    }
    let written = |emote: &str, people: u64| match settings.json {
        true => format!("{{\"emote\": {}, \"value\": {people}}}", json::quoted(emote)),
        false => format!("{emote} x{people}"),
    };
    let combo = combo.map_or_else(String::new, |combo| written(&combo.emote, combo.people));
    let record = record.map_or_else(String::new, |(emote, people)| written(&emote, people));
    outputs::show(call, &[(&settings.output, combo), (&settings.record_output, record)]);
}

formula!(ComboRule);
