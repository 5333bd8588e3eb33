//! `?fave`: a chat command, a word or emote in chat, or an MQTT message becomes a fave.
//!
//! In the order in which a fave passes them: `message` reads what is asked, `people` says who may, `limits` how often, and
//! `moderator` has the commands that stop all of it. `sweep` clears up behind `limits`; `configured` has the settings.

mod configured;
mod limits;
mod message;
mod moderator;
mod people;
mod stream;
mod sweep;

use heat_rule::{
    About, Call, ChatLine, Event, Handler, Happening, Interests, NewFave, ONE_FAVE, Settings,
    handler, item, people::BOTS, state,
};

use crate::configured::Configured;

/// One day, in milliseconds.
const DAY: u64 = 86_400_000;

/// What `repeats` may be.
pub(crate) const ALWAYS: &str = "always";
pub(crate) const ONCE_PER_ITEM: &str = "once_per_item";
pub(crate) const ONCE_PER_STREAM: &str = "once_per_stream";

struct FaveRule;

impl Handler for FaveRule {
    fn about() -> About {
        About::new("fave", env!("CARGO_PKG_VERSION"), "Counts ?fave commands, words and emotes in chat, and MQTT messages.")
            .text("command", "?fave", 50, "The chat command, with its prefix. Empty for none.")
            .texts("aliases", &[], "Other commands that mean the same.")
            .texts("words", &[], "Words or emotes, each of which is a fave when it stands in a chat line. One fave a line.")
            .texts("topics", &[], "MQTT topics of which each message is a fave: its text is the item, or a JSON object has \"item\", \"user\" and \"weight\".")
            .duration("user_cooldown", 0, (0, DAY), "How long a person's next fave waits after one that counted. \"0s\": not at all.")
            .duration("global_cooldown", 0, (0, DAY), "How long anybody's next fave waits after one that counted. \"0s\": not at all.")
            .choice("repeats", &[ALWAYS, ONCE_PER_ITEM, ONCE_PER_STREAM], "Whether a person may fave the same item again: always, never, or in the next stream. Faves without an item count as one item.")
            .duration("grace", 600_000, (0, DAY), "A stream that starts again within this time of its end is still the same, for `repeats`.")
            .texts("allow", &[], "The only people whose faves count: logins, or ids such as \"id:123\". Empty: everybody.")
            .texts("deny", &[], "People whose faves do not count: logins, or ids such as \"id:123\", which stay when somebody changes the login.")
            .texts("bots", BOTS, "Bots, whose faves do not count: logins or ids.")
            .boolean("broadcaster", true, "Whether faves of the channel's owner count.")
            .boolean("shared", false, "Whether lines count that a shared chat brought from another channel.")
            .text("moderator_command", "?heat", 50, "The command of moderators and the owner: pause, resume, add. Empty for none.")
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        configured::interests(settings)
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let settings = Configured::of_instance();
        match &event.what {
            Happening::Command(command) if command.name == settings.moderator_command => {
                moderator::obey(call, command);
            }
            Happening::Command(command) => {
                on_line(call, &settings, &command.line, item::clean(&command.arguments));
            }
            Happening::Chat(line) => {
                if let Some(word) = first_word(&settings, line) {
                    on_line(call, &settings, line, item::clean(word));
                }
            }
            Happening::Mqtt(message) => {
                if let Some(fave) = message::read(message)? {
                    count(call, &settings, fave);
                }
            }
            Happening::StreamStart => stream::started(call, &settings),
            Happening::StreamEnd => stream::ended(call),
            Happening::Timer(_) => sweep::sweep(call, &settings),
            _ => {}
        }
        Ok(())
    }
}

/// The first of the configured words that the line has, as it is configured.
fn first_word<'a>(settings: &'a Configured, line: &ChatLine) -> Option<&'a str> {
    let configured = |word: &str| settings.words.iter().find(|it| item::is_same(it, word));
    line.text.split(' ').find_map(configured).map(String::as_str)
}

fn on_line(call: &mut Call<FaveRule>, settings: &Configured, line: &ChatLine, item: String) {
    if line.shared_from.is_some() && !settings.shared {
        return;
    }
    let (person, standing) = (line.person.clone(), Some(line.standing));
    count(call, settings, NewFave { person, standing, bits: line.bits, item, weight: ONE_FAVE });
}

/// Counts a fave that nothing stands against.
fn count(call: &mut Call<FaveRule>, settings: &Configured, fave: NewFave) {
    // Without the command nobody could end a pause, so there is none.
    let can_pause = !settings.moderator_command.is_empty();
    if people::may(settings, &fave)
        && !(can_pause && state::get::<u64>(moderator::PAUSED).is_some())
        && limits::pass(call, settings, &fave)
    {
        call.new_fave(fave);
    }
}

handler!(FaveRule);
