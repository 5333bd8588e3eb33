//! The views that a rule imports: its state, the counts, its settings, a log. Read-only, and paid for in fuel by what they read.

use std::sync::Arc;

use tracing::{debug, enabled, info, warn};
use wasmtime::component::Linker;
use wasmtime::{StoreContextMut, Trap};

use crate::contract::{Entry, Level, Person, SettingValue, Tally};
use crate::error::{StoreError, on_one_line};
use crate::guest::host::Host;
use crate::overlay::Overlay;
use crate::store::tables::SlotKey;

/// Fuel that a call of a view costs, and each byte and row that it reads: the guest pays for the host's work. One unit is a nanosecond on
/// a desk, or less; `cargo xtask hostile` measures that.
const FUEL_PER_VIEW: u64 = 1000;
const FUEL_PER_BYTE: u64 = 4;
const FUEL_PER_ROW: u64 = 450;

/// Rows that finding a place in a table costs: the pages that it leads through may have to be read from the file again.
const ROWS_PER_SEARCH: usize = 18;

/// What a call can still pay, in fuel.
struct FuelPurse(Option<u64>);

impl FuelPurse {
    /// Pays for rows and bytes that are read. False when that is more than is left; then it is never enough again.
    fn pay(&mut self, rows: usize, bytes: usize) -> bool {
        let price = FUEL_PER_ROW
            .saturating_mul(rows as u64)
            .saturating_add(FUEL_PER_BYTE.saturating_mul(bytes as u64));
        self.0 = self.0.and_then(|left| left.checked_sub(price));
        self.0.is_some()
    }

    /// How many rows can still be paid for.
    fn rows(&self) -> usize {
        usize::try_from(self.0.unwrap_or(0) / FUEL_PER_ROW).unwrap_or(usize::MAX)
    }
}

/// Does the work of a view, and takes its price out of the call's fuel.
fn charged<V>(
    store: &mut StoreContextMut<'_, Host>,
    work: impl FnOnce(&mut Host, &mut FuelPurse) -> wasmtime::Result<V>,
) -> wasmtime::Result<V> {
    let mut purse = FuelPurse(store.get_fuel()?.checked_sub(FUEL_PER_VIEW));
    if purse.0.is_none() {
        return Err(Trap::OutOfFuel.into());
    }
    let value = work(store.data_mut(), &mut purse)?;
    match purse.0 {
        Some(left) => store.set_fuel(left).map(|()| value),
        None => Err(Trap::OutOfFuel.into()),
    }
}

/// Reads from the overlay. A failure of the store ends the call, and the engine with it.
fn read<V: Default>(
    store: &mut StoreContextMut<'_, Host>,
    read: impl FnOnce(&mut Overlay, &Arc<SlotKey>, &mut FuelPurse) -> Result<V, StoreError>,
) -> wasmtime::Result<V> {
    charged(store, |host, purse| {
        let (Some(overlay), Some(slot)) = (&mut host.overlay, &host.slot) else {
            return Ok(V::default());
        };
        read(overlay, slot, purse).or_else(|error| {
            host.failed = Some(error);
            wasmtime::bail!("the store failed")
        })
    })
}

/// Reads what stands under names, unless one of them is too long for anything to stand there: what is asked for is remembered, and a
/// rule could fill the memory with such questions.
fn look_up<V: Default>(
    store: &mut StoreContextMut<'_, Host>,
    names: &[(&str, usize)],
    find: impl FnOnce(&mut Overlay, &Arc<SlotKey>) -> Result<V, StoreError>,
) -> wasmtime::Result<V> {
    let bytes = names.iter().map(|(name, _)| name.len()).sum();
    let fit = names.iter().all(|(name, longest)| name.len() <= *longest);
    read(store, |overlay, slot, purse| {
        if purse.pay(ROWS_PER_SEARCH, bytes) && fit {
            find(overlay, slot)
        } else {
            Ok(V::default())
        }
    })
}

/// The longest that an item can be, and a person's id, in bytes.
fn longest(store: &StoreContextMut<'_, Host>) -> (usize, usize) {
    let limits = &store.data().limits;
    (limits.text_chars.saturating_mul(4), limits.key_bytes)
}

/// Gives rules their views, and nothing else.
pub(crate) fn add_views(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    add_state(linker)?;
    add_counts(linker)?;
    add_top(linker)?;
    add_outputs(linker)?;
    linker.instance("heat:rules/config@1.0.0")?.func_wrap(
        "get",
        |mut store: StoreContextMut<'_, Host>, (name,): (String,)| {
            let value: Option<SettingValue> = charged(&mut store, |host, purse| {
                let value = host.settings.iter().find(|(key, _)| *key == name);
                let bytes = name.len() + value.map_or(0, |(_, value)| size(value));
                if !purse.pay(1, bytes) {
                    return Ok(None);
                }
                Ok(value.map(|(_, value)| value.clone()))
            })?;
            Ok((value,))
        },
    )?;
    linker.instance("heat:rules/log@1.0.0")?.func_wrap(
        "write",
        |mut store: StoreContextMut<'_, Host>, (level, line): (Level, String)| {
            charged(&mut store, |host, purse| {
                if purse.pay(1, line.len()) {
                    write_line(host, level, &line);
                }
                Ok(())
            })
        },
    )
}

/// Bytes of a setting's value, roughly: what it costs to hand it over.
fn size(value: &SettingValue) -> usize {
    /// A text beside its letters.
    const TEXT: usize = 16;
    match value {
        SettingValue::Text(text) => text.len(),
        SettingValue::Texts(texts) => texts.iter().map(|text| TEXT + text.len()).sum(),
        SettingValue::Numbers(table) => table.iter().map(|(name, _)| TEXT + name.len()).sum(),
        _ => 0,
    }
}

