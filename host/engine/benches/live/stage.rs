//! Engines with real rules over a store on the disk, and the chat that they hear.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use heat_engine::wit::{ChatLine, Emote, EmoteProvider, Event, Happening, Person, Standing};
use heat_engine::{Chain, Component, Engine, Given, Limits, Rule, Sandbox, Store};

use crate::Setup;

pub(crate) const CHANNEL: &str = "seaside";

/// The first of January 2026, in milliseconds since 1970.
pub(crate) const START: u64 = 1_767_225_600_000;

/// Compiles rules, and keeps what they share.
pub(crate) struct Stage<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) sandbox: Arc<Sandbox>,
    limits: Arc<Limits>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(setup: &'a Setup) -> Result<Self> {
        let (sandbox, limits) = (Arc::new(Sandbox::new(None)?), Arc::new(Limits::default()));
        Ok(Self { setup, sandbox, limits })
    }

    /// The bytes of a rule, or of a guest of the tests.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        let file = format!("{name}.wasm");
        let read = |folder: &Path| std::fs::read(folder.join(&file));
        read(&self.setup.rules).or_else(|_| read(&self.setup.guests)).with_context(|| {
            format!("{file} is neither in {} nor with the guests", self.setup.rules.display())
        })
    }

    pub(crate) fn component(&self, bytes: &[u8]) -> Result<Arc<Component>> {
        Ok(Arc::new(Component::load(&self.sandbox, &self.limits, bytes)?))
    }

    /// A rule with these settings, compiled from the folder.
    pub(crate) fn rule(&self, name: &str, given: &[(&str, &str)]) -> Result<Rule> {
        self.with(&self.component(&self.bytes(name)?)?, given)
    }

    pub(crate) fn with(&self, component: &Arc<Component>, given: &[(&str, &str)]) -> Result<Rule> {
        let given: Vec<(String, Given)> = given
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Given::Text((*text).to_owned())))
            .collect();
        self.given(component, &given)
    }

    pub(crate) fn given(
        &self,
        component: &Arc<Component>,
        given: &[(String, Given)],
    ) -> Result<Rule> {
        Ok(Rule::new(&self.sandbox, &self.limits, component, given)?)
    }

    /// An engine with these rules, each in the slot of this name, and a store of its own in this file.
    pub(crate) fn engine(&self, file: &Path, rules: &[(&str, Rule)]) -> Result<Engine> {
        let rules = rules.iter().map(|(slot, rule)| ((*slot).to_owned(), rule.clone())).collect();
        let chain = Chain { channel: CHANNEL.to_owned(), rules };
        let sandbox = Arc::clone(&self.sandbox);
        Ok(Engine::open(sandbox, Store::open(file)?, vec![chain], START)?)
    }
}

/// The id of the event of this number: the log is held against it.
pub(crate) fn id(number: u64) -> String {
    format!("5b3f7a52-0000-4000-8000-{number:012x}")
}

/// What somebody says, in an event of this number.
pub(crate) fn said(number: u64, people: u64, text: &str) -> Event {
    // A step of a prime: everybody talks, and neighbours differ.
    let login = format!("person{}", number * 7919 % people);
    let line = ChatLine {
        message: id(number),
        person: Person { id: format!("id-{login}"), login: login.clone(), name: login },
        standing: Standing {
            broadcaster: false,
            moderator: false,
            vip: false,
            subscription: None,
            first_message: false,
            returning: false,
        },
        text: text.to_owned(),
        emotes: emote(text).into_iter().collect(),
        bits: 0,
        reply_to: None,
        shared_from: None,
    };
    let channel = CHANNEL.to_owned();
    Event { id: id(number), channel, at: START, what: Happening::Chat(line) }
}

/// The emote that the text ends with, if it does.
fn emote(text: &str) -> Option<Emote> {
    let (name, id) = ("LUL", "425618");
    let start = u32::try_from(text.strip_suffix(name)?.chars().count()).ok()?;
    let (name, id, end) = (name.to_owned(), id.to_owned(), start + 3);
    Some(Emote { name, id, provider: EmoteProvider::Twitch, start, end })
}

/// Chat in which two lines in a hundred are faves.
pub(crate) fn chat(number: u64, people: u64) -> Event {
    match is_fave(number) {
        true => said(number, people, &format!("?fave song number {}", number / 50 % 20)),
        false => said(number, people, "what a song, turn it up please LUL"),
    }
}

pub(crate) fn is_fave(number: u64) -> bool {
    number % 50 == 7
}
