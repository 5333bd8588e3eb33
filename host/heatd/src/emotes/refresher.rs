//! Keeps the sets of one provider fresh: from the disk at the start, then by one query after the other, and by pushed changes.
//!
//! A set is only ever replaced by a better one. So while a provider is down, slow or answers nonsense, its last known emotes go on working.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use super::announce::Announcer;
use super::cache::{Cache, CachedSet};
use super::fetch::Fetch;
use super::live::{Push, PushStep};
use super::pushed::Pushed;
use super::question::{self, Etag, Failure, Said};
use super::sets::{Set, Table};
use super::shapes::{EmoteName, Subject};
use crate::backoff::Backoff;
use crate::config::provider::{Addresses, Provider, SetScope};
use crate::metrics::Unrecognized;
use crate::shutdown::Shutdown;

/// The first wait after a failed query.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// The shortest time between two queries for the same set, whatever is pushed.
const BETWEEN: Duration = Duration::from_secs(2);

/// How often in a row, `refresh` apart, a provider must say that it does not know the channel, or has no set for it, before a known set is dropped.
const BELIEVED: u32 = 3;

/// Login of a channel -> its Twitch id; empty until a line of chat has brought the id.
pub(super) type RoomIds = BTreeMap<String, String>;

/// The channels to and from the task that listens to the provider's events.
pub(super) type PushChannel = (mpsc::Receiver<Push>, watch::Sender<Vec<Subject>>);

/// What the tasks of all providers share.
#[derive(Clone)]
pub(super) struct RefreshContext {
    pub(super) addresses: Addresses,
    /// How often a set is asked for.
    pub(super) refresh: Duration,
    pub(super) fetch: Fetch,
    pub(super) cache: Cache,
    pub(super) announcer: Announcer,
    /// What chat looks into.
    pub(super) table: watch::Sender<Table>,
    pub(super) shutdown: Shutdown,
    /// Where answers are noted that could not be read: an interface may have changed.
    pub(super) unrecognized: Unrecognized,
}

pub(super) struct Refresher {
    provider: Provider,
    means: RefreshContext,
    shelves: Vec<CachedState>,
}

/// One set that is kept.
struct CachedState {
    of: SetScope,
    /// The set, as it is in the log, too. None: no query was ever answered.
    known: Option<KnownSet>,
    /// When the next query is due.
    due: Instant,
    /// When the last query was made.
    asked: Option<Instant>,
    backoff: Backoff,
    failing: bool,
    /// How often in a row the provider said that it does not know the channel, or has no set for it.
    unknown: u32,
    /// The recent pushes, which an older answer does not have.
    pushed: Pushed,
}

/// What a provider has told.
#[derive(Clone)]
struct KnownSet {
    set: Arc<Set>,
    etag: Option<Etag>,
    subject: Option<Subject>,
}

/// heatd is shutting down.
struct Over;

impl Refresher {
    pub(super) fn new(provider: Provider, means: RefreshContext) -> Self {
        Self { provider, means, shelves: Vec::new() }
    }

    /// Runs until heatd shuts down.
    pub(super) async fn run(
        mut self,
        mut rooms: watch::Receiver<RoomIds>,
        events: Option<PushChannel>,
    ) {
        let (mut pushes, subjects) = events.unzip();
        self.open(SetScope::Global).await;
        loop {
            let known = rooms.borrow_and_update().clone();
            self.adopt(&known).await;
            if let Some(subjects) = &subjects {
                self.tell(subjects);
            }
            let next = (0..self.shelves.len()).min_by_key(|place| self.shelves[*place].due);
            let Some(next) = next else { return };
            let asked = tokio::select! {
                biased;
                () = self.means.shutdown.begun() => return,
                changed = rooms.changed() => changed.map_err(|_| Over),
                Some(pushes) = pushed(&mut pushes) => self.take_pushes(&pushes).await,
                () = sleep_until(self.shelves[next].due) => self.ask(next).await,
            };
            if asked.is_err() {
                return;
            }
        }
    }

