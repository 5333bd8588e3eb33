//! One instance of a rule: its store, the views that it imports, and its limits.

use std::sync::Arc;

use tracing::{debug, info, warn};
use wasmtime::component::Linker;
use wasmtime::{ResourceLimiter, Store, StoreContextMut, Trap};

use crate::contract::{
    Description, Effect, Entry, Event, Interests, Level, Person, RuleExports, RulePre,
    SettingValue, Settings, Tally,
};
use crate::error::{Fault, StoreError};
use crate::limits::Limits;
use crate::overlay::{Overlay, SlotKey};
use crate::sandbox::{STACK, Sandbox};
use crate::ticker::Ticker;

/// Fuel that a call of a view costs, and each byte and row that it reads: the guest pays for the host's work.
const FUEL_PER_VIEW: u64 = 500;
const FUEL_PER_BYTE: u64 = 2;
const FUEL_PER_ROW: u64 = 200;

/// What the store of an instance holds besides its memory.
pub(crate) struct Host {
    limits: Arc<Limits>,
    settings: Arc<Settings>,
    slot: Option<Arc<SlotKey>>,
    /// Present while a call runs; a description needs none.
    overlay: Option<Box<Overlay>>,
    lines_left: u32,
    memory_refused: bool,
    failed: Option<StoreError>,
}

impl Host {
    /// Reads from the overlay and charges for it. A failure of the store ends the call, and the engine with it.
    fn read<V: Default>(
        store: &mut StoreContextMut<'_, Self>,
        read: impl FnOnce(&Overlay, &SlotKey) -> Result<(V, Cost), StoreError>,
    ) -> wasmtime::Result<V> {
        let host = store.data_mut();
        let (Some(overlay), Some(slot)) = (&host.overlay, &host.slot) else {
            return Ok(V::default());
        };
        match read(overlay, slot) {
            Ok((value, cost)) => charge(store, cost).map(|()| value),
            Err(error) => {
                host.failed = Some(error);
                wasmtime::bail!("the store failed")
            }
        }
    }
}

/// What a view read.
struct Cost {
    rows: usize,
    bytes: usize,
}

fn charge(store: &mut StoreContextMut<'_, Host>, cost: Cost) -> wasmtime::Result<()> {
    let price = FUEL_PER_VIEW + FUEL_PER_BYTE * cost.bytes as u64 + FUEL_PER_ROW * cost.rows as u64;
    match store.get_fuel()?.checked_sub(price) {
        Some(left) => store.set_fuel(left),
        None => Err(Trap::OutOfFuel.into()),
    }
}

impl ResourceLimiter for Host {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.limits.memory {
            self.memory_refused = true;
            wasmtime::bail!("memory limit")
        }
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 100_000)
    }
}

/// Gives rules their views, and nothing else.
pub(crate) fn add_views(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    add_state(linker)?;
    add_counts(linker)?;
    linker.instance("heat:rules/config@1.0.0")?.func_wrap(
        "get",
        |mut store: StoreContextMut<'_, Host>, (name,): (String,)| {
            charge(&mut store, Cost { rows: 0, bytes: name.len() })?;
            let settings = Arc::clone(&store.data().settings);
            let value: Option<SettingValue> =
                settings.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
            Ok((value,))
        },
    )?;
    linker.instance("heat:rules/log@1.0.0")?.func_wrap(
        "write",
        |mut store: StoreContextMut<'_, Host>, (level, line): (Level, String)| {
            charge(&mut store, Cost { rows: 0, bytes: line.len() })?;
            write_line(store.data_mut(), level, &line);
            Ok(())
        },
    )
}

fn add_state(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut state = linker.instance("heat:rules/state@1.0.0")?;
    state.func_wrap("get", |mut store: StoreContextMut<'_, Host>, (key,): (String,)| {
        let value: Option<Vec<u8>> = Host::read(&mut store, |overlay, slot| {
            let value = overlay.state(slot, &key)?;
            let bytes = key.len() + value.as_ref().map_or(0, Vec::len);
            Ok((value, Cost { rows: 0, bytes }))
        })?;
        Ok((value,))
    })?;
    state.func_wrap(
        "scan",
        |mut store: StoreContextMut<'_, Host>,
         (prefix, after, limit): (String, Option<String>, u32)| {
            let entries: Vec<Entry> = Host::read(&mut store, |overlay, slot| {
                let entries =
                    overlay.scan_state(slot, &prefix, after.as_deref(), limit as usize)?;
                let bytes = entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
                Ok((entries, Cost { rows: 0, bytes }))
            })?;
            Ok((entries,))
        },
    )
}

