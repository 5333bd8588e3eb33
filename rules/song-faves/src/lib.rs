//! `song-faves`: a `?fave` in chat becomes a fave of the song that is playing.
//!
//! Which song that is, another program says by MQTT, in one of two ways. A chat bot answers each `?fave` with the title, on
//! `title_topic`: then titles and commands are paired ([`pairing`]). Or a player says what it plays, on `song_topic`: then
//! the song is kept, and a `?fave` is one for it.

mod pairing;

use heat_rule::people::{is_listed, listed};
use heat_rule::{
    About, Call, Command, Event, Handler, Happening, Interests, Level, MqttMessage, ONE_FAVE,
    Person, Settings, handler, log, state, text,
};

/// The key of the song that is playing, in the way without a bot.
const SONG: &str = "song";

struct SongFaves;

impl Handler for SongFaves {
    fn about() -> About {
        About::new("song-faves", env!("CARGO_PKG_VERSION"), "Makes ?fave a fave of the song that is playing, with or without a bot that knows it.")
            .text("command", "?fave", 50, "The chat command, with its prefix. Empty for none but the aliases.")
            .texts("aliases", &[], "Other commands that mean the same.")
            .text("title_topic", "new-heat", 200, "The MQTT topic where a bot answers each command with the song's title. Empty if there is no bot.")
            .duration("window", 10_000, (1_000, 600_000), "How long a command waits for its title.")
            .duration("early", 2_000, (0, 60_000), "How much earlier than its command a title may arrive. \"0s\": it never does.")
            .text("song_topic", "", 200, "Instead of title_topic: the MQTT topic where a player says what it plays; an empty message for nothing.")
            .texts("excluded", &[], "Accounts whose faves are not counted, such as the streamer's own: logins or ids (\"id:123\").")
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        let command = settings.text("command");
        let commands: Vec<String> = settings
            .texts("aliases")
            .into_iter()
            .chain((!command.is_empty()).then_some(command))
            .collect();
        if commands.is_empty() {
            return Err("neither `command` nor `aliases` names a command".to_owned());
        }
        let topic = match (settings.text("title_topic"), settings.text("song_topic")) {
            (title, song) if title.is_empty() => song,
            (title, song) if song.is_empty() => title,
            (title, song) => {
                return Err(format!(
                    "`title_topic` ({title:?}) and `song_topic` ({song:?}) contradict each other; with a bot that answers each \
                     command clear song_topic = \"\", without one clear title_topic = \"\""
                ));
            }
        };
        if topic.is_empty() {
            return Err(
                "neither `title_topic` nor `song_topic` is set; one must say which song plays"
                    .to_owned(),
            );
        }
        Ok(commands.into_iter().fold(Interests::none().topic(topic), Interests::command))
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let with_bot = call.settings().text("song_topic").is_empty();
        match &event.what {
            Happening::Command(command) if with_bot => pairing::take_command(call, command),
            Happening::Command(command) => fave_the_song(call, command),
            Happening::Mqtt(message) if with_bot => pairing::take_title(call, message),
            Happening::Mqtt(message) => keep_the_song(call, message),
            Happening::Timer(name) => pairing::expire(call, name),
            _ => {}
        }
        Ok(())
    }
}

fn keep_the_song(call: &mut Call<SongFaves>, message: &MqttMessage) {
    match title(message) {
        Ok(title) => call.put(SONG, title.to_owned()),
        Err(problem) => {
            // A fave must not go to the song before, and not to a text that is no title.
            report(&format!("no song is known to play: {problem}"));
            call.delete(SONG);
        }
    }
}

fn fave_the_song(call: &mut Call<SongFaves>, command: &Command) {
    let person = &command.line.person;
    match state::get::<String>(SONG) {
        Some(song) => fave(call, person, &song),
        None => report(&format!(
            "{} of {} counts nothing: no song is known to play",
            command.name, person.login
        )),
    }
}

/// Asks for the fave, unless the person's are not counted.
fn fave(call: &mut Call<SongFaves>, person: &Person, song: &str) {
    if !is_listed(&listed(&call.settings(), "excluded"), person) {
        call.fave(person.clone(), song, ONE_FAVE);
    }
}

/// The title that a message says, or why it says none.
fn title(message: &MqttMessage) -> Result<&str, String> {
    let topic = &message.topic;
    match text::read(&message.payload) {
        Ok("") => Err(format!("the message on {topic} has no title")),
        Ok(title) if text::fits(title) => Ok(title),
        Ok(_) => {
            // Cut, two songs could become one.
            Err(format!("the title on {topic} is longer than {} characters", text::LONGEST))
        }
        Err(problem) => Err(format!("the message on {topic} {problem}")),
    }
}

fn report(line: &str) {
    log(Level::Info, line);
}

handler!(SongFaves);
