//! The feed for watchers: what happens in the channels and what rules answer, as it is decided.
//!
//! An entry is made only while somebody watches, and the engine's thread never waits for a watcher: one that is too slow
//! gets an entry that says how much it missed. Like the log, the feed is ahead of the commit; outputs and streams are
//! values that a watcher reads separately, as of the last commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use heat_engine::wit::{Effect, Event};
use heat_engine::{Decision, HOST, STREAM_OUTPUT, Stream, effect_line, state_name};
use serde::{Serialize, Serializer};
use tokio::sync::broadcast;

use super::colours::Colours;
pub(crate) use super::summary::{ChatEntry, Summary, sentence};

/// How many entries a watcher may be behind before it misses some.
const CAPACITY: usize = 1024;

/// The streams whose state is known, by channel.
pub(crate) type States = BTreeMap<Arc<str>, Stream>;

/// One line of the feed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Entry {
    /// Login of the channel; empty for what is about the feed itself.
    #[serde(serialize_with = "name")]
    pub(crate) channel: Arc<str>,
    #[serde(flatten)]
    pub(crate) what: EntryKind,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum EntryKind {
    /// The first entry of every watch.
    Hello { version: &'static str, channels: Vec<String> },
    /// So many of the next entries are of the past.
    Past { entries: usize },
    /// A rule has answered; its own state and timers are left out. `of` is the id of the line of chat that it answers.
    Rule {
        slot: String,
        effects: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<String>,
    },
    /// A rule has failed: its effects were dropped.
    Fault {
        slot: String,
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<String>,
    },
    /// What an output shows now; none when it was taken back.
    Output { name: String, text: Option<String> },
    /// Whether the stream is live.
    Stream { state: &'static str, since: Option<u64> },
    /// Moderators have removed a line, by its id, all lines of a person, by login, or all.
    Removed { id: Option<String>, login: Option<String> },
    /// The watcher was too slow for so many entries.
    Missed { entries: u64 },
    /// An event: a line of chat, or a sentence about anything else.
    #[serde(untagged)]
    Summary(Summary),
}

impl EntryKind {
    pub(crate) fn stream(stream: Option<Stream>) -> Self {
        Self::Stream {
            state: state_name(stream.as_ref()),
            since: stream.map(|stream| stream.since),
        }
    }
}

/// Where the engine's thread publishes what it decides. Cheap to clone; all clones are the same feed.
#[derive(Clone)]
pub(crate) struct Feed {
    all: broadcast::Sender<Arc<Entry>>,
    /// Only rare entries: a line of chat must not wake a hundred pages.
    news: broadcast::Sender<Arc<Entry>>,
    /// The colours of names, for lines of chat.
    pub(crate) colours: Arc<Colours>,
}

impl Default for Feed {
    fn default() -> Self {
        let (all, news) = (broadcast::Sender::new(CAPACITY), broadcast::Sender::new(CAPACITY));
        Self { all, news, colours: Arc::default() }
    }
}

impl Feed {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.all.subscribe()
    }

    /// Faves and faults alone.
    pub(crate) fn subscribe_to_news(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.news.subscribe()
    }

    fn is_watched(&self) -> bool {
        self.all.receiver_count() > 0
    }

    fn has_readers(&self) -> bool {
        self.news.receiver_count() > 0
    }

    /// Publishes what heatd itself says in a channel.
    pub(crate) fn say(&self, channel: &str, text: &str) {
        let effects = vec![format!("say {text:?}")];
        let what = EntryKind::Rule { slot: HOST.to_owned(), effects, of: None };
        // Nobody may be watching.
        let _ = self.all.send(Arc::new(Entry { channel: channel.into(), what }));
    }

    /// Something happened that is no event of the engine.
    pub(crate) fn tell(&self, channel: &str, told: Summary) {
        // Nobody may be watching.
        let entry = Entry { channel: channel.into(), what: EntryKind::Summary(told) };
        let _ = self.all.send(Arc::new(entry));
    }

    /// Moderators have removed a line, by its id, all lines of a person, by login, or all.
    pub(crate) fn removed(&self, channel: &str, id: Option<String>, login: Option<String>) {
        let entry = Entry { channel: channel.into(), what: EntryKind::Removed { id, login } };
        // Nobody may be watching.
        let _ = self.all.send(Arc::new(entry));
    }

    /// Describes an event before the engine consumes it. None while nobody watches.
    pub(crate) fn note(&self, event: &Event) -> Option<Summary> {
        if self.is_watched() { Summary::of(&event.what, event.at, &self.colours) } else { None }
    }

    /// Publishes the decision on an event or a timer.
    pub(crate) fn decided(&self, told: Option<Summary>, decision: &Decision) {
        if decision.duplicate || !(self.is_watched() || self.has_readers()) {
            return;
        }
        let line = match &told {
            Some(Summary::Chat(line)) if !line.id.is_empty() => Some(line.id.clone()),
            _ => None,
        };
        let answers = decision.answers.iter().filter_map(|answer| {
            let (slot, of) = (answer.slot.to_string(), line.clone());
            match &answer.outcome {
                Err(fault) => Some(EntryKind::Fault { slot, text: fault.to_string(), of }),
                Ok(effects) => {
                    let effects: Vec<_> =
                        effects.iter().filter(|it| is_visible(it)).map(effect_line).collect();
                    (!effects.is_empty()).then_some(EntryKind::Rule { slot, effects, of })
                }
            }
        });
        for what in told.map(EntryKind::Summary).into_iter().chain(answers) {
            let entry = Arc::new(Entry { channel: Arc::clone(&decision.channel), what });
            // The last watcher may have left meanwhile.
            if is_news(&entry.what) {
                let _ = self.news.send(Arc::clone(&entry));
            }
            let _ = self.all.send(entry);
        }
    }
}

/// Whether an entry is rare enough for the second feed.
fn is_news(what: &EntryKind) -> bool {
    match what {
        EntryKind::Fault { .. } => true,
        EntryKind::Rule { effects, .. } => effects.iter().any(|effect| effect.starts_with("fave")),
        _ => false,
    }
}

/// serde's support for `Arc` is a feature, which would build all of the workspace a second time.
fn name<S: Serializer>(name: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(name)
}

/// State and timers are a rule's own business.
pub(crate) fn is_visible(effect: &Effect) -> bool {
    !matches!(effect, Effect::Put(_) | Effect::Delete(_) | Effect::Wake(_))
}

/// Whether an output belongs to a rule, and not to heatd (a stream's state or a slot's status).
pub(crate) fn is_of_rule(name: &str) -> bool {
    name != STREAM_OUTPUT && !name.starts_with("rules/")
}

#[cfg(test)]
mod tests {
    use heat_engine::wit::{Alarm, Happening, Output};
    use heat_engine::{Answer, Cost, Fault};

    use super::*;

    fn event(what: Happening) -> Event {
        Event { id: "1".to_owned(), channel: "seaside".to_owned(), at: 5, what }
    }

    fn decision() -> Decision {
        let show = Effect::Show(Output { name: "heat".to_owned(), text: "7".to_owned() });
        let wake = Effect::Wake(Alarm { name: "cool".to_owned(), at: None });
        let answer = |slot: &str, outcome| Answer {
            slot: slot.into(),
            on_fave: false,
            outcome,
            cost: Cost::default(),
        };
        Decision {
            channel: "seaside".into(),
            answers: vec![
                answer("decay", Ok(vec![wake.clone(), show])),
                answer("quiet", Ok(vec![wake])),
                answer("broken", Err(Fault::Fuel(7))),
            ],
            ..Decision::default()
        }
    }

    #[test]
    fn while_nobody_watches_nothing_is_made() {
        let feed = Feed::default();
        assert_eq!(feed.note(&event(Happening::StreamStart)), None);
        feed.decided(None, &decision());
        assert!(feed.subscribe().is_empty());
    }

    #[test]
    fn a_watcher_hears_the_event_then_what_rules_answered_without_their_own_business() {
        let feed = Feed::default();
        let mut watcher = feed.subscribe();
        feed.decided(feed.note(&event(Happening::StreamStart)), &decision());
        let mut lines = Vec::new();
        while let Ok(entry) = watcher.try_recv() {
            lines.push(serde_json::to_string(&*entry).unwrap());
        }
        assert_eq!(
            lines,
            [
                r#"{"channel":"seaside","kind":"event","event":"stream-start","at":5,"text":"the stream starts"}"#,
                r#"{"channel":"seaside","kind":"rule","slot":"decay","effects":["show heat \"7\""]}"#,
                r#"{"channel":"seaside","kind":"fault","slot":"broken","text":"it used more than 7 units of fuel"}"#,
            ]
        );
    }

    #[test]
    fn who_wants_the_news_alone_is_told_of_faults_and_faves() {
        let feed = Feed::default();
        let mut reader = feed.subscribe_to_news();
        feed.decided(feed.note(&event(Happening::StreamStart)), &decision());
        let heard = reader.try_recv().unwrap();
        assert!(
            matches!(&heard.what, EntryKind::Fault { slot, .. } if slot == "broken"),
            "{heard:?}"
        );
        assert!(reader.is_empty());
        let rule = |line: &str| EntryKind::Rule {
            slot: "fave".into(),
            effects: vec![line.to_owned()],
            of: None,
        };
        assert!(is_news(&rule("fave \"pie\"")) && !is_news(&rule("show heat \"7\"")));
    }

    #[test]
    fn what_was_told_before_is_not_told_again() {
        let feed = Feed::default();
        let watcher = feed.subscribe();
        let told = feed.note(&event(Happening::StreamStart));
        feed.decided(told, &Decision { duplicate: true, ..decision() });
        assert!(watcher.is_empty());
    }
}
