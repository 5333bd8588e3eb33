//! The views of a bare call: settings as the rule's own defaults have them, and a state and counts that are always empty.

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Result, Store};

use crate::generated::heat::rules::about::{SettingKind, SettingValue};
use crate::generated::heat::rules::counts::{Person, Tally};
use crate::generated::heat::rules::state::Entry;
use crate::generated::heat::rules::{about, config, counts, effects, events, log, outputs, state};
use crate::generated::{Rule, RulePre};

/// What a store of the bench holds.
#[derive(Clone, Default)]
pub(crate) struct Views {
    settings: Vec<(String, SettingValue)>,
}

/// The component, linked with the views, and what its stores hold.
pub(crate) fn link(engine: &Engine, component: &Component) -> Result<(RulePre<Views>, Views)> {
    let mut linker = Linker::new(engine);
    Rule::add_to_linker::<_, wasmtime::component::HasSelf<Views>>(&mut linker, |views| views)?;
    let rule = RulePre::new(linker.instantiate_pre(component)?)?;
    let mut store = Store::new(engine, Views::default());
    store.set_fuel(u64::MAX)?;
    store.set_epoch_deadline(u64::MAX / 2);
    let described = rule.instantiate(&mut store)?.call_describe(&mut store)?;
    let settings = described.settings.into_iter().map(|it| (it.name, default(it.kind)));
    Ok((rule, Views { settings: settings.collect() }))
}

fn default(kind: SettingKind) -> SettingValue {
    match kind {
        SettingKind::Boolean(value) => SettingValue::Boolean(value),
        SettingKind::Integer(it) => SettingValue::Integer(it.default),
        SettingKind::Number(it) => SettingValue::Number(it.default),
        SettingKind::Duration(it) => SettingValue::Duration(it.default),
        SettingKind::Text(it) => SettingValue::Text(it.default),
        SettingKind::Choice(it) => {
            SettingValue::Text(it.choices.into_iter().next().unwrap_or_default())
        }
        SettingKind::Texts(list) => SettingValue::Texts(list),
        SettingKind::Numbers(table) => SettingValue::Numbers(table),
    }
}

const NOTHING: Tally = Tally { faves: 0, weight: 0, people: 0 };

impl state::Host for Views {
    fn get(&mut self, _key: String) -> Option<Vec<u8>> {
        None
    }

    fn scan(&mut self, _prefix: String, _after: Option<String>, _limit: u32) -> Vec<Entry> {
        Vec::new()
    }
}

impl outputs::Host for Views {
    fn get(&mut self, _name: String) -> Option<String> {
        None
    }
}

impl counts::Host for Views {
    fn of_channel(&mut self) -> Tally {
        NOTHING
    }

    fn of_item(&mut self, _item: String) -> Tally {
        NOTHING
    }

    fn of_person(&mut self, _id: String) -> Tally {
        NOTHING
    }

    fn of_person_item(&mut self, _id: String, _item: String) -> Tally {
        NOTHING
    }

    fn top_items(&mut self, _limit: u32) -> Vec<(String, Tally)> {
        Vec::new()
    }

    fn top_people(&mut self, _limit: u32) -> Vec<(Person, Tally)> {
        Vec::new()
    }
}

impl config::Host for Views {
    fn get(&mut self, name: String) -> Option<SettingValue> {
        self.settings.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
    }
}

impl log::Host for Views {
    fn write(&mut self, _level: log::Level, _line: String) {}
}

impl about::Host for Views {}
impl effects::Host for Views {}
impl events::Host for Views {}
