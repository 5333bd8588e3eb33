//! Undo: takes events back. Counts are corrected at once; the state of all rules is made again by a run from the last checkpoint before.

mod recount;

use std::sync::Arc;

use heat_engine::{Action, ChangeRequest, Digest, Snapshot, Undo, UndoTarget, thousandths};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tracing::info;

use super::answers::{UndoAnswer, by_output, weight};
use super::error::Error;
use super::handle::Control;
use super::progress::Progress;
use recount::{Recount, Recounted};

/// What to take back: one of these, within a time.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Undone {
    /// An id, a login or a name.
    user: Option<String>,
    /// Several of them.
    users: Option<Vec<String>>,
    /// The faves of an item.
    item: Option<String>,
    /// All faves.
    everybody: Option<bool>,
    /// Milliseconds since 1970.
    #[serde(default)]
    since: u64,
    /// The same, to before this time.
    until: Option<u64>,
    event: Option<String>,
    /// The digest of a component in hexadecimal, or the beginning of one.
    digest: Option<String>,
    #[serde(default)]
    preview: bool,
}

/// The permit for an undo or for forgetting somebody. One caller has it at a time: two at once would take the same events back twice.
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Undone {
    /// The undo that a moderator asks for in chat.
    pub(crate) fn of_user(user: String, since: u64, preview: bool) -> Self {
        Self { user: Some(user), since, preview, ..Self::default() }
    }

    /// Whether this takes back what a version of a rule did, which only the owner may.
    pub(crate) fn is_of_component(&self) -> bool {
        self.digest.is_some()
    }

    fn which(&self, snapshot: &Snapshot) -> Result<UndoTarget, Error> {
        let login = |name: &String| name.trim_start_matches('@').to_lowercase();
        let person = self.user.as_ref().map(|name| UndoTarget::Person(login(name)));
        let people = self.users.as_ref().filter(|names| !names.is_empty());
        let people = people.map(|names| UndoTarget::People(names.iter().map(login).collect()));
        let item = self.item.clone().map(UndoTarget::Item);
        let faves = self.everybody.filter(|it| *it).map(|_| UndoTarget::Faves);
        let event = self.event.clone().map(UndoTarget::Event);
        let component = match &self.digest {
            Some(digest) => Some(UndoTarget::Component(find(snapshot, digest)?)),
            None => None,
        };
        let mut wanted = [person, people, item, faves, event, component].into_iter().flatten();
        match (wanted.next(), wanted.next()) {
            (Some(which), None) => Ok(which),
            _ => Err(Error::because(
                "say one of `user`, `users`, `item`, `everybody`, `event` and `digest`",
            )),
        }
    }
}

fn find(snapshot: &Snapshot, digest: &str) -> Result<Digest, Error> {
    let all = snapshot.components_like(digest)?;
    match all.as_slice() {
        [one] => Ok(*one),
        [] => Err(Error::Unknown(format!("no component {digest:?} was ever live"))),
        _ => Err(Error::because(format!("{digest:?} is the beginning of several components"))),
    }
}

impl Control {
    /// The permit for an undo, unless somebody else has it.
    pub(crate) fn undo_turn(&self) -> Result<Turn, Error> {
        let permit = Arc::clone(&self.undoing).try_acquire_owned();
        permit.map(|permit| Turn { _permit: permit }).map_err(|_| {
            let why = "something is being taken back or forgotten at the moment; try again when that is done";
            Error::because(why)
        })
    }

    /// Takes events back, or returns what that would change.
    pub(crate) fn undo(
        &self,
        _turn: Turn,
        channel: &str,
        wanted: &Undone,
        by: &str,
        progress: &Progress,
    ) -> Result<UndoAnswer, Error> {
        let present = self.present(channel)?;
        let which = wanted.which(&present.snapshot)?;
        if let UndoTarget::Component(digest) = which
            && present.rules.iter().any(|(_, rule)| rule.digest() == digest)
        {
            let problem = "that component is live; roll it back or deploy another first";
            return Err(Error::because(problem));
        }
        progress.step("recount");
        let until = wanted.until.unwrap_or(u64::MAX);
        let undo = present.snapshot.undo_within(channel, &which, wanted.since, until)?;
        let Some(first) = undo.first else {
            return Err(Error::because(nothing(channel, &which, &undo)));
        };
        // The faves of a component are corrected at the end, once it is known what the other rules make of the same events.
        if !wanted.preview && undo.without.is_none() {
            let (faves, order) =
                (undo.clone(), ChangeRequest::new(Action::Undo, by, &note(&which, &undo)));
            self.on_engine_thread("undo.faves", move |access| {
                access.engine.take_back_faves(&faves, &order)
            })?;
            info!(channel, by, events = undo.events.len(), faves = undo.taken.len(), "taken back");
        }
        let recount = Recount { live: self, channel, undo: &undo, first, by, progress };
        let changed = recount.make(wanted.preview)?;
        if undo.without.is_some() && changed.is_none() {
            let problem =
                "the log has no checkpoint from before that component was live; nothing is changed";
            return Err(Error::because(problem));
        }
        if !wanted.preview && changed.is_some() {
            self.begin_shadows_anew(channel)?;
        }
        Ok(told(channel, &undo, wanted.since, wanted.preview, changed))
    }
}

