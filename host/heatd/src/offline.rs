//! Commands beside the daemon: [`init`] makes a first configuration, [`restore`] brings a backup back, [`rename`] adds a channel's counts to those of its new name, [`authoring`] is for people who write rules.

pub(crate) mod authoring;
pub(crate) mod init;
pub(crate) mod rename;
pub(crate) mod restore;
