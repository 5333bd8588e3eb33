//! What other projects look for, by the figures that they publish, over chat alone. Each takes the lines of a stream and says when it would have clipped.
//!
//! Sources: the projects' code and pages, as each function names them. What a project leaves open (a threshold) is tried in steps, and the step that does best on
//! the streams for tuning is taken.

use std::collections::{HashMap, VecDeque};

use crate::recorded::Told;

/// One second, in milliseconds.
const SECOND: u64 = 1_000;

/// A detector with its figures filled in.
pub(super) struct Detector {
    pub(super) name: &'static str,
    /// The figures that are tried. One: the project names them all.
    pub(super) steps: &'static [f64],
    pub(super) find: fn(&[Told], f64) -> Vec<u64>,
    /// Whether it looks at the whole stream at once, after it.
    pub(super) is_late: bool,
}

pub(super) const DETECTORS: [Detector; 7] = [
    Detector {
        name: "messages in 25 s against the last ten (twitch-interesting-fragments, 2017)",
        steps: &[4.0],
        find: fragments,
        is_late: false,
    },
    Detector {
        name: "an emote alone, in a leaky bucket (Lurk.Server, 2022)",
        steps: &[7.0],
        find: lurk,
        is_late: false,
    },
    Detector {
        name: "rate, words and floods of one emote (Clip_Automator, 2026)",
        steps: &[15.0],
        find: automator,
        is_late: false,
    },
    Detector {
        name: "slope of a moving average over 100 s (2018)",
        steps: &[0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0],
        find: slope,
        is_late: false,
    },
    Detector {
        name: "standard deviations above the mean (Highlight Reel)",
        steps: &[2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0],
        find: deviations,
        is_late: false,
    },
    Detector {
        name: "deviations from a weighted mean (EWMA bot)",
        steps: &[2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0],
        find: weighted,
        is_late: false,
    },
    Detector {
        name: "peaks of the smoothed rate, after the stream (scipy)",
        steps: &[2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 14.0],
        find: peaks,
        is_late: true,
    },
];

/// No second alarm within so long, where a project names no pause of its own.
const PAUSE: u64 = 60 * SECOND;

/// How many messages each bucket has, from the first line on.
fn buckets(chat: &[Told], long: u64) -> Vec<f64> {
    let Some(first) = chat.first().map(|told| told.at) else { return Vec::new() };
    let mut counts = Vec::new();
    for told in chat {
        let place = (told.at.saturating_sub(first) / long) as usize;
        if counts.len() <= place {
            counts.resize(place + 1, 0.0);
        }
        counts[place] += 1.0;
    }
    counts
}

/// The ends of buckets for which this holds, with a pause between two.
fn ends(chat: &[Told], long: u64, mut is_one: impl FnMut(&[f64], usize) -> bool) -> Vec<u64> {
    let counts = buckets(chat, long);
    let first = chat.first().map_or(0, |told| told.at);
    let mut found: Vec<u64> = Vec::new();
    for place in 0..counts.len() {
        let end = first + (place as u64 + 1) * long;
        let rests = found.last().is_some_and(|last| end < last + PAUSE);
        if is_one(&counts, place) && !rests {
            found.push(end);
        }
    }
    found
}

/// github.com/dimorinny/twitch-interesting-fragments: more than four times the mean of the last ten buckets; one of over twice the mean enters it by half. After an
/// alarm all is forgotten.
fn fragments(chat: &[Told], times: f64) -> Vec<u64> {
    let mut window: VecDeque<f64> = VecDeque::new();
    ends(chat, 25 * SECOND, |counts, place| {
        let count = counts[place];
        if window.len() < 10 {
            window.push_back(count);
            return false;
        }
        let mean = window.iter().sum::<f64>() / window.len() as f64;
        if count > times * mean {
            window.clear();
            return true;
        }
        window.pop_front();
        window.push_back(if count > 2.0 * mean { count / 2.0 } else { count });
        false
    })
}

/// github.com/GastonGit/Lurk.Server: each line that is one emote fills the emote's bucket by 500, which loses 100 every 3.7 s; seven at once are a spike. Ten minutes of rest.
fn lurk(chat: &[Told], spike: f64) -> Vec<u64> {
    let mut levels: HashMap<&str, (u64, f64)> = HashMap::new();
    let mut found: Vec<u64> = Vec::new();
    for told in chat {
        let [emote] = told.emotes.as_slice() else { continue };
        if told.text.trim() != emote.name {
            continue;
        }
        let (at, level) = levels.entry(&emote.name).or_insert((told.at, 0.0));
        let lost = told.at.saturating_sub(*at) as f64 / 3_700.0 * 100.0;
        (*at, *level) = (told.at, (*level - lost).max(0.0) + 500.0);
        let rests = found.last().is_some_and(|last| told.at < last + 600 * SECOND);
        if *level >= spike * 500.0 && !rests {
            levels.clear();
            found.push(told.at);
        }
    }
    found
}

