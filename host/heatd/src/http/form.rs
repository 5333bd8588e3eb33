//! Reads requests and writes answers, whatever they are about. Nothing in this folder knows `Api`, the parts of heatd.
//!
//! [`query`] and [`body`] read. [`answer`], [`table`], [`ndjson`] and [`problem`] write; [`settings_schema`] writes the settings of a rule. [`redact`] removes
//! names, [`conditional`] adds ETag, gzip and cache control.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod conditional;
pub(crate) mod ndjson;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod redact;
pub(crate) mod settings_schema;
pub(crate) mod table;
