//! Why something was not done.

use heat_engine::{OpenError, RunError, StoreError};

/// Why something was not done, by who must act. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Error {
    /// There is no such channel, slot or record. The caller must name another one.
    Unknown(String),
    /// It cannot be done as things are. The caller must ask for something else, or at another time.
    Refused(String),
    /// The store or the machine has failed. Whoever runs heatd must act; asking again does not help.
    Failed(String),
    /// heatd stops. The caller must ask again when it runs.
    Gone,
}

impl Error {
    pub(crate) fn no_channel(channel: &str) -> Self {
        let known = "heat channels list shows them";
        Self::Unknown(format!("heatd has no channel {channel:?}; {known}"))
    }

    /// Something of heatd or of the machine has failed.
    pub(crate) fn failed(what: impl std::fmt::Display) -> Self {
        Self::Failed(what.to_string())
    }

    pub(crate) fn because(why: impl std::fmt::Display) -> Self {
        Self::Refused(why.to_string())
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(why) | Self::Refused(why) | Self::Failed(why) => f.write_str(why),
            Self::Gone => f.write_str("heatd is shutting down"),
        }
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Store(error) | RunError::Open(OpenError::Store(error)) => error.into(),
            // A rule that cannot run, now or then.
            error => Self::Refused(error.to_string()),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Uncounted => Self::Gone,
            error => {
                // The caller gets these words, and whoever runs heatd finds them in its log.
                tracing::error!(%error, "something could not be done because the store failed");
                Self::Failed(error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_fails_is_no_conflict_also_when_a_run_meets_it() {
        let full = || StoreError::Full("no space left on device".to_owned());
        for refusal in [
            Error::from(full()),
            RunError::Store(full()).into(),
            RunError::Open(OpenError::Store(full())).into(),
        ] {
            assert!(
                matches!(&refusal, Error::Failed(why) if why.contains("no space left")),
                "{refusal:?}"
            );
        }
        assert_eq!(Error::from(StoreError::Uncounted), Error::Gone);
        let rule = RunError::Rule { slot: "heat".to_owned(), problem: "is gone".to_owned() };
        assert!(matches!(Error::from(rule), Error::Refused(_)));
    }
}
