//! `GET /config/diff`: what runs otherwise than the configuration says.

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

use super::client::Api;
use super::read;

/// Something that runs otherwise than the configuration says.
#[derive(Debug, Deserialize)]
pub(crate) struct Difference {
    pub(crate) channel: String,
    pub(crate) slot: String,
    pub(crate) what: String,
    #[serde(default)]
    pub(crate) configured: Value,
    #[serde(default)]
    pub(crate) live: Value,
}

/// What runs otherwise than the configuration says.
pub(crate) fn differences(api: &Api) -> Result<Vec<Difference>> {
    #[derive(Deserialize)]
    struct DifferenceList {
        differences: Vec<Difference>,
    }
    Ok(read::<DifferenceList>(api.get("/config/diff", &[])?, "the differences")?.differences)
}
