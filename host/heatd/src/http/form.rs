//! How questions are read and answers are written, whatever they are about. Nothing in here knows what answers are made of.
//!
//! Read: [`query`] and [`body`]. Written: [`answer`], [`table`], [`ndjson`], [`problem`]; [`settings_schema`] has the settings of a rule. [`redact`] takes
//! names out, [`conditional`] makes answers small and says how long they hold.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod conditional;
pub(crate) mod ndjson;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod redact;
pub(crate) mod settings_schema;
pub(crate) mod table;
