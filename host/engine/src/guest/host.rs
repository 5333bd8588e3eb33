//! What an instance of a rule has besides its memory: its limits, and what it may read.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::contract::Settings;
use crate::contract::limits::Limits;
use crate::error::StoreError;
use crate::overlay::Overlay;
use crate::store::tables::SlotKey;

/// What the store of an instance holds besides its memory.
pub(crate) struct Host {
    pub(crate) limits: Arc<Limits>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) slot: Option<Arc<SlotKey>>,
    /// Present while a call runs; a description needs none.
    pub(crate) overlay: Option<Box<Overlay>>,
    pub(crate) lines_left: u32,
    /// Lines that the last call has written, and those that were left out.
    pub(crate) lines_written: u32,
    pub(crate) lines_left_out: u32,
    /// Of all memories and tables of the instance together.
    pub(super) memory: usize,
    table_entries: usize,
    pub(super) memory_refused: bool,
    pub(crate) failed: Option<StoreError>,
}

/// Entries of all tables of an instance together.
const TABLE_ENTRIES: usize = 100_000;

/// How many core instances, tables and memories one component may have. A component of a scripting language is made of dozens of
/// modules that share a memory.
const PARTS: usize = 64;

impl Host {
    pub(super) fn new(
        limits: &Arc<Limits>,
        settings: &Arc<Settings>,
        slot: Option<Arc<SlotKey>>,
    ) -> Self {
        Self {
            limits: Arc::clone(limits),
            settings: Arc::clone(settings),
            slot,
            overlay: None,
            lines_left: limits.log_lines,
            lines_written: 0,
            lines_left_out: 0,
            memory: 0,
            table_entries: 0,
            memory_refused: false,
            failed: None,
        }
    }
}

impl ResourceLimiter for Host {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let all = self.memory.saturating_add(desired.saturating_sub(current));
        if all > self.limits.memory {
            self.memory_refused = true;
            wasmtime::bail!("memory limit")
        }
        self.memory = all;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.table_entries = self.table_entries.saturating_add(desired.saturating_sub(current));
        Ok(self.table_entries <= TABLE_ENTRIES)
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }
}
