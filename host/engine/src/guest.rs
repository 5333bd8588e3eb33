//! One instance of a rule: its store, its limits, and the calls of its exports.

pub(crate) mod bounds;
pub(crate) mod code_cache;
pub(crate) mod component;
pub(crate) mod host;
mod load;
pub(crate) mod meter;
pub(crate) mod rule;
pub(crate) mod sandbox;
mod ticker;
mod views;
pub(crate) mod weight;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Store, Trap};

use crate::contract::limits::Limits;
use crate::contract::{
    Description, Effect, Entry, Event, Interests, RuleExports, RulePre, Settings,
};
use crate::error::{CallError, Fault};
use crate::guest::host::Host;
use crate::guest::meter::{Doing, Meter};
use crate::guest::sandbox::{STACK, Sandbox};
use crate::guest::ticker::Ticker;
use crate::overlay::Overlay;
use crate::store::tables::SlotKey;

/// A live instance. It is dropped after any fault, and when nobody has called it for a while.
pub(crate) struct Guest {
    store: Store<Host>,
    exports: RuleExports,
    calls: u32,
    /// When it was called last, in milliseconds since 1970.
    called_at: u64,
    ticker: Arc<Ticker>,
}

impl Guest {
    pub(crate) fn new(
        sandbox: &Sandbox,
        pre: &RulePre<Host>,
        limits: &Arc<Limits>,
        settings: &Arc<Settings>,
        slot: Option<Arc<SlotKey>>,
    ) -> Result<Self, Fault> {
        let started = sandbox.meter().map(Meter::now);
        let host = Host::new(limits, settings, slot);
        let ticker = Arc::clone(sandbox.ticker());
        let _ticking = sandbox.ticker().tick();
        let mut store = Store::new(sandbox.engine(), host);
        store.limiter(|host| host);
        store.set_hostcall_fuel(limits.answer_bytes);
        refill(&mut store);
        match pre.instantiate(&mut store) {
            Ok(exports) => {
                note(sandbox, &store, started, Doing::Start);
                Ok(Self { store, exports, calls: 0, called_at: 0, ticker })
            }
            Err(error) => Err(fault(&store, error)),
        }
    }

    /// How many events this instance has been called for.
    pub(crate) fn calls(&self) -> u32 {
        self.calls
    }

    /// When it was called for an event last, in milliseconds since 1970.
    pub(crate) fn called_at(&self) -> u64 {
        self.called_at
    }

    /// Linear memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.store.data().memory
    }

    pub(crate) fn describe(&mut self) -> Result<Description, Fault> {
        self.call(|exports, store| exports.call_describe(store))
    }

    pub(crate) fn takes(&mut self, settings: &Settings) -> Result<Interests, Fault> {
        self.call(|exports, store| exports.call_takes(store, settings))?.map_err(Fault::Error)
    }

    /// What the last call has used of its fuel.
    pub(crate) fn fuel_used(&self) -> u64 {
        self.store.data().limits.fuel.saturating_sub(self.store.get_fuel().unwrap_or(0))
    }

    pub(crate) fn migrate(&mut self, from: u32, entry: &Entry) -> Result<Vec<Entry>, Fault> {
        self.call(|exports, store| exports.call_migrate(store, from, &entry.key, &entry.value))?
            .map_err(Fault::Error)
    }

    /// How many lines for the log the last call has written, and how many were left out.
    pub(crate) fn lines(&self) -> (u32, u32) {
        let host = self.store.data();
        (host.lines_written, host.lines_left_out)
    }

    /// Calls `handle` over this overlay, which comes back whatever happens. It may write so many lines to the log.
    pub(crate) fn handle(
        &mut self,
        sandbox: &Sandbox,
        overlay: Box<Overlay>,
        now: u64,
        event: &Event,
        lines: u32,
    ) -> (Box<Overlay>, Result<Vec<Effect>, CallError>) {
        self.calls += 1;
        self.called_at = now;
        let host = self.store.data_mut();
        (host.lines_left, host.lines_written, host.lines_left_out) = (lines, 0, 0);
        host.overlay = Some(overlay);
        let started = sandbox.meter().map(Meter::now);
        let answer = self.call(|exports, store| exports.call_handle(store, now, event));
        if started.is_some() {
            note(sandbox, &self.store, started, used(&self.store));
        }
        let host = self.store.data_mut();
        let overlay = host.overlay.take().expect("a store keeps its data through a trap");
        if let Some(error) = host.failed.take() {
            return (overlay, Err(error.into()));
        }
        (
            overlay,
            answer.and_then(|effects| effects.map_err(Fault::Error)).map_err(CallError::Fault),
        )
    }

    fn call<V>(
        &mut self,
        call: impl FnOnce(&RuleExports, &mut Store<Host>) -> wasmtime::Result<V>,
    ) -> Result<V, Fault> {
        let _ticking = self.ticker.tick();
        refill(&mut self.store);
        call(&self.exports, &mut self.store).map_err(|error| fault(&self.store, error))
    }
}

/// Sets what one call may use.
fn refill(store: &mut Store<Host>) {
    let (fuel, wall) = (store.data().limits.fuel, store.data().limits.wall_ms);
    // Fuel is on in the one configuration that there is, so this cannot fail.
    let _ = store.set_fuel(fuel);
    store.set_epoch_deadline(Ticker::ticks(wall));
}

/// What a call has used.
fn used(store: &Store<Host>) -> Doing {
    let host = store.data();
    let left = store.get_fuel().unwrap_or_default();
    Doing::Call { fuel: host.limits.fuel.saturating_sub(left), memory: host.memory }
}

/// Notes what an instance of a slot did, where there is a meter.
fn note(sandbox: &Sandbox, store: &Store<Host>, started: Option<Duration>, what: Doing) {
    if let (Some(meter), Some(started), Some(slot)) = (sandbox.meter(), started, &store.data().slot)
    {
        meter.note(&slot.slot, started, what);
    }
}

/// Names the limit that was hit, or the trap.
fn fault(store: &Store<Host>, error: wasmtime::Error) -> Fault {
    let limits = &store.data().limits;
    if store.data().memory_refused {
        return Fault::Memory(limits.memory);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Fault::Fuel(limits.fuel),
        Some(Trap::Interrupt) => Fault::Wall(limits.wall_ms),
        Some(Trap::StackOverflow) => Fault::Stack(STACK),
        Some(trap) => Fault::Trap(trap.to_string()),
        None if error.root_cause().to_string().contains("fuel allocated for hostcalls") => {
            Fault::Answer(limits.answer_bytes)
        }
        None => Fault::Trap(format!("{:#}", error.root_cause())),
    }
}
