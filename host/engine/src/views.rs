//! The views that a rule imports: its state, the counts, its settings, a log. Read-only, and paid for in fuel by what they read.

use std::sync::Arc;

use tracing::{debug, info, warn};
use wasmtime::component::Linker;
use wasmtime::{StoreContextMut, Trap};

use crate::contract::{Entry, Level, Person, SettingValue, Tally};
use crate::error::StoreError;
use crate::guest::Host;
use crate::overlay::Overlay;
use crate::tables::SlotKey;

/// Fuel that a call of a view costs, and each byte and row that it reads: the guest pays for the host's work.
const FUEL_PER_VIEW: u64 = 500;
const FUEL_PER_BYTE: u64 = 2;
const FUEL_PER_ROW: u64 = 200;

impl Host {
    /// Reads from the overlay and charges for it. A failure of the store ends the call, and the engine with it.
    fn read<V: Default>(
        store: &mut StoreContextMut<'_, Self>,
        read: impl FnOnce(&mut Overlay, &Arc<SlotKey>) -> Result<(V, Cost), StoreError>,
    ) -> wasmtime::Result<V> {
        let host = store.data_mut();
        let (Some(overlay), Some(slot)) = (&mut host.overlay, &host.slot) else {
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

/// More than any call can pay: the read was given up.
const TOO_MUCH: Cost = Cost { rows: usize::MAX, bytes: 0 };

/// How many rows the call can still pay for.
fn affordable_rows(store: &StoreContextMut<'_, Host>) -> wasmtime::Result<usize> {
    Ok(usize::try_from(store.get_fuel()? / FUEL_PER_ROW).unwrap_or(usize::MAX))
}

fn charge(store: &mut StoreContextMut<'_, Host>, cost: Cost) -> wasmtime::Result<()> {
    let price = FUEL_PER_VIEW
        .saturating_add(FUEL_PER_BYTE.saturating_mul(cost.bytes as u64))
        .saturating_add(FUEL_PER_ROW.saturating_mul(cost.rows as u64));
    match store.get_fuel()?.checked_sub(price) {
        Some(left) => store.set_fuel(left),
        None => Err(Trap::OutOfFuel.into()),
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
            let budget = affordable_rows(&store)?;
            let entries: Vec<Entry> = Host::read(&mut store, |overlay, slot| {
                let entries = overlay.scan_often(
                    slot,
                    &prefix,
                    after.as_deref(),
                    (limit as usize).min(budget),
                )?;
                let bytes = entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
                let rows = entries.len();
                Ok((entries, Cost { rows, bytes }))
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
        let budget = affordable_rows(&store)?;
        let top: Vec<(String, Tally)> = Host::read(&mut store, |overlay, slot| {
            let found = overlay.top_items(slot, limit as usize, budget)?;
            Ok(match found {
                Some((top, rows)) => (top, Cost { rows, bytes: 0 }),
                None => (Vec::new(), TOO_MUCH),
            })
        })?;
        Ok((top,))
    })?;
    counts.func_wrap("top-people", |mut store: StoreContextMut<'_, Host>, (limit,): (u32,)| {
        let budget = affordable_rows(&store)?;
        let top: Vec<(Person, Tally)> = Host::read(&mut store, |overlay, slot| {
            let found = overlay.top_people(slot, limit as usize, budget)?;
            Ok(match found {
                Some((top, rows)) => (top, Cost { rows, bytes: 0 }),
                None => (Vec::new(), TOO_MUCH),
            })
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
