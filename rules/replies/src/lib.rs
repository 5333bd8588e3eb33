//! `replies`: answers `?heat`, `?faves` and `?top` in chat, from the counts.
//!
//! `answer` looks up what is asked, `cooldown` says when, and `configured` has the settings. Without a login heatd cannot speak, so the rule asks for
//! that at the start.

mod answer;
mod configured;
mod cooldown;

use heat_rule::{
    About, Call, Command, Event, Formula, Happening, Interests, Settings, formula, people::BOTS,
    text,
};

use crate::configured::Configured;

/// One day, in milliseconds.
const DAY: u64 = 86_400_000;

struct Replies;

impl Formula for Replies {
    fn about() -> About {
        About::new("replies", env!("CARGO_PKG_VERSION"), "Answers ?heat, ?faves and ?top in chat. Needs a login.")
            .text("heat_command", "?heat", 50, "The command that asks for the channel's faves; with anything behind it, it is not for this rule. Empty for none.")
            .text("faves_command", "?faves", 50, "The command that asks for one's own faves, or for those of the item behind it. Empty for none.")
            .text("top_command", "?top", 50, "The command that asks for what is faved most, or with \"people\" behind it, for who faves most. Empty for none.")
            .integer("top", 3, (1, 10), "How many such a list has.")
            .text("heat_text", "Faves so far: {faves}, from people: {people}.", 400, "The answer of the heat command: {faves}, {people}, {weight} (the sum of their weights), {name} (who asks).")
            .text("faves_text", "@{name} Faves of yours: {faves}.", 400, "The answer to people who ask for their own: {name}, {faves}, {weight}.")
            .text("item_text", "@{name} Faves of that: {faves}, from people: {people}.", 400, "The answer to people who ask for an item: {name}, {item} (what the viewer wrote, so think twice), {faves}, {people}, {weight}.")
            .text("top_text", "Most faved: {list}", 400, "The answer to people who ask what is faved most: {list}, with the weight of each, and {name}.")
            .text("people_text", "Most faves: {list}", 400, "The answer to people who ask who faves most: {list}, with the weight of each, and {name}.")
            .text("nothing_text", "@{name} Nothing has been faved yet.", 400, "The answer instead of an empty list: {name}.")
            .duration("user_cooldown", 30_000, (0, DAY), "How long a person waits for the next answer. \"0s\": not at all.")
            .duration("global_cooldown", 5_000, (0, DAY), "How long everybody waits for the next answer. \"0s\": not at all.")
            .boolean("reply", false, "Whether an answer is a reply to the line that asks, so that it stands below it in chat.")
            .texts("bots", BOTS, "Bots, which get no answer: logins or ids (\"id:123\").")
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        Ok(Configured::read(settings)?.interests())
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let Happening::Command(command) = &event.what else { return Ok(()) };
        let settings = configured::of_instance()?;
        if settings.answers(&command.line) && is_question(&settings, command) {
            let person = &command.line.person.id;
            // Asked before the counts are read: a list reads all of them.
            if cooldown::over(call, &settings, person) {
                let answer = sayable(&answer::to(&settings, command));
                if !answer.is_empty() {
                    cooldown::begin(call, &settings, person);
                    match settings.reply {
                        true => call.reply(answer),
                        false => call.say(answer),
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether the command is one for this rule: `?heat set 50` is an order to another.
fn is_question(settings: &Configured, command: &Command) -> bool {
    let plain = command.arguments.is_empty();
    command.name == settings.faves_command
        || plain
        || (command.name == settings.top_command
            && command.arguments.eq_ignore_ascii_case(answer::PEOPLE))
}

/// One line that Twitch takes for nothing but a line: an item may hold what another program sent.
fn sayable(answer: &str) -> String {
    let visible = |character: char| if character.is_control() { ' ' } else { character };
    let line: String = answer.chars().map(visible).collect();
    // What starts with these is an order to Twitch.
    let line = line.trim_start_matches(['/', '.', ' ']).trim_end();
    match line.char_indices().nth(text::LONGEST) {
        Some((end, _)) => line[..end].to_owned(),
        None => line.to_owned(),
    }
}

formula!(Replies);
