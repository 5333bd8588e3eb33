//! The chat of many channels: each tells a recording, or made-up chat, again and again, with ids of its own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Options, Speed};
use crate::chat::Generator;
use crate::irc::Parts;
use crate::recordings::Recordings;
use crate::twitch::{Pace, Server};

/// Recordings that go on for longer are one person's lines of weeks, and no chat.
const LONGEST: Duration = Duration::from_secs(7200);

/// Fewer lines are no chat either.
const LEAST_LINES: usize = 100;

/// What was sent, and heard by heatd.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sent {
    pub lines: u64,
    pub faves: u64,
    /// Those of the first channel.
    pub(super) faves_of_first: u64,
    /// How late the last line was: more than a moment means that the lines were sent slower than they should be.
    pub late: Duration,
}

/// A line without what changes each time it is told.
struct Template {
    /// When it is told, from the beginning of the recording.
    at: Duration,
    /// Tags but for id and time.
    tags: String,
    prefix: String,
    text: String,
}

/// A chat with its length.
struct Source {
    lines: Vec<Template>,
    length: Duration,
}

/// All channels.
pub(super) struct Talk {
    sources: Vec<Source>,
    channels: usize,
    speed: f64,
    faves_in_hundred: u64,
    sent: Sent,
}

/// The name of a channel.
pub(super) fn channel(number: usize) -> String {
    format!("channel{number}")
}

impl Talk {
    /// Also says what chat it is.
    pub(super) fn new(options: &Options) -> Result<(Self, &'static str)> {
        let recorded = match Recordings::find("a soak with recorded chat") {
            Some(recordings) => recorded(&recordings)?,
            None => Vec::new(),
        };
        let (sources, chat) = match recorded.is_empty() {
            false => (recorded, "recorded chat"),
            true => (vec![generated()], "made-up chat"),
        };
        let mut talk = Self {
            sources,
            channels: options.channels,
            speed: 1.0,
            faves_in_hundred: options.faves,
            sent: Sent::default(),
        };
        talk.speed = match options.speed {
            Speed::Times(speed) => speed,
            Speed::Lines(lines) => lines / talk.pace(),
        };
        Ok((talk, chat))
    }

    /// Lines a second in all channels together.
    pub(super) fn pace(&self) -> f64 {
        let pace = |source: &Source| source.lines.len() as f64 / source.length.as_secs_f64();
        self.speed * (0..self.channels).map(|number| pace(self.source(number))).sum::<f64>()
    }

    fn source(&self, channel: usize) -> &Source {
        &self.sources[channel % self.sources.len()]
    }

    /// Talks for so long. An error when a line was not heard.
    pub(super) fn run(&mut self, server: &Server, time: Duration) -> Result<Sent> {
        let start = Instant::now();
        // When the next line of each channel is due, and how often its recording was told; channels do not all begin at once.
        let mut due = BinaryHeap::new();
        for channel in 0..self.channels {
            let count = self.source(channel).lines.len();
            due.push(Reverse((Duration::ZERO, channel, channel * count / self.channels)));
        }
        while let Some(Reverse((at, channel, place))) = due.pop() {
            if at >= time {
                break;
            }
            thread::sleep((start + at).saturating_duration_since(Instant::now()));
            self.say(server, channel, place)?;
            self.sent.late = start.elapsed().saturating_sub(at);
            if start.elapsed() >= time {
                break;
            }
            let source = self.source(channel);
            let next = (place + 1) % source.lines.len();
            let pause = match next {
                // The recording begins again after a pause of its usual length.
                0 => source.length / source.lines.len() as u32,
                _ => source.lines[next].at.saturating_sub(source.lines[place].at),
            };
            due.push(Reverse((at + pause.div_f64(self.speed), channel, next)));
        }
        Ok(self.sent)
    }

