//! How much there may be of each thing that is counted.

/// Something that is counted, by the name that a refusal has for it, and how much of it there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) what: &'static str,
    pub(super) most: u64,
}

pub(super) const NESTED_COMPONENTS: Bound =
    Bound { what: "levels of components in components", most: 16 };
pub(super) const NESTED_TYPES: Bound = Bound { what: "levels of types in types", most: 32 };
pub(super) const COMPONENTS: Bound = Bound { what: "components in it", most: 200 };
pub(super) const MODULES: Bound = Bound { what: "core modules in it", most: 200 };
pub(super) const COMPONENT_TYPES: Bound = Bound { what: "types of components", most: 20_000 };
/// Each may be a level more of its type, or several, and wasmparser panics at 128: what comes there all the same is refused by the process
/// that compiles.
pub(super) const REFERRING_TYPES: Bound =
    Bound { what: "types that refer to types outside of them", most: 100 };
pub(super) const CORE_TYPES: Bound = Bound { what: "types of functions", most: 50_000 };
pub(super) const FUNCTIONS: Bound = Bound { what: "functions", most: 100_000 };
pub(super) const ITEMS: Bound =
    Bound { what: "imports, exports, instances, aliases and globals", most: 200_000 };
pub(super) const SEGMENTS: Bound = Bound { what: "segments of data and elements", most: 50_000 };
pub(super) const PASSIVE_ELEMENTS: Bound = Bound { what: "passive segments of elements", most: 0 };
pub(super) const PARAMETERS: Bound = Bound { what: "parameters of one function", most: 128 };
pub(super) const RESULTS: Bound = Bound { what: "results of one function", most: 16 };
pub(super) const BODY: Bound = Bound { what: "bytes of one function", most: 1 << 20 };
pub(super) const LOCALS: Bound = Bound { what: "local variables of one function", most: 5_000 };
pub(super) const BLOCKS: Bound = Bound { what: "levels of blocks in blocks", most: 5_000 };
pub(super) const LOOPS: Bound = Bound { what: "levels of loops in loops", most: 100 };
pub(super) const LOCALS_OVER_LOOPS: Bound =
    Bound { what: "local variables of one function, times its loops", most: 2_000_000 };
pub(super) const TARGETS: Bound =
    Bound { what: "targets of the jump tables of one function", most: 50_000 };

/// So much of something was found, which is too much; or it is too broken to tell.
pub(super) enum Excess {
    Found(Bound, u64),
    Broken(wasmparser::Error),
}

impl From<wasmparser::Error> for Excess {
    fn from(error: wasmparser::Error) -> Self {
        Self::Broken(error)
    }
}

impl Bound {
    pub(super) fn holds(self, found: u64) -> Result<(), Excess> {
        if found > self.most { Err(Excess::Found(self, found)) } else { Ok(()) }
    }
}
