//! Forgets a person: what would go, or as if they had never been there.
//!
//! The log is made anew beside the engine, and a run over it makes the rules' state without the person, as taking back does. Then all of
//! it becomes so in one commit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, mpsc};
use std::time::Duration;

use heat_engine::wit::Tally;
use heat_engine::{Action, Changes, Forgetting, Library, Mention, Order, Rule, Run, Snapshot, Who};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::follow::{aside, catch_up, follow};
use super::undo::{Changed, differences};
use super::{Live, Refusal, Steps};
use crate::queue::{Follower, Tap};

/// How long the engine waits for the run, which has followed it to the present.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who shall be forgotten.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forgotten {
    /// An id, a login or a name.
    user: String,
    #[serde(default)]
    preview: bool,
}

/// What the run begins from and follows.
struct Present {
    snapshot: Arc<Snapshot>,
    rules: Vec<(String, Rule)>,
    tap: Tap,
    follower: Follower,
}

impl Live {
    /// Forgets a person in a channel, or says what would go.
    pub(crate) fn forget(
        &self,
        channel: &str,
        wanted: &Forgotten,
        store: &Path,
        steps: &Steps,
    ) -> Result<Value, Refusal> {
        // Taking back and forgetting read the same log. Nothing in here panics while it holds the lock, so a poisoned one cannot be.
        let _alone = self.undoing.lock().unwrap_or_else(PoisonError::into_inner);
        let name = channel.to_owned();
        let present = self.ask(move |desk| {
            let (tap, follower) = desk.taps.open(&name);
            let rules = desk.engine.rules(&name).unwrap_or_default();
            Ok(Present { snapshot: Arc::new(desk.engine.snapshot()?), rules, tap, follower })
        })?;
        let (tap, before) = (present.tap.clone(), Arc::clone(&present.snapshot));
        let done = self.forget_in(channel, wanted, present, steps);
        self.ask(move |desk| {
            desk.taps.close(&tap);
            Ok(())
        })?;
        let Done { who, lost, changed, is_whole } = done?;
        let after = match wanted.preview {
            true => None,
            false => Some(self.ask(|desk| desk.engine.snapshot())?),
        };
        if !wanted.preview {
            // Whoever it was is not named here either.
            info!(channel, events = lost.events, "a person is forgotten");
            self.begin_shadows_anew(channel)?;
        }
        let told = Told { channel, who: &who, before: &before, after: after.as_ref(), is_whole };
        told.value(lost, changed, store)
    }

    fn forget_in(
        &self,
        channel: &str,
        wanted: &Forgotten,
        present: Present,
        steps: &Steps,
    ) -> Result<Done, Refusal> {
        let snapshot = Arc::clone(&present.snapshot);
        let who = find(&snapshot, channel, wanted.user.trim().trim_start_matches('@'))?;
        steps.step("recount");
        let mut forgetting = snapshot.forgetting(channel, &who)?;
        let run = self.run_without(&who, &mut forgetting, &present, steps)?;
        let (is_whole, lost) = (run.is_some(), forgetting.lost());
        let changed = match (wanted.preview, run) {
            (true, run) => {
                run.map(|run| differences(&snapshot, channel, &present.rules, &run)).transpose()?
            }
            (false, Some(run)) => Some(self.adopt_without(channel, forgetting, run, present)?),
            (false, None) => {
                let order = order();
                Some(self.ask(move |desk| desk.engine.forget(forgetting, None, &order))?)
            }
        };
        Ok(Done { who, lost, changed: changed.unwrap_or_default(), is_whole })
    }

    /// The run at the end of the log. None: there is no checkpoint from before.
    fn run_without(
        &self,
        who: &Who,
        forgetting: &mut Forgetting,
        present: &Present,
        steps: &Steps,
    ) -> Result<Option<Run>, Refusal> {
        let snapshot = &present.snapshot;
        let Some(seed) = forgetting.seed(snapshot)? else { return Ok(None) };
        let (next, end) = (seed.next_record(), snapshot.next_record()?);
        let library = Library::new(&self.sandbox, Arc::clone(snapshot), &present.rules);
        let (left_out, without) = (forgetting.gone().clone(), Some(who.clone()));
        let mut run =
            Run::begin(seed, library, Changes { left_out, without, ..Changes::default() })?;
        forgetting.replay(snapshot, &mut run, next, |number| {
            steps.progress("replay", number.saturating_sub(next), end.saturating_sub(next));
        })?;
        Ok(Some(run))
    }

