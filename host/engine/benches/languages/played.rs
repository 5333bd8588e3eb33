//! Faves by chat, and one formula that is told of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use heat_engine::wit::{ChatLine, Event, Happening, Person, Standing};
use heat_engine::{Answer, Chain, Component, Engine, Limits, Rule, Sandbox, Store};

const CHANNEL: &str = "seaside";

/// The first of January 2026, in milliseconds since 1970.
const START: u64 = 1_767_225_600_000;

/// An instance lives for as many events, and so does a group.
pub(crate) const GROUP: u64 = 64;

/// The rule that is measured, and the one that makes the faves for it.
pub(crate) struct Played {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) fave: Arc<Component>,
    pub(crate) rule: Arc<Component>,
    pub(crate) bytes: Vec<u8>,
}

impl Played {
    /// How long so many events take until they are decided on, with the rule under these limits, or without the rule. The first
    /// failure of the rule is an error.
    pub(crate) fn play(&self, limits: &Limits, with_rule: bool, events: u64) -> Result<Duration> {
        let others = Limits { instance_events: limits.instance_events, ..crate::ample() };
        let mut rules = vec![self.part("fave", &self.fave, others)?];
        if with_rule {
            rules.push(self.part("rule", &self.rule, limits.clone())?);
        }
        let chain = Chain { channel: CHANNEL.to_owned(), rules };
        let mut engine =
            Engine::open(Arc::clone(&self.sandbox), Store::in_memory()?, vec![chain], START)?;
        let mut took = Duration::ZERO;
        for number in 0..events {
            let event = fave(number);
            let start = Instant::now();
            let decision = engine.handle(event.at, event)?;
            took += start.elapsed();
            decision.answers.iter().try_for_each(check)?;
            if (number + 1) % GROUP == 0 {
                engine.commit()?;
            }
        }
        Ok(took)
    }

    /// A rule with its default settings, in a slot of this name.
    fn part(&self, slot: &str, rule: &Arc<Component>, limits: Limits) -> Result<(String, Rule)> {
        Ok((slot.to_owned(), Rule::new(&self.sandbox, &Arc::new(limits), rule, &[])?))
    }
}

/// A fave every second.
fn fave(number: u64) -> Event {
    let login = format!("person{}", number % 50);
    let line = ChatLine {
        message: format!("5b3f7a52-0000-4000-8000-{number:012x}"),
        person: Person { id: format!("id-{login}"), login: login.clone(), name: login },
        standing: Standing {
            broadcaster: false,
            moderator: false,
            vip: false,
            subscription: None,
            first_message: false,
            returning: false,
        },
        text: format!("?fave song number {}", number % 20),
        emotes: Vec::new(),
        bits: 0,
        reply_to: None,
        shared_from: None,
    };
    Event {
        id: line.message.clone(),
        channel: CHANNEL.to_owned(),
        at: START + number * 1000,
        what: Happening::Chat(line),
    }
}

fn check(answer: &Answer) -> Result<()> {
    answer
        .outcome
        .as_ref()
        .map(|_| ())
        .map_err(|fault| anyhow::anyhow!("{fault}"))
        .context("a rule failed")
}
