//! Replays a stretch of the log, or a recording, once as it was and once with another rule, and returns both curves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use heat_engine::{
    AddedSlot, Changes, Decision, Library, Record, Rule, Run, RunError, Seed, Snapshot, StoreError,
};

use super::answers::{CurveValue, ReplayAnswer, weight};
use super::clashes;
use super::error::Error;
use super::follow::spawn_low_priority;
use super::handle::{Control, Present};
use super::outputs::must_be_there;
use super::progress::Progress;
use super::request::{DeployRequest, RuleSource};
use crate::chat::Recording;

/// How many points a curve has at most.
const POINTS: usize = 400;

/// How many records one part has that the two runs take turns with.
const PART: usize = 2_000;

/// What is replayed.
pub(crate) struct Replayed {
    pub(crate) rule: DeployRequest,
    /// Milliseconds since 1970.
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// The output whose curve is drawn.
    pub(crate) output: String,
    /// Raw lines of chat in the place of the log.
    pub(crate) recording: Option<Vec<u8>>,
}

impl Control {
    /// Replays, and returns the last line of the answer.
    pub(crate) fn replay(
        &self,
        wanted: Replayed,
        progress: &Progress,
    ) -> Result<ReplayAnswer, Error> {
        let Present { snapshot, rules } = self.present(&wanted.rule.channel)?;
        let rule = self.candidate(&wanted.rule, &rules, progress)?;
        let stretch = match wanted.recording {
            Some(ref lines) => ReplayInput::recorded(&wanted, lines, &rules)?,
            None => ReplayInput::logged(&wanted, &snapshot)?,
        };
        let (answer, done) = sync_channel(1);
        let (live, progress) = (self.clone(), progress.clone());
        // On a thread with low priority, so that the engine comes first.
        spawn_low_priority("replay", move || {
            // The caller waits for it.
            let _ = answer.send(live.play(&wanted, stretch, rule, snapshot, &rules, &progress));
        })
        .map_err(Error::failed)?;
        done.recv()
            .map_err(|_| Error::failed("the replay ended without a result; heatd's log says why"))?
    }

    /// The rule to try: in the place of the one in its slot, or in a slot that the channel does not have, after all others.
    fn candidate(
        &self,
        wanted: &DeployRequest,
        rules: &[(String, Rule)],
        progress: &Progress,
    ) -> Result<Rule, Error> {
        let (channel, slot) = (wanted.channel.clone(), wanted.slot.clone());
        let added = AddedSlot { after: None };
        let is_new = self.on_engine_thread("replay.look", move |access| {
            Ok(access.engine.may_add_slot(&channel, &slot, &added).is_ok())
        })?;
        if is_new && let RuleSource::Component(bytes, settings) = &wanted.source {
            let rule = self.new_rule(&wanted.channel, bytes, settings, progress)?;
            clashes::refuse(rules, &wanted.slot, &rule)?;
            return Ok(rule);
        }
        let (channel, slot) = (wanted.channel.clone(), wanted.slot.clone());
        let begun =
            self.change("replay.look", move |access| access.engine.inspect(&channel, &slot))?;
        let rule = self.rule(wanted, &begun, progress)?;
        begun.fits(&rule).map_err(Error::because)?;
        Ok(rule)
    }

    fn play(
        &self,
        wanted: &Replayed,
        stretch: ReplayInput,
        rule: Rule,
        snapshot: Arc<Snapshot>,
        rules: &[(String, Rule)],
        progress: &Progress,
    ) -> Result<ReplayAnswer, Error> {
        let started = Instant::now();
        let ReplayInput { seed, total, from, to } = stretch;
        let mut records = records(wanted, &seed, &snapshot)?;
        let library = || Library::new(&self.sandbox, Arc::clone(&snapshot), rules);
        let changed =
            Changes { rule: Some((wanted.rule.slot.clone(), rule)), ..Changes::default() };
        let side = |seed, changes| -> Result<Side, RunError> {
            Ok(Side::new(Run::begin(seed, library(), changes)?, wanted, (from, to)))
        };
        let mut live = side(seed.clone(), Changes::default())?;
        let mut candidate = side(seed, changed)?;
        let mut done = 0;
        loop {
            let part: Vec<Record> = records.by_ref().take(PART).collect::<Result<_, _>>()?;
            if part.is_empty() {
                break;
            }
            // In parallel, if the machine has two processors to spare.
            std::thread::scope(|scope| {
                let one = scope.spawn(|| live.follow(&part));
                candidate.follow(&part)?;
                one.join().unwrap_or(Ok(()))
            })?;
            done += part.len();
            progress.part("replay", done as u64, total as u64);
        }
        live.pass()?;
        candidate.pass()?;
        // Only now: a candidate may show what nobody has shown before.
        if live.points.is_empty() && candidate.points.is_empty() {
            must_be_there(&wanted.output, &snapshot, &wanted.rule.channel, rules)?;
        }
        let events = candidate.events;
        let seconds = started.elapsed().as_secs_f64();
        let per_second = (events as f64 / seconds.max(1e-9)).round();
        let message = format!("{events} events in {seconds:.1} s, {per_second} a second");
        Ok(ReplayAnswer {
            message,
            events,
            elapsed_ms: (seconds * 1000.0).round(),
            events_per_second: per_second,
            faults: candidate.faults,
            from,
            to,
            output: wanted.output.clone(),
            live: live.curve(),
            candidate: candidate.curve(),
            live_faves: weight(live.weight),
            candidate_faves: weight(candidate.weight),
        })
    }
}

