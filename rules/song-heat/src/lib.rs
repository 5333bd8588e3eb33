//! `song-heat`: tells how many people have faved a song, to whoever asks for it by MQTT.
//!
//! Every title on `title_topic` is answered on `answer_topic`, as the original Heat Level did; a fave that comes on its own gives
//! an answer as well. The same is shown as an output, so that who comes late knows it too.

mod answer;

use heat_rule::{
    About, Call, Event, Fave, Formula, Happening, Interests, Kind, Level, MqttMessage, Settings,
    counts, formula, log, outputs, state, text,
};

use answer::Answer;

/// The key of the last event that was answered: the faves of that event are in its answer.
const ANSWERED: &str = "answered";

/// The key of the output's name, to take the old one back when the setting changes.
const OUTPUT: &str = "output";

/// The longest title that is answered, in bytes. Escaped it is six times as long at most, and a broker closes the connection of
/// whoever sends more than it takes, which for heatd's own one is 64 KiB.
const LONGEST_TITLE: usize = 8 << 10;

struct SongHeat;

impl Formula for SongHeat {
    fn about() -> About {
        About::new(
            "song-heat",
            env!("CARGO_PKG_VERSION"),
            "Answers each song title by MQTT with how many people have faved it.",
        )
        .text(
            "title_topic",
            "new-heat",
            200,
            "The MQTT topic whose messages are titles to be answered. Empty: only faves are told.",
        )
        .text(
            "answer_topic",
            "update-heat",
            200,
            "The MQTT topic of the answers: {\"name\": ..., \"faveCount\": ...}.",
        )
        .text(
            "output",
            "song-heat",
            64,
            "The name of the output that shows the last answer. Empty for none.",
        )
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        let (titles, answers) = (settings.text("title_topic"), settings.text("answer_topic"));
        if answers.is_empty() || answers.contains(['+', '#']) || answers == titles {
            return Err(format!(
                "`answer_topic` ({answers:?}) must be one topic, and another than `title_topic`"
            ));
        }
        outputs::check(&[&settings.text("output")])?;
        let interests = Interests::none().kind(Kind::Faves);
        Ok(if titles.is_empty() { interests } else { interests.topic(titles) })
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        match &event.what {
            Happening::Mqtt(message) => {
                call.put(ANSWERED, event.id.clone());
                answer_message(call, message);
            }
            Happening::Fave(fave) if is_news(event, fave) => tell(call, &fave.item),
            _ => {}
        }
        Ok(())
    }
}

/// Whether a fave has not been told by the answer to its own event. One of "this moment" is of no song.
fn is_news(event: &Event, fave: &Fave) -> bool {
    !fave.item.is_empty() && state::get::<String>(ANSWERED).as_deref() != Some(&event.id)
}

fn answer_message(call: &mut Call<SongHeat>, message: &MqttMessage) {
    let topic = &message.topic;
    match text::read(&message.payload) {
        Ok(title) if title.len() <= LONGEST_TITLE => tell(call, title),
        Ok(_) => {
            warn(&format!("no answer: the title on {topic} is longer than {LONGEST_TITLE} bytes"));
        }
        Err(problem) => warn(&format!("no answer: the message on {topic} {problem}")),
    }
}

fn warn(line: &str) {
    log(Level::Warn, line);
}

/// Publishes and shows how many people have faved the song.
fn tell(call: &mut Call<SongHeat>, song: &str) {
    let answer = Answer { song, people: people(song) };
    let settings = call.settings();
    call.publish_at_most_once(settings.text("answer_topic"), answer.in_ascii());
    show(call, &settings.text("output"), &answer.for_output());
}

/// Nobody can have faved what is no title, or too long for one.
fn people(song: &str) -> u32 {
    if song.is_empty() || !text::fits(song) { 0 } else { counts::of_item(song).people }
}

fn show(call: &mut Call<SongHeat>, output: &str, json: &str) {
    let before: String = state::get(OUTPUT).unwrap_or_default();
    if before != output {
        if !before.is_empty() {
            call.show(&before, "");
        }
        call.put(OUTPUT, output.to_owned());
    }
    if !output.is_empty() {
        call.show(output, json);
    }
}

formula!(SongHeat);
