//! A moderator's order by the API. It becomes a line of chat, and takes the way of all events.
//!
//! Only orders get through, which a viewer could not give. So the line is first tried on a run from the present: once as a viewer's line,
//! which must do nothing, and once as a moderator's. Otherwise a token would be a way to make any number of faves.

use std::sync::Arc;

use heat_engine::cases::chat_line;
use heat_engine::wit::{Effect, Event, Happening};
use heat_engine::{Action, Changes, Decision, ORDER_ID, Rule, Run, after_command};
use tokio::sync::oneshot;

use super::answers::{CommandAnswer, answers, weight};
use super::error::Error;
use super::handle::Control;
use crate::clock::now;
use crate::queue::Input;

/// Twitch's lines of chat have at most 500 characters.
const LONGEST: usize = 500;

impl Control {
    /// Gives an order by `by`. Returns what came of it, once that is durable.
    pub(crate) fn command(
        &self,
        channel: &str,
        text: &str,
        by: &str,
    ) -> Result<CommandAnswer, Error> {
        if text.is_empty() || text.chars().count() > LONGEST || text.contains(char::is_control) {
            return Err(Error::because("an order is one line of 1 to 500 characters"));
        }
        if let Some(other) = self.other_way(text) {
            return Err(Error::because(other));
        }
        let now = now();
        let event = |who: &str| -> Result<Event, Error> {
            let mut line = chat_line(who, text).map_err(Error::because)?;
            line.person.id = format!("{ORDER_ID}{by}");
            let id = format!("command:{now}:{:016x}", fastrand::u64(..));
            Ok(Event { id, channel: channel.to_owned(), at: now, what: Happening::Chat(line) })
        };
        let order = event(&format!("{by} (moderator)"))?;
        self.try_out(channel, now, event(by)?, order.clone())?;

        let (decided, answer) = oneshot::channel();
        let input = Input::with_decision(now, order, move |decision| {
            // The caller may be gone.
            let _ = decided.send(decision);
        });
        let inputs = self.inputs.upgrade().ok_or(Error::Gone)?;
        inputs.blocking_send(input).map_err(|_| Error::Gone)?;
        drop(inputs);
        let decision = answer.blocking_recv().map_err(|_| Error::Gone)?;
        self.note(channel, Action::Command, by, text)?;
        Ok(told(&decision))
    }

    /// What to do instead, where an order of chat is heatd's own and not a rule's.
    fn other_way(&self, text: &str) -> Option<&'static str> {
        let is = |command: &str| after_command(text, command).is_some();
        if is(&self.undo_command) {
            return Some(
                "what somebody did is taken back by POST /channels/CHANNEL/undo; with heat: heat undo --user NAME --since 10m",
            );
        }
        is(&self.stream_command).then_some(
            "whether the stream is live is said by POST /channels/CHANNEL/stream; with heat: heat stream start, heat stream end",
        )
    }

    /// Refuses a line that is no order: one that no rule takes, that does nothing, or that viewers could write, too.
    fn try_out(
        &self,
        channel: &str,
        now: u64,
        of_viewer: Event,
        of_moderator: Event,
    ) -> Result<(), Error> {
        let present = self.present(channel)?;
        let text = text(&of_moderator);
        let word = text.split_whitespace().next().unwrap_or_default();
        let takers = takers(&present.rules, text);
        if takers.is_empty() {
            return Err(Error::because(format!(
                "no rule of #{channel} takes {word:?} as a command; moderators' commands are settings of the rules, such as ?heat set 50"
            )));
        }
        let snapshot = Arc::clone(&present.snapshot);
        let (rules, changes) = (&present.rules, Changes::default());
        let mut run = Run::of_present(&self.sandbox, snapshot, channel, rules, changes)?;
        run.advance_to(now)?;
        let open = run.simulate(now, of_viewer)?;
        if open.answers.iter().any(|it| does(it, &takers)) || faves(&open) {
            return Err(Error::because(format!(
                "everybody may say {word:?} in chat; here are only orders of moderators, such as ?heat set 50"
            )));
        }
        let decision = run.simulate(now, of_moderator)?;
        let failed = decision.answers.iter().find_map(|it| {
            let fault = it.outcome.as_ref().err()?;
            takers.contains(&&*it.slot).then(|| format!("{} would fail: {fault}", it.slot))
        });
        if let Some(failed) = failed {
            return Err(Error::because(failed));
        }
        if !decision.answers.iter().any(|it| does(it, &takers)) {
            return Err(Error::because(
                "no rule would do anything with that now; orders are ?heat set 50, ?heat reset, ?heat pause, ?heat resume, ?heat add 5 @ann pie, ?heat boost 2 5m",
            ));
        }
        Ok(())
    }

    /// Writes into the audit log what somebody did by the API, other than changes of slots.
    pub(crate) fn note(
        &self,
        channel: &str,
        action: Action,
        by: &str,
        note: &str,
    ) -> Result<(), Error> {
        let (channel, order) =
            (channel.to_owned(), heat_engine::ChangeRequest::new(action, by, note));
        self.on_engine_thread("audit.note", move |access| {
            access.engine.audit(&channel, "", None, None, &order, None);
            Ok(())
        })
    }
}

fn text(event: &Event) -> &str {
    let Happening::Chat(line) = &event.what else { return "" };
    &line.text
}

/// The slots whose rules take a command.
fn takers<'a>(rules: &'a [(String, Rule)], text: &str) -> Vec<&'a str> {
    let takes = |rule: &Rule| rule.commands().any(|it| after_command(text, it).is_some());
    rules.iter().filter(|(_, rule)| takes(rule)).map(|(slot, _)| slot.as_str()).collect()
}

/// Whether one of these slots has answered the line with any effect.
fn does(answer: &heat_engine::Answer, takers: &[&str]) -> bool {
    let acts = answer.outcome.as_ref().is_ok_and(|effects| !effects.is_empty());
    acts && !answer.on_fave && takers.contains(&&*answer.slot)
}

/// Whether any rule has made a fave of the line.
fn faves(decision: &Decision) -> bool {
    let effects = decision.answers.iter().filter_map(|it| it.outcome.as_ref().ok()).flatten();
    effects.into_iter().any(|effect| matches!(effect, Effect::Fave(_)))
}

fn told(decision: &Decision) -> CommandAnswer {
    let faves: i64 = decision.faves.iter().map(|fave| fave.weight).sum();
    CommandAnswer { answers: answers(decision), faves: weight(faves) }
}
