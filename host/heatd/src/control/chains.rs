//! Loads the configured rules, and makes the chain (the rules in order) of each channel.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use heat_engine::wit::Ability;
use heat_engine::{Chain, Component, Digest, Limits, LoadError, Rule, Sandbox, role_name};
use parking_lot::{Mutex, MutexGuard};
use tracing::{error, info};

use super::clashes;
use crate::config::{Config, Mistakes, RuleConfig, most_like};
use crate::rule_file;
use crate::voice::Speakers;

/// The chains of these channels. A rule that cannot be loaded is a mistake, or is left out if `skip_broken_rules` is set.
pub(crate) fn load(
    config: &Config,
    channels: &[String],
    sandbox: &Sandbox,
    mistakes: &Mistakes,
) -> Vec<Chain> {
    let mut loader = Loader { config, sandbox, mistakes, components: HashMap::new() };
    let mut chains: Vec<Chain> = channels
        .iter()
        .map(|channel| Chain { channel: channel.clone(), rules: Vec::new() })
        .collect();
    for rule in &config.rules {
        loader.add(rule, &mut chains);
    }
    clashes::report(config, &chains, mistakes);
    chains
}

/// What the configuration says about each slot of each channel.
#[derive(Clone, Default)]
pub(crate) struct ConfiguredSlots(Arc<Mutex<Vec<Configured>>>);

/// What the configuration says about one slot.
#[derive(Clone)]
pub(crate) struct Configured {
    pub(crate) channel: String,
    pub(crate) slot: String,
    pub(crate) file: PathBuf,
    /// The file as the configuration has it, relative to its folder.
    pub(crate) written: String,
    pub(crate) rule: Rule,
}

impl ConfiguredSlots {
    pub(crate) fn new(config: &Config, chains: &[Chain]) -> Self {
        let slots = Self::default();
        for chain in chains {
            slots.add(config, &chain.channel, chain.rules.clone());
        }
        slots
    }

    /// Adds a channel with its configured rules by slot.
    pub(crate) fn add(&self, config: &Config, channel: &str, rules: Vec<(String, Rule)>) {
        let channel = channel.to_lowercase();
        let said = |slot: &str| {
            config.rules.iter().find(|rule| rule.slot == slot && rule.is_for(&channel))
        };
        let slots = rules.into_iter().filter_map(|(slot, rule)| {
            let said = said(&slot)?;
            let (file, written) = (said.file.clone(), said.written.clone());
            Some(Configured { channel: channel.clone(), slot, file, written, rule })
        });
        self.slots().extend(slots);
    }

    /// Removes a channel, and notes when.
    pub(crate) fn remove(&self, channel: &str) {
        self.slots().retain(|it| it.channel != channel);
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Configured>> {
        self.0.lock()
    }

    pub(crate) fn find(&self, channel: &str, slot: &str) -> Option<Configured> {
        self.slots().iter().find(|it| it.channel == channel && it.slot == slot).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Configured> {
        self.slots().clone()
    }

    /// The files of all slots, each with the component that it holds.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Digest> {
        self.slots().iter().map(|it| (it.file.clone(), it.rule.digest())).collect()
    }

    /// The file of a slot holds another component now.
    pub(crate) fn replace(&self, channel: &str, slot: &str, rule: Rule) {
        let mut slots = self.slots();
        if let Some(found) = slots.iter_mut().find(|it| it.channel == channel && it.slot == slot) {
            found.rule = rule;
        }
    }
}

struct Loader<'a> {
    config: &'a Config,
    sandbox: &'a Sandbox,
    mistakes: &'a Mistakes,
    /// By file: a component that two slots name is compiled once.
    components: HashMap<PathBuf, Arc<Component>>,
}

/// What is wrong with a rule or its settings. For an unknown setting, suggests the one that was probably meant.
pub(crate) fn explain(error: &LoadError, component: &Component) -> String {
    let LoadError::Settings(mistakes) = error else { return error.to_string() };
    let known = || component.description.settings.iter().map(|it| it.name.as_str());
    let meant = mistakes.iter().filter(|(name, _)| known().all(|known| known != name));
    let meant = meant.filter_map(|(name, _)| most_like(name, known()));
    let hints: String = meant.map(|known| format!("; did you mean `{known}`?")).collect();
    format!("{error}{hints}")
}

