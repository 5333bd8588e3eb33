//! Makes rules of components: compiled, held against what they may import, linked to the views.
//!
//! One `Config` serves everything that compiles or runs rules: settings that change the code are part of the cache's key.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, OperatorCost};

use crate::contract::RulePre;
use crate::contract::digest::Digest;
use crate::contract::limits::Limits;
use crate::error::{LoadError, SandboxError};
use crate::guest::code_cache::{CodeCache, Compiler, StillWanted};
use crate::guest::component::ComponentsInUse;
use crate::guest::host::Host;
use crate::guest::meter::Meter;
use crate::guest::ticker::Ticker;
use crate::guest::views::add_views;
use crate::guest::weight::may_weigh;

/// Stack of a guest, in bytes. Rules recurse over a chat line at most.
pub const STACK: usize = 256 << 10;

/// Address space that is reserved for a memory. The default of 4 GiB fails on a Pi 4 at the third instance.
const MEMORY_RESERVATION: u64 = 16 << 20;

/// Address space that is reserved behind a memory that has outgrown the above, so that growing by single pages does not copy all of it
/// each time.
const MEMORY_RESERVATION_FOR_GROWTH: u64 = 16 << 20;

/// Compiles components for one wasmtime engine. Cheap to share; compiling belongs on a thread of its own.
pub struct Sandbox {
    engine: Engine,
    linker: Linker<Host>,
    ticker: Arc<Ticker>,
    code: CodeCache,
    components: ComponentsInUse,
    meter: Option<Meter>,
    clock: Option<Clock>,
    processor: Option<Clock>,
}

/// Says how much time has passed since some moment. The engine asks it for what a call took, and for nothing else.
pub type Clock = fn() -> Duration;

impl Sandbox {
    /// A sandbox that keeps compiled code in this folder, if one is given. The folder may be deleted at any time.
    pub fn new(cache: Option<&Path>) -> Result<Self, SandboxError> {
        let broken = |error: wasmtime::Error| SandboxError(format!("{error:#}"));
        let engine = Engine::new(&engine_config()).map_err(broken)?;
        let mut linker = Linker::new(&engine);
        add_views(&mut linker).map_err(broken)?;
        let ticker = Arc::new(Ticker::start(&engine));
        Ok(Self {
            engine,
            linker,
            ticker,
            code: CodeCache::new(cache),
            components: ComponentsInUse::default(),
            meter: None,
            clock: None,
            processor: None,
        })
    }

    /// The same sandbox, which compiles nothing itself.
    pub fn with_compiler(self, compiler: Compiler) -> Self {
        Self { code: self.code.compiled_by(compiler), ..self }
    }

    /// The same sandbox, which notes what guests cost.
    pub fn with_meter(self, meter: Meter) -> Self {
        Self { meter: Some(meter), ..self }
    }

    /// What notes the cost of guests, if anything does.
    pub fn meter(&self) -> Option<&Meter> {
        self.meter.as_ref()
    }

    /// The same sandbox, whose answers say how long their calls took.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The same sandbox, which knows by this clock how long the running thread was at work: calls that take too much of that are slow.
    pub fn with_processor_clock(self, clock: Clock) -> Self {
        Self { processor: Some(clock), ..self }
    }

    pub(crate) fn processor(&self) -> Option<Clock> {
        self.processor
    }

