//! Simulates an event: what the rules would answer to something that has not happened.

use std::collections::BTreeMap;

use heat_engine::cases::{chat_line, person};
use heat_engine::wit::{Cheer, Event, Gift, Happening, Raid, Redemption, Role, Subscription, Tier};
use heat_engine::{Action, Changes, Rule, Run};
use serde::Deserialize;

use super::answers::{SimulateAnswer, answers, by_output, weight};
use super::error::Error;
use super::handle::Control;
use crate::clock::now;
use crate::queue::Input;

/// An event to simulate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Imagined {
    kind: Kind,
    #[serde(default = "someone")]
    user: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    item: String,
    #[serde(default = "one")]
    tier: u8,
    #[serde(default = "one")]
    count: u32,
    #[serde(default = "hundred")]
    bits: u32,
    #[serde(default = "hundred")]
    viewers: u32,
    #[serde(default)]
    reward: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Fave,
    Chat,
    Sub,
    Gift,
    Cheer,
    Raid,
    Follow,
    Redeem,
    StreamStart,
    StreamEnd,
}

fn someone() -> String {
    "someone".to_owned()
}

fn one<N: From<u8>>() -> N {
    1.into()
}

fn hundred() -> u32 {
    100
}

impl Imagined {
    pub(crate) fn happening(&self, rules: &[(String, Rule)]) -> Result<Happening, Error> {
        let (user, text) = (self.user.to_lowercase(), self.text.clone());
        let person = person(&user);
        let tier = || match self.tier {
            1 => Ok(Tier::One),
            2 => Ok(Tier::Two),
            3 => Ok(Tier::Three),
            other => Err(Error::because(format!("there is no tier {other}; write 1, 2 or 3"))),
        };
        let line = |text: &str| chat_line(&user, text).map(Happening::Chat).map_err(Error::because);
        Ok(match self.kind {
            Kind::Chat => line(&text)?,
            Kind::Fave => {
                let handlers =
                    rules.iter().filter(|(_, it)| it.description().role == Role::Handler);
                let command = handlers.flat_map(|(_, rule)| rule.commands()).next();
                let command = command.ok_or_else(|| {
                    Error::because("no handler of this channel takes a command; simulate a `chat` line with what counts as a fave")
                })?;
                line(format!("{command} {}", self.item).trim_end())?
            }
            Kind::Sub => Happening::Subscription(Subscription {
                person,
                tier: tier()?,
                months: 1,
                renewed: false,
                text,
            }),
            Kind::Gift => {
                let (tier, count) = (tier()?, self.count);
                Happening::Gift(Gift { person: Some(person), tier, count, receiver: None })
            }
            Kind::Cheer => Happening::Cheer(Cheer { person: Some(person), bits: self.bits, text }),
            Kind::Raid => Happening::Raid(Raid { person, viewers: self.viewers }),
            Kind::Follow => Happening::Follow(person),
            Kind::Redeem => {
                let reward = self.reward.clone();
                Happening::Redemption(Redemption {
                    person,
                    reward_id: reward.clone(),
                    reward,
                    cost: 0,
                    text,
                })
            }
            Kind::StreamStart => Happening::StreamStart,
            Kind::StreamEnd => Happening::StreamEnd,
        })
    }
}

impl Control {
    /// Returns what would come of an event. `happens` names the caller if the event is to happen afterwards; its id says that it was simulated.
    pub(crate) fn simulate(
        &self,
        channel: &str,
        imagined: &Imagined,
        happens: Option<&str>,
    ) -> Result<SimulateAnswer, Error> {
        let present = self.present(channel)?;
        let what = imagined.happening(&present.rules)?;
        let now = now();
        let id = format!("simulated:{now}:{:016x}", fastrand::u64(..));
        let event = Event { id, channel: channel.to_owned(), at: now, what };
        let snapshot = present.snapshot;
        let (rules, changes) = (&present.rules, Changes::default());
        let mut run = Run::of_present(&self.sandbox, snapshot, channel, rules, changes)?;
        run.advance_to(now)?;
        let before = shown(&run);
        let decision = run.simulate(now, event.clone())?;
        let after = shown(&run);
        let outputs = after
            .into_iter()
            .filter(|(name, text)| before.get(name) != Some(text))
            .map(|(name, text)| (name.clone(), before.get(&name).cloned(), Some(text)));
        let faves: i64 = decision.faves.iter().map(|fave| fave.weight).sum();
        let answer = SimulateAnswer {
            simulated: happens.is_none(),
            id: event.id.clone(),
            answers: answers(&decision),
            faves: weight(faves),
            outputs: by_output(outputs.collect()),
        };
        if let Some(by) = happens {
            self.note(channel, Action::Simulate, by, &event.id)?;
            let inputs = self.inputs.upgrade().ok_or(Error::Gone)?;
            inputs.blocking_send(Input::event(now, event)).map_err(|_| Error::Gone)?;
        }
        Ok(answer)
    }
}

fn shown(run: &Run) -> BTreeMap<String, String> {
    run.shown().values().flatten().map(|(name, text)| (name.clone(), text.clone())).collect()
}
