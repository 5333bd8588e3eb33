//! Forgets a person: what would go, or as if they had never been there.
//!
//! The log is made again beside the engine, and a run over it makes the rules' state without the person, as taking back does. Then all of
//! it becomes so in one commit.

use std::path::Path;
use std::sync::Arc;

use heat_engine::wit::Tally;
use heat_engine::{Action, ChangeRequest, Erasure, Identity, Mention, Run, Snapshot};
use serde::Deserialize;
use tracing::info;

use super::answers::{
    CheckpointAnswer, ForgetAnswer, MentionAnswer, TallyAnswer, by_output, weight,
};
use super::differences::{Changed, differences};
use super::error::Error;
use super::follow::Beginning;
use super::handle::Control;
use super::people::known_as;
use super::progress::Progress;
use super::undo::Turn;

/// Who shall be forgotten.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forgotten {
    /// An id, a login or a name.
    user: String,
    #[serde(default)]
    preview: bool,
}

impl Control {
    /// Forgets a person in a channel, or says what would go.
    pub(crate) fn forget(
        &self,
        _turn: Turn,
        channel: &str,
        wanted: &Forgotten,
        by: &str,
        store: &Path,
        progress: &Progress,
    ) -> Result<ForgetAnswer, Error> {
        let (before, done) = self.with_run(channel, |beginning| {
            let before = Arc::clone(&beginning.snapshot);
            Ok((before, self.forget_in(channel, wanted, by, beginning, progress)?))
        })?;
        let Done { who, lost, changed, is_whole } = done;
        let after = match wanted.preview {
            true => None,
            false => {
                Some(self.on_engine_thread("forget.snapshot", |access| access.engine.snapshot())?)
            }
        };
        if !wanted.preview {
            // Whoever it was is not named here either.
            info!(channel, events = lost.events, "a person is forgotten");
            self.begin_shadows_anew(channel)?;
        }
        let told = Erased { channel, who: &who, before: &before, after: after.as_ref(), is_whole };
        told.value(lost, changed, store)
    }

    fn forget_in(
        &self,
        channel: &str,
        wanted: &Forgotten,
        by: &str,
        beginning: Beginning,
        progress: &Progress,
    ) -> Result<Done, Error> {
        let snapshot = Arc::clone(&beginning.snapshot);
        let who = known_as(&snapshot, channel, &wanted.user)?;
        progress.step("recount");
        let mut forgetting = snapshot.erasure(channel, &who)?;
        let run = forgetting.run(&self.sandbox, &snapshot, &beginning.rules, |done, of| {
            progress.part("replay", done, of);
        })?;
        let (is_whole, lost) = (run.is_some(), forgetting.lost());
        let changed = match (wanted.preview, run) {
            (true, run) => run
                .map(|run| differences(&snapshot, channel, &beginning.rules, &run))
                .transpose()?,
            (false, Some(run)) => {
                Some(self.adopt_without(channel, by, forgetting, run, beginning)?)
            }
            (false, None) => {
                let order = order(by);
                Some(self.on_engine_thread("forget.adopt", move |access| {
                    access.engine.forget(forgetting, None, &order)
                })?)
            }
        };
        Ok(Done { who, lost, changed: changed.unwrap_or_default(), is_whole })
    }

    /// Writes it all, with the state of the run, between two events that both have seen.
    fn adopt_without(
        &self,
        channel: &str,
        by: &str,
        forgetting: Erasure,
        run: Run,
        beginning: Beginning,
    ) -> Result<Changed, Error> {
        let Beginning { snapshot, subscription, subscriber, .. } = beginning;
        // An open snapshot would keep old pages of the store while all of it is written again.
        drop(snapshot);
        let behind =
            format!("nothing is changed in #{channel}: the run is behind what happens; try again");
        let order = order(by);
        self.hand_over(
            "forget.adopt",
            run,
            (subscription, subscriber),
            behind,
            move |access, states| access.engine.forget(forgetting, Some(states), &order),
        )
    }
}

/// The audit entry. It must not name the person.
fn order(by: &str) -> ChangeRequest {
    ChangeRequest::new(Action::Forget, by, "a person is forgotten")
}

/// The result, or the preview of one.
struct Done {
    who: Identity,
    lost: heat_engine::ErasureSummary,
    changed: Changed,
    /// Whether a run has made the rules' state again without the person. Otherwise only keys that name them were removed.
    is_whole: bool,
}

/// The answer.
struct Erased<'a> {
    channel: &'a str,
    who: &'a Identity,
    before: &'a Snapshot,
    /// None: nothing was done.
    after: Option<&'a Snapshot>,
    is_whole: bool,
}

impl Erased<'_> {
    fn value(
        &self,
        lost: heat_engine::ErasureSummary,
        changed: Changed,
        store: &Path,
    ) -> Result<ForgetAnswer, Error> {
        let Self { channel, who, before, after, is_whole } = self;
        let theirs = before.tally_of(channel, who)?;
        let had = before.channel_tally(channel)?;
        let has = match after {
            Some(after) => after.channel_tally(channel)?,
            None => Tally {
                faves: had.faves.saturating_sub(theirs.faves),
                weight: had.weight.saturating_sub(theirs.weight),
                people: had.people.saturating_sub(u32::from(theirs.faves > 0)),
            },
        };
        let mentions = after.unwrap_or(before).mentions(channel, who)?;
        let verb = if after.is_some() { "is forgotten" } else { "would be forgotten" };
        let message = format!(
            "one person {verb} in #{channel}: {} events and {} faves of the log, {} faves of the counts",
            lost.events, lost.faves, theirs.faves
        );
        Ok(ForgetAnswer {
            message,
            preview: after.is_none(),
            ids: who.ids().map(Into::into).collect(),
            logins: who.logins().map(Into::into).collect(),
            events: lost.events,
            faves: theirs.faves,
            dead_letters: lost.dead_letters,
            audit_entries: lost.audit_entries,
            checkpoints: CheckpointAnswer { remade: lost.remade, dropped: lost.dropped },
            quoted: lost.quoted,
            before: tally(had),
            after: tally(has),
            state: if *is_whole { "all" } else { "keys" },
            outputs: by_output(changed),
            mentions: mentions.into_iter().map(mention).collect(),
            copies: copies(store),
        })
    }
}

fn tally(tally: Tally) -> TallyAnswer {
    TallyAnswer { faves: tally.faves, weight: weight(tally.weight), people: tally.people }
}

fn mention(it: Mention) -> MentionAnswer {
    MentionAnswer { what: it.what, place: it.place, count: it.count }
}

/// Copies of the store in the data folder, which may still hold what was forgotten.
fn copies(store: &Path) -> Vec<String> {
    let Some(data) = store.parent() else { return Vec::new() };
    let files = |folder: &Path| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
    };
    let is_store = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        path != store && name.contains(".redb")
    };
    let beside = files(data).into_iter().filter(is_store);
    let mut found: Vec<String> =
        beside.chain(files(&data.join("backups"))).map(|it| it.display().to_string()).collect();
    found.sort();
    found
}
