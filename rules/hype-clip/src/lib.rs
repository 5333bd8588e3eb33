//! `hype-clip`: a clip, and a mark, when far more people react than just before.
//!
//! Whoever wrote in the last seconds counts once (`window`), by what they wrote (`reaction`): laughing counts twice, greeting hardly. What is unusual is held
//! against the same number in the last minutes by its median and how far it usually is from it (`past`), which a single outburst hardly moves. `words` finds what
//! is being said, for the title; `moment` has what is done about it. `configured` has the settings.

mod configured;
mod moment;
mod past;
mod reaction;
mod window;
mod words;

use crate::reaction::{ASIDES, CLIPS, LAUGHS};
use heat_rule::{
    About, Call, ChatLine, Entry, Event, Formula, Happening, Interests, Settings, formula,
    people::BOTS, state,
};

use crate::configured::Configured;
use crate::past::Past;
use crate::window::Window;

/// The key of who wrote in the last seconds.
const WINDOW: &str = "window";

/// The key of what was usual before.
const PAST: &str = "past";

/// The key that is there while the stream is known to be offline.
const OFFLINE: &str = "offline";

/// The key of the time of the last raid.
const RAID: &str = "raid";

/// One minute and one day, in milliseconds.
const MINUTE: u64 = 60_000;
const DAY: u64 = 86_400_000;

/// What `format` may be.
const TEXT: &str = "text";
const JSON: &str = "json";

struct HypeClip;

impl Formula for HypeClip {
    fn about() -> About {
        About::new("hype-clip", env!("CARGO_PKG_VERSION"), "Makes a clip, and shows a mark, when far more people react than just before.")
            .state_version(2)
            .boolean("clip", true, "Whether clips are made, which needs a login. Without, moments are only shown.")
            .integer("seconds", 30, (5, 60), "How many seconds a clip has.")
            .duration("delay", 5_000, (0, MINUTE), "How long a moment waits until it is shown and clipped, so that the clip has what happens next, and the title what is said to it.")
            .text("title", "{word} ({people} people in chat)", 100, "The title: {word} is the emote that most people wrote or, without one, the word; {people} how many wrote, {usual} how many usually do.")
            .boolean("words", true, "Whether {word} may be a word. If not, it is an emote or \"chat\".")
            .integer("people", 5, (2, 100_000), "How many people must react within one `bucket`, at least. Somebody who laughs counts as two.")
            .number("sensitivity", 4.0, (1.0, 100.0), "How many usual deviations above the usual number that must be. Less finds more moments.")
            .duration("bucket", 10_000, (1_000, MINUTE), "The time up to now in which people are counted.")
            .duration("memory", 20 * MINUTE, (MINUTE, 120 * MINUTE), "How far back goes what is usual.")
            .duration("warm_up", 300_000, (10_000, 120 * MINUTE), "How long the rule listens first, and again after each start of the stream.")
            .duration("cooldown", MINUTE, (MINUTE, DAY), "How long after a moment there is no other.")
            .duration("raid_pause", MINUTE, (0, 60 * MINUTE), "How long after a raid there is no moment: everybody says hello.")
            .texts("clips", CLIPS, "Words of people who ask for a clip: they count as three.")
            .texts("laughs", LAUGHS, "What people write who laugh: words that begin so, and emotes that have it in their names. They count as two.")
            .texts("asides", ASIDES, "What people write to each other: one of the first three words, or emotes that have it in their names. They count as a third; so do lines of numbers alone, which answer a question.")
            .choice("format", &[TEXT, JSON], "How the moment is shown: its title, or an object with value (the title), word, people, usual and at (milliseconds since 1970).")
            .text("output", "moment", 32, "The name of the output that shows the last moment. Empty for none.")
            .texts("bots", BOTS, "Bots, who are not counted: logins or ids (\"id:123\").")
            .boolean("shared", false, "Whether people are counted whose lines a shared chat brought from another channel.")
    }

    /// Version 1 counted people alone: what was usual then is no measure for what they count now.
    fn migrate(_from: u32, key: String, value: Vec<u8>) -> Result<Vec<Entry>, String> {
        let is_kept = key != "bucket" && key != PAST;
        Ok(if is_kept { vec![Entry { key, value }] } else { Vec::new() })
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        Ok(Configured::read(settings)?.interests())
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let settings = configured::of_instance()?;
        match &event.what {
            Happening::Chat(line) if settings.counts(line) => count(call, &settings, line),
            Happening::Raid(_) => call.put(RAID, call.now()),
            Happening::StreamStart => {
                for key in [WINDOW, PAST, OFFLINE] {
                    call.delete(key);
                }
            }
            Happening::StreamEnd => call.put(OFFLINE, 1u32),
            Happening::Timer(_) => moment::tell_late(call, &settings),
            _ => {}
        }
        Ok(())
    }
}

fn count(call: &mut Call<HypeClip>, settings: &Configured, line: &ChatLine) {
    if state::get::<u32>(OFFLINE).is_some() {
        return;
    }
    let emotes = line.emotes.iter().map(|emote| emote.name.as_str());
    let Some(weight) = settings.reactions.weight(&line.text, emotes) else { return };
    let (now, long) = (call.now(), settings.bucket);
    let number = now / long;
    let mut window = match state::get::<Window>(WINDOW) {
        Some(window) if window.number == number => window,
        Some(before) => next(call, settings, before, number),
        None => Window::new(number),
    };
    // Who writes much is one person all the same.
    if window.add(now, long, &line.person.id, weight) {
        window.words.hear(line, settings.words);
    }
    if window.is_unusual() && may(call, settings) {
        moment::begin(call, settings, &window);
    }
    call.put(WINDOW, window);
}

/// The next stretch of time as long as the window: the one before it is past, and so are those in which nobody wrote.
fn next(
    call: &mut Call<HypeClip>,
    settings: &Configured,
    mut window: Window,
    number: u64,
) -> Window {
    let mut past: Past = state::get(PAST).unwrap_or_default();
    let empty = number.saturating_sub(window.number + 1);
    past.add(window.end(settings.bucket), empty, settings.memory);
    if empty > 0 {
        window = Window::new(number);
    }
    window.words.fade();
    window.number = number;
    window.usual = past.usual(settings);
    call.put(PAST, past);
    window
}

/// Whether there may be a moment now.
fn may(call: &Call<HypeClip>, settings: &Configured) -> bool {
    let over = |key: &str, pause: u64| {
        state::get::<u64>(key).is_none_or(|since| since + pause <= call.now())
    };
    over(moment::LAST, settings.cooldown) && over(RAID, settings.raid_pause)
}

formula!(HypeClip);
