//! A secret: it can be used and kept, and is never shown.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A token or a client's secret. What formats it for people or the log gets three dots.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for a request to Twitch.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("...")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_never_shown() {
        let secret = Secret::new("abc123");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "... Some(...)");
        assert_eq!(secret.reveal(), "abc123");
    }
}