    /// Writes it all, with the state of the run, between two events that both have seen.
    fn adopt_without(
        &self,
        channel: &str,
        forgetting: Forgetting,
        mut run: Run,
        present: Present,
    ) -> Result<Changed, Refusal> {
        let Present { snapshot, tap, follower, .. } = present;
        drop(snapshot);
        // The engine waits only for what happens from here on.
        catch_up(&mut run, &follower)?;
        aside("forget", move || {
            if let Err(error) = follow(&mut run, &follower, |_, _| true) {
                warn!(%error, "the run without somebody who is forgotten cannot go on");
            }
        })
        .map_err(Refusal::because)?;
        let (order, channel) = (order(), channel.to_owned());
        self.ask(move |desk| {
            let (answer, made) = mpsc::sync_channel(1);
            let asked = tap.ask(Box::new(move |run| {
                // The engine may have lost its patience.
                let _ = answer.send(run.hand_over_all()?);
                Ok(())
            }));
            let made = asked.then(|| made.recv_timeout(PATIENCE).ok()).flatten();
            let Some(states) = made else {
                let problem = format!(
                    "nothing is changed in #{channel}: the run is behind what happens; try again"
                );
                return Ok(Err(Refusal::because(problem)));
            };
            Ok(Ok(desk.engine.forget(forgetting, Some(states), &order)?))
        })?
    }
}

/// For the audit log. It names nobody.
fn order() -> Order {
    Order::new(Action::Forget, "api", "a person is forgotten")
}

/// How it went, or would go.
struct Done {
    who: Who,
    lost: heat_engine::Lost,
    changed: Changed,
    /// Whether the rules' state is as if they had never been there, as far as the log goes back.
    is_whole: bool,
}

fn find(snapshot: &Snapshot, channel: &str, user: &str) -> Result<Who, Refusal> {
    if user.is_empty() {
        return Err(Refusal::because("say who: `user` is an id, a login or a name"));
    }
    match snapshot.who(channel, user)? {
        Ok(who) if who.ids().next().is_some() => Ok(who),
        Ok(_) => {
            let problem = format!(
                "nobody is known as {user:?} in #{channel}, neither by id nor by login nor by name"
            );
            Err(Refusal::because(problem))
        }
        Err(several) => {
            let several: Vec<String> =
                several.iter().map(|it| format!("{} ({})", it.id, it.login)).collect();
            let problem =
                format!("several people were called {user:?}; say the id: {}", several.join(", "));
            Err(Refusal::because(problem))
        }
    }
}

/// The answer.
struct Told<'a> {
    channel: &'a str,
    who: &'a Who,
    before: &'a Snapshot,
    /// None: nothing was done.
    after: Option<&'a Snapshot>,
    is_whole: bool,
}

impl Told<'_> {
    fn value(
        &self,
        lost: heat_engine::Lost,
        changed: Changed,
        store: &Path,
    ) -> Result<Value, Refusal> {
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
        let mentions: Vec<Value> =
            after.unwrap_or(before).mentions(channel, who)?.into_iter().map(mention).collect();
        let outputs: BTreeMap<String, Value> = changed
            .into_iter()
            .map(|(name, before, after)| (name, json!({ "before": before, "after": after })))
            .collect();
        let verb = if after.is_some() { "is forgotten" } else { "would be forgotten" };
        let done = format!(
            "one person {verb} in #{channel}: {} events and {} faves of the log, {} faves of the counts",
            lost.events, lost.faves, theirs.faves
        );
        Ok(json!({
            "done": done, "preview": after.is_none(), "ids": who.ids().collect::<Vec<_>>(),
            "logins": who.logins().collect::<Vec<_>>(), "events": lost.events, "faves": theirs.faves,
            "letters": lost.letters, "entries": lost.entries,
            "checkpoints": { "remade": lost.remade, "dropped": lost.dropped },
            "quoted": lost.quoted, "before": tally(had), "after": tally(has),
            "state": if *is_whole { "all" } else { "keys" }, "outputs": outputs, "mentions": mentions,
            "copies": copies(store),
        }))
    }
}

fn tally(tally: Tally) -> Value {
    json!({ "faves": tally.faves, "weight": tally.weight as f64 / 1000.0, "people": tally.people })
}

fn mention(it: Mention) -> Value {
    json!({ "what": it.what, "place": it.place, "count": it.count })
}

/// Files in the data folder that may hold what was forgotten: copies of the store, whoever has made them.
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
