//! Who finds the moments that stood out: detectors of other projects and `hype-clip`, on recorded streams in which people have marked moments.
//!
//! A third of the streams is hidden: nothing is tuned on them, and only they are in the figures. `truth` has the marks and the score, `peers` what others look for.

mod peers;
mod truth;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use heat_engine::wit::{Effect, Happening};
use heat_engine::{Decision, Engine, Given, Rule};
use heat_tests::figures::Figure;
use heat_tests::recordings::Recordings;

use crate::recorded::{Told, told};
use crate::stage::{START, Stage, said};
use crate::{Setup, progress};
use peers::{DETECTORS, Detector};
use truth::{Marked, Score};

/// The rule as it is, and with other settings, to see what each of them is worth.
fn variants() -> [(&'static str, Vec<(&'static str, Given)>); 4] {
    let nothing = || Given::List(Vec::new());
    [
        ("hype-clip", Vec::new()),
        (
            "hype-clip, where everybody counts as one",
            vec![("clips", nothing()), ("laughs", nothing()), ("asides", nothing())],
        ),
        ("hype-clip, sensitivity 5", vec![("sensitivity", Given::Float(5.0))]),
        ("hype-clip, cooldown 5m", vec![("cooldown", Given::Text("5m".to_owned()))]),
    ]
}

/// A stream, and what is marked in it.
struct Evening {
    chat: Vec<Told>,
    marked: Marked,
}

impl Evening {
    fn long(&self) -> u64 {
        let at = |told: Option<&Told>| told.map_or(0, |told| told.at);
        at(self.chat.last()).saturating_sub(at(self.chat.first()))
    }
}

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let Some(recordings) = Recordings::find("the comparison of who finds moments") else {
        return Ok(());
    };
    let evenings = evenings(&recordings, setup)?;
    for detector in &DETECTORS {
        let step = best(detector, &evenings);
        tell(detector.name, detector.is_late, &evenings, |evening| {
            Ok((detector.find)(&evening.chat, step))
        })?;
    }
    let stage = Stage::new(setup)?;
    let component = stage.component(&stage.bytes("hype-clip")?)?;
    for (name, settings) in variants() {
        // As JSON it has its time, so that two of one title are two.
        let mut given = vec![
            ("clip", Given::Boolean(false)),
            ("delay", Given::Text("0s".to_owned())),
            ("format", Given::Text("json".to_owned())),
        ];
        given.extend(settings);
        let given: Vec<_> = given.into_iter().map(|(name, it)| (name.to_owned(), it)).collect();
        let rule = stage.given(&component, &given)?;
        tell(name, false, &evenings, |evening| ours(&stage, &rule, evening))?;
    }
    Ok(())
}

/// The marked streams; of a quick run two.
fn evenings(recordings: &Recordings, setup: &Setup) -> Result<Vec<Evening>> {
    let marked: BTreeMap<String, Marked> = truth::read()?;
    let mut evenings = Vec::new();
    for name in recordings.vod_names()? {
        for stream in recordings.streams(&name)? {
            let Some(marked) = marked.get(&stream.name) else { continue };
            progress(&format!("{} with {} messages", stream.name, stream.messages));
            let vod = recordings.vod(&name, &stream.name)?;
            let mut chat: Vec<Told> = vod.lines.iter().filter_map(|line| told(line)).collect();
            chat.sort_by_key(|told| told.at);
            evenings.push(Evening { chat, marked: marked.clone() });
        }
    }
    evenings.sort_by_key(|evening| evening.marked.is_hidden);
    if setup.quick {
        evenings = vec![evenings.swap_remove(0), evenings.pop().context("no stream is marked")?];
    }
    Ok(evenings)
}

/// The step with which a detector does best on the streams for tuning.
fn best(detector: &Detector, evenings: &[Evening]) -> f64 {
    let score = |step: f64| {
        let mut score = Score::default();
        for evening in evenings.iter().filter(|it| !it.marked.is_hidden) {
            let alarms = (detector.find)(&evening.chat, step);
            score.add(&Score::of(&evening.marked, &alarms, evening.long()));
        }
        score.both()
    };
    let better = |one: &&f64, other: &&f64| score(**one).total_cmp(&score(**other));
    detector.steps.iter().max_by(better).copied().unwrap_or_default()
}

/// Prints how a detector did.
fn tell(
    name: &str,
    is_late: bool,
    evenings: &[Evening],
    find: impl Fn(&Evening) -> Result<Vec<u64>>,
) -> Result<()> {
    let (mut tuned, mut hidden) = (Score::default(), Score::default());
    for evening in evenings {
        let score = Score::of(&evening.marked, &find(evening)?, evening.long());
        if evening.marked.is_hidden { hidden.add(&score) } else { tuned.add(&score) }
    }
    progress(&format!("{name}: streams for tuning: {:.0} %, {}", tuned.both(), tuned.words()));
    progress(&format!("{name}: hidden streams: {:.0} %, {}", hidden.both(), hidden.words()));
    let print = |what: &str, unit: &str, value: f64| {
        Figure::new("moments", &format!("{name}: {what}"), unit, value).print()
    };
    print("moments found", "%", hidden.recall())?;
    print("large moments found", "%", hidden.large_recall())?;
    print("alarms that are right", "%", hidden.precision())?;
    print("wrong alarms", "/h", hidden.wrong_an_hour())?;
    if !is_late {
        print("behind the first reaction, median", "s", hidden.late())?;
    }
    Ok(())
}

/// When the rule shows a moment. The engine has the stream begin when its own time begins, for that never runs backwards.
fn ours(stage: &Stage<'_>, rule: &Rule, evening: &Evening) -> Result<Vec<u64>> {
    let folder = tempfile::tempdir_in(&stage.setup.scratch)?;
    let mut engine = stage.engine(&folder.path().join("heat.redb"), &[("clips", rule.clone())])?;
    let first = evening.chat.first().map_or(0, |told| told.at);
    let mut alarms = Vec::new();
    for (number, line) in evening.chat.iter().enumerate() {
        let now = START + (line.at - first);
        fire(&mut engine, now, &mut alarms)?;
        let mut event = said(number as u64, 1, &line.text);
        event.at = now;
        if let Happening::Chat(chat) = &mut event.what {
            chat.person.id.clone_from(&line.login);
            chat.person.login.clone_from(&line.login);
            chat.emotes.clone_from(&line.emotes);
        }
        let decision = engine.handle(now, event)?;
        note(&decision, now, &mut alarms);
        if number % 1_000 == 999 {
            engine.commit()?;
        }
    }
    Ok(alarms.into_iter().map(|at| first + (at - START)).collect())
}

fn fire(engine: &mut Engine, now: u64, alarms: &mut Vec<u64>) -> Result<()> {
    while let Some(at) = engine.next_wake().filter(|at| *at <= now) {
        for decision in engine.fire(at)? {
            note(&decision, at, alarms);
        }
    }
    Ok(())
}

fn note(decision: &Decision, at: u64, alarms: &mut Vec<u64>) {
    let effects = decision.answers.iter().flat_map(|answer| answer.outcome.iter().flatten());
    let is_one = |effect: &Effect| matches!(effect, Effect::Show(it) if it.name == "moment" && !it.text.is_empty());
    if effects.into_iter().any(is_one) {
        alarms.push(at);
    }
}