/// Whose, and how much, for the audit log.
fn note(which: &UndoTarget, undo: &Undo) -> String {
    let whose = match which {
        UndoTarget::Person(name) => name.clone(),
        UndoTarget::People(names) => names.join(", "),
        UndoTarget::Item(item) => format!("the item {item}"),
        UndoTarget::Faves => "everybody".to_owned(),
        UndoTarget::Event(id) => format!("the event {id}"),
        UndoTarget::Component(digest) => format!("the component {digest}"),
    };
    let (events, faves) = (undo.events.len(), undo.taken.len());
    format!("{whose}: {}, {}", counted(events, "event"), counted(faves, "fave"))
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Why nothing is taken back.
fn nothing(channel: &str, which: &UndoTarget, undo: &Undo) -> String {
    let begins = undo.log_begins.map(|_| ", and the log does not go back further");
    let begins = begins.unwrap_or_default();
    match which {
        UndoTarget::Event(id) if !undo.unknown.is_empty() => {
            format!(
                "there is no event {id} in the log of #{channel}{begins}; its whole id is needed"
            )
        }
        _ => format!("there is nothing to take back{begins}{}", unknown(channel, undo)),
    }
}

/// Those who were to be undone and are not known. Empty where all are.
fn unknown(channel: &str, undo: &Undo) -> String {
    match undo.unknown.as_slice() {
        [] => String::new(),
        names => format!("; nobody called {} was ever seen in #{channel}", names.join(" or ")),
    }
}

fn told(
    channel: &str,
    undo: &Undo,
    asked: u64,
    preview: bool,
    changed: Option<Recounted>,
) -> UndoAnswer {
    let (events, faves) = (undo.events.len(), undo.taken.len());
    let taken: i64 = undo.taken.iter().map(|fave| fave.weight).sum();
    let verb = match (preview, events) {
        (true, _) => "would be taken back",
        (false, 1) => "is taken back",
        (false, _) => "are taken back",
    };
    let mut message = match undo.without {
        Some(_) if preview => {
            format!("what that component did in #{channel} would be done again by what is live now")
        }
        Some(_) => {
            format!("what that component did in #{channel} is done again by what is live now")
        }
        None => format!(
            "{} with {} (weight {}) {verb} in #{channel}",
            counted(events, "event"),
            counted(faves, "fave"),
            thousandths(taken)
        ),
    };
    let corrected = if changed.is_some() { "all" } else { "counts" };
    if changed.is_none() {
        message.push_str("; the log has no checkpoint as old, so only the counts are corrected, and the rules' own state is not");
    }
    let (outputs, untouched) =
        changed.map_or_else(Default::default, |it| (it.outputs, it.untouched));
    if !untouched.is_empty() {
        let slots = untouched.join(", ");
        message.push_str(&format!(
            "; the log does not tell how the rules in {slots} came, so their state stays as it is"
        ));
    }
    if undo.log_begins.is_some() && asked > 0 {
        message.push_str("; the log begins later than that, and what was before stays counted");
    }
    message.push_str(&unknown(channel, undo));
    UndoAnswer {
        message,
        preview,
        events,
        faves,
        weight: weight(taken),
        outputs: by_output(outputs),
        corrected,
        log_begins: undo.log_begins,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use heat_engine::Sandbox;
    use tokio::sync::mpsc;

    use super::*;
    use crate::config::{Config, Mistakes};
    use crate::metrics::Metrics;

    #[test]
    fn the_answer_names_those_of_several_who_are_not_known() {
        let of = |unknown: &[&str]| {
            let unknown = unknown.iter().map(|it| (*it).to_owned()).collect();
            let undo = Undo { unknown, ..Undo::default() };
            told("chan", &undo, 0, true, None).message
        };
        let message = of(&["anne", "bobb"]);
        assert!(
            message.ends_with("; nobody called anne or bobb was ever seen in #chan"),
            "{message}"
        );
        assert!(!of(&[]).contains("nobody"));
    }

    #[test]
    fn one_undo_runs_at_a_time_and_the_next_is_refused_at_once() {
        let file = Path::new("heatd.toml");
        let config = Config::read("", file, &Mistakes::new(file, ""));
        let (sandbox, (inputs, _queue)) = (Sandbox::new(None).unwrap(), mpsc::channel(1));
        let metrics = Metrics::new(0, 0);
        let live = Control::new(&config, Arc::new(sandbox), &[], inputs.downgrade(), &metrics);
        let turn = live.undo_turn().unwrap();
        let second = live.undo_turn().err().unwrap();
        assert!(
            matches!(&second, Error::Refused(why) if why.contains("at the moment")),
            "{second:?}"
        );
        // The permit goes with the work, however that ends.
        drop(turn);
        assert!(live.undo_turn().is_ok());
    }
}
