//! Orders of moderators in chat that are for heatd itself and not for a rule: `?heat undo @user 10m` takes back what somebody did.
//!
//! It does so at once, as moderators expect of an order; with `preview` at its end it only says what it would change. The answer is a line of
//! chat, which heatd can send once it has a login; until then only watchers see it.

use std::sync::mpsc::{SyncSender, sync_channel};

use heat_engine::wit::{Event, Happening};
use heat_engine::{after_command, command_word, parse_duration};
use tracing::{info, warn};

use super::answers::OutputChange;
use super::error::Error;
use super::follow::spawn_low_priority;
use super::handle::Control;
use super::progress::Progress;
use super::undo::Undone;
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
    orders: SyncSender<QueuedOrder>,
}

/// An order, and the channel in which it was given.
struct QueuedOrder {
    channel: String,
    wish: UndoRequest,
}

/// What a line of chat asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ChatOrder {
    Nothing,
    /// An order by somebody who is no moderator.
    NotAllowed,
    /// A moderator's order that is not written as one: what to answer.
    Misspelt(String),
    Undo(UndoRequest),
}

/// Whose events to take back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UndoRequest {
    user: String,
    since: u64,
    /// The time as the moderator typed it. A preview repeats it in the line that does what the preview shows.
    ago: Option<String>,
    /// Only say what would change.
    preview: bool,
    by: String,
}

impl Moderation {
    /// Starts the thread that carries orders out.
    pub(crate) fn new(live: &Control, feed: &Feed, command: &str) -> std::io::Result<Self> {
        let (orders, waiting) = sync_channel::<QueuedOrder>(WAITING);
        let (live, feed, words) = (live.clone(), feed.clone(), command.to_owned());
        spawn_low_priority("moderation", move || {
            for order in waiting {
                carry_out(&live, &feed, &words, order);
            }
        })?;
        Ok(Self { command: command.to_owned(), orders })
    }

    /// What an event asks for: nothing, unless it is a line of chat that begins with the command.
    pub(crate) fn read(&self, now: u64, event: &Event) -> ChatOrder {
        let Happening::Chat(line) = &event.what else { return ChatOrder::Nothing };
        let Some(rest) = after_command(&line.text, &self.command) else {
            return ChatOrder::Nothing;
        };
        // In a shared chat, a moderator of another channel is no moderator here.
        let standing = &line.standing;
        if !(standing.moderator || standing.broadcaster) || line.shared_from.is_some() {
            return ChatOrder::NotAllowed;
        }
        match UndoRequest::read(rest, now, &line.person.login) {
            Ok(wish) => ChatOrder::Undo(wish),
            Err(problem) => ChatOrder::Misspelt(self.how_to_write(&line.person.login, &problem)),
        }
    }

    /// An answer to an order that cannot be obeyed.
    fn how_to_write(&self, by: &str, problem: &str) -> String {
        let order = &self.command;
        format!(
            "@{by}: nothing is taken back: {problem}. Write {order} @name, or with how far back it goes: {order} @name 30m"
        )
    }

    /// Queues an order; the engine's thread does not wait for it. Returns an answer for chat if too many orders wait already.
    pub(crate) fn take(&self, channel: &str, wish: UndoRequest) -> Option<String> {
        let by = wish.by.clone();
        let refused =
            self.orders.try_send(QueuedOrder { channel: channel.to_owned(), wish }).is_err();
        refused.then(|| {
            warn!(channel, by, "a moderator's order is refused: too many wait");
            format!("@{by}: {WAITING} orders wait already; try again in a moment")
        })
    }
}

impl UndoRequest {
    /// Reads what stands behind the command, or returns what is wrong with it.
    fn read(rest: &str, now: u64, by: &str) -> Result<Self, String> {
        let mut words = rest.split_whitespace().map(command_word);
        let user = words.next().unwrap_or_default().trim_start_matches('@').to_owned();
        if user.is_empty() {
            return Err("it does not say whose".to_owned());
        }
        let since = now.saturating_sub(USUALLY);
        let mut wish = Self { user, since, ago: None, preview: false, by: by.to_owned() };
        for word in words {
            match parse_duration(&word) {
                Ok(ago) => {
                    wish.since = now.saturating_sub(ago);
                    wish.ago = Some(word);
                }
                // Earlier versions acted only with `now`. Moderators may still type it.
                Err(_) if word == "now" => {}
                Err(_) if word == "preview" => wish.preview = true,
                Err(_) => return Err(format!("{word:?} is no length of time, such as 90s or 1h")),
            }
        }
        Ok(wish)
    }

    /// What to type so that it is done, and not only shown.
    fn line(&self, command: &str) -> String {
        let ago = self.ago.as_ref().map(|ago| format!(" {ago}")).unwrap_or_default();
        format!("{command} @{}{ago}", self.user)
    }
}

