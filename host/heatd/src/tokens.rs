//! The tokens of the API: who holds one, what each may do, and until when.
//!
//! A token is 256 random bits. Only its SHA-256 is kept ([`kept`]), in the data folder and not in the store: so a copy of the store opens
//! nothing. The owner's own token is the one in `api.token`, for programs on the same machine.

mod kept;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use heat_engine::Digest;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::clock::now;
use crate::tls;
use kept::Kept;

/// The name of whoever has the token of the data folder.
pub(crate) const OWNER: &str = "owner";

/// Names in the audit log that are not those of tokens.
const TAKEN: [&str; 4] = [OWNER, "heatd", "file", "api"];

/// How many tokens there may be.
const MOST: usize = 64;

/// How long a name may be. It is a person in chat where orders are given with it.
const LONGEST: usize = 24;

/// The longest that is waited at once for a token to expire.
const LONG: Duration = Duration::from_secs(3600);

/// What somebody may do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Sees public figures, and nobody's name.
    Viewer,
    /// Sees people, gives the orders of moderators, takes back.
    Moderator,
    /// Everything.
    Owner,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }
}

/// Somebody whose token is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name of the token.
    pub(crate) name: String,
    pub(crate) role: Role,
    token: Digest,
}

/// What a secret is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Known(Caller),
    /// It was right until then.
    Expired,
    Unknown,
}

/// A token as it is told of: everything but the secret.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) role: Role,
    made: Option<u64>,
    expires: Option<u64>,
    used: Option<u64>,
}

/// All tokens.
pub(crate) struct Tokens {
    owner: Digest,
    kept: Mutex<Kept>,
    /// How often a token was made or revoked.
    changes: watch::Sender<u64>,
}

