//! The raw log for whoever debugs: every line, frame, message and answer as it came, and what became of it.
//!
//! The last minutes are kept in memory, within a bound, so that somebody who begins to look sees what has just happened. What is known to be secret is
//! taken out before anything is kept.

use std::collections::VecDeque;
use std::sync::Arc;

use heat_engine::{Decision, effect_line};
use parking_lot::{Mutex, RwLock};
use serde::Serialize;
use tokio::sync::broadcast;

use crate::clock::now;
use crate::secret::Secret;

/// How many entries somebody who looks may be behind before some are missed.
const CAPACITY: usize = 4096;

/// How much is kept, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// For how long it is kept, in milliseconds.
const LONGEST: u64 = 10 * 60_000;

/// How much of one text is kept, in bytes.
const LONGEST_TEXT: usize = 8 << 10;

/// How many secrets are known: tokens change a few times a day.
const MOST_SECRETS: usize = 64;

/// Where something came from, or went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RawKind {
    Irc,
    EventSub,
    Mqtt,
    Helix,
    /// What the rules made of an event.
    Decision,
}

impl RawKind {
    pub(crate) const ALL: [(Self, &'static str); 5] = [
        (Self::Irc, "irc"),
        (Self::EventSub, "eventsub"),
        (Self::Mqtt, "mqtt"),
        (Self::Helix, "helix"),
        (Self::Decision, "decision"),
    ];

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, it)| *it == name).map(|(kind, _)| *kind)
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Became {
    /// Events, by their ids. What the rules made of them is told by entries of their own.
    Events(Vec<String>),
    /// Nothing, and why.
    Dropped(String),
    /// It was of use for heatd itself, and for what.
    Used(&'static str),
    /// What each rule answered to the event.
    Decided(Verdicts),
}

/// What the rules made of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Verdicts {
    /// The id of the event.
    event: String,
    /// It was known already: nothing happened.
    duplicate: bool,
    /// The rules that were called, in order.
    rules: Vec<Called>,
    /// How many faves were counted.
    faves: usize,
}

/// One call of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Called {
    slot: String,
    effects: Vec<String>,
    /// Why it failed.
    fault: Option<String>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RawEntry {
    /// When it came, in milliseconds since 1970.
    pub(crate) at: u64,
    pub(crate) kind: RawKind,
    /// Login of the channel, where there is one.
    pub(crate) channel: Option<String>,
    /// As it came. Empty for a decision.
    pub(crate) raw: String,
    pub(crate) became: Became,
}

/// The raw log. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct RawLog(Arc<RawShared>);

struct RawShared {
    kept: Mutex<KeptEntries>,
    live: broadcast::Sender<Arc<RawEntry>>,
    /// What never stands in it.
    secrets: RwLock<Vec<Secret>>,
}

#[derive(Default)]
struct KeptEntries {
    entries: VecDeque<Arc<RawEntry>>,
    bytes: usize,
}

impl Default for RawLog {
    fn default() -> Self {
        let live = broadcast::Sender::new(CAPACITY);
        Self(Arc::new(RawShared { kept: Mutex::default(), live, secrets: RwLock::default() }))
    }
}

impl RawLog {
    /// What is never shown from now on, besides what was told before.
    pub(crate) fn hide(&self, secret: &Secret) {
        let mut secrets = self.0.secrets.write();
        if secret.reveal().is_empty() || secrets.contains(secret) {
            return;
        }
        if secrets.len() == MOST_SECRETS {
            // It has ended long ago.
            secrets.remove(0);
        }
        secrets.push(secret.clone());
    }

    /// Notes something that came, and what became of it.
    pub(crate) fn note(&self, kind: RawKind, channel: Option<&str>, raw: &str, became: Became) {
        let mut end = raw.len().min(LONGEST_TEXT);
        while !raw.is_char_boundary(end) {
            end -= 1;
        }
        let raw = self.without_secrets(&raw[..end]);
        let channel = channel.map(str::to_owned);
        self.put(RawEntry { at: now(), kind, channel, raw, became });
    }

