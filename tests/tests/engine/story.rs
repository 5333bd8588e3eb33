//! Made-up evenings from a seed, for properties that must hold whatever happens: chat, faves, moderators, MQTT, swaps, restarts.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use fastrand::Rng;
use heat_engine::cases::chat_line;
use heat_engine::wit::{Event, Happening, MqttMessage, Tally};
use heat_engine::{Changes, CountKind, Decision, Given, Library, Record, Run, Seed, Store};

use crate::stage::{CHANNEL, Part, START, Stage, patient, plain, sandbox};

/// Who takes part. The last is the one whose doings are taken back.
const PEOPLE: [&str; 6] =
    ["ann", "bob", "cy (vip)", "dee (tier two)", "mona (moderator)", "spammer"];
pub(crate) const SPAMMER: usize = 5;

const ITEMS: [&str; 5] = ["", "pie", "Kappa", "🔥 track", "a b"];

/// One thing that happens.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Wait(u64),
    /// Number of the person, and the line.
    Chat(usize, String),
    Mqtt(String),
    Stream(bool),
    /// An event of before, by its number among the steps, comes again.
    Again(usize),
    Commit,
    /// heatd ends and starts again.
    Restart,
    /// Another rule or other settings for `decay`.
    Swap(&'static str),
}

/// What may happen besides chat and time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mix {
    pub(crate) restarts: bool,
    pub(crate) swaps: bool,
}

/// A story from a seed.
pub(crate) fn story(seed: u64, mix: Mix) -> Vec<Step> {
    let mut random = Rng::with_seed(seed);
    let steps = random.usize(20..60);
    let mut story: Vec<Step> = (0..steps).map(|_| step(&mut random)).collect();
    // Later ones are commoner in a list of steps that grows; a place for each is enough.
    if mix.restarts {
        (0..2).for_each(|_| story.insert(random.usize(1..story.len()), Step::Restart));
    }
    if mix.swaps {
        for half_life in ["30s", "20m"] {
            story.insert(random.usize(1..story.len()), Step::Swap(half_life));
        }
    }
    story
}

