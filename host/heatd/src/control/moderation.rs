//! What moderators ask of heatd itself in chat: to take back what somebody did, `?heat undo @user 10m`.
//!
//! The first time the answer says what that would change; with `now` behind it, it is done. The answer is a line of chat, which is
//! said once heatd has a login, and until then only told to who watches.

use heat_engine::parse_duration;
use heat_engine::wit::{Event, Happening};
use serde_json::Value;
use tracing::{info, warn};

use crate::control::{Live, Refusal, Steps, Undone, aside};
use crate::view::feed::Feed;

/// How far back it goes when nobody says, in milliseconds.
const USUALLY: u64 = 600_000;

/// Reads what moderators ask.
pub(crate) struct Moderation {
    pub(crate) live: Live,
    pub(crate) feed: Feed,
    /// The words that it begins with, in lower case; empty: nobody is listened to.
    pub(crate) command: String,
}

/// What a line of chat asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    /// By somebody who is no moderator.
    NotAllowed,
    Undo(Wish),
}

/// Whose doings shall be taken back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    user: String,
    since: u64,
    /// Otherwise it is only said what that would change.
    now: bool,
    by: String,
}

impl Moderation {
    /// What an event asks; nothing unless it is a line of chat with the command.
    pub(crate) fn read(&self, now: u64, event: &Event) -> Asked {
        let Happening::Chat(line) = &event.what else { return Asked::Nothing };
        let Some(rest) = after(&line.text, &self.command) else { return Asked::Nothing };
        // A moderator of another channel of a shared chat is none here.
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

    /// Does it beside the engine, and answers.
    pub(crate) fn take(&self, channel: &str, wish: Wish) {
        let (live, feed, channel) = (self.live.clone(), self.feed.clone(), channel.to_owned());
        let command = self.command.clone();
        let work = move || {
            let answer = answer(&live, &channel, &wish, &command);
            info!(channel, by = wish.by, answer, "a moderator takes something back");
            feed.say(&channel, &answer);
            // Where heatd stops, there is nobody to tell.
            let _ = live.ask(move |desk| {
                desk.engine.say(&channel, &answer);
                Ok(())
            });
        };
        if let Err(error) = aside("moderation", work) {
            warn!(%error, "a moderator's order cannot be carried out");
        }
    }
}

fn answer(live: &Live, channel: &str, wish: &Wish, command: &str) -> String {
    let undone = Undone::of_user(wish.user.clone(), wish.since, !wish.now);
    match live.undo(channel, &undone, &wish.by, &Steps::unheard()) {
        Err(refusal @ Refusal::Refused(_)) => format!("@{}: {refusal}", wish.by),
        Err(refusal) => refusal.to_string(),
        Ok(told) => {
            let done = told["done"].as_str().unwrap_or_default();
            let heat = match (&told["outputs"]["heat"]["before"], &told["outputs"]["heat"]["after"])
            {
                (Value::String(before), Value::String(after)) => {
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

/// What follows a command of one or more words, however it is written.
pub(crate) fn after<'a>(text: &'a str, command: &str) -> Option<&'a str> {
    let mut rest = text.trim_start();
    if command.is_empty() {
        return None;
    }
    for word in command.split_whitespace() {
        let (first, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if first.to_lowercase() != word {
            return None;
        }
        rest = behind.trim_start();
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_of_two_words_is_known_however_it_is_written() {
        assert_eq!(after("?heat undo @bob 10m", "?heat undo"), Some("@bob 10m"));
        assert_eq!(after("  ?HEAT   Undo   @bob", "?heat undo"), Some("@bob"));
        for other in ["?heat", "?heat undone @bob", "?heat set 5", "undo @bob", ""] {
            assert_eq!(after(other, "?heat undo"), None, "{other}");
        }
        assert_eq!(after("anything", ""), None);
    }
}