    /// Notes what the rules made of an event.
    pub(crate) fn decided(&self, event: &str, decision: &Decision) {
        let called = decision.answers.iter().map(|answer| Called {
            slot: answer.slot.to_string(),
            effects: answer
                .outcome
                .as_ref()
                .map(|effects| {
                    effects.iter().map(|it| self.without_secrets(&effect_line(it))).collect()
                })
                .unwrap_or_default(),
            fault: answer.outcome.as_ref().err().map(ToString::to_string),
        });
        let verdicts = Verdicts {
            event: event.to_owned(),
            duplicate: decision.duplicate,
            rules: called.collect(),
            faves: decision.faves.len(),
        };
        self.put(RawEntry {
            at: now(),
            kind: RawKind::Decision,
            channel: Some(decision.channel.to_string()),
            raw: String::new(),
            became: Became::Decided(verdicts),
        });
    }

    /// What was kept, and what comes from now on.
    pub(crate) fn open(&self) -> (Vec<Arc<RawEntry>>, broadcast::Receiver<Arc<RawEntry>>) {
        // Under the lock: an entry is in one of the two, and in one alone.
        let kept = self.0.kept.lock();
        (kept.entries.iter().cloned().collect(), self.0.live.subscribe())
    }

    fn put(&self, entry: RawEntry) {
        let entry = Arc::new(entry);
        let mut kept = self.0.kept.lock();
        kept.bytes += entry.size();
        kept.entries.push_back(Arc::clone(&entry));
        let since = entry.at.saturating_sub(LONGEST);
        while let Some(oldest) = kept.entries.front()
            && (kept.bytes > MOST_BYTES || oldest.at < since)
        {
            kept.bytes -= oldest.size();
            kept.entries.pop_front();
        }
        // Nobody may be looking.
        let _ = self.0.live.send(entry);
    }

    fn without_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.0.secrets.read().iter() {
            if text.contains(secret.reveal()) {
                text = text.replace(secret.reveal(), "...");
            }
        }
        text
    }
}

impl RawEntry {
    /// Roughly how much memory it takes, in bytes.
    fn size(&self) -> usize {
        let more = match &self.became {
            Became::Events(ids) => ids.iter().map(|id| id.len() + size_of::<String>()).sum(),
            Became::Dropped(why) => why.len(),
            Became::Used(_) => 0,
            Became::Decided(verdicts) => verdicts.size(),
        };
        size_of::<Self>() + self.raw.len() + more + 64
    }
}

impl Verdicts {
    fn size(&self) -> usize {
        let of = |it: &Called| {
            let effects: usize =
                it.effects.iter().map(|line| line.len() + size_of::<String>()).sum();
            size_of::<Called>() + it.slot.len() + effects + it.fault.as_ref().map_or(0, String::len)
        };
        self.event.len() + self.rules.iter().map(of).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_stands_nowhere() {
        let log = RawLog::default();
        log.hide(&Secret::new("abc123"));
        log.hide(&Secret::new(""));
        let became = Became::Used("a test");
        log.note(RawKind::Helix, None, "GET /users?token=abc123 {\"x\":\"abc123\"}", became);
        let (kept, _) = log.open();
        assert_eq!(kept[0].raw, "GET /users?token=... {\"x\":\"...\"}");
    }

    #[test]
    fn so_much_is_kept_and_what_is_new_is_told_to_who_looks() {
        let log = RawLog::default();
        let line = "ä".repeat(LONGEST_TEXT);
        for number in 0..1_000 {
            let became = Became::Events(vec![format!("e{number}")]);
            log.note(RawKind::Irc, Some("seaside"), &line, became);
        }
        let (kept, mut live) = log.open();
        let bytes: usize = kept.iter().map(|it| it.size()).sum();
        assert!(bytes <= MOST_BYTES && bytes > MOST_BYTES / 2, "{bytes}");
        assert!(kept.iter().all(|it| it.raw.len() <= LONGEST_TEXT));
        assert_eq!(kept.last().unwrap().became, Became::Events(vec!["e999".to_owned()]));
        log.note(RawKind::Mqtt, None, "hi", Became::Dropped("no rule takes it".to_owned()));
        let entry = live.try_recv().unwrap();
        let json = serde_json::to_value(&*entry).unwrap();
        assert_eq!(
            (&json["kind"], &json["became"]["dropped"]),
            (&"mqtt".into(), &"no rule takes it".into())
        );
    }

    #[test]
    fn kinds_have_their_names() {
        for (kind, name) in RawKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
            assert_eq!(RawKind::of_name(name), Some(kind));
        }
    }
}