impl Tokens {
    /// `owner` is the secret of the data folder.
    pub(crate) fn open(data: &Path, owner: &str) -> Result<Self> {
        let kept = Mutex::new(Kept::open(&data.join("api.tokens"))?);
        Ok(Self { owner: Digest::of(owner.as_bytes()), kept, changes: watch::Sender::default() })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing in here panics while the lock is held.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose secret this is. It takes as long for a wrong one as for a right one.
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

    /// Whether the file is so far behind that it is worth a write.
    pub(crate) fn is_behind(&self) -> bool {
        self.kept().is_behind()
    }

    /// Notes when each token was used last.
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

    /// Makes a token, and returns what is told of it and the secret, which nobody can ask for again.
    pub(crate) fn add(
        &self,
        name: Option<String>,
        role: Role,
        expires: Option<u64>,
    ) -> Result<(Told, String), String> {
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
        let token = kept::Token { name, role, sha256, made: now, expires, used: None, noted: None };
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

    /// Ends a token, at once and for good. False: there is none of this name.
    pub(crate) fn revoke(&self, name: &str) -> Result<bool, String> {
        let mut kept = self.kept();
        let Some(place) = kept.find(name) else { return Ok(false) };
        kept.tokens.remove(place);
        // It ends also where the file cannot be written.
        self.changes.send_modify(|changes| *changes += 1);
        info!(name, "a token of the API is revoked");
        kept.write().map(|()| true).map_err(|error| {
            format!("{name:?} is revoked until heatd starts again, for {error:#}; mend that, and revoke another token to write it down")
        })
    }

    /// All of them, the owner's first.
    pub(crate) fn list(&self) -> Vec<Told> {
        let (name, role) = (OWNER.to_owned(), Role::Owner);
        let owner = Told { name, role, made: None, expires: None, used: None };
        std::iter::once(owner).chain(self.kept().tokens.iter().map(told)).collect()
    }

    /// When a caller's token expires: at once when it was revoked; none for never.
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

fn told(token: &kept::Token) -> Told {
    let kept::Token { name, role, made, expires, used, .. } = token.clone();
    Told { name, role, made: Some(made), expires, used }
}

/// A name for people and for the log. It must not look like anybody else's.
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
mod tests {
    use super::*;

    const SECRET: &str = "of the data folder";

    fn known(tokens: &Tokens, secret: &str) -> Option<(String, Role)> {
        match tokens.find(secret, now()) {
            Found::Known(caller) => Some((caller.name, caller.role)),
            _ => None,
        }
    }

    #[test]
    fn a_token_outlives_a_restart_and_its_secret_is_nowhere_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(folder.path(), SECRET).unwrap();
        let (told, secret) = tokens.add(Some("ann".to_owned()), Role::Moderator, None).unwrap();
        assert_eq!((told.name.as_str(), told.role, secret.len()), ("ann", Role::Moderator, 64));
        let again = Tokens::open(folder.path(), SECRET).unwrap();
        assert_eq!(known(&again, &secret), Some(("ann".to_owned(), Role::Moderator)));
        assert_eq!(known(&again, SECRET), Some((OWNER.to_owned(), Role::Owner)));
        assert_eq!(known(&again, ""), None);
        let file = folder.path().join("api.tokens");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("ann") && !text.contains(&secret), "{text}");
        // The hash itself opens nothing.
        assert_eq!(known(&again, &Digest::of(secret.as_bytes()).to_string()), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn an_expired_token_is_told_from_a_wrong_one_and_a_revoked_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(folder.path(), SECRET).unwrap();
        let soon = now() + 60_000;
        let (_, short) = tokens.add(None, Role::Viewer, Some(soon)).unwrap();
        assert!(matches!(tokens.find(&short, soon - 1), Found::Known(_)));
        assert_eq!(tokens.find(&short, soon), Found::Expired);
        assert!(tokens.add(None, Role::Viewer, Some(1)).unwrap_err().contains("expired"));
        assert_eq!((tokens.revoke("viewer"), tokens.revoke("viewer")), (Ok(true), Ok(false)));
        assert_eq!(tokens.find(&short, soon), Found::Unknown);
        assert_eq!(known(&Tokens::open(folder.path(), SECRET).unwrap(), &short), None);
    }

    #[test]
    fn names_are_plain_and_nobodys_else() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(folder.path(), SECRET).unwrap();
        for odd in ["", "Ann", "a b", "a/b", "\u{1b}", "owner", "heatd", &"a".repeat(25)] {
            assert!(tokens.add(Some(odd.to_owned()), Role::Owner, None).is_err(), "{odd:?}");
        }
        let names: Vec<String> =
            (0..3).map(|_| tokens.add(None, Role::Viewer, None).unwrap().0.name).collect();
        assert_eq!(names, ["viewer", "viewer-2", "viewer-3"]);
        assert!(tokens.add(Some("viewer".to_owned()), Role::Owner, None).is_err());
        for _ in 3..MOST {
            tokens.add(None, Role::Viewer, None).unwrap();
        }
        assert!(tokens.add(None, Role::Viewer, None).unwrap_err().contains("revoke one"));
        assert_eq!(tokens.list().len(), MOST + 1);
    }

    #[test]
    fn the_last_use_is_kept_within_an_hour() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(folder.path(), SECRET).unwrap();
        let (_, secret) = tokens.add(None, Role::Viewer, None).unwrap();
        let used = |tokens: &Tokens| tokens.list()[1].used;
        assert_eq!((used(&tokens), tokens.is_behind()), (None, false));
        let first = now();
        tokens.find(&secret, first);
        assert!(tokens.is_behind());
        tokens.note_use();
        tokens.find(&secret, first + kept::USE);
        assert!(!tokens.is_behind());
        assert_eq!(used(&tokens), Some(first + kept::USE));
        assert_eq!(used(&Tokens::open(folder.path(), SECRET).unwrap()), Some(first));
        tokens.find(&secret, first + kept::USE + 1);
        assert!(tokens.is_behind());
    }

    #[test]
    fn a_file_that_is_no_list_of_tokens_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("api.tokens");
        for odd in ["", "{", r#"{"tokens":[{"name":"ann","role":"king"}]}"#] {
            std::fs::write(&file, odd).unwrap();
            let error = Tokens::open(folder.path(), SECRET).err().map(|it| format!("{it:#}"));
            assert!(error.as_ref().is_some_and(|it| it.contains("api.tokens")), "{error:?}");
        }
    }
}
