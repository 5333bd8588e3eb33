//! An engine on a stage: real components over a store in memory, and events by the line.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, anyhow, bail};
use heat_engine::wit::{ChatLine, Event, Happening, MqttMessage};
use heat_engine::{
    Action, Answer, Chain, ChangeRequest, Component, Decision, Engine, Given, Limits, Rule,
    Sandbox, Store, effect_line,
};

/// The channel of every event on this stage.
pub(crate) const CHANNEL: &str = "seaside";

/// The first of January 2026, in milliseconds since 1970.
pub(crate) const START: u64 = 1_767_225_600_000;

/// The folder of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where cargo builds.
pub(crate) fn target() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target =
        program.ancestors().nth(3).context("the test does not run from a target folder")?;
    Ok(target.to_owned())
}

/// The bytes of a rule, or of a guest of the tests, as `cargo xtask rules` built them. `hostile:LIE` is the guest that tells this lie.
pub(crate) fn component(name: &str) -> Result<Vec<u8>> {
    if let Some((name, lie)) = name.split_once(':') {
        return telling(component(name)?, lie);
    }
    let target = target()?;
    for folder in ["rules", "guests"] {
        if let Ok(bytes) = std::fs::read(target.join(folder).join(format!("{name}.wasm"))) {
            return Ok(bytes);
        }
    }
    bail!("{name}.wasm is not built; run `cargo xtask rules --all`")
}

/// The guest with its mark overwritten: its source says what each lie is.
fn telling(mut bytes: Vec<u8>, lie: &str) -> Result<Vec<u8>> {
    const MARK: &[u8] = b"HOSTILE-MODE:";
    let place = bytes.windows(MARK.len()).position(|window| window == MARK);
    let start = place.context("the component has no mark")? + MARK.len();
    for (place, byte) in bytes[start..start + 19].iter_mut().enumerate() {
        *byte = *lie.as_bytes().get(place).unwrap_or(&b' ');
    }
    Ok(bytes)
}

/// The limits, but for the wall clock: a machine that is busy with other things fails no test. Fuel ends what runs for ever.
/// Everything may be published.
pub(crate) fn patient() -> Limits {
    Limits { wall_ms: 10_000, publish: vec!["#".to_owned()], ..Limits::default() }
}

/// The same for one rule: one in Python is larger than others may be, and so its configuration gives it `memory`.
pub(crate) fn limits_of(rule: &str) -> Limits {
    let is_python = root().join("rules").join(rule).join("requirements.txt").is_file();
    let memory = if is_python { 64 << 20 } else { Limits::default().memory };
    Limits { memory, ..patient() }
}

/// Held while a large component is compiled. Tests that run side by side would each compile the same for half a minute, where the
/// second can take from the disk what the first has made.
static COMPILING: Mutex<()> = Mutex::new(());

thread_local! {
    /// The sandbox of one test, and what it has compiled: that takes far longer than most tests. Tests that run side by side have one
    /// each, since an engine that comes to rest stops the clock of its sandbox.
    static SANDBOX: Result<Arc<Sandbox>> = Ok(Arc::new(Sandbox::new(Some(&target()?.join("compiled")))?));
    static LOADED: RefCell<BTreeMap<String, Arc<Component>>> = const { RefCell::new(BTreeMap::new()) };
}

pub(crate) fn sandbox() -> Result<Arc<Sandbox>> {
    SANDBOX.with(|sandbox| match sandbox {
        Ok(sandbox) => Ok(Arc::clone(sandbox)),
        Err(error) => bail!("{error:#}"),
    })
}

/// A component, compiled once in a test.
pub(crate) fn loaded(name: &str) -> Result<Arc<Component>> {
    if let Some(component) = LOADED.with_borrow(|loaded| loaded.get(name).map(Arc::clone)) {
        return Ok(component);
    }
    let bytes = component(name)?;
    let alone = (bytes.len() > 1 << 20).then(|| COMPILING.lock()).transpose();
    let _alone = alone.map_err(|_| anyhow!("another test failed while it compiled"))?;
    let component = Component::load(&*sandbox()?, &limits_of(name), &bytes)?;
    let component = Arc::new(component);
    LOADED.with_borrow_mut(|loaded| loaded.insert(name.to_owned(), Arc::clone(&component)));
    Ok(component)
}

/// Slot, component and settings of one rule.
pub(crate) type Part = (&'static str, &'static str, Vec<(String, Given)>);

/// A rule in the slot of its own name, with default settings.
pub(crate) fn plain(name: &'static str) -> Part {
    (name, name, Vec::new())
}

