//! `hype-clip`: a clip, and a mark, when far more people chat than just before.
//!
//! Time is cut into buckets of some seconds, and in each a person counts once (`bucket`). What is unusual is held against the buckets of the last minutes by
//! their median and how far they usually are from it (`past`), which a single outburst hardly moves. `words` finds what is being said, for the
//! title; `moment` has what is done about it. `configured` has the settings.

mod bucket;
mod configured;
mod moment;
mod past;
mod words;

use heat_rule::{
    About, Call, ChatLine, Event, Formula, Happening, Interests, Settings, formula, people::BOTS,
    state,
};

use crate::bucket::Bucket;
use crate::configured::Configured;
use crate::past::Past;
use crate::words::Words;

/// The key of the bucket that is filled now.
const BUCKET: &str = "bucket";

/// The key of the buckets before it.
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
        About::new("hype-clip", env!("CARGO_PKG_VERSION"), "Makes a clip, and shows a mark, when far more people chat than just before.")
            .boolean("clip", true, "Whether clips are made, which needs a login. Without, moments are only shown.")
            .integer("seconds", 30, (5, 60), "How many seconds a clip has.")
            .duration("delay", 5_000, (0, MINUTE), "How long a moment waits until it is shown and clipped, so that the clip has what happens next, and the title what is said to it.")
            .text("title", "{word} ({people} people in chat)", 100, "The title: {word} is the emote that most people wrote or, without one, the word; {people} how many wrote, {usual} how many usually do.")
            .boolean("words", true, "Whether {word} may be a word. If not, it is an emote or \"chat\".")
            .integer("people", 5, (2, 100_000), "How many people must chat in one bucket, at least.")
            .number("sensitivity", 5.0, (1.0, 100.0), "How many usual deviations above the usual number that must be. Less finds more moments.")
            .duration("bucket", 10_000, (1_000, MINUTE), "The time in which people are counted.")
            .duration("memory", 600_000, (MINUTE, 120 * MINUTE), "How far back goes what is usual.")
            .duration("warm_up", 300_000, (10_000, 120 * MINUTE), "How long the rule listens first, and again after each start of the stream.")
            .duration("cooldown", 300_000, (MINUTE, DAY), "How long after a moment there is no other.")
            .duration("raid_pause", MINUTE, (0, 60 * MINUTE), "How long after a raid there is no moment: everybody says hello.")
            .choice("format", &[TEXT, JSON], "How the moment is shown: its title, or an object with value (the title), word, people, usual and at (milliseconds since 1970).")
            .text("output", "moment", 32, "The name of the output that shows the last moment. Empty for none.")
            .texts("bots", BOTS, "Bots, who are not counted: logins or ids (\"id:123\").")
            .boolean("shared", false, "Whether people are counted whose lines a shared chat brought from another channel.")
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
                for key in [BUCKET, PAST, OFFLINE] {
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
    let number = call.now() / settings.bucket;
    let mut bucket = match state::get::<Bucket>(BUCKET) {
        Some(bucket) if bucket.number == number => bucket,
        before => next(call, settings, before, number),
    };
    // Who writes much is one person all the same.
    if !bucket.add(&line.person.id) {
        return;
    }
    bucket.words.hear(line, settings.words);
    if bucket.is_unusual() && may(call, settings) {
        moment::begin(call, settings, &bucket);
    }
    call.put(BUCKET, bucket);
}

/// The next bucket: the one before it is past, and so are those in which nobody wrote.
fn next(
    call: &mut Call<HypeClip>,
    settings: &Configured,
    before: Option<Bucket>,
    number: u64,
) -> Bucket {
    let mut past: Past = state::get(PAST).unwrap_or_default();
    let mut words = Words::default();
    if let Some(before) = before {
        let empty = number.saturating_sub(before.number + 1);
        past.add(before.people, empty, settings.memory);
        if empty == 0 {
            words = before.words;
            words.fade();
        }
    }
    let bucket = Bucket::new(number, past.usual(settings), words);
    call.put(PAST, past);
    bucket
}

/// Whether there may be a moment now.
fn may(call: &Call<HypeClip>, settings: &Configured) -> bool {
    let over = |key: &str, pause: u64| {
        state::get::<u64>(key).is_none_or(|since| since + pause <= call.now())
    };
    over(moment::LAST, settings.cooldown) && over(RAID, settings.raid_pause)
}

formula!(HypeClip);