/// The records to play, of the recording or of the log. They are read as they are played: all at once they may be more than there is memory.
fn records<'a>(
    wanted: &'a Replayed,
    seed: &Seed,
    snapshot: &Snapshot,
) -> Result<Box<dyn Iterator<Item = Result<Record, StoreError>> + 'a>, Error> {
    Ok(match &wanted.recording {
        Some(lines) => Box::new(Recording::read(lines, &wanted.rule.channel).map(Ok)),
        None => {
            let is_in = |record: &Record| record.at() <= wanted.to;
            Box::new(seed.log(snapshot)?.filter(move |it| it.as_ref().map_or(true, is_in)))
        }
    })
}

/// Where both runs begin, and how much they follow.
struct ReplayInput {
    seed: Seed,
    /// How many records there are.
    total: usize,
    from: u64,
    to: u64,
}

impl ReplayInput {
    fn logged(wanted: &Replayed, snapshot: &Snapshot) -> Result<Self, Error> {
        let (oldest, newest) = (snapshot.oldest()?, snapshot.newest()?);
        let Some(oldest) = oldest.filter(|oldest| wanted.to >= *oldest && wanted.from <= newest)
        else {
            return Err(Error::because(format!(
                "nothing is stored of that time; the log goes from {} to {newest} (milliseconds since 1970)",
                oldest.unwrap_or(newest)
            )));
        };
        let from = wanted.from.max(oldest);
        let first = snapshot.first_checkpoint(&wanted.rule.channel)?;
        // There is no checkpoint before that time: begin at the start of the log, with an empty state.
        let at = from.max(first.unwrap_or(from));
        let mut total = 0;
        let tell = |record: Record| total += usize::from(record.at() <= wanted.to);
        let seed = Seed::checkpoint_with_log(snapshot, &wanted.rule.channel, at, tell)?;
        let seed = seed.ok_or_else(|| {
            Error::because("the log of that time has no checkpoint to begin from")
        })?;
        let from = from.max(seed.at());
        Ok(Self { seed, total, from, to: wanted.to.min(newest) })
    }

    fn recorded(wanted: &Replayed, lines: &[u8], rules: &[(String, Rule)]) -> Result<Self, Error> {
        let mut times = Recording::read(lines, &wanted.rule.channel).map(|record| record.at());
        let Some(from) = times.next() else {
            return Err(Error::because("the recording has no line of chat of this channel"));
        };
        let (total, to) = times.fold((1, from), |(total, _), at| (total + 1, at));
        let seed = Seed::empty(&wanted.rule.channel, rules, from);
        Ok(Self { seed, total, from, to })
    }
}

/// One of the two runs, and its curve.
struct Side {
    run: Run,
    output: String,
    from: u64,
    to: u64,
    /// For each part of the time: the last text, and when it was shown.
    points: BTreeMap<u64, (u64, String)>,
    events: u64,
    faults: u64,
    weight: i64,
}

impl Side {
    fn new(run: Run, wanted: &Replayed, (from, to): (u64, u64)) -> Self {
        let output = wanted.output.clone();
        Self { run, output, from, to, points: BTreeMap::new(), events: 0, faults: 0, weight: 0 }
    }

    fn follow(&mut self, records: &[Record]) -> Result<(), RunError> {
        for record in records {
            let decisions = self.run.follow(record)?;
            let counts = record.at() >= self.from;
            self.events += u64::from(counts && matches!(record, Record::Event { .. }));
            self.note(&decisions, record.at(), counts);
        }
        Ok(())
    }

    fn pass(&mut self) -> Result<(), RunError> {
        let decisions = self.run.advance_to(self.to)?;
        self.note(&decisions, self.to, true);
        Ok(())
    }

    fn note(&mut self, decisions: &[Decision], at: u64, counts: bool) {
        if decisions.is_empty() {
            return;
        }
        for decision in decisions.iter().filter(|_| counts) {
            self.weight += decision.faves.iter().map(|fave| fave.weight).sum::<i64>();
            let faults = decision.answers.iter().filter(|answer| answer.outcome.is_err()).count();
            self.faults += faults as u64;
        }
        if let Some(text) = self.run.text_of(&self.output) {
            let width = (self.to.saturating_sub(self.from) / POINTS as u64).max(1);
            let at = at.clamp(self.from, self.to);
            let (last, shown) = self.points.entry((at - self.from) / width).or_default();
            *last = at;
            if shown != text {
                text.clone_into(shown);
            }
        }
    }

    /// Thins the curve out to the last text of each part of the time.
    fn curve(&self) -> Vec<(u64, CurveValue)> {
        let value = |text: &String| {
            text.parse().map_or_else(|_| CurveValue::Text(text.clone()), CurveValue::Number)
        };
        self.points.values().map(|(at, text)| (*at, value(text))).collect()
    }
}
