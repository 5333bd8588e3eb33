//! An engine with a hostile rule in one channel and good ones in another, over a store that is full.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use heat_engine::wit::{ChatLine, Event, Happening, Person, Standing};
use heat_engine::{Chain, Component, Decision, Engine, Limits, Rule, Sandbox, Store};

use crate::Setup;

/// The channel of the hostile rule, and the one where people only fave.
const BAD: &str = "badtown";
const GOOD: &str = "seaside";

/// The first of January 2026, in milliseconds since 1970.
const START: u64 = 1_767_225_600_000;

pub(crate) struct Stage {
    pub(crate) engine: Engine,
    now: u64,
    events: u64,
    _folder: tempfile::TempDir,
}

/// What came of an event of the hostile rule, and how long the engine was busy with it.
pub(crate) struct Attacked {
    pub(crate) answer: String,
    pub(crate) took: Duration,
}

impl Stage {
    pub(crate) fn new(setup: &Setup) -> Result<Self> {
        let sandbox = Arc::new(Sandbox::new(None)?);
        let limits = Arc::new(Limits {
            publish: vec!["lights/#".to_owned()],
            reserved_topics: "heat/v1".to_owned(),
            // However often it fails, it is called again.
            faults: usize::MAX,
            ..Limits::default()
        });
        let rule = |folder: &Path, name: &str| -> Result<(String, Rule)> {
            let file = folder.join(format!("{name}.wasm"));
            let bytes = std::fs::read(&file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            let component = Arc::new(Component::load(&sandbox, &limits, &bytes)?);
            Ok((name.to_owned(), Rule::new(&sandbox, &limits, &component, &[])?))
        };
        let good = |channel: &str| -> Result<Chain> {
            let rules = vec![rule(&setup.rules, "fave")?, rule(&setup.rules, "decay")?];
            Ok(Chain { channel: channel.to_owned(), rules })
        };
        let mut bad = good(BAD)?;
        bad.rules.push(rule(&setup.guests, "hostile")?);
        let chains = vec![bad, good(GOOD)?];
        let folder = tempfile::tempdir_in(&setup.scratch)?;
        let store = Store::open(&folder.path().join("heat.redb"))?;
        let engine = Engine::open(Arc::clone(&sandbox), store, chains, START)?;
        Ok(Self { engine, now: START, events: 0, _folder: folder })
    }

    /// So many people fave so many items in the channel of the hostile rule.
    pub(crate) fn crowd(&mut self, people: u64) -> Result<()> {
        for number in 0..people {
            self.say(BAD, &format!("person{number}"), &format!("?fave song {number}"))?;
            if number % 1000 == 0 {
                self.engine.commit()?;
            }
        }
        self.engine.commit()?;
        Ok(())
    }

    pub(crate) fn attack(&mut self, command: &str) -> Result<Attacked> {
        let start = Instant::now();
        let decision = self.say(BAD, "mallory", &format!("!attack {command}"))?;
        let took = start.elapsed();
        let answer = decision.answers.iter().find(|answer| &*answer.slot == "hostile");
        let answer = match answer.context("the hostile rule was not called")?.outcome.as_ref() {
            Ok(effects) => format!("nothing: {} effects were taken", effects.len()),
            Err(fault) => fault.to_string(),
        };
        Ok(Attacked { answer, took })
    }

    /// A fave in the other channel, and how long it took.
    pub(crate) fn fave(&mut self) -> Result<Duration> {
        let start = Instant::now();
        let decision = self.say(GOOD, "ann", "?fave pie")?;
        let took = start.elapsed();
        ensure!(decision.faves.len() == 1, "the other rule's fave did not count");
        Ok(took)
    }

    pub(crate) fn wait(&mut self, milliseconds: u64) {
        self.now += milliseconds;
    }

    /// Everything that is kept, but for the log and what the other channel adds.
    pub(crate) fn kept(&mut self) -> Result<String> {
        self.engine.commit()?;
        let snapshot = self.engine.snapshot()?;
        let tally = snapshot.channel_tally(BAD)?;
        let outputs: Vec<_> =
            self.engine.outputs().iter().filter(|((channel, _), _)| **channel == *BAD).collect();
        Ok(format!("{:?} {} {outputs:?}", tally, snapshot.outbox()?.len()))
    }

    fn say(&mut self, channel: &str, login: &str, text: &str) -> Result<Decision> {
        self.events += 1;
        let event = Event {
            id: format!("event-{}", self.events),
            channel: channel.to_owned(),
            at: self.now,
            what: Happening::Chat(line(login, text)),
        };
        Ok(self.engine.handle(self.now, event)?)
    }
}

fn line(login: &str, text: &str) -> ChatLine {
    ChatLine {
        message: String::new(),
        person: Person {
            id: format!("id-{login}"),
            login: login.to_owned(),
            name: login.to_owned(),
        },
        standing: Standing {
            broadcaster: false,
            moderator: false,
            vip: false,
            subscription: None,
            first_message: false,
            returning: false,
        },
        text: text.to_owned(),
        emotes: Vec::new(),
        bits: 0,
        reply_to: None,
        shared_from: None,
    }
}
