//! Prints what rules decide on a fixed chat, what replays of it decide, and how much fuel that takes to the unit: the same on every
//! processor.
//!
//! `tests/tests/arm64.rs` runs it on this machine and, built for ARM64, under qemu, and compares. Its argument is the folder
//! that has `rules` and `guests`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use heat_engine::wit::{ChatLine, Event, Happening, Person, Standing};
use heat_engine::{
    Action, Chain, ChangeRequest, Changes, Component, Decision, Engine, Given, Library, Limits,
    Rule, Run, Sandbox, Seed, Store, effect_line,
};

const CHANNEL: &str = "seaside";
/// The first of January 2026, in milliseconds since 1970.
const START: u64 = 1_767_225_600_000;

/// How many seconds after the line before, who, and what. The heat halves in between, so that its digits show how it is reckoned.
const CHAT: [(u64, &str, &str); 12] = [
    (0, "ann", "?fave blue monday"),
    (7, "bob", "?FAVE take on me"),
    (1, "ann", "hello"),
    (61, "cat", "?fave"),
    (299, "ann", "that was LUL"),
    (3, "dan", "LUL LUL LUL"),
    (1_000, "bob", "?fave 😂 👨‍👩‍👧 é"),
    (86_400, "eve", "?fave once more"),
    (0, "eve", "?fave and again"),
    (13, "ann", "?fav pie"),
    (12_345, "cat", "?fave   spaces   "),
    (59, "ann", "?fave the end"),
];

/// What ends a call of the rule that misbehaves, whatever the time.
const MISDEEDS: [&str; 6] = ["spin", "read", "recurse", "grow", "panic", "flood"];

struct Stage {
    sandbox: Arc<Sandbox>,
    fave: Arc<Component>,
    decay: Arc<Component>,
    misbehave: Arc<Component>,
}

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).context("which folder?")?;
    let sandbox = Arc::new(Sandbox::new(None)?);
    let load = |file: &str| -> Result<Arc<Component>> {
        let file = folder.join(file);
        let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
        Ok(Arc::new(Component::load(&sandbox, &limits(u64::MAX), &bytes)?))
    };
    let stage = Stage {
        fave: load("rules/fave.wasm")?,
        decay: load("rules/decay.wasm")?,
        misbehave: load("guests/misbehave.wasm")?,
        sandbox: Arc::clone(&sandbox),
    };
    let plenty = Limits::default().fuel;
    let story = stage.tell(plenty)?;
    print(&story);
    print(&stage.replay()?);
    for what in MISDEEDS {
        print(&stage.decide(plenty, &[(0, "mallory", &format!("!do {what}"))])?);
    }
    let (mut too_little, mut enough) = (0, plenty);
    while enough - too_little > 1 {
        let middle = u64::midpoint(too_little, enough);
        // Without enough fuel for the settings alone there is no chain to speak to.
        let same = stage.tell(middle).is_ok_and(|told| told == story);
        *if same { &mut enough } else { &mut too_little } = middle;
    }
    ensure!(too_little > 0 && enough < plenty, "fuel makes no difference");
    print(&[format!("the chat takes {enough} units of fuel in its longest call")]);
    Ok(())
}

/// Time must not matter here: under emulation everything takes longer.
fn limits(fuel: u64) -> Limits {
    Limits { fuel, wall_ms: u64::from(u32::MAX), ..Limits::default() }
}

impl Stage {
    fn tell(&self, fuel: u64) -> Result<Vec<String>> {
        self.decide(fuel, &CHAT)
    }

    /// What each slot answers to each line, and the outputs at the end.
    fn decide(&self, fuel: u64, chat: &[(u64, &str, &str)]) -> Result<Vec<String>> {
        let mut engine = self.engine(limits(fuel))?;
        let (mut now, mut told) = (START, Vec::new());
        for (number, (seconds, login, text)) in (1..).zip(chat) {
            now += seconds * 1000;
            let what = Happening::Chat(line(login, text));
            let event =
                Event { id: format!("line-{number}"), channel: CHANNEL.to_owned(), at: now, what };
            told.extend(lines(number, &engine.handle(now, event)?));
        }
        engine.commit()?;
        for ((_, output), text) in engine.outputs() {
            told.push(format!("{output}: {}", text.as_deref().unwrap_or_default()));
        }
        Ok(told)
    }

