//! What is shown at the broker, and when heatd serves again.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use anyhow::{Context, Result};

use super::stage::HEAT;
use super::stream::END_WEIGHT;
use crate::mqtt::subscribe;
use crate::patience::{Watched, patience};

/// A value that rose so often since a start was counted by the heatd that was started: the first is what the one before has left.
const RISES: u32 = 2;

/// More than one commit of usual messages adds: the stream is not that far ahead.
const USUAL: u64 = END_WEIGHT / 2;

pub(super) struct Watch(Arc<Watched<Seen>>);

/// What the stream may know of it.
pub(super) struct Shown(Arc<Watched<Seen>>);

#[derive(Default)]
struct Seen {
    heat: u64,
    rises: u32,
    served: Option<Instant>,
    ended: bool,
}

impl Watch {
    pub(super) fn start(port: u16) -> Result<Self> {
        let seen = Arc::new(Watched::new(Seen::default()));
        let changed = Arc::clone(&seen);
        subscribe(port, HEAT, 1, move |message| {
            let text = std::str::from_utf8(message.payload).unwrap_or_default();
            if let Ok(heat) = text.parse() {
                changed.change(|seen| seen.take(heat, message.at));
            }
        })?;
        Ok(Self(seen))
    }

    pub(super) fn shown(&self) -> Shown {
        Shown(Arc::clone(&self.0))
    }

    /// Another heatd is started.
    pub(super) fn begin(&self) {
        self.0.change(|seen| (seen.rises, seen.served) = (0, None));
    }

    /// Waits until the heatd that was started last has counted something, and says when that was shown.
    pub(super) fn wait_until_served(&self) -> Result<Instant> {
        self.0.wait("heatd to count again", |seen| seen.served, Seen::describe)
    }

    /// Waits until the last message was counted, and returns what is shown then.
    pub(super) fn wait_for_the_end(&self) -> Result<u64> {
        self.0.wait("the last message", |seen| seen.ended.then_some(seen.heat), Seen::describe)
    }
}

impl Shown {
    /// The number that was shown last.
    pub(super) fn heat(&self) -> u64 {
        self.0.read().heat
    }
}

impl Seen {
    fn take(&mut self, heat: u64, at: Instant) {
        if heat > self.heat {
            self.rises += 1;
            self.ended |= heat - self.heat > USUAL;
            self.heat = heat;
        }
        if self.rises >= RISES && self.served.is_none() {
            self.served = Some(at);
        }
    }

    fn describe(&self) -> String {
        format!("{} is shown after {} rises", self.heat, self.rises)
    }
}

/// What a new subscriber gets first.
pub(super) fn first(port: u16) -> Result<String> {
    let (tell, told) = sync_channel(1);
    subscribe(port, HEAT, 1, move |message| {
        let _ = tell.try_send(String::from_utf8_lossy(message.payload).into_owned());
    })?;
    told.recv_timeout(patience()).context("nothing is retained")
}
