//! A rule without the engine: wasmtime with the engine's own configuration, fuel and deadline set before each call as the engine does.

use heat_engine::{Limits, engine_config};
use wasmtime::component::Component;
use wasmtime::{Engine, Result, Store};

use crate::generated::heat::rules::effects::Effect;
use crate::generated::heat::rules::events::Event;
use crate::generated::{Rule, RulePre};
use crate::views::{self, Views};

/// In ticks, as the engine sets it. Nothing ticks here.
const DEADLINE: u64 = 51;

/// A component, ready to be instantiated.
pub(crate) struct BareRule {
    engine: Engine,
    rule: RulePre<Views>,
    views: Views,
    limits: Limits,
}

/// An instance of it.
pub(crate) struct BareInstance {
    store: Store<Views>,
    exports: Rule,
    fuel: u64,
}

impl BareRule {
    pub(crate) fn new(bytes: &[u8]) -> Result<Self> {
        let engine = Engine::new(&engine_config())?;
        let component = Component::new(&engine, bytes)?;
        let (rule, views) = views::link(&engine, &component)?;
        Ok(Self { engine, rule, views, limits: Limits::default() })
    }

    pub(crate) fn instance(&self) -> Result<BareInstance> {
        let mut store = Store::new(&self.engine, self.views.clone());
        store.set_hostcall_fuel(self.limits.answer_bytes);
        store.set_fuel(self.limits.fuel)?;
        store.set_epoch_deadline(DEADLINE);
        let exports = self.rule.instantiate(&mut store)?;
        Ok(BareInstance { store, exports, fuel: self.limits.fuel })
    }
}

impl BareInstance {
    /// What the rule answers, or the error that it says.
    pub(crate) fn call(
        &mut self,
        now: u64,
        event: &Event,
    ) -> Result<std::result::Result<Vec<Effect>, String>> {
        self.store.set_fuel(self.fuel)?;
        self.store.set_epoch_deadline(DEADLINE);
        self.exports.call_handle(&mut self.store, now, event)
    }
}