fn add_state(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut state = linker.instance("heat:rules/state@1.0.0")?;
    state.func_wrap("get", |mut store: StoreContextMut<'_, Host>, (key,): (String,)| {
        let longest = store.data().limits.key_bytes;
        let value: Option<Vec<u8>> = read(&mut store, |overlay, slot, purse| {
            if !purse.pay(ROWS_PER_SEARCH, key.len()) || key.len() > longest {
                return Ok(None);
            }
            let value = overlay.state(slot, &key)?;
            let bytes = value.as_ref().map_or(0, Vec::len);
            Ok(value.filter(|_| purse.pay(0, bytes)))
        })?;
        Ok((value,))
    })?;
    state.func_wrap(
        "scan",
        |mut store: StoreContextMut<'_, Host>,
         (prefix, after, limit): (String, Option<String>, u32)| {
            let entries: Vec<Entry> = read(&mut store, |overlay, slot, purse| {
                if !purse.pay(ROWS_PER_SEARCH, prefix.len() + after.as_ref().map_or(0, String::len))
                {
                    return Ok(Vec::new());
                }
                overlay.keep_small(slot)?;
                let pay = |bytes| purse.pay(1, bytes);
                let found = overlay.scan(slot, &prefix, after.as_deref(), limit as usize, pay)?;
                Ok(found.unwrap_or_default())
            })?;
            Ok((entries,))
        },
    )
}

fn add_counts(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut counts = linker.instance("heat:rules/counts@1.0.0")?;
    counts.func_wrap("of-channel", |mut store: StoreContextMut<'_, Host>, (): ()| {
        let tally: Tally = look_up(&mut store, &[], |overlay, slot| overlay.channel_tally(slot))?;
        Ok((tally,))
    })?;
    counts.func_wrap("of-item", |mut store: StoreContextMut<'_, Host>, (item,): (String,)| {
        let (longest, _) = longest(&store);
        let tally: Tally = look_up(&mut store, &[(&item, longest)], |overlay, slot| {
            overlay.item_tally(slot, &item)
        })?;
        Ok((tally,))
    })?;
    counts.func_wrap("of-person", |mut store: StoreContextMut<'_, Host>, (id,): (String,)| {
        let (_, longest) = longest(&store);
        let tally: Tally = look_up(&mut store, &[(&id, longest)], |overlay, slot| {
            overlay.person_tally(slot, &id)
        })?;
        Ok((tally,))
    })?;
    counts.func_wrap(
        "of-person-item",
        |mut store: StoreContextMut<'_, Host>, (id, item): (String, String)| {
            let (item_bytes, id_bytes) = longest(&store);
            let names = [(&*id, id_bytes), (&*item, item_bytes)];
            let tally: Tally = look_up(&mut store, &names, |overlay, slot| {
                overlay.person_item_tally(slot, &id, &item)
            })?;
            Ok((tally,))
        },
    )
}

fn add_top(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut counts = linker.instance("heat:rules/counts@1.0.0")?;
    counts.func_wrap("top-items", |mut store: StoreContextMut<'_, Host>, (limit,): (u32,)| {
        let top: Vec<(String, Tally)> = read(&mut store, |overlay, slot, purse| {
            let found = overlay.top_items(slot, limit as usize, purse.rows())?;
            Ok(paid(found, purse))
        })?;
        Ok((top,))
    })?;
    counts.func_wrap("top-people", |mut store: StoreContextMut<'_, Host>, (limit,): (u32,)| {
        let top: Vec<(Person, Tally)> = read(&mut store, |overlay, slot, purse| {
            let found = overlay.top_people(slot, limit as usize, purse.rows())?;
            Ok(paid(found, purse))
        })?;
        Ok((top,))
    })
}

fn add_outputs(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.instance("heat:rules/outputs@1.0.0")?.func_wrap(
        "get",
        |mut store: StoreContextMut<'_, Host>, (name,): (String,)| {
            let longest = store.data().limits.key_bytes;
            let text: Option<String> = read(&mut store, |overlay, slot, purse| {
                if !purse.pay(ROWS_PER_SEARCH, name.len()) || name.len() > longest {
                    return Ok(None);
                }
                let text = overlay.shown_by_a_rule(&slot.channel, &name)?;
                let bytes = text.as_ref().map_or(0, String::len);
                Ok(text.filter(|_| purse.pay(0, bytes)))
            })?;
            Ok((text,))
        },
    )
}

/// What was found, if the rows that it took can be paid. None found: there were more than that.
fn paid<V>(found: Option<(Vec<V>, usize)>, purse: &mut FuelPurse) -> Vec<V> {
    let (found, rows) = found.unwrap_or((Vec::new(), usize::MAX));
    if purse.pay(rows, 0) { found } else { Vec::new() }
}

fn write_line(host: &mut Host, level: Level, line: &str) {
    // What nobody reads counts for nothing.
    if matches!(level, Level::Debug) && !enabled!(tracing::Level::DEBUG) {
        return;
    }
    let Some(left) = host.lines_left.checked_sub(1) else {
        host.lines_left_out += 1;
        return;
    };
    (host.lines_left, host.lines_written) = (left, host.lines_written + 1);
    let end = line.floor_char_boundary(host.limits.log_line_bytes);
    let text = on_one_line(&line[..end]);
    let (channel, rule) = host.slot.as_ref().map_or(("", ""), |slot| (&slot.channel, &slot.slot));
    match level {
        Level::Debug => debug!(channel, rule, text, "rule says"),
        Level::Info => info!(channel, rule, text, "rule says"),
        Level::Warn => warn!(channel, rule, text, "rule says"),
    }
}