/// What asks for a clip.
const WORDS: [&str; 8] = ["clip", "clip it", "clip that", "omg", "wtf", "no way", "lmao", "pog"];

/// github.com/Hudie96/Clip_Automator: 15 messages a second and two above what is usual, or eight lines with such words in ten seconds, or 15 times the same emote.
fn automator(chat: &[Told], rate: f64) -> Vec<u64> {
    let mut found: Vec<u64> = Vec::new();
    let mut usual = 0.0;
    for (place, told) in chat.iter().enumerate() {
        let since = |long: u64| {
            let begin = told.at.saturating_sub(long);
            chat[..=place].iter().rev().take_while(move |it| it.at >= begin)
        };
        let now = since(5 * SECOND).count() as f64 / 5.0;
        usual += (now - usual) * 0.005;
        let asking = since(10 * SECOND).filter(|it| {
            let text = it.text.to_lowercase();
            WORDS.iter().any(|word| text.contains(word))
        });
        let mut emotes: HashMap<&str, usize> = HashMap::new();
        for emote in since(10 * SECOND).flat_map(|it| &it.emotes) {
            *emotes.entry(&emote.name).or_default() += 1;
        }
        let flood = emotes.values().copied().max().unwrap_or(0);
        let is_one = (now >= rate && now > usual + 2.0) || asking.count() >= 8 || flood >= 15;
        let rests = found.last().is_some_and(|last| told.at < last + 60 * SECOND);
        if is_one && !rests {
            found.push(told.at);
        }
    }
    found
}

/// A moving average over 100 s of counts of 10 s, and how much it rises.
fn slope(chat: &[Told], least: f64) -> Vec<u64> {
    let mean = |counts: &[f64], end: usize| {
        let last = &counts[end.saturating_sub(9)..=end];
        last.iter().sum::<f64>() / last.len() as f64
    };
    ends(chat, 10 * SECOND, |counts, place| {
        place > 10 && mean(counts, place) - mean(counts, place - 1) > least
    })
}

/// So many standard deviations above the mean of the last ten minutes.
fn deviations(chat: &[Told], times: f64) -> Vec<u64> {
    ends(chat, 10 * SECOND, |counts, place| {
        if place < 30 {
            return false;
        }
        let past = &counts[place.saturating_sub(60)..place];
        let mean = past.iter().sum::<f64>() / past.len() as f64;
        let spread = past.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / past.len() as f64;
        counts[place] > mean + times * spread.sqrt().max(0.5)
    })
}

/// The same with a mean in which what is older weighs less.
fn weighted(chat: &[Told], times: f64) -> Vec<u64> {
    let (mut mean, mut spread) = (0.0, 0.0);
    ends(chat, 10 * SECOND, |counts, place| {
        let far: f64 = counts[place] - mean;
        let is_one = place >= 30 && far > times * f64::sqrt(spread).max(0.5);
        mean += 0.05 * far;
        spread = 0.95 * (spread + 0.05 * far * far);
        is_one
    })
}

/// The rate in steps of 10 s, smoothed over 50 s, and its peaks that stand out by so much from what is around them.
fn peaks(chat: &[Told], least: f64) -> Vec<u64> {
    let counts = buckets(chat, 10 * SECOND);
    let first = chat.first().map_or(0, |told| told.at);
    let smooth: Vec<f64> = (0..counts.len())
        .map(|place| {
            let around = &counts[place.saturating_sub(2)..(place + 3).min(counts.len())];
            around.iter().sum::<f64>() / around.len() as f64
        })
        .collect();
    let lowest = |mut places: Box<dyn Iterator<Item = usize>>, height: f64| {
        let mut low = height;
        while let Some(place) = places.next().filter(|place| smooth[*place] <= height) {
            low = low.min(smooth[place]);
        }
        low
    };
    let is_peak = |place: &usize| {
        let height = smooth[*place];
        let rises = *place == 0 || smooth[place - 1] < height;
        let falls = *place + 1 == smooth.len() || smooth[place + 1] <= height;
        let before = lowest(Box::new((0..*place).rev()), height);
        let after = lowest(Box::new(place + 1..smooth.len()), height);
        rises && falls && height - before.max(after) >= least
    };
    let places = (0..smooth.len()).filter(is_peak);
    places.map(|place| first + place as u64 * 10 * SECOND).collect()
}
