//! What happens to heatd during a soak: rules are swapped by the API, MQTT messages come, the broker is restarted.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Options;
use super::load::channel;
use super::stage::{Stage, TOPIC};

/// Short enough that nobody waits for the end.
const PAUSE: Duration = Duration::from_millis(20);

/// What was done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done {
    pub swaps: u64,
    /// Swaps that heatd did not make.
    pub refused: u64,
    /// Messages that the broker has acknowledged. Each is a fave in every channel.
    pub messages: u64,
    pub restarts: u64,
}

pub(super) struct Trouble<'a> {
    stage: &'a Stage,
    swaps: Option<Duration>,
    restarts: Option<Duration>,
    done: Done,
}

impl<'a> Trouble<'a> {
    pub(super) fn new(stage: &'a Stage, options: &Options) -> Self {
        let (swaps, restarts) = (options.swap_every, options.restart_every);
        Self { stage, swaps, restarts, done: Done::default() }
    }

    /// Goes on until it is over.
    pub(super) fn run(mut self, over: &AtomicBool) -> Result<Done> {
        let start = Instant::now();
        let (mut swaps, mut restarts) = (0, 0);
        while !over.load(Ordering::Relaxed) {
            if is_due(start, self.swaps, &mut swaps) {
                self.swap()?;
                self.send()?;
            }
            if is_due(start, self.restarts, &mut restarts) {
                self.broker(|broker| broker.restart())?;
                self.done.restarts += 1;
            }
            thread::sleep(PAUSE);
        }
        Ok(self.done)
    }

    /// Another channel each time, and then another value: the cap is so high that no heat comes near it.
    fn swap(&mut self) -> Result<()> {
        let number = self.done.swaps + self.done.refused;
        let channels = self.stage.channels as u64;
        let cap = 900_000_000 + number / channels;
        let set = format!("{{\"set\": {{\"cap\": {cap}}}}}");
        match self.stage.set(&channel((number % channels) as usize), "decay", &set)? {
            true => self.done.swaps += 1,
            false => self.done.refused += 1,
        }
        Ok(())
    }

    fn send(&mut self) -> Result<()> {
        // With an id it counts once, though the broker may be restarted while it is under way.
        let id = self.done.messages;
        let message = format!("{{\"id\": \"soak-{id}\", \"item\": \"an evening by the sea\"}}");
        self.broker(|broker| broker.publish(TOPIC, message.as_bytes(), false, 1))?;
        self.done.messages += 1;
        Ok(())
    }

    fn broker<V>(
        &self,
        act: impl FnOnce(&mut crate::mosquitto::Mosquitto) -> Result<V>,
    ) -> Result<V> {
        act(&mut self.stage.broker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether it is time for the next one.
fn is_due(start: Instant, every: Option<Duration>, times: &mut u32) -> bool {
    let due = every.is_some_and(|every| start.elapsed() >= every * (*times + 1));
    *times += u32::from(due);
    due
}
