//! Chat of several channels at once for the stage: recorded chat where there is some, and made-up chat where there is none. Most of it is past
//! when anybody looks, and the rest is told as it falls due. What is told is written to files, so that a test can count it by itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use heat_tests::chat::Generator;
use heat_tests::emotes::{Answer, Providers, seventv_user};
use heat_tests::irc::Parts;
use heat_tests::recordings::{Recordings, channels, lines_of_channel};
use heat_tests::twitch::{Pace, Server, room_id};

/// How many channels there are.
const CHANNELS: usize = 3;

/// What they are called where nobody has recordings.
const MADE_UP: [&str; CHANNELS] = ["harbour", "lagoon", "pier"];

/// How much of a recording is past when it begins.
const PAST: f64 = 0.4;

/// A recording is worth showing with so many messages within its last hour.
const ENOUGH: usize = 500;
const HOUR: u64 = 3_600_000;

/// So many words of each channel are emotes of 7TV.
const EMOTES: usize = 12;

/// A channel with its lines, by the time at which each is due.
pub(super) struct Channel {
    pub(super) name: String,
    room: String,
    lines: Vec<(u64, Vec<u8>)>,
    told: usize,
}

/// The channels that are played.
pub(super) struct Played {
    pub(super) channels: Vec<Channel>,
    folder: PathBuf,
}

impl Played {
    /// Chooses the channels, and moves what was said there to the present. What will be told stands in this folder.
    pub(super) fn choose(folder: &Path, now: u64) -> Result<Self> {
        let found = recorded()?.unwrap_or_else(made_up);
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to make {}", folder.display()))?;
        let mut channels = Vec::new();
        for (name, lines) in found {
            let channel = Channel::moved(name, &lines, now);
            let text = channel.lines.iter().map(|(_, line)| line.as_slice()).collect::<Vec<_>>();
            let file = folder.join(format!("{}.irc", channel.name));
            fs::write(&file, text.join(&b'\n'))
                .with_context(|| format!("failed to write {}", file.display()))?;
            channels.push(channel);
        }
        Ok(Self { channels, folder: folder.to_owned() })
    }

    /// Lets a server know the channels, and a provider emotes of theirs: words that people write there.
    pub(super) fn prepare(&self, chat: &Server, providers: &Providers) -> Result<()> {
        let mut told = serde_json::Map::new();
        for channel in &self.channels {
            chat.set_room_id(&channel.name, &channel.room);
            let words = channel.words();
            let ids: Vec<String> =
                (0..words.len()).map(|number| format!("{}{number}", channel.name)).collect();
            let emotes: Vec<(&str, &str)> =
                words.iter().map(String::as_str).zip(ids.iter().map(String::as_str)).collect();
            let set = seventv_user(&channel.room, &channel.name, "user", &emotes);
            let path = format!("/7tv/users/twitch/{}", channel.room);
            providers.answer(&path, Answer::Json(set));
            told.insert(channel.name.clone(), words.into());
        }
        let file = self.folder.join("7tv.json");
        fs::write(&file, serde_json::Value::from(told).to_string())
            .with_context(|| format!("failed to write {}", file.display()))
    }