    /// The chat with another rule swapped in halfway, and what replays make of that log: one as it was, which must decide the same,
    /// and one with other settings all the way.
    fn replay(&self) -> Result<Vec<String>> {
        let (mut engine, mut now, mut live) =
            (self.engine(limits(Limits::default().fuel))?, START, Vec::new());
        for (number, (seconds, login, text)) in (1..).zip(&CHAT) {
            while let Some(at) = engine.next_wake().filter(|at| *at <= now + seconds * 1000) {
                live.extend(engine.fire(at)?.iter().flat_map(|it| lines(0, it)));
            }
            now += seconds * 1000;
            let (id, what) = (format!("line-{number}"), Happening::Chat(line(login, text)));
            let event = Event { id, channel: CHANNEL.to_owned(), at: now, what };
            live.extend(lines(0, &engine.handle(now, event)?));
            if number == CHAT.len() / 2 {
                engine.commit()?;
                let begun = engine.begin(CHANNEL, "decay")?;
                let swap = begun.prepare(&self.sandbox, self.decay("10m")?)?;
                engine.flip(swap, &ChangeRequest::new(Action::Settings, "example", ""))?;
            }
        }
        engine.commit()?;
        let same = replayed(&self.sandbox, &engine, Changes { exact: true, ..Changes::default() })?;
        ensure!(same == live, "the replay decided otherwise:\n{same:?}\n{live:?}");
        let rule = Some(("decay".to_owned(), self.decay("3s")?));
        let other = replayed(&self.sandbox, &engine, Changes { rule, ..Changes::default() })?;
        ensure!(other != same, "the other settings make no difference");
        let told = same.into_iter().map(|line| format!("replayed {line}"));
        Ok(told.chain(other.into_iter().map(|line| format!("replayed otherwise {line}"))).collect())
    }

    fn decay(&self, half_life: &str) -> Result<Rule> {
        let half_life = ("half_life".to_owned(), Given::Text(half_life.to_owned()));
        let limits = Arc::new(limits(Limits::default().fuel));
        Ok(Rule::new(&self.sandbox, &limits, &self.decay, &[half_life])?)
    }

    fn engine(&self, limits: Limits) -> Result<Engine> {
        let limits = Arc::new(limits);
        let words = ("words".to_owned(), Given::List(vec![Given::Text("LUL".to_owned())]));
        let per_fave = ("per_fave".to_owned(), Given::Float(0.7));
        let mut rules = Vec::new();
        for (slot, component, settings) in [
            ("fave", &self.fave, vec![words]),
            ("misbehave", &self.misbehave, Vec::new()),
            ("decay", &self.decay, vec![per_fave]),
        ] {
            let rule = Rule::new(&self.sandbox, &limits, component, &settings)?;
            rules.push((slot.to_owned(), rule));
        }
        let chain = Chain { channel: CHANNEL.to_owned(), rules };
        let sandbox = Arc::clone(&self.sandbox);
        Ok(Engine::open(sandbox, Store::in_memory()?, vec![chain], START)?)
    }
}

/// What a run decides on the whole log.
fn replayed(sandbox: &Arc<Sandbox>, engine: &Engine, changes: Changes) -> Result<Vec<String>> {
    let snapshot = Arc::new(engine.snapshot()?);
    let first = snapshot.first_checkpoint(CHANNEL)?.context("the log has no checkpoint")?;
    let seed = Seed::checkpoint(&snapshot, CHANNEL, first)?.context("the log has no checkpoint")?;
    let blocks = snapshot.blocks(seed.next_record())?;
    let rules = engine.rules(CHANNEL).unwrap_or_default();
    let mut run = Run::begin(seed, Library::new(sandbox, snapshot, &rules), changes)?;
    let mut told = Vec::new();
    for block in blocks {
        for record in block?.1 {
            told.extend(run.follow(&record)?.iter().flat_map(|it| lines(0, it)));
        }
    }
    Ok(told)
}

/// What each slot answered.
fn lines(number: usize, decision: &Decision) -> Vec<String> {
    let mut told = Vec::new();
    for answer in &decision.answers {
        match &answer.outcome {
            Ok(effects) => {
                told.extend(
                    effects
                        .iter()
                        .map(|effect| format!("{number} {}: {}", answer.slot, effect_line(effect))),
                );
            }
            Err(fault) => told.push(format!("{number} {} fails: {fault}", answer.slot)),
        }
    }
    told
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

#[expect(clippy::print_stdout, reason = "what the program is for")]
fn print(lines: &[String]) {
    for line in lines {
        println!("{line}");
    }
}
