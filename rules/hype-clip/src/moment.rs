//! A moment: it begins, and a little later, when more has been said about it, it is shown and clipped.

use heat_rule::{Call, Timestamp, json, outputs, state, template};

use crate::configured::Configured;
use crate::window::Window;
use crate::{HypeClip, WINDOW};

/// The key of the time of the last moment.
pub(crate) const LAST: &str = "last";

/// The key of the moment that waits: when it began, its people, and how many there usually are.
const WAITS: &str = "waits";

/// The timer.
const TELL: &str = "tell";

/// The longest title, in characters.
const LONGEST: usize = 100;

/// What stands for the word where nothing was said by several people.
const NO_WORD: &str = "chat";

/// Begins a moment.
pub(crate) fn begin(call: &mut Call<HypeClip>, settings: &Configured, window: &Window) {
    let now = call.now();
    call.put(LAST, now);
    let (people, usual) = (window.people(), window.usual.people);
    if settings.delay == 0 {
        tell(call, settings, window, (now, (people, usual)));
    } else {
        call.put(WAITS, (now, (people, usual)));
        call.wake_at(TELL, now + settings.delay);
    }
}

/// Tells of the moment that has waited, with what was said and who came since.
pub(crate) fn tell_late(call: &mut Call<HypeClip>, settings: &Configured) {
    let waits: Option<(Timestamp, (u64, u64))> = state::get(WAITS);
    // A stream that started meanwhile has neither window nor moment.
    if let (Some((at, (people, usual))), Some(window)) = (waits, state::get::<Window>(WINDOW)) {
        // Who joined in meanwhile counts too.
        tell(call, settings, &window, (at, (people.max(window.people()), usual)));
    }
    call.delete(WAITS);
}

fn tell(
    call: &mut Call<HypeClip>,
    settings: &Configured,
    window: &Window,
    (at, (people, usual)): (Timestamp, (u64, u64)),
) {
    let word = window.words.most().unwrap_or(NO_WORD);
    let (people, usual) = (people.to_string(), usual.to_string());
    let values = [("word", word), ("people", &people), ("usual", &usual)];
    let title: String = template::filled(&settings.title, &values).chars().take(LONGEST).collect();
    let shown = match settings.json {
        true => format!(
            "{{\"value\": {}, \"word\": {}, \"people\": {people}, \"usual\": {usual}, \"at\": {at}}}",
            json::quoted(&title),
            json::quoted(word),
        ),
        false => title.clone(),
    };
    outputs::show(call, &[(&settings.output, shown)]);
    if settings.clip {
        call.clip(title, settings.seconds);
    }
}
