//! Types of components that have others in them, walked without recursion: the parser and the compiler recurse, and three bytes are a level.

use wasmparser::{
    BinaryReader, ComponentAlias, ComponentImport, ComponentType, CoreType, InstanceTypeDeclaration,
};

use super::bound::{Bound, Excess};

/// What a type begins with that has others in it.
const COMPONENT: u8 = 0x41;
const INSTANCE: u8 = 0x42;

/// A declaration that only the type of a component has.
const IMPORT: u8 = 0x03;

/// A type that the walk is in, and how many of its declarations are still to come.
struct OpenType {
    is_component: bool,
    left: u32,
    refers: bool,
}

/// How many types a section has, with those in others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TypeCounts {
    pub(super) all: u64,
    /// Those with others in them that refer to types outside, which may do the same: each may be a level more.
    pub(super) referring: u64,
}

struct TypeWalk<'a> {
    reader: BinaryReader<'a>,
    /// The outermost first.
    open: Vec<OpenType>,
    found: TypeCounts,
    deepest: Bound,
}

/// Counts the types of a section; refused when they are nested deeper than that.
pub(super) fn types(section: &[u8], deepest: Bound) -> Result<TypeCounts, Excess> {
    let reader = BinaryReader::new(section, 0);
    let mut walk = TypeWalk { reader, open: Vec::new(), found: TypeCounts::default(), deepest };
    for _ in 0..walk.reader.read_var_u32()? {
        walk.begin()?;
        while let Some(innermost) = walk.open.last_mut() {
            match innermost.left.checked_sub(1) {
                Some(left) => {
                    innermost.left = left;
                    let is_component = innermost.is_component;
                    walk.declaration(is_component)?;
                }
                None => {
                    let closed = walk.open.pop();
                    walk.found.referring += u64::from(closed.is_some_and(|it| it.refers));
                }
            }
        }
    }
    Ok(walk.found)
}

impl TypeWalk<'_> {
    /// Reads a type, or the beginning of one that has others in it.
    fn begin(&mut self) -> Result<(), Excess> {
        self.found.all += 1;
        let first = self.next()?;
        if first != COMPONENT && first != INSTANCE {
            self.reader.read::<ComponentType<'_>>()?;
            return Ok(());
        }
        self.reader.read_u8()?;
        let left = self.reader.read_var_u32()?;
        self.open.push(OpenType { is_component: first == COMPONENT, left, refers: false });
        self.deepest.holds(self.open.len() as u64)
    }

    fn declaration(&mut self, is_component: bool) -> Result<(), Excess> {
        let first = self.next()?;
        if is_component && first == IMPORT {
            self.reader.read_u8()?;
            self.reader.read::<ComponentImport<'_>>()?;
            return Ok(());
        }
        match first {
            0x00 => {
                self.reader.read_u8()?;
                let before = self.reader.original_position();
                self.reader.read::<CoreType<'_>>()?;
                // The type of a module has as many in it as it has bytes, at most.
                self.found.all += (self.reader.original_position() - before) as u64 / 2;
            }
            0x01 => {
                self.reader.read_u8()?;
                self.begin()?;
            }
            0x02 => {
                self.reader.read_u8()?;
                let alias = self.reader.read::<ComponentAlias<'_>>()?;
                if let (ComponentAlias::Outer { .. }, Some(of)) = (alias, self.open.last_mut()) {
                    of.refers = true;
                }
            }
            // It is an export, or nothing that there is: the reader says so.
            _ => {
                self.reader.read::<InstanceTypeDeclaration<'_>>()?;
            }
        }
        Ok(())
    }

    fn next(&self) -> Result<u8, Excess> {
        Ok(self.reader.clone().read_u8()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEEPEST: Bound = Bound { what: "levels", most: 32 };

    /// A section with one type: components in components, with an instance at the bottom.
    fn nested(levels: usize) -> Vec<u8> {
        let level = [COMPONENT, 1, 1];
        [vec![1], level.repeat(levels - 1), vec![INSTANCE, 0]].concat()
    }

    #[test]
    fn types_in_types_are_counted_and_bounded() {
        assert!(types(&nested(32), DEEPEST).is_ok_and(|found| found.all == 32));
        assert!(matches!(types(&nested(33), DEEPEST), Err(Excess::Found(_, 33))));
        // A recursive walk would need gigabytes of stack.
        assert!(matches!(types(&nested(5_000_000), DEEPEST), Err(Excess::Found(_, 33))));
    }

    #[test]
    fn what_ends_early_or_is_no_type_is_too_broken_to_tell() {
        let whole = nested(20);
        for end in 0..whole.len() {
            assert!(matches!(types(&whole[..end], DEEPEST), Err(Excess::Broken(_))), "{end}");
        }
        assert!(matches!(types(&[1, COMPONENT, 1, 9], DEEPEST), Err(Excess::Broken(_))));
    }
}
