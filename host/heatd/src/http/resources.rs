//! The resources of the API, a file for each group, and the page.

pub(crate) mod backup;
pub(crate) mod channels;
pub(crate) mod command;
pub(crate) mod config;
pub(crate) mod emotes;
pub(crate) mod page;
pub(crate) mod past;
pub(crate) mod rules;
pub(crate) mod series;
pub(crate) mod series_stream;
pub(crate) mod status;
pub(crate) mod stream;
pub(crate) mod tokens;
pub(crate) mod transfer;
pub(crate) mod updates;
pub(crate) mod watch;
