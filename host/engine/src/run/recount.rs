//! The log counted again.

use std::sync::Arc;

use crate::error::StoreError;
use crate::overlay::Overlay;
use crate::store::Store;
use crate::store::counts::Counted;
use crate::store::record::Record;
use crate::store::snapshot::Snapshot;

impl Snapshot {
    /// The counts of a channel as the log alone makes them. They are those of the store, if the log is whole.
    pub fn recount(&self, channel: &str) -> Result<Vec<Counted>, StoreError> {
        let store = Store::in_memory()?;
        let mut overlay = Overlay::new(store.snapshot()?)?;
        let name: Arc<str> = channel.into();
        for block in self.blocks(0)? {
            for record in block?.1.into_iter().filter(|it| it.channel() == channel) {
                reckon(&mut overlay, &name, record)?;
            }
        }
        store.write(|transaction| overlay.write(transaction))?;
        store.snapshot()?.counts()?.collect()
    }
}

/// What a record changes in the counts.
fn reckon(overlay: &mut Overlay, channel: &Arc<str>, record: Record) -> Result<(), StoreError> {
    match record {
        Record::Faves { faves, .. } => {
            faves.iter().try_for_each(|it| overlay.count(channel, &it.fave))?;
        }
        Record::Undone { taken, given, .. } => {
            given.iter().try_for_each(|fave| overlay.count(channel, fave))?;
            taken.iter().try_for_each(|fave| overlay.uncount(channel, fave))?;
        }
        Record::Imported { counts, .. } => {
            for it in counts {
                overlay.add(channel, &it.person, &it.item, (it.faves, it.weight))?;
            }
        }
        Record::Joined { person, .. } => drop(overlay.join(channel, &person)?),
        _ => {}
    }
    Ok(())
}
