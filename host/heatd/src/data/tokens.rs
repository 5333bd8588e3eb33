//! The tokens of the API: their names, roles and times of expiry.
//!
//! A token is 256 random bits. Only its SHA-256 is stored ([`file`]), in the data folder and not in the store, so a copy of the store opens
//! nothing. The owner's own token is the one in `api.token`, for programs on the same machine.

mod file;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use heat_engine::Digest;
use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use subtle::ConstantTimeEq;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::clock::now;
use crate::data::role::Role;
use crate::tls;
use file::TokenFile;

/// The name that stands in the audit log for users of the token in the data folder.
pub(crate) const OWNER: &str = "owner";

/// Names in the audit log that no token may have.
const TAKEN: [&str; 4] = [OWNER, "heatd", "file", "api"];

/// How many tokens there may be.
const MOST: usize = 64;

/// How long a name may be. Rules see it as the login of a person when an order is given with the token.
const LONGEST: usize = 24;

/// The longest sleep while waiting for a token to expire: the clock may be set meanwhile.
const LONG: Duration = Duration::from_secs(3600);

/// A caller with a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name of the token.
    pub(crate) name: String,
    pub(crate) role: Role,
    token: Digest,
}

/// What a secret turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Known(Caller),
    /// A token that has expired, and when.
    Expired,
    Unknown,
}

/// A token as the API shows it: everything but the secret.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TokenEntry {
    pub(crate) name: String,
    pub(crate) role: Role,
    created_at: Option<u64>,
    expires_at: Option<u64>,
    last_used_at: Option<u64>,
}

/// All tokens.
pub(crate) struct Tokens {
    owner: Digest,
    kept: Mutex<TokenFile>,
    /// How often a token was made or revoked.
    changes: watch::Sender<u64>,
}

impl Tokens {
    /// `owner` is the secret of the data folder.
    pub(crate) fn open(data: &Path, owner: &str) -> Result<Self> {
        let kept = Mutex::new(TokenFile::open(&data.join("api.tokens"))?);
        Ok(Self { owner: Digest::of(owner.as_bytes()), kept, changes: watch::Sender::default() })
    }

    fn kept(&self) -> MutexGuard<'_, TokenFile> {
        // Nothing in here panics while the lock is held.
        self.kept.lock()
    }

    /// Finds the token of this secret, in the same time for a wrong one as for a right one.
    pub(crate) fn find(&self, secret: &str, now: u64) -> Found {
        let digest = Digest::of(secret.as_bytes());
        let mut found = Found::Unknown;
        if bool::from(digest.0.ct_eq(&self.owner.0)) {
            found =
                Found::Known(Caller { name: OWNER.to_owned(), role: Role::Owner, token: digest });
        }
        for token in &mut self.kept().tokens {
            if bool::from(digest.0.ct_eq(&token.sha256)) {
                found = match token.expires {
                    Some(expires) if expires <= now => Found::Expired,
                    _ => {
                        token.used = Some(now);
                        let (name, role) = (token.name.clone(), token.role);
                        Found::Known(Caller { name, role, token: digest })
                    }
                };
            }
        }
        found
    }

    /// Whether times of last use in the file are old enough to be written again.
    pub(crate) fn is_behind(&self) -> bool {
        self.kept().is_behind()
    }

    /// Writes when each token was used last.
    pub(crate) fn note_use(&self) {
        let mut kept = self.kept();
        // Another request may have done it meanwhile.
        if !kept.is_behind() {
            return;
        }
        if let Err(error) = kept.write() {
            warn!(
                error = format!("{error:#}"),
                "the last use of the API's tokens cannot be written down"
            );
        }
    }

    /// Creates a token. Returns how the API shows it, and the secret, which is shown only this once.
    pub(crate) fn add(
        &self,
        name: Option<String>,
        role: Role,
        expires: Option<u64>,
    ) -> Result<(TokenEntry, String), String> {
        let secret = tls::secret().map_err(|error| error.to_string())?;
        let mut kept = self.kept();
        let name = match name {
            Some(name) => checked(name)?,
            None => kept.free_name(role),
        };
        if kept.find(&name).is_some() {
            return Err(format!(
                "there is a token {name:?} already; revoke it, or choose another name"
            ));
        }
        if kept.tokens.len() >= MOST {
            return Err(format!("there are {MOST} tokens already; revoke one that is not needed"));
        }
        let now = now();
        if expires.is_some_and(|expires| expires <= now) {
            return Err("the token would have expired already".to_owned());
        }
        let sha256 = Digest::of(secret.as_bytes()).0;
        let token = file::Token { name, role, sha256, made: now, expires, used: None, noted: None };
        let told = told(&token);
        kept.tokens.push(token);
        if let Err(error) = kept.write() {
            kept.tokens.pop();
            return Err(format!("{error:#}"));
        }
        info!(name = told.name, role = role.name(), "a token of the API is made");
        self.changes.send_modify(|changes| *changes += 1);
        Ok((told, secret))
    }

    /// Revokes a token at once and for good. False: there is none of this name.
    pub(crate) fn revoke(&self, name: &str) -> Result<bool, String> {
        let mut kept = self.kept();
        let Some(place) = kept.find(name) else { return Ok(false) };
        kept.tokens.remove(place);
        // In memory first, so that it ends even if the file cannot be written.
        self.changes.send_modify(|changes| *changes += 1);
        info!(name, "a token of the API is revoked");
        kept.write().map(|()| true).map_err(|error| {
            format!("{name:?} is revoked until heatd starts again, for {error:#}; mend that, and revoke another token to write it down")
        })
    }

    /// All of them, the owner's first.
    pub(crate) fn list(&self) -> Vec<TokenEntry> {
        let (name, role) = (OWNER.to_owned(), Role::Owner);
        let owner =
            TokenEntry { name, role, created_at: None, expires_at: None, last_used_at: None };
        std::iter::once(owner).chain(self.kept().tokens.iter().map(told)).collect()
    }

    /// When a caller's token expires: 0 if it was revoked, None if never.
    fn end(&self, caller: &Caller) -> Option<u64> {
        if caller.token == self.owner {
            return None;
        }
        let kept = self.kept();
        let token = kept.tokens.iter().find(|token| token.sha256 == caller.token.0);
        token.map_or(Some(0), |token| token.expires)
    }

    /// Resolves when a caller's token is revoked, or has expired.
    pub(crate) async fn ended(self: Arc<Self>, caller: Caller) {
        let mut changes = self.changes.subscribe();
        loop {
            let left = match self.end(&caller) {
                None => LONG,
                Some(end) if end <= now() => return,
                Some(end) => Duration::from_millis(end.saturating_sub(now())).min(LONG),
            };
            tokio::select! {
                _ = changes.changed() => {}
                () = sleep(left) => {}
            }
        }
    }
}

fn told(token: &file::Token) -> TokenEntry {
    let file::Token { name, role, made, expires, used, .. } = token.clone();
    TokenEntry { name, role, created_at: Some(made), expires_at: expires, last_used_at: used }
}

/// Checks a name. It is for people and for the log, and must not look like another one.
fn checked(name: String) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(plain) {
        return Err(format!(
            "a token is named with 1 to {LONGEST} lower-case letters, digits, - and _, and not {name:?}"
        ));
    }
    if TAKEN.contains(&&*name) {
        return Err(format!("the name {name:?} is taken by heatd itself; choose another"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
