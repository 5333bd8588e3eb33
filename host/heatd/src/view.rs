//! What is told beside the engine: [`feed`] what happens, as it happens, [`roster`] which channels and slots there are, [`gaps`] when chat was not heard.

pub(crate) mod feed;
pub(crate) mod gaps;
pub(crate) mod roster;
mod told;
