//! Why something was not done.

use heat_engine::{IdentityError, Namesake, OpenError, RunError, StoreError};

use crate::data::backups::utc;

/// How many people of one name are listed.
const LISTED: usize = 5;

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

impl From<IdentityError> for Error {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Store(error) => error.into(),
            IdentityError::Several(several) => Self::Refused(told(&several)),
        }
    }
}

/// Names everybody who was called the same, so that the caller can say which of them is meant.
fn told(several: &[Namesake]) -> String {
    let mut listed: Vec<String> = several.iter().take(LISTED).map(namesake).collect();
    let more = several.len().saturating_sub(LISTED);
    listed.extend((more > 0).then(|| format!("and {more} more")));
    format!("several people were called so; say the id in place of the name: {}", listed.join("; "))
}

/// `42 (ann, anna; 2026-11-30 10:01 UTC to 2026-11-30 10:05 UTC)`
fn namesake(it: &Namesake) -> String {
    let logins: Vec<&str> = it.logins.iter().map(String::as_str).collect();
    let seen = it.seen.map(|(first, last)| format!("; {} to {}", utc(first), utc(last)));
    format!("{} ({}{})", it.id, logins.join(", "), seen.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn people_of_one_name_are_told_by_id_logins_and_time() {
        let one = |id: &str, logins: &[&str], seen| Namesake {
            id: id.to_owned(),
            logins: logins.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>(),
            seen,
        };
        let two =
            vec![one("42", &["ann", "anna"], Some((0, 3_600_000))), one("43", &["ann"], None)];
        let expected = "several people were called so; say the id in place of the name: \
                        42 (ann, anna; 1970-01-01 00:00 UTC to 1970-01-01 01:00 UTC); 43 (ann)";
        assert_eq!(Error::from(IdentityError::Several(two)), Error::Refused(expected.to_owned()));
        let many = (0..8).map(|id| one(&id.to_string(), &["ann"], None)).collect();
        let told = Error::from(IdentityError::Several(many)).to_string();
        assert!(told.ends_with("4 (ann); and 3 more"), "{told}");
    }

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
