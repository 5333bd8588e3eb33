//! A login under way: what the person is shown, and what a browser must bring back.

use serde::Serialize;

/// A login that has begun: what the person is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Begun {
    /// The account.
    pub(crate) login: String,
    /// What the person opens.
    pub(crate) address: String,
    /// What the person compares or types there. None: a browser needs none.
    pub(crate) code: Option<String>,
    /// Until when it is good, in milliseconds since 1970.
    pub(crate) expires_at: u64,
    /// How it goes.
    pub(crate) state: LoginStage,
    /// Why it has failed.
    pub(crate) problem: Option<String>,
}

/// How far a login is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LoginStage {
    /// The person has not agreed yet.
    Waiting,
    Done,
    Failed,
}

/// A login under way.
pub(super) struct PendingLogin {
    pub(super) begun: Begun,
    /// What a browser must bring back. None: a device code.
    pub(super) browser: Option<Browser>,
}

pub(super) struct Browser {
    pub(super) state: String,
    pub(super) redirect: String,
}
