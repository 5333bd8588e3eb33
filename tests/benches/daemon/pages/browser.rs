//! What one page asks while it is open and seen: as host/dashboard/src does, file by file.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use super::http::{Connection, events};

/// How often what is asked again: the status, the emotes, rules and history, and faves where there were new ones.
const STATUS: Duration = Duration::from_secs(10);
const EMOTES: Duration = Duration::from_secs(12);
const RULES: Duration = Duration::from_secs(15);
const FAVES: Duration = Duration::from_secs(10);

/// How long the time is that a page begins with, at 1 s and at 5 s.
const SPAN: [u64; 2] = [300_000, 900_000];

const FIVE_MINUTES: u64 = 300_000;

#[derive(Clone)]
pub(super) struct Browser {
    pub(super) port: u16,
    pub(super) token: String,
    pub(super) channel: String,
    pub(super) interval: &'static str,
    pub(super) is_public: bool,
    pub(super) heard: Arc<Heard>,
    pub(super) shared: Arc<Shared>,
}

/// What a page was told.
#[derive(Default)]
pub(super) struct Heard {
    bins: AtomicU64,
    events: AtomicU64,
    faves: AtomicBool,
}

impl Heard {
    pub(super) fn told(&self) -> (u64, u64) {
        (self.bins.load(Ordering::Relaxed), self.events.load(Ordering::Relaxed))
    }
}

/// What all pages share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) over: AtomicBool,
    pub(super) pages: Mutex<Vec<Arc<Heard>>>,
}

impl Shared {
    /// What was heard so far is forgotten.
    pub(super) fn begin_anew(&self) {
        for heard in self.pages.lock().expect("nobody panics with it").iter() {
            heard.bins.store(0, Ordering::Relaxed);
            heard.events.store(0, Ordering::Relaxed);
        }
    }
}

impl Browser {
    fn of_channel(&self, resource: &str) -> String {
        format!("/api/v1/channels/{}/{resource}", self.channel)
    }

    fn series(&self) -> String {
        format!("of=messages&of=emote%3Atwitch%3ALUL&of=output%3Aheat&interval={}", self.interval)
    }

    /// `graph.ts`: what was, and then the stream.
    pub(super) fn follow(&self) -> Result<()> {
        let span = SPAN[usize::from(self.interval == "5s")];
        let shown = format!("&from={}&to={}", now() - span, now());
        let mut connection = Connection::new(self.port, &self.token);
        connection.get(&self.of_channel(&format!("series?{}{shown}", self.series())))?;
        drop(connection);
        let path = self.of_channel(&format!("live?{}&news=true", self.series()));
        events(self.port, &self.token, &path, |event| {
            self.heard.events.fetch_add(1, Ordering::Relaxed);
            if event.contains("\"bins\":") {
                self.heard.bins.fetch_add(1, Ordering::Relaxed);
            } else if event.contains("\"fave") {
                self.heard.faves.store(true, Ordering::Relaxed);
            }
            !self.shared.over.load(Ordering::Relaxed)
        })
    }

    /// `main.ts`, `tops.ts` and `rules.ts`: the rest.
    pub(super) fn look_again_and_again(&self) -> Result<()> {
        let mut connection = Connection::new(self.port, &self.token);
        connection.get("/")?;
        connection.get("/api/v1/whoami")?;
        let start = Instant::now();
        let mut due = [start; 4];
        while !self.shared.over.load(Ordering::Relaxed) {
            for (place, every) in [STATUS, EMOTES, RULES, FAVES].into_iter().enumerate() {
                if due[place] > Instant::now() {
                    continue;
                }
                due[place] = Instant::now() + every;
                self.look(&mut connection, place)?;
            }
            // Short enough that a page closes when the bench does.
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    fn look(&self, connection: &mut Connection, place: usize) -> Result<()> {
        match place {
            0 => drop(connection.get("/api/v1/status")?),
            1 => {
                let query = format!("emotes?from={}&count=8&order=most", now() - FIVE_MINUTES);
                connection.get(&self.of_channel(&query))?;
            }
            2 if !self.is_public => {
                connection.get("/api/v1/rules")?;
                connection.get(&format!("/api/v1/history?channel={}&count=200", self.channel))?;
            }
            3 if !self.is_public && self.heard.faves.swap(false, Ordering::Relaxed) => {
                connection.get(&self.of_channel("faves?count=8"))?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