fn add_counts(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    const NOTHING_READ: Cost = Cost { rows: 1, bytes: 0 };
    let mut counts = linker.instance("heat:rules/counts@1.0.0")?;
    counts.func_wrap("of-channel", |mut store: StoreContextMut<'_, Host>, (): ()| {
        let tally: Tally = Host::read(&mut store, |overlay, slot| {
            Ok((overlay.channel_tally(slot)?, NOTHING_READ))
        })?;
        Ok((tally,))
    })?;
    counts.func_wrap("of-item", |mut store: StoreContextMut<'_, Host>, (item,): (String,)| {
        let tally: Tally = Host::read(&mut store, |overlay, slot| {
            Ok((overlay.item_tally(slot, &item)?, NOTHING_READ))
        })?;
        Ok((tally,))
    })?;
    counts.func_wrap("of-person", |mut store: StoreContextMut<'_, Host>, (id,): (String,)| {
        let tally: Tally = Host::read(&mut store, |overlay, slot| {
            Ok((overlay.person_tally(slot, &id)?, NOTHING_READ))
        })?;
        Ok((tally,))
    })?;
    counts.func_wrap(
        "of-person-item",
        |mut store: StoreContextMut<'_, Host>, (id, item): (String, String)| {
            let tally: Tally = Host::read(&mut store, |overlay, slot| {
                Ok((overlay.person_item_tally(slot, &id, &item)?, NOTHING_READ))
            })?;
            Ok((tally,))
        },
    )?;
    counts.func_wrap("top-items", |mut store: StoreContextMut<'_, Host>, (limit,): (u32,)| {
        let top: Vec<(String, Tally)> = Host::read(&mut store, |overlay, slot| {
            let (top, rows) = overlay.top_items(slot, limit as usize)?;
            Ok((top, Cost { rows, bytes: 0 }))
        })?;
        Ok((top,))
    })?;
    counts.func_wrap("top-people", |mut store: StoreContextMut<'_, Host>, (limit,): (u32,)| {
        let top: Vec<(Person, Tally)> = Host::read(&mut store, |overlay, slot| {
            let (top, rows) = overlay.top_people(slot, limit as usize)?;
            Ok((top, Cost { rows, bytes: 0 }))
        })?;
        Ok((top,))
    })
}

fn write_line(host: &mut Host, level: Level, line: &str) {
    let Some(left) = host.lines_left.checked_sub(1) else { return };
    host.lines_left = left;
    let end = line.floor_char_boundary(host.limits.log_line_bytes);
    let text: String = line[..end].chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let (channel, rule) = host.slot.as_ref().map_or(("", ""), |slot| (&slot.channel, &slot.slot));
    match level {
        Level::Debug => debug!(channel, rule, text, "rule says"),
        Level::Info => info!(channel, rule, text, "rule says"),
        Level::Warn => warn!(channel, rule, text, "rule says"),
    }
}

/// A live instance. It is dropped after any fault, and at the latest when its group ends.
pub(crate) struct Guest {
    store: Store<Host>,
    exports: RuleExports,
    calls: u32,
}

impl Guest {
    pub(crate) fn new(
        sandbox: &Sandbox,
        pre: &RulePre<Host>,
        limits: &Arc<Limits>,
        settings: &Arc<Settings>,
        slot: Option<Arc<SlotKey>>,
    ) -> Result<Self, Fault> {
        let host = Host {
            limits: Arc::clone(limits),
            settings: Arc::clone(settings),
            slot,
            overlay: None,
            lines_left: limits.log_lines,
            memory_refused: false,
            failed: None,
        };
        let mut store = Store::new(sandbox.engine(), host);
        store.limiter(|host| host);
        store.set_hostcall_fuel(limits.answer_bytes);
        refill(&mut store, sandbox);
        match pre.instantiate(&mut store) {
            Ok(exports) => Ok(Self { store, exports, calls: 0 }),
            Err(error) => Err(fault(&store, error)),
        }
    }

    /// How many events this instance has been called for.
    pub(crate) fn calls(&self) -> u32 {
        self.calls
    }

    pub(crate) fn describe(&mut self, sandbox: &Sandbox) -> Result<Description, Fault> {
        self.call(sandbox, |exports, store| exports.call_describe(store))
    }

    pub(crate) fn takes(
        &mut self,
        sandbox: &Sandbox,
        settings: &Settings,
    ) -> Result<Result<Interests, String>, Fault> {
        self.call(sandbox, |exports, store| exports.call_takes(store, settings))
    }

    pub(crate) fn migrate(
        &mut self,
        sandbox: &Sandbox,
        from: u32,
        entry: &Entry,
    ) -> Result<Result<Vec<Entry>, String>, Fault> {
        self.call(sandbox, |exports, store| {
            exports.call_migrate(store, from, &entry.key, &entry.value)
        })
    }

    /// Calls `handle` over this overlay, which comes back whatever happens.
    pub(crate) fn handle(
        &mut self,
        sandbox: &Sandbox,
        overlay: Box<Overlay>,
        now: u64,
        event: &Event,
    ) -> (Box<Overlay>, Result<Result<Vec<Effect>, Fault>, StoreError>) {
        self.calls += 1;
        self.store.data_mut().lines_left = self.store.data().limits.log_lines;
        self.store.data_mut().overlay = Some(overlay);
        let answer = self.call(sandbox, |exports, store| exports.call_handle(store, now, event));
        let host = self.store.data_mut();
        let overlay = host.overlay.take().expect("a store keeps its data through a trap");
        if let Some(error) = host.failed.take() {
            return (overlay, Err(error));
        }
        (overlay, Ok(answer.and_then(|effects| effects.map_err(Fault::Error))))
    }

    fn call<V>(
        &mut self,
        sandbox: &Sandbox,
        call: impl FnOnce(&RuleExports, &mut Store<Host>) -> wasmtime::Result<V>,
    ) -> Result<V, Fault> {
        refill(&mut self.store, sandbox);
        call(&self.exports, &mut self.store).map_err(|error| fault(&self.store, error))
    }
}

/// Sets what one call may use.
fn refill(store: &mut Store<Host>, sandbox: &Sandbox) {
    let (fuel, wall) = (store.data().limits.fuel, store.data().limits.wall_ms);
    // Fuel is on in the one configuration that there is, so this cannot fail.
    let _ = store.set_fuel(fuel);
    store.set_epoch_deadline(Ticker::ticks(wall));
    sandbox.ticker().arm();
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
