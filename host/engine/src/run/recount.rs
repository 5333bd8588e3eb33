//! The log counted again.

use std::sync::Arc;

use crate::error::StoreError;
use crate::overlay::Overlay;
use crate::store::Store;
use crate::store::counts::CountRow;
use crate::store::snapshot::Snapshot;

impl Snapshot {
    /// The counts of a channel as the log alone makes them. They are those of the store, if the log is whole.
    pub fn recount(&self, channel: &str) -> Result<Vec<CountRow>, StoreError> {
        let store = Store::in_memory()?;
        let mut overlay = Overlay::new(store.snapshot()?)?;
        let name: Arc<str> = channel.into();
        for block in self.blocks(0)? {
            for record in block?.1.into_iter().filter(|it| it.channel() == channel) {
                overlay.apply(&name, &record.counts(), |_| false)?;
            }
        }
        store.write(|transaction| overlay.write(transaction, 0))?;
        store.snapshot()?.counts()?.collect()
    }
}
