//! What is told beside the engine: [`feed`] what happens, as it happens, [`registry`] which channels and slots there are, [`gaps`] when chat was not heard.

pub(crate) mod feed;
pub(crate) mod gaps;
pub(crate) mod registry;
mod summary;