/// Carries an order out, and answers in chat.
fn carry_out(
    live: &Control,
    feed: &Feed,
    command: &str,
    QueuedOrder { channel, wish }: QueuedOrder,
) {
    let answer = answer(live, &channel, &wish, command);
    info!(channel, by = wish.by, answer, "a moderator takes something back");
    feed.say(&channel, &answer);
    // If heatd is stopping, nobody reads the answer.
    let _ = live.on_engine_thread("chat.say", move |access| {
        access.engine.say(&channel, &answer);
        Ok(())
    });
}

fn answer(live: &Control, channel: &str, wish: &UndoRequest, command: &str) -> String {
    let undone = Undone::of_user(wish.user.clone(), wish.since, wish.preview);
    let done = live
        .undo_turn()
        .and_then(|turn| live.undo(turn, channel, &undone, &wish.by, &Progress::unheard()));
    match done {
        Err(refusal @ Error::Refused(_)) => format!("@{}: {refusal}", wish.by),
        Err(refusal) => refusal.to_string(),
        Ok(told) => {
            let done = told.message;
            let heat = match told.outputs.get("heat") {
                Some(OutputChange { before: Some(before), after: Some(after) }) => {
                    format!(", heat {before} → {after}")
                }
                _ => String::new(),
            };
            let how = match wish.preview {
                false => String::new(),
                true => format!(". To do it: {}", wish.line(command)),
            };
            format!("@{}: {done}{heat}{how}", wish.by)
        }
    }
}

#[cfg(test)]
mod tests {
    use heat_engine::cases::chat_line;

    use super::*;

    #[test]
    fn an_order_is_known_however_it_was_typed() {
        let (orders, _waiting) = sync_channel(WAITING);
        let moderation = Moderation { command: "?heat undo".to_owned(), orders };
        let said = |text: &str| {
            let line = chat_line("mod (moderator)", text).unwrap();
            let (channel, what) = ("seaside".to_owned(), Happening::Chat(line));
            moderation.read(700_000, &Event { id: "1".to_owned(), channel, at: 0, what })
        };
        let wish = ChatOrder::Undo(UndoRequest {
            user: "bob".to_owned(),
            since: 640_000,
            ago: Some("1m".to_owned()),
            preview: true,
            by: "mod".to_owned(),
        });
        for text in [
            "?heat undo @bob 1m preview",
            "？ｈｅａｔ　ｕｎｄｏ　＠Ｂｏｂ　１ｍ　preview",
            "? heat undo \u{200B}bob 1m now PREVIEW",
        ] {
            assert_eq!(said(text), wish, "{text:?}");
        }
    }

    #[test]
    fn a_misspelt_order_is_answered_to_moderators_alone() {
        let (orders, _waiting) = sync_channel(WAITING);
        let moderation = Moderation { command: "?heat undo".to_owned(), orders };
        let said = |who: &str, text: &str| {
            let (channel, what) =
                ("seaside".to_owned(), Happening::Chat(chat_line(who, text).unwrap()));
            moderation.read(700_000, &Event { id: "1".to_owned(), channel, at: 0, what })
        };
        for (text, problem) in [
            ("?heat undo", "whose"),
            ("?heat undo @", "whose"),
            ("?heat undo @zed 10", "\"10\" is no length of time"),
            ("?heat undo @zed 1x", "\"1x\" is no length of time"),
            ("?heat undo @zed 10 minutes", "\"10\" is no length of time"),
        ] {
            let ChatOrder::Misspelt(answer) = said("mod (moderator)", text) else {
                panic!("{text:?}")
            };
            let begins = answer.starts_with("@mod: nothing is taken back: ");
            assert!(begins && answer.contains(problem), "{answer}");
            assert!(answer.contains("?heat undo @name 30m"), "{answer}");
            for who in ["ann", "ann (moderator, shared other)"] {
                assert_eq!(said(who, text), ChatOrder::NotAllowed, "{who}: {text:?}");
            }
        }
    }

    #[test]
    fn a_preview_tells_the_line_that_does_what_it_showed() {
        let (orders, _waiting) = sync_channel(WAITING);
        let moderation = Moderation { command: "?heat undo".to_owned(), orders };
        for (typed, told) in [
            ("?heat undo @Fred 30m preview", "?heat undo @fred 30m"),
            ("?heat undo fred preview", "?heat undo @fred"),
        ] {
            let line = chat_line("mod (moderator)", typed).unwrap();
            let (channel, what) = ("seaside".to_owned(), Happening::Chat(line));
            let event = Event { id: "1".to_owned(), channel, at: 0, what };
            let ChatOrder::Undo(wish) = moderation.read(700_000, &event) else { panic!("{typed}") };
            assert_eq!(wish.line("?heat undo"), told);
        }
    }

    #[test]
    fn orders_beyond_those_that_wait_are_answered_and_not_kept() {
        let (orders, waiting) = sync_channel(WAITING);
        let moderation = Moderation { command: "?heat undo".to_owned(), orders };
        let wish = || UndoRequest {
            user: "bob".to_owned(),
            since: 0,
            ago: None,
            preview: false,
            by: "mod".to_owned(),
        };
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
