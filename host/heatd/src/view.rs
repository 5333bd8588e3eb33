//! What is told beside the engine: [`feed`] what happens, as it happens, [`raw_log`] every line and frame as it came, [`registry`] which channels and slots there are, [`gaps`] when chat was not heard,
//! [`removals`] which lines moderators have removed.

pub(crate) mod colours;
pub(crate) mod feed;
pub(crate) mod gaps;
pub(crate) mod past;
pub(crate) mod raw_log;
pub(crate) mod registry;
pub(crate) mod removals;
mod summary;
