//! Whole recordings through twitch-irc's parser, heatd, mosquitto and heat-writer, against an independent count.

use anyhow::{Context, Result, ensure};
use heat_tests::chat::Generator;
use heat_tests::mosquitto::Mosquitto;
use heat_tests::recordings::{Judge, Recordings, channels, lines_of_channel};
use heat_tests::twitch::Pace;

use crate::town::{Broker, Town};

/// The channel of a recording with the most lines, and the word to count in it.
fn subject(lines: &[Vec<u8>]) -> Result<(String, String)> {
    let (channel, _) =
        channels(lines).into_iter().max_by_key(|(_, count)| *count).context("no channel")?;
    let (word, _) = Judge::of(&lines_of_channel(lines, &channel)).most_common_word();
    Ok((channel, word))
}

/// Sends the lines as fast as possible, and compares the number in the file with the expected one.
fn flow(lines: &[Vec<u8>], channel: &str, word: &str, expected: usize) -> Result<()> {
    let town = Town::new()?;
    let broker = Mosquitto::start()?;
    let file = town.path("heat.txt");
    let configuration = town.head(&[channel], &Broker::At(broker.port())) + &Town::rules(word)?;
    let mut heatd = town.heatd(&configuration)?;
    let mut writer = town.writer(broker.port(), &file, &[])?;
    town.wait_for_text(&file, "🔥 HEAT LEVEL RISING")?;
    town.chat.wait_joined(channel)?;
    let replayed = town.chat.replay(lines, Pace::AsFastAsPossible);
    ensure!(replayed.sent > 0, "nothing was sent");
    // The last line of all: when it has been counted, so have those before it.
    town.chat.say(channel, "the_last", "?fave");
    town.wait_for_text(&file, &format!("🔥 HEAT LEVEL: {}", expected + 1))?;
    ensure!(
        heatd.terminate()?.success(),
        "heatd ended with an error:\n{}",
        heatd.lines().join("\n")
    );
    ensure!(writer.terminate()?.success());
    Ok(())
}

#[test]
fn the_file_ends_with_the_count_of_every_chat_recording() -> Result<()> {
    let Some(recordings) = Recordings::find("the flow of recorded chat") else { return Ok(()) };
    for name in recordings.irc_names()? {
        let lines = recordings.irc(&name)?;
        let (channel, word) = subject(&lines)?;
        let lines: Vec<Vec<u8>> =
            lines_of_channel(&lines, &channel).into_iter().map(<[u8]>::to_vec).collect();
        let count = Judge::of(&lines).word(&word);
        let commands = Judge::of(&lines).word("?fave").messages;
        ensure!(commands == 0, "{name}: the recording has commands of its own");
        flow(&lines, &channel, &word, count.messages + count.without_id)
            .with_context(|| format!("{name}: {word:?} in #{channel}, {count:?}"))?;
    }
    Ok(())
}

#[test]
fn the_file_ends_with_the_count_of_a_whole_stream() -> Result<()> {
    let Some(recordings) = Recordings::find("the flow of a recorded stream") else { return Ok(()) };
    let names = recordings.vod_names()?;
    let name = names.first().context("no recorded streams")?;
    let streams = recordings.streams(name)?;
    let longest = streams.iter().max_by_key(|stream| stream.messages).context("no stream")?;
    let vod = recordings.vod(name, &longest.name)?;
    let most = vod.emotes.iter().max_by_key(|(_, count)| count.messages);
    let (emote, count) = most.context("the stream has no emote")?;
    // The fragments count emotes wherever they stand; the rule counts words, which emotes are.
    let words = Judge::of(&vod.lines).word(emote);
    ensure!(count.messages == words.messages, "{emote}: {count:?} as emote, {words:?} as word");
    flow(&vod.lines, &vod.channel, emote, count.messages)
        .with_context(|| format!("{name}: {emote:?}"))
}

#[test]
fn the_file_ends_with_the_count_of_generated_chat() -> Result<()> {
    let mut generator = Generator::new(2026, "seaside");
    let lines: Vec<Vec<u8>> = generator.lines(2_000).into_iter().map(String::into_bytes).collect();
    let faves = generator.expected().faves.len();
    ensure!(faves > 100, "the generated chat has too few faves to say anything: {faves}");
    flow(&lines, "seaside", "nobodysaysthis", faves)
}

#[test]
fn a_recording_at_its_own_pace_arrives_as_well() -> Result<()> {
    let mut generator = Generator::new(7, "seaside");
    let lines: Vec<Vec<u8>> = generator.lines(60).into_iter().map(String::into_bytes).collect();
    let faves = generator.expected().faves.len();
    let town = Town::new()?;
    let file = town.path("heat.txt");
    let configuration =
        town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &Town::rules("nothing")?;
    let _heatd = town.heatd(&configuration)?;
    let _writer = town.writer(town.mqtt, &file, &[])?;
    town.chat.wait_joined("seaside")?;
    town.chat.replay(&lines, Pace::Times(10.0));
    town.wait_for_text(&file, &format!("🔥 HEAT LEVEL: {faves}"))
}
