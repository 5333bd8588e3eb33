//! The moments that people have marked: tests/moments/moments.tsv, with times and reasons of our own. What was said is in the recordings alone.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use heat_tests::figures::Samples;

/// How long before the first reaction and after the last one an alarm still belongs to a moment, in milliseconds: a clip has some 85 s before it.
const BEFORE: u64 = 5_000;
const AFTER: u64 = 30_000;

/// What a stretch of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MarkKind {
    /// A moment that everybody reacts to.
    Large,
    /// A moment that is clear.
    Clear,
    /// Small, or doubtful. An alarm in it is neither right nor wrong.
    Small,
    /// Lively, and no moment: a raid, a poll, a greeting.
    Lively,
}

/// A stretch of a stream that somebody has marked.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// First and last reaction, in milliseconds since 1970.
    first: u64,
    last: u64,
    kind: MarkKind,
}

impl Mark {
    fn is_moment(&self) -> bool {
        matches!(self.kind, MarkKind::Large | MarkKind::Clear)
    }

    /// Whether an alarm belongs to it.
    fn is_at(&self, at: u64) -> bool {
        at + BEFORE >= self.first && at <= self.last + AFTER
    }
}

/// The marks of a stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Marked {
    pub(super) marks: Vec<Mark>,
    /// Nothing was tuned on it.
    pub(super) is_hidden: bool,
}

/// The streams by their names.
pub(super) fn read() -> Result<BTreeMap<String, Marked>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/moments/moments.tsv");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let mut streams: BTreeMap<String, Marked> = BTreeMap::new();
    for (place, line) in text.lines().enumerate().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [stream, set, kind, first, last, strength, _reason] = fields.as_slice() else {
            bail!("line {} of {} has not seven fields", place + 1, file.display());
        };
        let second = |text: &str| text.parse::<u64>().map(|second| second * 1_000);
        let kind = match (*kind, *strength) {
            ("moment", "3") => MarkKind::Large,
            ("moment", "2") => MarkKind::Clear,
            ("moment", "1") | ("doubtful", _) => MarkKind::Small,
            ("lively", _) => MarkKind::Lively,
            _ => bail!("line {}: {kind:?} is no kind of mark", place + 1),
        };
        let mark = Mark { first: second(first)?, last: second(last)?, kind };
        ensure!(mark.first <= mark.last, "line {}: it ends before it begins", place + 1);
        let marked = streams.entry((*stream).to_owned()).or_default();
        marked.is_hidden = *set == "hidden";
        marked.marks.push(mark);
    }
    Ok(streams)
}

/// How a detector did.
#[derive(Debug, Clone, Default)]
pub(super) struct Score {
    /// Moments, and how many of them were found; the large ones are among them.
    moments: usize,
    found: usize,
    large: usize,
    large_found: usize,
    alarms: usize,
    right: usize,
    wrong: usize,
    /// Of the wrong ones: in stretches that are marked as lively.
    fooled: usize,
    /// How long after the first reaction, in seconds.
    late: Samples,
    hours: f64,
}

impl Score {
    /// Of one stream of so many milliseconds.
    pub(super) fn of(marked: &Marked, alarms: &[u64], long: u64) -> Self {
        let mut score = Self { hours: long as f64 / 3_600_000.0, ..Self::default() };
        for mark in marked.marks.iter().filter(|mark| mark.is_moment()) {
            let first = alarms.iter().find(|at| mark.is_at(**at));
            let is_large = mark.kind == MarkKind::Large;
            score.moments += 1;
            score.large += usize::from(is_large);
            if let Some(at) = first {
                score.found += 1;
                score.large_found += usize::from(is_large);
                score.late.push((*at as f64 - mark.first as f64) / 1_000.0);
            }
        }
        for at in alarms {
            let there: Vec<&Mark> = marked.marks.iter().filter(|mark| mark.is_at(*at)).collect();
            let is_lively = there.iter().any(|mark| mark.kind == MarkKind::Lively);
            score.alarms += 1;
            if there.iter().any(|mark| mark.is_moment()) {
                score.right += 1;
            } else if !there.iter().any(|mark| mark.kind == MarkKind::Small) {
                score.wrong += 1;
                score.fooled += usize::from(is_lively);
            }
        }
        score
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.moments += other.moments;
        self.found += other.found;
        self.large += other.large;
        self.large_found += other.large_found;
        self.alarms += other.alarms;
        self.right += other.right;
        self.wrong += other.wrong;
        self.fooled += other.fooled;
        self.late.extend(&other.late);
        self.hours += other.hours;
    }

    /// The share of moments that were found, in percent.
    pub(super) fn recall(&self) -> f64 {
        percent(self.found, self.moments)
    }

    pub(super) fn large_recall(&self) -> f64 {
        percent(self.large_found, self.large)
    }

    /// The share of alarms that were right, of those that were right or wrong, in percent.
    pub(super) fn precision(&self) -> f64 {
        percent(self.right, self.right + self.wrong)
    }

    /// Both in one number: their harmonic mean.
    pub(super) fn both(&self) -> f64 {
        let (recall, precision) = (self.recall(), self.precision());
        if recall + precision == 0.0 {
            0.0
        } else {
            2.0 * recall * precision / (recall + precision)
        }
    }

    pub(super) fn wrong_an_hour(&self) -> f64 {
        self.wrong as f64 / self.hours.max(0.01)
    }

    pub(super) fn alarms_an_hour(&self) -> f64 {
        self.alarms as f64 / self.hours.max(0.01)
    }

    /// How long after the first reaction, in the middle of all, in seconds.
    pub(super) fn late(&self) -> f64 {
        self.late.median()
    }

    /// For the person who reads the bench.
    pub(super) fn words(&self) -> String {
        format!(
            "found {} of {} ({} of {} large ones); {} alarms ({:.1} an hour), {} right, {} wrong ({} of these in raids, polls and the like)",
            self.found,
            self.moments,
            self.large_found,
            self.large,
            self.alarms,
            self.alarms_an_hour(),
            self.right,
            self.wrong,
            self.fooled,
        )
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