    /// Opens a shelf for each channel whose id is known by now, and clears those of channels that are read no more.
    async fn adopt(&mut self, rooms: &RoomIds) {
        let is_read = |of: &SetScope| *of == SetScope::Global || rooms.contains_key(of.channel());
        for shelf in self.shelves.iter().filter(|shelf| !is_read(&shelf.of)) {
            self.means.table.send_modify(|table| table.take_out(self.provider, shelf.of.channel()));
        }
        self.shelves.retain(|shelf| is_read(&shelf.of));
        for (login, id) in rooms.iter().filter(|(_, id)| !id.is_empty()) {
            let of = SetScope::Channel { login: login.clone(), id: id.clone() };
            if self.shelves.iter().any(|shelf| shelf.of == of) {
                continue;
            }
            // A login that somebody else has now.
            self.shelves.retain(|shelf| shelf.of.channel() != *login);
            self.open(of).await;
        }
    }

    /// Takes what is kept on disk, and asks when that is old.
    async fn open(&mut self, of: SetScope) {
        let (cache, name, address) = (self.means.cache.clone(), self.name(&of), self.address(&of));
        // The runtime has one thread, which reads chat: what may take longer than a line is done elsewhere.
        let read = spawn_blocking(move || {
            let (kept, age) = cache.read(&name, &address)?;
            let emotes = kept.emotes.into_iter().map(|(name, id)| (name.into(), id.into()));
            let set = Arc::new(Set::new(emotes.collect()));
            let of = kept.etag_of.unwrap_or(kept.address);
            let etag = kept.etag.map(|tag| Etag { of, tag });
            Some((KnownSet { set, etag, subject: kept.subject }, age))
        });
        let (known, age) = read.await.ok().flatten().unzip();
        let left = self.means.refresh.saturating_sub(age.unwrap_or(Duration::MAX));
        if let Some(KnownSet { set, .. }) = &known {
            self.show(&of, set);
        }
        let backoff = Backoff::new(FIRST_WAIT.min(self.means.refresh), self.means.refresh);
        let due = Instant::now() + left;
        self.shelves.push(CachedState {
            of,
            known,
            due,
            asked: None,
            backoff,
            failing: false,
            unknown: 0,
            pushed: Pushed::default(),
        });
    }

    /// Asks for a set, and takes what is answered.
    async fn ask(&mut self, place: usize) -> Result<(), Over> {
        let CachedState { of, known, asked, .. } = &mut self.shelves[place];
        *asked = Some(Instant::now());
        let (provider, of) = (self.provider, of.clone());
        let etag = known.as_ref().and_then(|known| known.etag.clone());
        let (fetch, addresses) = (&self.means.fetch, &self.means.addresses);
        // Only the question is given up at a shutdown: what was answered is taken whole.
        let answer = tokio::select! {
            answer = question::ask(fetch, addresses, (provider, &of), etag.as_ref()) => answer,
            () = self.means.shutdown.begun() => return Err(Over),
        };
        match answer {
            Ok(Said::Same) => {
                self.still_holds(&of).await;
                self.answered(place);
            }
            Ok(Said::Unknown) => return self.unknown(place, "it answers 404", None).await,
            Ok(Said::NoSet(subject)) => {
                return self.unknown(place, "it says that there is no set", subject).await;
            }
            Ok(Said::Set { emotes, subject, etag }) => {
                self.answered(place);
                self.take_answer(place, emotes, subject, etag).await?;
            }
            Err(Failure::NotUnderstood(problem)) => self.not_understood(place, &problem),
            Err(Failure::NotAnswered(problem)) => self.failed(place, &problem),
        }
        Ok(())
    }

    /// Takes the set of an answer, but keeps the recent pushes, which are newer.
    async fn take_answer(
        &mut self,
        place: usize,
        emotes: Vec<EmoteName>,
        subject: Option<Subject>,
        etag: Option<Etag>,
    ) -> Result<(), Over> {
        let shelf = &mut self.shelves[place];
        let set_of = |subject: &Option<Subject>| subject.as_ref().map(|it| it.set.clone());
        if shelf.known.as_ref().is_some_and(|known| set_of(&known.subject) != set_of(&subject)) {
            shelf.pushed.clear();
        }
        let mut set = Set::new(emotes);
        let lacked = shelf.pushed.hold_against(&mut set, Instant::now());
        // An old answer that is confirmed by its tag would never be looked at again.
        let etag = etag.filter(|_| !lacked);
        self.take(place, KnownSet { set: Arc::new(set), etag, subject }).await
    }

