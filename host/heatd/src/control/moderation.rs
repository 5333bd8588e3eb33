//! Orders of moderators in chat that are for heatd itself and not for a rule: `?heat undo @user 10m` takes back what somebody did.
//!
//! Without `now` at its end, an order only says what it would change. The answer is a line of chat, which heatd can
//! send once it has a login; until then only watchers see it.

use std::sync::mpsc::{SyncSender, sync_channel};

use heat_engine::parse_duration;
use heat_engine::wit::{Event, Happening};
use tracing::{info, warn};

use super::answers::OutputChange;
use super::follow::aside;
use super::handle::Live;
use super::progress::Steps;
use super::refusal::Refusal;
use super::undo::Undone;
use super::words::after;
use crate::view::feed::Feed;

/// How far back an undo goes by default, in milliseconds.
const USUALLY: u64 = 600_000;

/// How many orders may wait. Each may take seconds; more moderators than this do not ask at one time.
const WAITING: usize = 8;

/// Finds moderators' orders in chat, and hands them to a thread that carries them out one after the other.
pub(crate) struct Moderation {
    /// The command, in lower case. Empty: no order is ever found.
    command: String,
    /// The queue of the thread, which ends when this end is dropped.
    orders: SyncSender<Order>,
}

/// An order, and the channel in which it was given.
struct Order {
    channel: String,
    wish: Wish,
}

/// What a line of chat asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    /// An order by somebody who is no moderator.
    NotAllowed,
    Undo(Wish),
}

/// Whose events to take back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    user: String,
    since: u64,
    /// False: only say what would change.
    now: bool,
    by: String,
}

impl Moderation {
    /// Starts the thread that carries orders out.
    pub(crate) fn new(live: &Live, feed: &Feed, command: &str) -> std::io::Result<Self> {
        let (orders, waiting) = sync_channel::<Order>(WAITING);
        let (live, feed, words) = (live.clone(), feed.clone(), command.to_owned());
        aside("moderation", move || {
            for order in waiting {
                carry_out(&live, &feed, &words, order);
            }
        })?;
        Ok(Self { command: command.to_owned(), orders })
    }

    /// What an event asks for: nothing, unless it is a line of chat that begins with the command.
    pub(crate) fn read(&self, now: u64, event: &Event) -> Asked {
        let Happening::Chat(line) = &event.what else { return Asked::Nothing };
        let Some(rest) = after(&line.text, &self.command) else { return Asked::Nothing };
        // In a shared chat, a moderator of another channel is no moderator here.
        let standing = &line.standing;
        if !(standing.moderator || standing.broadcaster) || line.shared_from.is_some() {
            return Asked::NotAllowed;
        }
        let mut words = rest.split_whitespace();
        let Some(user) = words.next() else { return Asked::Nothing };
        let mut wish = Wish {
            user: user.trim_start_matches('@').to_lowercase(),
            since: now.saturating_sub(USUALLY),
            now: false,
            by: line.person.login.clone(),
        };
        for word in words {
            match parse_duration(word) {
                Ok(ago) => wish.since = now.saturating_sub(ago),
                Err(_) if word.eq_ignore_ascii_case("now") => wish.now = true,
                Err(_) => return Asked::Nothing,
            }
        }
        Asked::Undo(wish)
    }

    /// Queues an order; the engine's thread does not wait for it. Returns an answer for chat if too many orders wait already.
    pub(crate) fn take(&self, channel: &str, wish: Wish) -> Option<String> {
        let by = wish.by.clone();
        let refused = self.orders.try_send(Order { channel: channel.to_owned(), wish }).is_err();
        refused.then(|| {
            warn!(channel, by, "a moderator's order is refused: too many wait");
            format!("@{by}: {WAITING} orders wait already; try again in a moment")
        })
    }
}

/// Carries an order out, and answers in chat.
fn carry_out(live: &Live, feed: &Feed, command: &str, Order { channel, wish }: Order) {
    let answer = answer(live, &channel, &wish, command);
    info!(channel, by = wish.by, answer, "a moderator takes something back");
    feed.say(&channel, &answer);
    // If heatd is stopping, nobody reads the answer.
    let _ = live.ask("chat.say", move |desk| {
        desk.engine.say(&channel, &answer);
        Ok(())
    });
}

fn answer(live: &Live, channel: &str, wish: &Wish, command: &str) -> String {
    let undone = Undone::of_user(wish.user.clone(), wish.since, !wish.now);
    let done = live
        .undo_turn()
        .and_then(|turn| live.undo(turn, channel, &undone, &wish.by, &Steps::unheard()));
    match done {
        Err(refusal @ Refusal::Refused(_)) => format!("@{}: {refusal}", wish.by),
        Err(refusal) => refusal.to_string(),
        Ok(told) => {
            let done = told.message;
            let heat = match told.outputs.get("heat") {
                Some(OutputChange { before: Some(before), after: Some(after) }) => {
                    format!(", heat {before} → {after}")
                }
                _ => String::new(),
            };
            let how = match wish.now {
                true => String::new(),
                false => format!(". To do it: {command} @{} … now", wish.user),
            };
            format!("@{}: {done}{heat}{how}", wish.by)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_beyond_those_that_wait_are_answered_and_not_kept() {
        let (orders, waiting) = sync_channel(WAITING);
        let moderation = Moderation { command: "?heat undo".to_owned(), orders };
        let wish = || Wish { user: "bob".to_owned(), since: 0, now: true, by: "mod".to_owned() };
        for _ in 0..WAITING {
            assert_eq!(moderation.take("seaside", wish()), None);
        }
        let answer = moderation.take("seaside", wish()).unwrap();
        assert!(answer.starts_with("@mod: 8 orders wait already"), "{answer}");
        // One is done, so there is room.
        assert_eq!(waiting.recv().unwrap().wish, wish());
        assert_eq!(moderation.take("seaside", wish()), None);
    }
}
