//! The chat around the story: the minutes before it, and the other channels, which have no rules and are only counted.

use std::iter::Peekable;
use std::time::{SystemTime, UNIX_EPOCH};

use heat_tests::chat::Generator;
use heat_tests::twitch::{Line, Pace, Server};

use super::CHANNEL;

/// The other channels.
pub(crate) const OTHERS: [&str; 2] = ["harbour", "lagoon"];

/// How much was said before the demo begins, in milliseconds: what a page shows at first.
const BEFORE: u64 = 300_000;

/// Two channels in which people talk.
pub(crate) struct Town(Vec<(&'static str, Peekable<Generator>)>);

impl Town {
    /// Tells what was said before, in all channels, and goes on from there. Nobody has faved anything yet.
    pub(crate) fn begin(chat: &Server) -> Self {
        let now = now();
        // Message ids come from the seed, and must be new in each run.
        let seed = now / 1000 * 10;
        for (number, channel) in (0..).zip([&[CHANNEL][..], &OTHERS].concat()) {
            let before = Generator::new(seed + number, channel).starting_at(now - BEFORE);
            let before = before.take_while(|line| time_of(line) < now).filter(is_talk);
            chat.replay(before.map(|line| line.to_string()), Pace::AsFastAsPossible);
        }
        let other = |(number, channel)| {
            let lines = Generator::new(seed + 5 + number, channel).starting_at(now).peekable();
            (channel, lines)
        };
        Self((0..).zip(OTHERS).map(other).collect())
    }

    /// Tells what is due by now in the other channels.
    pub(crate) fn go_on(&mut self, chat: &Server) {
        let now = now();
        for (channel, lines) in &mut self.0 {
            while let Some(line) = lines.next_if(|line| time_of(line) <= now) {
                if is_talk(&line) {
                    chat.send(channel, &line);
                }
            }
        }
    }
}

fn is_talk(line: &Line) -> bool {
    !line.to_string().contains("?fave")
}

fn time_of(line: &Line) -> u64 {
    line.get("tmi-sent-ts").parse().unwrap_or(0)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