    /// What is on disk is as good as new. It is not written again: an SD card is spared.
    async fn still_holds(&self, of: &SetScope) {
        let (cache, name) = (self.means.cache.clone(), self.name(of));
        // It only says how old the file is.
        let _ = spawn_blocking(move || cache.touch(&name)).await;
    }

    /// The provider knows no such channel, or no set of it. Whoever had emotes is not believed to have lost them at once; everybody's set
    /// always is.
    async fn unknown(
        &mut self,
        place: usize,
        problem: &str,
        subject: Option<Subject>,
    ) -> Result<(), Over> {
        let shelf = &mut self.shelves[place];
        shelf.unknown += 1;
        if shelf.of == SetScope::Global {
            self.failed(place, problem);
            return Ok(());
        }
        let is_full = shelf.known.as_ref().is_some_and(|known| known.set.len() > 0);
        if is_full && shelf.unknown < BELIEVED {
            self.failed(place, &format!("{problem}, and had emotes before"));
            // A provider that is ill for some minutes says so as well.
            self.shelves[place].due = Instant::now() + self.about_refresh();
            return Ok(());
        }
        self.answered(place);
        self.take(place, KnownSet { set: Arc::default(), etag: None, subject }).await
    }

    /// The provider answers in a way that heatd does not know. What it said before holds.
    fn not_understood(&mut self, place: usize, problem: &str) {
        let of = self.shelves[place].of.told();
        let what = format!("answer for {of}");
        self.means.unrecognized.note(self.provider.interface(), &what, problem);
        self.failed(place, &format!("its answer is not understood: {problem}"));
    }

    /// An answer came; the next question is a while away, and not in step with others.
    fn answered(&mut self, place: usize) {
        let shelf = &mut self.shelves[place];
        if std::mem::take(&mut shelf.failing) {
            info!(
                provider = self.provider.name(),
                of = shelf.of.told(),
                "emotes are answered again"
            );
        }
        shelf.unknown = 0;
        shelf.backoff.reset();
        let wait = self.about_refresh();
        self.shelves[place].due = Instant::now() + wait;
    }

    fn about_refresh(&self) -> Duration {
        self.means.refresh.mul_f64(0.9 + 0.2 * fastrand::f64())
    }

    fn failed(&mut self, place: usize, problem: &str) {
        let provider = self.provider.name();
        let shelf = &mut self.shelves[place];
        let wait = shelf.backoff.next(fastrand::f64());
        shelf.due = Instant::now() + wait;
        let (of, wait_ms) = (shelf.of.told(), wait.as_millis() as u64);
        match std::mem::replace(&mut shelf.failing, true) {
            false => {
                warn!(
                    provider,
                    of, problem, wait_ms, "no news of emotes; the last known ones hold"
                );
            }
            true => debug!(provider, of, problem, wait_ms, "still no news of emotes"),
        }
    }

    /// Shows a set to chat, has the change entered into the log, and keeps the set on disk.
    async fn take(&mut self, place: usize, new: KnownSet) -> Result<(), Over> {
        let shelf = &mut self.shelves[place];
        let of = shelf.of.clone();
        let empty = Arc::default();
        let before = shelf.known.as_ref().map_or(&empty, |known| &known.set);
        let changes = new.set.changes(before);
        let is_first = shelf.known.is_none();
        let subject = shelf.known.as_ref().and_then(|known| known.subject.clone());
        shelf.known = Some(new.clone());
        if changes.is_empty() && !is_first && subject == new.subject {
            self.still_holds(&of).await;
            return Ok(());
        }
        self.show(&of, &new.set);
        if !changes.is_empty() || is_first {
            let (added, removed) = (changes.added.len(), changes.removed.len());
            let provider = self.provider.name();
            info!(
                provider,
                of = of.told(),
                emotes = new.set.len(),
                added,
                removed,
                "emotes changed"
            );
        }
        if !self.means.announcer.enter(of.channel(), self.provider.contract(), changes).await {
            return Err(Over);
        }
        let (cache, name, address) = (self.means.cache.clone(), self.name(&of), self.address(&of));
        let written = spawn_blocking(move || {
            let KnownSet { set, etag, subject } = new;
            let (etag, etag_of) = etag.map(|etag| (etag.tag, etag.of)).unzip();
            let emotes =
                set.listed().into_iter().map(|(name, id)| (name.to_owned(), id.to_owned()));
            cache.write(
                &name,
                &CachedSet { address, etag, etag_of, subject, emotes: emotes.collect() },
            );
        });
        // A panic there is told by its own words.
        let _ = written.await;
        Ok(())
    }

