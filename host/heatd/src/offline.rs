//! Commands beside the daemon: [`init`] makes a first configuration, [`restore`] brings a backup back, [`authoring`] is for who writes rules.

pub(crate) mod authoring;
pub(crate) mod init;
pub(crate) mod restore;
