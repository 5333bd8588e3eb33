//! The people who gave the most faves and the items that got the most, for other threads.

use std::sync::Arc;

use super::query::Statistics;
use crate::contract::{Person, Tally};
use crate::error::StoreError;
use crate::overlay::Overlay;
use crate::store::tables::SlotKey;

/// How many rows are read for a top list; a channel with more people than this has a list of its own making.
const BUDGET: usize = 1_000_000;

/// What was faved most in a channel, greatest weight first.
#[derive(Debug, Clone)]
pub struct MostFaved {
    /// All faves of the channel.
    pub total: Tally,
    /// Items. Faves for nothing in particular are of the item without a name.
    pub items: Vec<(String, Tally)>,
    /// People.
    pub people: Vec<(Person, Tally)>,
}

impl Statistics {
    /// The first `count` of each list. Reads every item and every person of the channel; none when there are too many of them.
    pub fn most_faved(&self, channel: &str, count: usize) -> Result<Option<MostFaved>, StoreError> {
        let snapshot = self.store.snapshot()?;
        let total = snapshot.channel_tally(channel)?;
        let overlay = Overlay::new(snapshot)?;
        // Tallies are of a channel, whoever asks.
        let key = SlotKey { channel: Arc::from(channel), slot: Arc::from(""), generation: 0 };
        let Some((items, _)) = overlay.top_items(&key, count, BUDGET)? else { return Ok(None) };
        let Some((people, _)) = overlay.top_people(&key, count, BUDGET)? else { return Ok(None) };
        Ok(Some(MostFaved { total, items, people }))
    }
}
