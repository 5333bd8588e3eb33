//! Replays of recorded chat, where there are recordings: the lines in order, with the times and the emotes of their tags.

use anyhow::{Result, ensure};
use heat_engine::Record;
use heat_engine::wit::{Emote, EmoteProvider, Happening};
use heat_tests::figures::{Figure, Samples};
use heat_tests::irc::Parts;
use heat_tests::recordings::Recordings;

use crate::progress;
use crate::replay::{CASES, from_nothing};
use crate::stage::{Stage, said};

/// So many lines have one case's replay take some seconds: a short recording is told again and again, later each time.
const LINES: usize = 100_000;

pub(crate) fn run(stage: &Stage<'_>) -> Result<()> {
    let Some(recordings) = Recordings::find("the replay of a recording") else { return Ok(()) };
    let mut largest = Vec::new();
    for name in recordings.irc_names()? {
        let lines = recordings.irc(&name)?;
        if lines.len() > largest.len() {
            largest = lines;
        }
    }
    let once: Vec<_> = largest.iter().filter_map(|line| told(line)).collect();
    ensure!(!once.is_empty(), "the longest recording has no chat line with a time");
    let records = again(&once, stage.setup.pick(LINES / 20, LINES));
    for case in &CASES {
        progress(&format!("a recording of {} lines with {}", once.len(), case.name()));
        let mut rates = Samples::default();
        for _ in 0..stage.setup.pick(1, 3) {
            let folder = tempfile::tempdir_in(&stage.setup.scratch)?;
            rates.push(from_nothing(stage, &folder.path().join("heat.redb"), case, &records)?);
        }
        let name =
            format!("replay of recorded chat with {}, what was live and a candidate", case.name());
        Figure::median("replay", &name, "/s", &rates)
            .target("≥ 50,000 /s", rates.median() >= 50_000.0)
            .print()?;
    }
    Ok(())
}

/// When a line was said, by whom, and what.
pub(crate) struct Told {
    pub(crate) at: u64,
    pub(crate) login: String,
    pub(crate) text: String,
    pub(crate) emotes: Vec<Emote>,
}

pub(crate) fn told(line: &[u8]) -> Option<Told> {
    let parts = Parts::of(line).filter(|parts| parts.command == b"PRIVMSG")?;
    let text = String::from_utf8_lossy(parts.text()?).into_owned();
    let at = parts.tag("tmi-sent-ts")?.parse().ok()?;
    let emotes = emotes(&parts.tag("emotes").unwrap_or_default(), &text);
    Some(Told { at, login: parts.login(), text, emotes })
}

/// `25:0-4,6-10/1902:12-16`, where ends are places of the last character.
fn emotes(tag: &str, text: &str) -> Vec<Emote> {
    let mut emotes = Vec::new();
    for (id, places) in tag.split('/').filter_map(|emote| emote.split_once(':')) {
        for (start, last) in places.split(',').filter_map(|place| place.split_once('-')) {
            let (Ok(start), Ok(last)) = (start.parse::<u32>(), last.parse::<u32>()) else {
                continue;
            };
            let (first, length) = (start as usize, (last + 1).saturating_sub(start) as usize);
            let name: String = text.chars().skip(first).take(length).collect();
            let (id, provider) = (id.to_owned(), EmoteProvider::Twitch);
            emotes.push(Emote { name, id, provider, start, end: last + 1 });
        }
    }
    emotes.sort_by_key(|emote| emote.start);
    emotes
}

/// The lines as records, from their beginning again as often as needed.
fn again(once: &[Told], count: usize) -> Vec<Record> {
    let (first, last) = (once[0].at, once[once.len() - 1].at);
    let length = last.saturating_sub(first) + 1000;
    let mut now = 0;
    (0..count)
        .map(|number| {
            let (told, round) = (&once[number % once.len()], number / once.len());
            now = now.max(told.at + round as u64 * length);
            let mut event = said(number as u64, 1, &told.text);
            event.at = now;
            if let Happening::Chat(line) = &mut event.what {
                line.person.id.clone_from(&told.login);
                line.person.login.clone_from(&told.login);
                line.person.name.clone_from(&told.login);
                line.emotes.clone_from(&told.emotes);
            }
            Record::Event { now, event: Box::new(event) }
        })
        .collect()
}