    pub(crate) fn clock(&self) -> Option<Clock> {
        self.clock
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn ticker(&self) -> &Arc<Ticker> {
        &self.ticker
    }

    /// The components that channels share now.
    pub(super) fn components(&self) -> &ComponentsInUse {
        &self.components
    }

    /// The files with the code of components that channels share now.
    pub fn code_in_use(&self) -> BTreeSet<PathBuf> {
        let digests = self.components.digests().into_iter();
        digests.filter_map(|digest| self.code.file(&self.engine, digest)).collect()
    }

    /// Whether compiled code of this component is kept, so that loading it is quick.
    pub fn has_code(&self, component: &[u8]) -> bool {
        let file = self.code.file(&self.engine, Digest::of(component));
        file.is_some_and(|file| file.is_file())
    }

    /// Compiles a component, or takes the compiled code from the cache, and links it to the views. `still_wanted` is asked meanwhile.
    pub(super) fn compile(
        &self,
        bytes: &[u8],
        limits: &Limits,
        still_wanted: &StillWanted<'_>,
    ) -> Result<RulePre<Host>, LoadError> {
        may_be_as_large(bytes, limits)?;
        let component = self.code.get(&self.engine, bytes, limits, still_wanted)?;
        // Other limits may hold than when it was compiled.
        may_weigh(bytes, limits)?;
        self.check_imports(&component)?;
        let linked = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::World(format!("{error:#}")))?;
        RulePre::new(linked).map_err(|error| LoadError::World(format!("{error:#}")))
    }

    fn check_imports(&self, component: &Component) -> Result<(), LoadError> {
        const VIEWS: [&str; 8] =
            ["state", "counts", "outputs", "config", "log", "about", "events", "effects"];
        for (name, _) in component.component_type().imports(&self.engine) {
            if !VIEWS.iter().any(|view| name == format!("heat:rules/{view}@1.0.0")) {
                let version = name.strip_prefix("heat:rules/").and_then(|it| it.split_once('@'));
                return Err(match version {
                    Some((_, version)) if version != "1.0.0" => {
                        LoadError::Version(version.to_owned())
                    }
                    _ => LoadError::Import(name.to_owned()),
                });
            }
        }
        Ok(())
    }
}

/// Refuses what is larger than its memory, and what is no component.
pub(super) fn may_be_as_large(bytes: &[u8], limits: &Limits) -> Result<(), LoadError> {
    if bytes.len() > limits.memory {
        return Err(LoadError::TooLarge { bytes: bytes.len(), most: limits.memory });
    }
    if bytes.starts_with(b"\0asm\x01\0\0\0") {
        return Err(LoadError::CoreModule);
    }
    Ok(())
}

/// The one configuration. Deterministic code, explicit limits, and small reservations for a small machine. Public for the bench,
/// which holds the engine against a bare call with the same configuration.
#[doc(hidden)]
pub fn engine_config() -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .max_wasm_stack(STACK)
        .memory_reservation(MEMORY_RESERVATION)
        .operator_cost(prices())
        .memory_reservation_for_growth(MEMORY_RESERVATION_FOR_GROWTH)
        .memory_guard_size(64 << 10);
    config
}

/// Fuel of the instructions that take far longer than others, so that a call's fuel bounds its time.
fn prices() -> OperatorCost {
    let mut cost = OperatorCost::new();
    // Each calls into the runtime, and growing zeroes what it adds.
    (cost.MemoryGrow, cost.TableGrow, cost.RefFunc) = (200, 200, 50);
    cost.variable.memory_grow_per_page = 255;
    // So does what works on segments and tables, even on none of their entries; toolchains hardly use them.
    (cost.ElemDrop, cost.DataDrop, cost.MemoryInit) = (50, 50, 50);
    (cost.TableInit, cost.TableCopy, cost.TableFill) = (50, 50, 50);
    // Good rules copy and fill a few bytes all the time.
    (cost.MemoryCopy, cost.MemoryFill) = (16, 16);
    // Divisions and roots take 10 to 40 cycles, and wait for one another.
    (cost.I32DivS, cost.I32DivU, cost.I32RemS, cost.I32RemU) = (8, 8, 8, 8);
    (cost.I64DivS, cost.I64DivU, cost.I64RemS, cost.I64RemU) = (12, 12, 12, 12);
    (cost.F32Div, cost.F32Sqrt, cost.F64Div, cost.F64Sqrt) = (8, 8, 12, 12);
    (cost.F32x4Div, cost.F32x4Sqrt, cost.F64x2Div, cost.F64x2Sqrt) = (12, 12, 16, 16);
    cost
}
