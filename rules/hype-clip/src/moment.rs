//! A moment: it is shown at once, and clipped a little later.

use heat_rule::{Call, json, outputs, state, template};

use crate::HypeClip;
use crate::bucket::Bucket;
use crate::configured::Configured;

/// The key of the time of the last moment.
pub(crate) const LAST: &str = "last";

/// The key of the title of the clip that waits.
const TITLE: &str = "title";

/// The timer.
const CLIP: &str = "clip";

/// The longest title, in characters.
const LONGEST: usize = 100;

/// What stands for the word where nothing was said by several people.
const NO_WORD: &str = "chat";

/// Shows the moment, and asks for its clip.
pub(crate) fn begin(call: &mut Call<HypeClip>, settings: &Configured, bucket: &Bucket) {
    call.put(LAST, call.now());
    let word = bucket.words.most().unwrap_or(NO_WORD);
    let (people, usual) = (bucket.people.to_string(), bucket.usual.people.to_string());
    let values = [("word", word), ("people", &people), ("usual", &usual)];
    let title: String = template::filled(&settings.title, &values).chars().take(LONGEST).collect();
    let shown = match settings.json {
        true => format!(
            "{{\"value\": {}, \"word\": {}, \"people\": {people}, \"usual\": {usual}, \"at\": {}}}",
            json::quoted(&title),
            json::quoted(word),
            call.now()
        ),
        false => title.clone(),
    };
    outputs::show(call, &[(&settings.output, shown)]);
    if settings.clip {
        match settings.delay {
            0 => call.clip(title, settings.seconds),
            delay => {
                call.put(TITLE, title);
                call.wake_at(CLIP, call.now() + delay);
            }
        }
    }
}

/// Makes the clip that has waited.
pub(crate) fn clip_late(call: &mut Call<HypeClip>, settings: &Configured) {
    if let Some(title) = state::get::<String>(TITLE) {
        call.delete(TITLE);
        call.clip(title, settings.seconds);
    }
}
