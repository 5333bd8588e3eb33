//! What a store has counted, read when nobody has it open.

use std::path::Path;

use anyhow::Result;
use heat_engine::{Record, Store};

/// The item of each counted fave, in order.
pub(crate) fn items(file: &Path) -> Result<Vec<String>> {
    let records = Store::open(file)?.snapshot()?.records_since(0)?;
    let faves = records.into_iter().filter_map(|record| match record {
        Record::Faves { faves, .. } => Some(faves),
        _ => None,
    });
    Ok(faves.flatten().map(|counted| counted.fave.item).collect())
}
