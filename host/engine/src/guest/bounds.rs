//! What a component may consist of, counted before anything compiles it.
//!
//! Compiling is not paid for by fuel, and some things cost a compiler far more than they take in the file: types within types overflow
//! its stack, components that nobody makes an instance of take 160 KB each, nested loops take the square of their number. Each bound
//! stands far above what Rust, JavaScript and Python make, and far below what hurts. The walk itself never recurses.

mod body;
mod bound;
mod nesting;

use wasmparser::{
    CompositeInnerType, Encoding, FromReader, FuncType, Parser, Payload, SectionLimited,
};

use crate::error::LoadError;
use bound::{
    COMPONENT_TYPES, COMPONENTS, CORE_TYPES, Excess, FUNCTIONS, ITEMS, MODULES, NESTED_COMPONENTS,
    NESTED_TYPES, PARAMETERS, PASSIVE_ELEMENTS, REFERRING_TYPES, RESULTS, SEGMENTS,
};

/// Raised when a bound changes: compiled code that was kept under other bounds does not count.
pub(crate) const VERSION: u64 = 1;

/// How every file of WebAssembly begins.
const WASM: &[u8] = b"\0asm";

/// Refuses a component that has more of something than any toolchain makes.
pub(crate) fn check(bytes: &[u8]) -> Result<(), LoadError> {
    walk(bytes).map_err(|excess| match excess {
        Excess::Found(bound, found) => {
            LoadError::TooMuch { what: bound.what, found, most: bound.most }
        }
        Excess::Broken(_) if !bytes.starts_with(WASM) => {
            LoadError::NotAComponent("its first bytes are those of something else".to_owned())
        }
        Excess::Broken(error) => LoadError::NotAComponent(error.to_string()),
    })
}

fn walk(bytes: &[u8]) -> Result<(), Excess> {
    let mut found = FileCounts::default();
    for payload in Parser::new(0).parse_all(bytes) {
        found.step(bytes, &payload?)?;
    }
    Ok(())
}

/// What the whole file has, so far.
#[derive(Default)]
struct FileCounts {
    /// The components and modules that the walk is in: whether each is a component.
    open: Vec<bool>,
    components: u64,
    modules: u64,
    component_types: u64,
    referring_types: u64,
    core_types: u64,
    functions: u64,
    items: u64,
    segments: u64,
    passive_elements: u64,
}

impl FileCounts {
    fn step(&mut self, bytes: &[u8], payload: &Payload<'_>) -> Result<(), Excess> {
        match payload {
            Payload::Version { encoding, .. } => return self.open(*encoding),
            Payload::End(_) => drop(self.open.pop()),
            Payload::ComponentTypeSection(section) => {
                let of = bytes.get(section.range()).unwrap_or_default();
                let types = nesting::types(of, NESTED_TYPES)?;
                self.component_types += types.all;
                self.referring_types += types.referring;
                COMPONENT_TYPES.holds(self.component_types)?;
                REFERRING_TYPES.holds(self.referring_types)?;
            }
            // A module type in this section declares types of its own. Those cannot nest any further.
            Payload::CoreTypeSection(section) => {
                self.core_types += section.range().len() as u64 / 2;
                CORE_TYPES.holds(self.core_types)?;
            }
            Payload::TypeSection(section) => self.core_types(section)?,
            Payload::FunctionSection(section) => {
                self.functions += u64::from(section.count());
                FUNCTIONS.holds(self.functions)?;
            }
            Payload::CodeSectionEntry(body) => body::check(body)?,
            Payload::ElementSection(section) => self.elements(section)?,
            Payload::DataSection(section) => {
                self.segments += u64::from(section.count());
                SEGMENTS.holds(self.segments)?;
            }
            other => {
                self.items += items(other);
                ITEMS.holds(self.items)?;
            }
        }
        Ok(())
    }

    fn open(&mut self, encoding: Encoding) -> Result<(), Excess> {
        let is_component = encoding == Encoding::Component;
        if is_component {
            self.components += 1;
            COMPONENTS.holds(self.components)?;
        } else {
            self.modules += 1;
            MODULES.holds(self.modules)?;
        }
        self.open.push(is_component);
        NESTED_COMPONENTS.holds(self.open.len() as u64)
    }

    fn core_types(
        &mut self,
        section: &SectionLimited<'_, wasmparser::RecGroup>,
    ) -> Result<(), Excess> {
        for group in section.clone() {
            for of in group?.types() {
                self.core_types += 1;
                CORE_TYPES.holds(self.core_types)?;
                if let CompositeInnerType::Func(of) = &of.composite_type.inner {
                    signature(of)?;
                }
            }
        }
        Ok(())
    }

    /// No toolchain of a language makes passive segments of elements, and nothing bounds what `elem.drop` and `table.init` cost.
    fn elements(
        &mut self,
        section: &SectionLimited<'_, wasmparser::Element<'_>>,
    ) -> Result<(), Excess> {
        for element in section.clone() {
            self.segments += 1;
            SEGMENTS.holds(self.segments)?;
            if matches!(element?.kind, wasmparser::ElementKind::Passive) {
                self.passive_elements += 1;
                PASSIVE_ELEMENTS.holds(self.passive_elements)?;
            }
        }
        Ok(())
    }
}

fn signature(of: &FuncType) -> Result<(), Excess> {
    PARAMETERS.holds(of.params().len() as u64)?;
    RESULTS.holds(of.results().len() as u64)
}

/// How many entries a section has whose entries cost as much as they promise.
fn items(payload: &Payload<'_>) -> u64 {
    fn count<'a, T: FromReader<'a>>(section: &SectionLimited<'a, T>) -> u64 {
        u64::from(section.count())
    }
    match payload {
        Payload::ImportSection(section) => count(section),
        Payload::ExportSection(section) => count(section),
        Payload::GlobalSection(section) => count(section),
        Payload::TableSection(section) => count(section),
        Payload::MemorySection(section) => count(section),
        Payload::TagSection(section) => count(section),
        Payload::InstanceSection(section) => count(section),
        Payload::ComponentInstanceSection(section) => count(section),
        Payload::ComponentAliasSection(section) => count(section),
        Payload::ComponentCanonicalSection(section) => count(section),
        Payload::ComponentImportSection(section) => count(section),
        Payload::ComponentExportSection(section) => count(section),
        _ => 0,
    }
}