    fn show(&self, of: &SetScope, set: &Arc<Set>) {
        self.means.table.send_modify(|table| table.put(self.provider, of, Arc::clone(set)));
    }

    fn address(&self, of: &SetScope) -> String {
        self.means.addresses.address(self.provider, of)
    }

    fn name(&self, of: &SetScope) -> String {
        format!("{}-{}", self.provider.name(), of.key())
    }
}

/// Waits for what is pushed; forever where nothing is. All that is there is taken at once: somebody who fills a set with a thousand emotes makes a
/// thousand events.
async fn pushed(pushes: &mut Option<mpsc::Receiver<Push>>) -> Option<Vec<Push>> {
    let Some(pushes) = pushes else { return std::future::pending().await };
    let mut all = vec![pushes.recv().await?];
    while let Ok(push) = pushes.try_recv() {
        all.push(push);
    }
    Some(all)
}

impl Refresher {
    /// Says by what the sets are known to the provider's events.
    fn tell(&self, subjects: &watch::Sender<Vec<Subject>>) {
        let of = |shelf: &CachedState| shelf.known.as_ref()?.subject.clone();
        let all: Vec<Subject> = self.shelves.iter().filter_map(of).collect();
        subjects.send_if_modified(|told| {
            let news = *told != all;
            *told = all;
            news
        });
    }

    /// Applies what was pushed; where that does not fit what is known, the set is asked for.
    async fn take_pushes(&mut self, pushes: &[Push]) -> Result<(), Over> {
        for place in 0..self.shelves.len() {
            let shelf = &mut self.shelves[place];
            let Some(known) = shelf.known.clone() else { continue };
            let Some(subject) = &known.subject else { continue };
            let steps: Vec<&PushStep> =
                pushes.iter().flat_map(|push| push.steps(subject)).collect();
            match applied(&known.set, &steps) {
                _ if steps.is_empty() => {}
                // Without a tag the next question is answered in full, so that nothing can drift.
                Some(set) => {
                    shelf.pushed.note(&steps, Instant::now());
                    self.take(place, KnownSet { set, etag: None, ..known }).await?;
                }
                None => {
                    let soon = shelf.asked.map_or_else(Instant::now, |asked| asked + BETWEEN);
                    shelf.due = shelf.due.min(soon);
                }
            }
        }
        Ok(())
    }
}

/// A set with these steps done. None: they do not fit it.
fn applied(set: &Set, steps: &[&PushStep]) -> Option<Arc<Set>> {
    let mut set = set.clone();
    for step in steps {
        match step {
            PushStep::Added((name, id)) => {
                // Somebody else's name: which of the two holds is the provider's to say.
                if set.id(name).is_some_and(|known| known != &**id) {
                    return None;
                }
                set.insert((name.clone(), id.clone()));
            }
            PushStep::Removed((name, id)) => {
                if !set.remove(name, id) {
                    return None;
                }
            }
            PushStep::Unclear => return None,
        }
    }
    Some(Arc::new(set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotes::sets::set;

    #[test]
    fn steps_that_do_not_fit_the_set_are_not_applied() {
        let before = set(&[("a", "1"), ("b", "2")]);
        let added = |name: &str, id: &str| PushStep::Added((name.into(), id.into()));
        let removed = |name: &str, id: &str| PushStep::Removed((name.into(), id.into()));
        let renamed = [removed("a", "1"), added("c", "1")];
        let renamed: Vec<&PushStep> = renamed.iter().collect();
        assert_eq!(applied(&before, &renamed), Some(set(&[("b", "2"), ("c", "1")])));
        assert_eq!(applied(&before, &[&added("a", "1")]), Some(Arc::clone(&before)));
        for odd in [removed("a", "2"), removed("x", "1"), added("a", "9"), PushStep::Unclear] {
            assert_eq!(applied(&before, &[&odd]), None);
        }
    }
}
