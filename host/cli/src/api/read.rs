//! Answers of heatd in the shape that is expected.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

/// What heatd tells, in the shape that is expected.
pub(crate) fn read<T: for<'a> Deserialize<'a>>(told: Value, what: &str) -> Result<T> {
    T::deserialize(told).with_context(|| {
        format!("heatd tells {what} in another way: heat and heatd are of different versions")
    })
}
