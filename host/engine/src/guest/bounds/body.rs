//! The body of one function: what makes it costly to compile beside its length.

use wasmparser::{FunctionBody, Operator};

use super::bound::{BLOCKS, BODY, Excess, LOCALS, LOCALS_OVER_LOOPS, LOOPS, TARGETS};

pub(super) fn check(body: &FunctionBody<'_>) -> Result<(), Excess> {
    BODY.holds(body.range().len() as u64)?;
    let locals = locals(body)?;
    let mut walk = BodyWalk::default();
    let mut reader = body.get_operators_reader()?;
    while !reader.eof() {
        walk.step(&reader.read()?)?;
    }
    LOCALS_OVER_LOOPS.holds(locals.saturating_mul(walk.loops))
}

fn locals(body: &FunctionBody<'_>) -> Result<u64, Excess> {
    let mut locals = 0u64;
    for group in body.get_locals_reader()? {
        locals = locals.saturating_add(u64::from(group?.0));
        LOCALS.holds(locals)?;
    }
    Ok(locals)
}

#[derive(Default)]
struct BodyWalk {
    /// The blocks that the walk is in: whether each is a loop.
    open: Vec<bool>,
    open_loops: u64,
    loops: u64,
    targets: u64,
}

impl BodyWalk {
    fn step(&mut self, operator: &Operator<'_>) -> Result<(), Excess> {
        match operator {
            Operator::Loop { .. } => {
                self.loops += 1;
                self.open_loops += 1;
                LOOPS.holds(self.open_loops)?;
                self.open(true)
            }
            Operator::Block { .. }
            | Operator::If { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. } => self.open(false),
            Operator::End | Operator::Delegate { .. } => {
                self.open_loops -= u64::from(self.open.pop() == Some(true));
                Ok(())
            }
            Operator::BrTable { targets } => {
                self.targets += u64::from(targets.len());
                TARGETS.holds(self.targets)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, is_loop: bool) -> Result<(), Excess> {
        self.open.push(is_loop);
        BLOCKS.holds(self.open.len() as u64)
    }
}
