//! The commands, each in a file of its own. None of them knows another one.

pub(crate) mod backup;
pub(crate) mod channels;
pub(crate) mod command;
pub(crate) mod config;
pub(crate) mod devlog;
pub(crate) mod export;
pub(crate) mod forget;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod login;
pub(crate) mod moderate;
pub(crate) mod page;
pub(crate) mod person;
pub(crate) mod replay;
pub(crate) mod restore;
pub(crate) mod rules;
pub(crate) mod say;
pub(crate) mod simulate;
pub(crate) mod status;
pub(crate) mod stream;
pub(crate) mod token;
pub(crate) mod undo;
pub(crate) mod watch;
pub(crate) mod why;
