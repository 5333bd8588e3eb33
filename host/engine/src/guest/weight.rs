//! How much there is to make when a component is compiled, and again for each of its instances, found out before either happens.
//!
//! A component may make instances of the components in it, each of which makes instances of those in it: 60 levels of two are a few
//! hundred bytes, and more instances than there is memory in the world. wasmtime unfolds all of them. And the data and tables of a core
//! module are copied for each instance of it, which no fuel pays for.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef,
};
use wasmparser::{Encoding, Instance, Parser, Payload};

use crate::contract::limits::Limits;
use crate::error::LoadError;

/// An entry of a table is a pointer and the search for it, and takes as few as one byte in the file.
const BYTES_OF_ELEMENTS: u64 = 8;

/// Refuses a component that is far more than its size promises. A large component has its data once in the file and once in an instance.
pub(crate) fn may_weigh(bytes: &[u8], limits: &Limits) -> Result<(), LoadError> {
    let most = 2 * limits.memory as u64;
    match weight(bytes) {
        Some(weight) if weight > most => Err(LoadError::TooHeavy { weight, most }),
        _ => Ok(()),
    }
}

/// What an instance of a component weighs, in bytes as they stand in the file, roughly. None: it is too broken to tell, which the
/// compiler will say better.
fn weight(bytes: &[u8]) -> Option<u64> {
    let mut walk = Walk::default();
    for payload in Parser::new(0).parse_all(bytes) {
        walk.step(&payload.ok()?)?;
    }
    Some(walk.whole)
}

#[derive(Default)]
struct Walk {
    /// The components and modules that the walk is in, the outermost first.
    open: Vec<Frame>,
    /// The heaviest component and module so far: what an alias may stand for.
    component: u64,
    module: u64,
    whole: u64,
}

#[derive(Default)]
struct Frame {
    is_component: bool,
    weight: u64,
    /// The weights of the modules and components in it, by number.
    modules: Vec<u64>,
    components: Vec<u64>,
}

impl Walk {
    fn step(&mut self, payload: &Payload<'_>) -> Option<()> {
        let mut added = 0;
        match payload {
            Payload::Version { encoding, .. } => {
                let is_component = *encoding == Encoding::Component;
                self.open.push(Frame { is_component, ..Frame::default() });
            }
            Payload::End(_) => self.close(),
            Payload::DataSection(section) => added = length(&section.range()),
            Payload::ElementSection(section) => {
                added = length(&section.range()).saturating_mul(BYTES_OF_ELEMENTS);
            }
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    if let Instance::Instantiate { module_index, .. } = instance.ok()? {
                        let known = &self.open.last()?.modules;
                        let module = known.get(module_index as usize).unwrap_or(&self.module);
                        added = added.saturating_add(*module);
                    }
                }
                added = added.saturating_add(length(&section.range()));
            }
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    // None that a rule may have; the numbers behind it must be right all the same.
                    let frame = self.open.last_mut()?;
                    match import.ok()?.ty {
                        ComponentTypeRef::Module(_) => frame.modules.push(0),
                        ComponentTypeRef::Component(_) => frame.components.push(0),
                        _ => {}
                    }
                }
                added = length(&section.range());
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    if let ComponentInstance::Instantiate { component_index, .. } = instance.ok()? {
                        let known = &self.open.last()?.components;
                        let component = known.get(component_index as usize);
                        added = added.saturating_add(*component.unwrap_or(&self.component));
                    }
                }
                added = added.saturating_add(length(&section.range()));
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    let (module, component) = (self.module, self.component);
                    let frame = self.open.last_mut()?;
                    match kind(&alias.ok()?) {
                        Some(PartKind::Module) => frame.modules.push(module),
                        Some(PartKind::Component) => frame.components.push(component),
                        None => {}
                    }
                }
                added = length(&section.range());
            }
            other if self.open.last()?.is_component => {
                added = other.as_section().map_or(0, |(_, range)| length(&range));
            }
            _ => {}
        }
        if let Some(frame) = self.open.last_mut() {
            frame.weight = frame.weight.saturating_add(added);
        }
        Some(())
    }

    fn close(&mut self) {
        let Some(frame) = self.open.pop() else { return };
        self.whole = frame.weight;
        if frame.is_component {
            self.component = self.component.max(frame.weight);
            if let Some(outer) = self.open.last_mut() {
                outer.components.push(frame.weight);
            }
        } else {
            self.module = self.module.max(frame.weight);
            if let Some(outer) = self.open.last_mut() {
                outer.modules.push(frame.weight);
            }
        }
    }
}

/// What an alias stands for, if it can be instantiated.
enum PartKind {
    Module,
    Component,
}

fn kind(alias: &ComponentAlias<'_>) -> Option<PartKind> {
    match alias {
        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
        | ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. } => {
            Some(PartKind::Module)
        }
        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. }
        | ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, .. } => {
            Some(PartKind::Component)
        }
        _ => None,
    }
}

fn length(range: &std::ops::Range<usize>) -> u64 {
    range.len() as u64
}