    fn say(&mut self, server: &Server, number: usize, place: usize) -> Result<()> {
        let is_fave = self.sent.lines % 100 < self.faves_in_hundred;
        let Template { tags, prefix, text, .. } = &self.source(number).lines[place];
        let id = id(self.sent.lines);
        let item = self.sent.lines / 100 % 20;
        let fave = format!("?fave song {item}");
        let text = if is_fave { &fave } else { text };
        // Ranges of emotes belong to the recorded text; where they do not fit they are left out, as Twitch's sometimes do not.
        let line = format!(
            "@id={id};tmi-sent-ts={};{tags} :{prefix} PRIVMSG #{} :{text}",
            now(),
            channel(number)
        );
        let heard = server.replay([line], Pace::AsFastAsPossible);
        ensure!(heard.sent == 1, "heatd has left the channel {}", channel(number));
        self.sent.lines += 1;
        self.sent.faves += u64::from(is_fave);
        self.sent.faves_of_first += u64::from(is_fave && number == 0);
        Ok(())
    }
}

/// As long as Twitch's ids, and as hard to compress: what is written to the disk depends on it.
fn id(number: u64) -> String {
    let mix = |seed: u64| {
        let mut mixed =
            seed.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let (high, low) = (mix(number), mix(number ^ u64::MAX));
    let digits = format!("{high:016x}{low:016x}");
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

fn now() -> u128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis())
}

/// The recordings that are chat of one channel.
fn recorded(recordings: &Recordings) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for name in recordings.irc_names()? {
        let lines = recordings.irc(&name)?;
        let source = source(lines.iter().map(Vec::as_slice));
        sources.extend(source.filter(|source| source.length <= LONGEST));
    }
    Ok(sources)
}

fn generated() -> Source {
    let lines = Generator::new(1, "seaside").lines(2_000);
    let source = source(lines.iter().map(String::as_bytes));
    source.expect("the made-up chat has lines")
}

/// The chat of these lines, without those that would be faves; none when they are no chat.
fn source<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Source> {
    let mut lines: Vec<Template> = lines.filter_map(template).collect();
    let first = lines.iter().map(|line| line.at).min()?;
    lines.iter_mut().for_each(|line| line.at -= first);
    lines.sort_by_key(|line| line.at);
    let length = lines.last()?.at;
    (lines.len() >= LEAST_LINES && !length.is_zero()).then_some(Source { lines, length })
}

fn template(line: &[u8]) -> Option<Template> {
    let parts = Parts::of(line).filter(|parts| parts.command == b"PRIVMSG")?;
    let at = Duration::from_millis(parts.tag("tmi-sent-ts")?.parse().ok()?);
    let tags = std::str::from_utf8(parts.tags).ok()?.split(';').filter(|tag| {
        !["id=", "tmi-sent-ts=", "source-", "bits="].iter().any(|name| tag.starts_with(name))
    });
    let text = std::str::from_utf8(parts.text()?).ok()?.to_owned();
    let prefix = std::str::from_utf8(parts.prefix).ok()?.to_owned();
    let is_command = text.contains('?') || text.is_empty();
    (!is_command).then(|| Template { at, tags: tags.collect::<Vec<_>>().join(";"), prefix, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_an_id_of_its_own() {
        let ids: std::collections::HashSet<String> = (0..10_000).map(id).collect();
        assert!(ids.len() == 10_000 && ids.iter().all(|id| id.len() == 36));
    }

    #[test]
    fn a_chat_begins_at_nothing_and_has_no_commands_and_no_ids() {
        let lines = Generator::new(3, "pie").lines(500);
        let source = source(lines.iter().map(String::as_bytes)).expect("a chat");
        assert!(source.lines.len() > LEAST_LINES && source.lines[0].at.is_zero());
        for line in &source.lines {
            assert!(!line.text.contains("?fave") && !line.tags.contains(";id="), "{}", line.text);
        }
        assert!(super::source(lines[..20].iter().map(String::as_bytes)).is_none());
    }
}