impl Loader<'_> {
    /// Adds a rule to all chains that it is for; if it cannot be loaded, to none of them.
    fn add(&mut self, rule: &RuleConfig, chains: &mut [Chain]) {
        let mut made = Vec::new();
        for (place, chain) in
            chains.iter().enumerate().filter(|(_, chain)| rule.is_for(&chain.channel))
        {
            match self.rule(rule, &chain.channel) {
                Ok(rule) => made.push((place, rule)),
                Err(error) => {
                    info!(
                        channel = chain.channel,
                        "the rule is left out of this channel and every other"
                    );
                    return self.refuse(rule, &error);
                }
            }
        }
        if let Some((_, first)) = made.first() {
            let (name, version) = (&first.description().name, &first.description().version);
            let role = role_name(first.description().role);
            info!(slot = rule.slot, name, version, role, digest = %first.digest(), "rule loaded");
        }
        for (place, loaded) in made {
            chains[place].rules.push((rule.slot.clone(), loaded));
        }
    }

    fn rule(&mut self, rule: &RuleConfig, channel: &str) -> Result<Rule, LoadFailure> {
        let limits = self.limits(rule);
        let component = self.component(rule, &limits)?;
        let made = Rule::new(self.sandbox, &limits, &component, &rule.settings)
            .map_err(|error| LoadFailure::Load(error, Some(component)))?;
        let speakers = Speakers::new(&self.config.twitch.accounts.wanted);
        match cannot(&made, channel, &speakers) {
            Some(why) => Err(LoadFailure::Needs(why)),
            None if rule.source_is_file => Ok(made.pinned()),
            None => Ok(made),
        }
    }

    /// What this rule may use, and where it may publish.
    fn limits(&self, rule: &RuleConfig) -> Arc<Limits> {
        let limits = Limits::default();
        Arc::new(Limits {
            memory: rule.memory.unwrap_or(limits.memory),
            publish: rule.publish.clone(),
            reserved_topics: self.config.mqtt.prefix.clone(),
            ..limits
        })
    }

    fn component(
        &mut self,
        rule: &RuleConfig,
        limits: &Limits,
    ) -> Result<Arc<Component>, LoadFailure> {
        if let Some(component) = self.components.get(&rule.file) {
            return Ok(Arc::clone(component));
        }
        let bytes = rule_file::read(&rule.file).map_err(LoadFailure::Read)?;
        let component = Component::shared(self.sandbox, limits, &bytes, &|_| true)
            .map_err(|error| LoadFailure::Load(error, None))?;
        self.components.insert(rule.file.clone(), Arc::clone(&component));
        Ok(component)
    }

    fn refuse(&self, rule: &RuleConfig, refusal: &LoadFailure) {
        let problem = |why: &dyn std::fmt::Display| {
            format!("the rule in slot `{}`, {}, is refused: {why}", rule.slot, rule.file.display())
        };
        if self.config.skip_broken_rules {
            let problem = problem(refusal);
            error!(slot = rule.slot, problem, "rule left out, as skip_broken_rules says");
            return;
        }
        match refusal {
            LoadFailure::Load(LoadError::Settings(mistakes), component) => {
                for (name, why) in mistakes {
                    let known = component.iter().flat_map(|it| &it.description.settings);
                    let known = known.map(|it| it.name.as_str()).filter(|known| known != name);
                    let why = problem(&format!("setting `{name}`: {why}"));
                    match most_like(name, known).filter(|_| why.contains("no such setting")) {
                        Some(known) => {
                            let hint = format!("did you mean `{known}`?");
                            self.mistakes.add_with_hint(rule.span_of(name), why, hint);
                        }
                        None => self.mistakes.add(rule.span_of(name), why),
                    }
                }
            }
            // It stands at the first setting that the rule speaks of.
            LoadFailure::Load(LoadError::Refused(why), _) => {
                let names = rule.settings.iter().map(|(name, _)| name);
                let spoken = names.into_iter().find(|name| why.contains(&format!("`{name}`")));
                let span = spoken.map_or(&rule.span, |name| rule.span_of(name));
                self.mistakes.add(span, problem(refusal));
            }
            _ => self.mistakes.add_with_hint(
                &rule.file_span,
                problem(refusal),
                "skip_broken_rules = true starts heatd with the other rules",
            ),
        }
    }
}

/// Why heatd cannot run a rule in a channel: an ability that the rule needs and heatd does not have.
pub(crate) fn cannot(rule: &Rule, channel: &str, speakers: &Speakers) -> Option<String> {
    let lacks = |ability: &Ability| match ability {
        Ability::Say if speakers.speaker(channel).is_some() => None,
        Ability::Say => Some(format!(
            "with these settings it says lines in chat, and no account speaks in #{channel}: write a [[twitch.account]] with the feature \"say\" \
             (docs/login.md), or name the channels of this rule"
        )),
        Ability::Clip => {
            Some("with these settings it makes clips, and heatd cannot make any yet".to_owned())
        }
    };
    rule.needs().iter().find_map(lacks)
}

/// Why a rule is not in a chain.
enum LoadFailure {
    Read(std::io::Error),
    Load(LoadError, Option<Arc<Component>>),
    Needs(String),
}

impl std::fmt::Display for LoadFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(error) => write!(f, "the file cannot be read: {error}"),
            Self::Load(error, _) => error.fmt(f),
            Self::Needs(why) => f.write_str(why),
        }
    }
}