pub(crate) struct Stage {
    pub(crate) engine: Engine,
    pub(crate) now: u64,
    events: u64,
}

impl Stage {
    pub(crate) fn new(parts: Vec<Part>) -> Result<Self> {
        Self::with(parts, patient(), Store::in_memory()?)
    }

    pub(crate) fn with(parts: Vec<Part>, limits: Limits, store: Store) -> Result<Self> {
        Self::at(START, parts, limits, store)
    }

    /// At another time than the usual one.
    pub(crate) fn at(now: u64, parts: Vec<Part>, limits: Limits, store: Store) -> Result<Self> {
        let sandbox = sandbox()?;
        let limits = Arc::new(limits);
        let mut rules = Vec::new();
        for (slot, name, settings) in parts {
            let component = loaded(name)?;
            rules.push((slot.to_owned(), Rule::new(&sandbox, &limits, &component, &settings)?));
        }
        let engine =
            Engine::open(sandbox, store, vec![Chain { channel: CHANNEL.to_owned(), rules }], now)?;
        Ok(Self { now, ..Self::over(engine) })
    }

    /// A stage with an engine of its own making.
    pub(crate) fn over(engine: Engine) -> Self {
        Self { engine, now: START, events: 0 }
    }

    /// A chat line of somebody, with an id of its own.
    pub(crate) fn chat(&mut self, login: &str, text: &str) -> Result<Decision> {
        let line = chat_line(login, text);
        self.event(Happening::Chat(line))
    }

    pub(crate) fn mqtt(&mut self, topic: &str, payload: &[u8], retained: bool) -> Result<Decision> {
        self.event(Happening::Mqtt(MqttMessage {
            topic: topic.to_owned(),
            payload: payload.to_vec(),
            retained,
        }))
    }

    pub(crate) fn event(&mut self, what: Happening) -> Result<Decision> {
        self.events += 1;
        let id = format!("event-{}-{}", self.now, self.events);
        let event = Event { id, channel: CHANNEL.to_owned(), at: self.now, what };
        Ok(self.engine.handle(self.now, event)?)
    }

    /// Lets time pass, and fires each timer at its time.
    pub(crate) fn wait(&mut self, milliseconds: u64) -> Result<Vec<Decision>> {
        let end = self.now + milliseconds;
        let mut decisions = Vec::new();
        while let Some(at) = self.engine.next_wake().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            decisions.extend(self.engine.fire(self.now)?);
        }
        self.now = end;
        Ok(decisions)
    }

    /// Puts another rule into a slot, as the daemon does.
    pub(crate) fn swap(
        &mut self,
        slot: &str,
        name: &str,
        settings: &[(String, Given)],
    ) -> Result<()> {
        self.engine.commit()?;
        let begun = self.engine.begin(CHANNEL, slot)?;
        let rule = Rule::new(&*sandbox()?, &Arc::new(patient()), &loaded(name)?, settings)?;
        match begun.prepare(&*sandbox()?, rule) {
            Ok(swap) => {
                let order = ChangeRequest::new(Action::Deploy, "test", "");
                self.engine.flip(swap, &order)?;
                self.engine.commit()?;
                Ok(())
            }
            Err(error) => {
                self.engine.give_up(CHANNEL, slot, begun.ticket());
                Err(error.into())
            }
        }
    }

    /// How a slot stands: state and name of the rule.
    pub(crate) fn standing(&self, slot: &str) -> Option<(&'static str, String)> {
        let standings = self.engine.slot_statuses();
        let found = standings.into_iter().find(|it| it.slot == slot)?;
        Some((found.state, found.name))
    }

    /// The text of an output, as of the last commit.
    pub(crate) fn output(&self, name: &str) -> Option<String> {
        self.engine
            .outputs()
            .iter()
            .find(|((_, output), _)| output == name)
            .and_then(|(_, text)| text.clone())
    }

    /// How many faves the channel has, as of the last commit.
    pub(crate) fn faves(&self) -> Result<u64> {
        Ok(self.engine.snapshot()?.channel_tally(CHANNEL)?.faves)
    }
}

pub(crate) fn chat_line(login: &str, text: &str) -> ChatLine {
    heat_engine::cases::chat_line(login, text).expect("a login says nothing of the person")
}

/// What a slot answered, effect by effect; its fault if it had none.
pub(crate) fn lines(answers: &[Answer], slot: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for answer in answers.iter().filter(|answer| *answer.slot == *slot) {
        match &answer.outcome {
            Ok(effects) => lines.extend(effects.iter().map(effect_line)),
            Err(fault) => lines.push(format!("fails: {fault}")),
        }
    }
    lines
}
