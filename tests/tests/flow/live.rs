//! Rules are changed while heatd runs, by its API: deployed, tried, rolled back, simulated, taken back; and refused.

mod added;
mod api;
mod bombs;
pub(crate) mod cast;
mod components;
mod configured;
mod faults;
mod files;
mod forgets;
mod large;
mod letters;
mod past;
mod refusals;
mod replays;
mod rollbacks;
mod settings;
mod shadows;
mod swaps;
mod undo;

use anyhow::{Result, ensure};
use heat_tests::mosquitto::{Mosquitto, Subscriber};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use serde_json::Value;

use crate::town::{Broker, Town};
pub(crate) use api::Api;

const HEAT: &str = "heat/v1/seaside/heat";

/// A town whose heatd runs, with everything that it has shown so far.
struct Stage {
    town: Town,
    watch: Subscriber,
    api: Api,
    heatd: Program,
    channels: &'static [&'static str],
    starts: usize,
    // The last field, so that the others have a broker until they end.
    broker: Mosquitto,
}

impl Stage {
    /// heatd with the rules `fave` and `decay`, whose heat never falls.
    fn new() -> Result<Self> {
        Self::with(&cast::rules("", "")?)
    }

    /// heatd with these rules.
    fn with(rules: &str) -> Result<Self> {
        Self::of(&["seaside"], rules)
    }

    /// heatd in these channels, of which seaside is one.
    fn of(channels: &'static [&'static str], rules: &str) -> Result<Self> {
        let town = Town::new()?;
        let mut broker = Mosquitto::start()?;
        let watch = broker.subscribe("#")?;
        let head = town.head(channels, &Broker::At(broker.port()));
        let heatd = town.heatd(&(head + rules))?;
        let api = Api::new(&town)?;
        let mut stage = Self { town, watch, api, heatd, channels, starts: 0, broker };
        stage.await_start()?;
        Ok(stage)
    }

    fn await_start(&mut self) -> Result<()> {
        self.starts += 1;
        self.town.wait_for_joins("seaside", self.starts)?;
        self.heatd.wait_for_line(|line| line.contains("broker connected"))?;
        self.api = Api::new(&self.town)?;
        Ok(())
    }

    /// Ends heatd kindly and starts it with the configuration that it had, or with these rules.
    fn restart(&mut self, rules: Option<&str>) -> Result<()> {
        ensure!(self.heatd.terminate()?.success());
        self.start_again(rules)
    }

    fn start_again(&mut self, rules: Option<&str>) -> Result<()> {
        let configuration = match rules {
            Some(rules) => self.town.head(self.channels, &Broker::At(self.broker.port())) + rules,
            None => std::fs::read_to_string(self.town.path("heatd.toml"))?,
        };
        self.heatd = self.town.heatd(&configuration)?;
        self.await_start()
    }

    fn fave(&self, login: &str) {
        self.town.chat.say("seaside", login, "?fave");
    }

    fn say(&self, login: &str, text: &str) {
        self.town.chat.say("seaside", login, text);
    }

    /// Waits until the heat is this.
    fn heat(&self, text: &str) -> Result<()> {
        self.watch.wait_for_last(HEAT, text).map(drop)
    }

    /// Everything that a topic has shown, without repetitions, which a new connection brings.
    fn shown(&self, topic: &str) -> Vec<String> {
        let messages = self.watch.messages().into_iter().filter(|it| it.topic == topic);
        let mut shown: Vec<String> = messages.map(|it| it.text()).collect();
        shown.dedup();
        shown
    }

    /// How a slot stands, as the list of rules has it.
    fn rule(&self, slot: &str) -> Result<Value> {
        let list = self.api.get("rules")?.json()?;
        let rules = list["rules"].as_array().cloned().unwrap_or_default();
        let found = rules.into_iter().find(|it| it["slot"] == slot);
        found.ok_or_else(|| anyhow::anyhow!("no slot {slot} in {list}"))
    }

    /// Waits until a slot is in this state.
    fn wait_for_state(&self, slot: &str, state: &str) -> Result<Value> {
        eventually(format!("{slot} to be {state}"), || match self.rule(slot) {
            Ok(rule) if rule["state"] == state => Ok(rule),
            Ok(rule) => Err(rule.to_string()),
            Err(error) => Err(error.to_string()),
        })
    }

    /// The entries of the audit log, newest first: action, by, whether it was refused.
    fn history(&self) -> Result<Vec<(String, String, bool)>> {
        let history = self.api.get("audit?count=1000")?.json()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = history["entries"].as_array().cloned().unwrap_or_default();
        let entries = entries
            .iter()
            .map(|it| (text(&it["action"]), text(&it["by"]), !it["refused"].is_null()));
        Ok(entries.collect())
    }

    fn faves(&self) -> Result<u64> {
        self.town.figure("heatd_faves_total")
    }
}