    /// Tells what is due by now.
    pub(super) fn tell(&mut self, chat: &Server, now: u64) {
        for channel in &mut self.channels {
            let due = channel.lines.partition_point(|(at, _)| *at <= now);
            let news = channel.lines.get(channel.told..due).unwrap_or_default();
            chat.replay(news.iter().map(|(_, line)| line), Pace::AsFastAsPossible);
            channel.told = channel.told.max(due);
        }
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        // What other people have said is kept no longer than it is needed.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Channel {
    /// The lines as if so much of them had been said by now.
    fn moved(name: String, lines: &[Vec<u8>], now: u64) -> Self {
        let mut lines: Vec<(u64, &Vec<u8>)> =
            lines.iter().filter_map(|line| Some((time_of(line)?, line))).collect();
        lines.sort_by_key(|(at, _)| *at);
        let begin = lines.last().map_or(0, |(at, _)| at.saturating_sub(HOUR));
        lines.retain(|(at, _)| *at >= begin);
        let present = lines.get((lines.len() as f64 * PAST) as usize).map_or(0, |(at, _)| *at);
        // Minutes of faves at once would be a heat that nothing else is seen beside.
        let is_fave = |line: &[u8]| line.windows(5).any(|bytes| bytes == b"?fave");
        lines.retain(|(at, line)| *at >= present || !is_fave(line));
        let room = lines.iter().find_map(|(_, line)| Parts::of(line)?.tag("room-id"));
        let room = room.filter(|room| !room.is_empty()).unwrap_or_else(|| room_id(&name));
        let moved = |(at, line): &(u64, &Vec<u8>)| {
            let at = (at + now).saturating_sub(present);
            Some((at, with_time(line, at)?))
        };
        let lines = lines.iter().filter_map(moved).collect();
        Self { name, room, lines, told: 0 }
    }

    /// The words that most lines have and that look like emotes: `catJAM`.
    fn words(&self) -> Vec<String> {
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        for (_, line) in &self.lines {
            let text = Parts::of(line).and_then(|parts| parts.text().map(<[u8]>::to_vec));
            let text = String::from_utf8(text.unwrap_or_default()).unwrap_or_default();
            for word in text.split(' ').filter(|word| looks_like_emote(word)) {
                *uses.entry(word.to_owned()).or_default() += 1;
            }
        }
        let mut words: Vec<(String, usize)> = uses.into_iter().collect();
        words.sort_by_key(|(_, uses)| std::cmp::Reverse(*uses));
        words.into_iter().take(EMOTES).map(|(word, _)| word).collect()
    }
}

/// Small letters, and capital ones beyond the first.
fn looks_like_emote(word: &str) -> bool {
    word.len() > 2
        && word.bytes().all(|byte| byte.is_ascii_alphabetic())
        && word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
        && word.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Recorded channels that are busy enough, the busiest first.
fn recorded() -> Result<Option<Vec<(String, Vec<Vec<u8>>)>>> {
    let Some(recordings) = Recordings::find("the page on recorded chat") else { return Ok(None) };
    let mut found: Vec<(String, Vec<Vec<u8>>)> = Vec::new();
    for name in recordings.irc_names()? {
        let lines = recordings.irc(&name)?;
        let Some((channel, _)) = channels(&lines).into_iter().next() else { continue };
        let mine: Vec<Vec<u8>> =
            lines_of_channel(&lines, &channel).into_iter().map(<[u8]>::to_vec).collect();
        let last = mine.iter().filter_map(|line| time_of(line)).max().unwrap_or(0);
        let late =
            mine.iter().filter_map(|line| time_of(line)).filter(|at| at + HOUR >= last).count();
        if late >= ENOUGH && !found.iter().any(|(known, _)| *known == channel) {
            found.push((channel, mine));
        }
    }
    found.sort_by_key(|(_, lines)| std::cmp::Reverse(lines.len()));
    found.truncate(CHANNELS);
    anyhow::ensure!(
        found.len() == CHANNELS,
        "HEAT_RECORDINGS has fewer than {CHANNELS} busy channels"
    );
    Ok(Some(found))
}

/// Twenty minutes of talk in each channel.
fn made_up() -> Vec<(String, Vec<Vec<u8>>)> {
    let channel = |(seed, name): (u64, &str)| {
        let lines = Generator::new(seed, name).lines(5_000).into_iter().map(String::into_bytes);
        (name.to_owned(), lines.collect())
    };
    (30..).zip(MADE_UP).map(channel).collect()
}

fn time_of(line: &[u8]) -> Option<u64> {
    let parts = Parts::of(line).filter(|parts| parts.command == b"PRIVMSG")?;
    parts.tag("tmi-sent-ts")?.parse().ok()
}

/// The line with another time in its tags.
fn with_time(line: &[u8], at: u64) -> Option<Vec<u8>> {
    let tag = b"tmi-sent-ts=";
    let begin = line.windows(tag.len()).position(|bytes| bytes == tag)? + tag.len();
    let (before, rest) = line.split_at(begin);
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    Some([before, at.to_string().as_bytes(), &rest[digits..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_moved_and_stays_what_it_was_otherwise() {
        let line = b"@id=a;tmi-sent-ts=1000;user-id=1 :ann!a@a PRIVMSG #other :tmi-sent-ts=5 \xff";
        let moved = with_time(line, 77).unwrap();
        assert_eq!(
            moved,
            b"@id=a;tmi-sent-ts=77;user-id=1 :ann!a@a PRIVMSG #other :tmi-sent-ts=5 \xff"
        );
        assert_eq!(time_of(&moved), Some(77));
    }

    #[test]
    fn part_of_a_channel_is_past_and_the_rest_falls_due() {
        let lines = Generator::new(1, "pier").lines(1_000);
        let lines: Vec<Vec<u8>> = lines.into_iter().map(String::into_bytes).collect();
        let channel = Channel::moved("pier".to_owned(), &lines, 5 * HOUR);
        let (past, due): (Vec<_>, Vec<_>) = channel.lines.iter().partition(|it| it.0 < 5 * HOUR);
        let faves = |lines: &[&(u64, Vec<u8>)]| {
            let is_fave = |line: &Vec<u8>| String::from_utf8_lossy(line).contains("?fave");
            lines.iter().filter(|(_, line)| is_fave(line)).count()
        };
        assert_eq!((due.len(), faves(&past)), (600, 0));
        assert!(past.len() > 300 && faves(&due) > 10, "{} lines", past.len());
        assert!(channel.lines.is_sorted_by_key(|(at, _)| *at));
    }

    #[test]
    fn emotes_are_told_from_other_words() {
        for word in ["catJAM", "KEKW2", "LUL", "Hello", "OMEGALUL", "PogChamp"] {
            assert_eq!(looks_like_emote(word), ["catJAM", "PogChamp"].contains(&word), "{word}");
        }
    }
}
