//! `?fave`: a chat command, a word or emote in chat, or an MQTT message becomes a fave.

use heat_rule::{
    About, Call, ChatLine, Command, Event, Handler, Happening, Interests, MqttMessage, ONE_FAVE,
    Person, Settings, handler,
};

/// The longest item, in characters. Twitch's lines have 500, but an item is a name.
const LONGEST_ITEM: usize = 200;

struct FaveRule;

impl Handler for FaveRule {
    fn about() -> About {
        About::new("fave", env!("CARGO_PKG_VERSION"), "Counts ?fave commands, words and emotes in chat, and MQTT messages.")
            .text("command", "?fave", 50, "The chat command, with its prefix. Empty for none.")
            .texts("aliases", &[], "Other commands that mean the same.")
            .texts("words", &[], "Words or emotes, each of which is a fave when it stands in a chat line. One fave a line.")
            .texts("topics", &[], "MQTT topics of which each message is a fave; its text is the item.")
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        let command = settings.text("command");
        let mut interests = Interests::none();
        for command in
            settings.texts("aliases").into_iter().chain((!command.is_empty()).then_some(command))
        {
            interests = interests.command(command);
        }
        for word in settings.texts("words") {
            interests = interests.word(word);
        }
        for topic in settings.texts("topics") {
            interests = interests.topic(topic);
        }
        Ok(interests)
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        match &event.what {
            Happening::Command(command) => on_command(call, command),
            Happening::Chat(line) => on_line(call, line),
            Happening::Mqtt(message) => on_message(call, message)?,
            _ => {}
        }
        Ok(())
    }
}

fn on_command(call: &mut Call<FaveRule>, command: &Command) {
    call.fave_of(&command.line, item(&command.arguments), ONE_FAVE);
}

/// Counts the first of the words that the line has.
fn on_line(call: &mut Call<FaveRule>, line: &ChatLine) {
    let words = call.settings().texts("words");
    if let Some(word) = line.text.split(' ').find(|word| words.iter().any(|wanted| wanted == word))
    {
        call.fave_of(line, word, ONE_FAVE);
    }
}

/// Counts a message. A retained one is left out: it was sent before, and counting it again at every start would be wrong.
fn on_message(call: &mut Call<FaveRule>, message: &MqttMessage) -> Result<(), String> {
    if message.retained {
        return Ok(());
    }
    let text = std::str::from_utf8(&message.payload)
        .map_err(|error| format!("{} is not UTF-8: {error}", message.topic))?;
    let sender =
        Person { id: "mqtt".to_owned(), login: "mqtt".to_owned(), name: "MQTT".to_owned() };
    call.fave(sender, item(text), ONE_FAVE);
    Ok(())
}

/// The name of an item: one line, trimmed, cut at a length.
fn item(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|character| !character.is_control()).take(LONGEST_ITEM).collect()
}

handler!(FaveRule);
