//! heatd with an account of #seaside that is logged in, and the Twitch that it is logged in to.

use std::process::Command;

use anyhow::{Context, Result};
use heat_tests::logins::{CLIENT, Logins};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, binary};
use heat_tests::twitch_api::TwitchApi;
use serde_json::Value;

use crate::town::{Broker, Town, component};

/// Every scope that a feature may need.
pub(crate) const SCOPES: [&str; 10] = [
    "moderator:read:followers",
    "channel:read:subscriptions",
    "bits:read",
    "channel:read:redemptions",
    "channel:read:hype_train",
    "user:read:chat",
    "user:write:chat",
    "moderator:manage:banned_users",
    "moderator:manage:chat_messages",
    "clips:edit",
];

/// What every event adds to the heat, so that each can be told from the others by its number.
const WORTH: &str = "{ follow = 1, subscription = 10, gift = 100, bit = 1000, raid = 100000, redemption = 1000000 }";

pub(crate) struct Stage {
    pub(crate) town: Town,
    pub(crate) logins: Logins,
    pub(crate) api: TwitchApi,
    pub(crate) heatd: Program,
    configuration: String,
    tokens: (String, String),
}

/// What the configuration says, where a test wants something else.
pub(crate) struct Plan<'a> {
    /// The features of the account of #seaside.
    pub(crate) features: &'a str,
    pub(crate) channels: &'a [&'a str],
    /// More lines below `[twitch]`, before the accounts.
    pub(crate) twitch: &'a str,
    /// More accounts, and more rules.
    pub(crate) more: &'a str,
    pub(crate) rules: &'a str,
}

impl Default for Plan<'_> {
    fn default() -> Self {
        Self {
            features: "\"follows\", \"subscriptions\", \"cheers\", \"rewards\", \"hype-train\"",
            channels: &["seaside"],
            twitch: "",
            more: "",
            rules: "",
        }
    }
}

impl Stage {
    pub(crate) fn new(plan: &Plan<'_>) -> Result<Self> {
        Self::with(plan, |_, _| {})
    }

    /// Something is done with Twitch before heatd starts.
    pub(crate) fn with(plan: &Plan<'_>, prepare: impl FnOnce(&Logins, &TwitchApi)) -> Result<Self> {
        let logins =
            Logins::start(&[("seaside", "11"), ("harbor", "12"), ("bob", "22"), ("seabot", "33")])?;
        let (town, api) = (Town::new()?, TwitchApi::start(&logins)?);
        let tokens = logins.hand_out("seaside", &SCOPES);
        prepare(&logins, &api);
        let head = town.head(plan.channels, &Broker::Embedded(town.mqtt));
        let (features, more) = (plan.features, plan.more);
        let account = format!(
            "id_server = \"{}\"\n{}{}client_id = \"{CLIENT}\"\n[[twitch.account]]\nchannel = \"seaside\"\nfeatures = [{features}]\n{more}\n",
            logins.address(),
            api.settings(),
            plan.twitch
        );
        let head = head.replacen("[emotes]", &format!("{account}[emotes]"), 1);
        let (fave, decay) = (component("rules", "fave")?, component("rules", "decay")?);
        let rules = format!(
            "[[rule]]\nfile = {fave:?}\n[[rule]]\nfile = {decay:?}\nsettings.half_life = \"0s\"\nsettings.events = {WORTH}\n{}",
            plan.rules
        );
        let configuration = head + &rules;
        let heatd = start(&town, &configuration, &tokens)?;
        let stage = Self { town, logins, api, heatd, configuration, tokens };
        stage.ready()?;
        stage.town.wait_for_joins("seaside", 1)?;
        Ok(stage)
    }

    fn ready(&self) -> Result<()> {
        eventually("heatd", || match self.town.page("/readyz") {
            Ok((200, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        })
    }

    pub(crate) fn restart(&mut self) -> Result<()> {
        self.heatd.terminate()?;
        self.heatd = start(&self.town, &self.configuration, &self.tokens)?;
        self.ready()
    }

    /// heatd ends as in a power cut, and starts again.
    pub(crate) fn crash(&mut self) -> Result<()> {
        self.heatd.kill()?;
        self.heatd = start(&self.town, &self.configuration, &self.tokens)?;
        self.ready()
    }

    pub(crate) fn heat(&self, arguments: &[&str]) -> Result<Command> {
        let mut heat = Command::new(binary("heat")?);
        heat.args(arguments).arg("--data").arg(self.town.path("heat-data"));
        Ok(heat)
    }

    /// What heat says: whether it is content, and its words.
    pub(crate) fn says(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let done = self.heat(arguments)?.output()?;
        let words = [done.stdout, done.stderr].concat();
        Ok((done.status.success(), String::from_utf8_lossy(&words).into_owned()))
    }

    /// The text of an output of #seaside; none while it shows nothing.
    pub(crate) fn output(&self, name: &str) -> Result<Option<String>> {
        let (_, words) = self.says(&["status", "--json"])?;
        let status: Value = serde_json::from_str(&words).with_context(|| words.clone())?;
        Ok(status["channels"][0]["outputs"][name].as_str().map(str::to_owned))
    }

    pub(crate) fn wait_for_output(&self, name: &str, text: &str) -> Result<()> {
        eventually(format!("{name} to show {text:?}"), || match self.output(name) {
            Ok(Some(shown)) if shown == text => Ok(()),
            other => Err(format!("{other:?}")),
        })
    }

    /// Waits until the heat has this number.
    pub(crate) fn wait_for_heat(&self, heat: u64) -> Result<()> {
        self.wait_for_output("heat", &heat.to_string())
    }

    /// How the first account stands, as the API has it.
    pub(crate) fn account(&self) -> Result<Value> {
        let (_, words) = self.says(&["login", "status", "--json"])?;
        let told: Value = serde_json::from_str(&words).with_context(|| words.clone())?;
        Ok(told["accounts"][0].clone())
    }

    /// Everything raw that heatd remembers, of these kinds.
    pub(crate) fn raw(&self, kinds: &[&str]) -> Result<Vec<Value>> {
        let mut arguments = vec!["devlog", "--once", "--json"];
        for kind in kinds {
            arguments.extend(["--kind", kind]);
        }
        let (_, words) = self.says(&arguments)?;
        words
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
            .collect()
    }
}

fn start(town: &Town, configuration: &str, tokens: &(String, String)) -> Result<Program> {
    let mut command = town.heatd_command("run", configuration)?;
    command.env_remove("RUST_LOG");
    command.env("TWITCH_USER_ACCESS_TOKEN", &tokens.0).env("TWITCH_REFRESH_TOKEN", &tokens.1);
    Program::start(command)
}
