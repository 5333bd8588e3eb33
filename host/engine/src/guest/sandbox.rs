//! Compiles components, checks what they import, and keeps the compiled code on disk.
//!
//! One `Config` serves everything that compiles or runs rules: settings that change the code are part of the cache's key.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::{debug, warn};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, OperatorCost};

use crate::contract::RulePre;
use crate::contract::digest::Digest;
use crate::contract::limits::Limits;
use crate::error::{LoadError, SandboxError};
use crate::guest::host::Host;
use crate::guest::meter::Meter;
use crate::guest::ticker::Ticker;
use crate::guest::views::add_views;
use crate::guest::weight::weight;

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
    ticker: Ticker,
    cache: Option<PathBuf>,
    meter: Option<Meter>,
    clock: Option<Clock>,
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
        let ticker = Ticker::start(&engine);
        Ok(Self {
            engine,
            linker,
            ticker,
            cache: cache.map(Path::to_owned),
            meter: None,
            clock: None,
        })
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

    pub(crate) fn clock(&self) -> Option<Clock> {
        self.clock
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn ticker(&self) -> &Ticker {
        &self.ticker
    }

    /// Compiles a component, or takes the compiled code from the cache, and links it to the views.
    pub(crate) fn compile(
        &self,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<RulePre<Host>, LoadError> {
        if bytes.len() > limits.memory {
            return Err(LoadError::TooLarge { bytes: bytes.len(), most: limits.memory });
        }
        if bytes.starts_with(b"\0asm\x01\0\0\0") {
            return Err(LoadError::CoreModule);
        }
        // A large component has its data once in the file and once in an instance.
        let most = 2 * limits.memory as u64;
        if let Some(weight) = weight(bytes).filter(|weight| *weight > most) {
            return Err(LoadError::TooHeavy { weight, most });
        }
        let component = self.cached(Digest::of(bytes), bytes)?;
        self.check_imports(&component)?;
        let linked = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::World(format!("{error:#}")))?;
        RulePre::new(linked).map_err(|error| LoadError::World(format!("{error:#}")))
    }

    fn cached(&self, digest: Digest, bytes: &[u8]) -> Result<Component, LoadError> {
        let file = self
            .cache
            .as_ref()
            .map(|folder| folder.join(format!("{digest}-{:016x}.cwasm", self.settings_hash())));
        if let Some(component) = file.as_deref().and_then(|file| self.read_cache(file)) {
            return Ok(component);
        }
        let component = Component::new(&self.engine, bytes)
            .map_err(|error| LoadError::NotAComponent(format!("{error:#}")))?;
        if let Some(file) = file
            && let Err(error) = write_cache(&file, &component)
        {
            warn!(file = %file.display(), %error, "compiled code could not be kept");
        }
        Ok(component)
    }

    /// Everything that decides whether compiled code fits this engine: version, target and settings.
    fn settings_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.finish()
    }

    #[expect(
        unsafe_code,
        reason = "deserialising compiled code is unsafe by its nature; the checksum below guards it"
    )]
    fn read_cache(&self, file: &Path) -> Option<Component> {
        let bytes = std::fs::read(file).ok()?;
        let (sum, code) = bytes.split_at_checked(32)?;
        if Digest::of(code).0 != sum {
            warn!(file = %file.display(), "compiled code is damaged; compiling again");
            return None;
        }
        // SAFETY: the bytes are what `write_cache` wrote, whole and unchanged, since their checksum holds; only this
        // program writes below its data folder, and nothing accepts compiled code from outside.
        let component = unsafe { Component::deserialize(&self.engine, code) };
        debug!(file = %file.display(), fits = component.is_ok(), "compiled code found");
        component.ok()
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
    // Divisions and roots take 10 to 40 cycles, and wait for one another.
    (cost.I32DivS, cost.I32DivU, cost.I32RemS, cost.I32RemU) = (8, 8, 8, 8);
    (cost.I64DivS, cost.I64DivU, cost.I64RemS, cost.I64RemU) = (12, 12, 12, 12);
    (cost.F32Div, cost.F32Sqrt, cost.F64Div, cost.F64Sqrt) = (8, 8, 12, 12);
    (cost.F32x4Div, cost.F32x4Sqrt, cost.F64x2Div, cost.F64x2Sqrt) = (12, 12, 16, 16);
    cost
}

/// Writes beside the target and renames, so that a crash leaves no half file under the final name.
fn write_cache(file: &Path, component: &Component) -> std::io::Result<()> {
    let code = component.serialize().map_err(std::io::Error::other)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let unfinished = file.with_extension("part");
    std::fs::write(&unfinished, [&Digest::of(&code).0[..], &code].concat())?;
    std::fs::rename(unfinished, file)
}