fn step(random: &mut Rng) -> Step {
    match random.u8(..20) {
        0..3 => Step::Wait(random.u64(1..90_000)),
        3 => Step::Wait(*random.choice(&[1, 100, 599_999, 3_600_001]).unwrap_or(&1)),
        4..10 => {
            let item = ITEMS[random.usize(..ITEMS.len())];
            Step::Chat(random.usize(..PEOPLE.len()), format!("?fave {item}").trim_end().to_owned())
        }
        10..13 => Step::Chat(random.usize(..PEOPLE.len()), "hello".to_owned()),
        13 | 14 => {
            let orders =
                ["?heat add 5", "?heat boost 3 10m", "?heat pause", "?heat resume", "?heat set 7"];
            Step::Chat(4, orders[random.usize(..orders.len())].to_owned())
        }
        15 => {
            Step::Mqtt(format!(r#"{{"item":"pie","user":"remote","weight":{}}}"#, random.u8(1..9)))
        }
        16 => Step::Mqtt("cake".to_owned()),
        17 => Step::Stream(random.bool()),
        _ => Step::Commit,
    }
}

fn text(text: &str) -> Given {
    Given::Text(text.to_owned())
}

/// The chain of all stories.
pub(crate) fn parts() -> Vec<Part> {
    let topics = ("topics".to_owned(), Given::List(vec![text("deck/+")]));
    let cooldown = ("user_cooldown".to_owned(), text("5s"));
    vec![
        ("fave", "fave", vec![topics, cooldown]),
        plain("multiplier"),
        plain("decay"),
        plain("crowd"),
    ]
}

/// A story that is told to an engine.
pub(crate) struct Told {
    pub(crate) stage: Option<Stage>,
    /// What was decided, with what it was for.
    pub(crate) decisions: Vec<Decision>,
    folder: Option<tempfile::TempDir>,
    events: BTreeMap<usize, Event>,
}

impl Told {
    pub(crate) fn new(mix: Mix) -> Result<Self> {
        let folder = mix.restarts.then(tempfile::tempdir).transpose()?;
        let mut told = Self { stage: None, decisions: Vec::new(), folder, events: BTreeMap::new() };
        told.open(START)?;
        Ok(told)
    }

    fn open(&mut self, now: u64) -> Result<()> {
        let store = match &self.folder {
            Some(folder) => Store::open(&folder.path().join("heat.redb"))?,
            None => Store::in_memory()?,
        };
        let mut stage = Stage::with(parts(), patient(), store)?;
        stage.now = now;
        self.stage = Some(stage);
        Ok(())
    }

    pub(crate) fn stage(&mut self) -> Result<&mut Stage> {
        self.stage.as_mut().context("the stage is open")
    }

    /// Tells the steps, each under its number, so that the same step is the same event in another telling.
    pub(crate) fn tell<'a>(
        &mut self,
        steps: impl IntoIterator<Item = (usize, &'a Step)>,
    ) -> Result<()> {
        for (number, step) in steps {
            self.step_alone(number, step)?;
        }
        self.stage()?.engine.commit()?;
        Ok(())
    }

    /// Tells one step, and commits nothing.
    pub(crate) fn step_alone(&mut self, number: usize, step: &Step) -> Result<()> {
        let what = match step {
            Step::Wait(time) => {
                let fired = self.stage()?.wait(*time)?;
                self.decisions.extend(fired);
                return Ok(());
            }
            Step::Commit => {
                self.stage()?.engine.commit()?;
                return Ok(());
            }
            Step::Restart => {
                self.stage()?.engine.commit()?;
                let now = self.stage()?.now;
                // One process at a time can have the store open.
                self.stage = None;
                return self.open(now);
            }
            Step::Swap(half_life) => {
                let settings = [("half_life".to_owned(), text(half_life))];
                // A task on the engine's thread happens now, and not at the time of the last event.
                let stage = self.stage()?;
                let fired = stage.engine.fire(stage.now)?;
                self.decisions.extend(fired);
                return self.stage()?.swap("decay", "decay", &settings);
            }
            Step::Again(before) => {
                if let Some(event) = self.events.get(before).cloned() {
                    let stage = self.stage()?;
                    let decision = stage.engine.handle(stage.now, event)?;
                    anyhow::ensure!(decision.duplicate, "it was taken for new: {decision:?}");
                }
                return Ok(());
            }
            Step::Chat(person, line) => {
                Happening::Chat(chat_line(PEOPLE[*person], line).map_err(anyhow::Error::msg)?)
            }
            Step::Mqtt(payload) => Happening::Mqtt(MqttMessage {
                topic: "deck/a".to_owned(),
                payload: payload.clone().into_bytes(),
                retained: false,
            }),
            Step::Stream(true) => Happening::StreamStart,
            Step::Stream(false) => Happening::StreamEnd,
        };
        let stage = self.stage()?;
        let event = Event {
            id: format!("step-{number}"),
            channel: CHANNEL.to_owned(),
            at: stage.now,
            what,
        };
        let decision = stage.engine.handle(stage.now, event.clone())?;
        self.events.insert(number, event);
        self.decisions.push(decision);
        Ok(())
    }

    /// All that the store has of the channel: counts, what the rules keep and show. Counts of nothing are as good as none.
    pub(crate) fn contents(&mut self) -> Result<String> {
        let stage = self.stage()?;
        let mut tallies = stage.engine.snapshot()?.tallies(CHANNEL)?;
        tallies.retain(|(_, tally)| tally.faves > 0);
        let outputs: Vec<_> = stage
            .engine
            .outputs()
            .iter()
            .filter(|((_, name), text)| !name.starts_with("rules/") && text.is_some())
            .collect();
        Ok(format!("{tallies:#?}\n{outputs:#?}\n{:#?}", state(stage)?))
    }

    /// Every record of the log, however it is parted into blocks.
    pub(crate) fn records(&mut self) -> Result<Vec<Record>> {
        Ok(self.stage()?.engine.snapshot()?.records_since(0)?)
    }
}

/// What the rules have: a run from the present hands it over.
fn state(stage: &Stage) -> Result<BTreeMap<String, heat_engine::RuleState>> {
    let snapshot = Arc::new(stage.engine.snapshot()?);
    let rules = stage.engine.rules(CHANNEL).context("there is no chain")?;
    let seed = Seed::present(&snapshot, CHANNEL, &rules)?;
    let mut run =
        Run::begin(seed, Library::new(&sandbox()?, snapshot, &rules), Changes::default())?;
    Ok(run.hand_over_all()?)
}

/// The counts as the log tells them, reckoned here in the simplest way.
pub(crate) fn recount(records: &[Record]) -> Vec<((CountKind, String, String), Tally)> {
    // By person and item: how many, and what they weigh.
    let mut pairs: BTreeMap<(String, String), (u64, i64)> = BTreeMap::new();
    let mut add = |fave: &heat_engine::wit::Fave, sign: i64| {
        let pair = pairs.entry((fave.person.id.clone(), fave.item.clone())).or_default();
        pair.0 = pair.0.checked_add_signed(sign).expect("what is taken back was counted");
        pair.1 += sign * fave.weight;
    };
    for record in records {
        match record {
            Record::Faves { faves, .. } => faves.iter().for_each(|it| add(&it.fave, 1)),
            Record::Undone { taken, given, .. } => {
                given.iter().for_each(|fave| add(fave, 1));
                taken.iter().for_each(|fave| add(fave, -1));
            }
            _ => {}
        }
    }
    pairs.retain(|_, (faves, _)| *faves > 0);
    let mut counts: BTreeMap<(CountKind, String, String), (u64, i64)> = BTreeMap::new();
    let mut people: BTreeMap<(CountKind, String, String), std::collections::BTreeSet<String>> =
        BTreeMap::new();
    for ((person, item), (faves, weight)) in &pairs {
        let none = String::new;
        for key in [
            (CountKind::Channel, none(), none()),
            (CountKind::Item, none(), item.clone()),
            (CountKind::Person, person.clone(), none()),
            (CountKind::PersonItem, person.clone(), item.clone()),
        ] {
            let count = counts.entry(key.clone()).or_default();
            (count.0, count.1) = (count.0 + faves, count.1 + weight);
            people.entry(key).or_default().insert(person.clone());
        }
    }
    let tally = |(key, (faves, weight)): ((CountKind, String, String), (u64, i64))| {
        let people = u32::try_from(people[&key].len()).expect("few people");
        (key, Tally { faves, weight, people })
    };
    counts.into_iter().map(tally).collect()
}
