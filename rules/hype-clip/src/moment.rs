//! A moment: it begins, and a little later, when more has been said about it, it is shown and clipped.

use heat_rule::{Call, Timestamp, json, outputs, state, template};

use crate::bucket::Bucket;
use crate::configured::Configured;
use crate::{BUCKET, HypeClip};

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
pub(crate) fn begin(call: &mut Call<HypeClip>, settings: &Configured, bucket: &Bucket) {
    let now = call.now();
    call.put(LAST, now);
    let usual = bucket.usual.people;
    if settings.delay == 0 {
        tell(call, settings, bucket, (now, (bucket.people, usual)));
    } else {
        call.put(WAITS, (now, (bucket.people, usual)));
        call.wake_at(TELL, now + settings.delay);
    }
}

/// Tells of the moment that has waited, with what was said and who came since.
pub(crate) fn tell_late(call: &mut Call<HypeClip>, settings: &Configured) {
    let waits: Option<(Timestamp, (u64, u64))> = state::get(WAITS);
    // A stream that started meanwhile has neither bucket nor moment.
    if let (Some((at, (people, usual))), Some(bucket)) = (waits, state::get::<Bucket>(BUCKET)) {
        let same = bucket.number == at / settings.bucket;
        let people = if same { bucket.people } else { people };
        tell(call, settings, &bucket, (at, (people, usual)));
    }
    call.delete(WAITS);
}

fn tell(
    call: &mut Call<HypeClip>,
    settings: &Configured,
    bucket: &Bucket,
    (at, (people, usual)): (Timestamp, (u64, u64)),
) {
    let word = bucket.words.most().unwrap_or(NO_WORD);
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
