//! Fuzz targets of the engine: what is stored, what people write, what guests answer, what components are made of.

mod effects;
mod settings;
mod stored;
mod typed;

use heat_tests::fuzz::allocations::Counting;

/// So that what is stored can be held against what reading it takes.
#[global_allocator]
static ALLOCATOR: Counting = Counting;
