//! A login that is handed over in the environment, as the program focus takes it and as Kubernetes mounts secrets: client id, client secret, and the tokens of
//! one account.
//!
//! Each is in `NAME`, or is the first line of the file that `NAME_FILE` names. The tokens are taken over once, when no login of their account is kept: a
//! refresh token is good for one use, so what is kept later is newer than the environment.

use anyhow::{Context, Result, bail};

use super::oauth::Grant;
use crate::secret::Secret;

/// What the environment says. Nothing of it is needed.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// `TWITCH_CLIENT_ID`
    pub(super) client_id: Option<String>,
    /// `TWITCH_SECRET`
    pub(super) client_secret: Option<Secret>,
    /// `TWITCH_USER_ACCESS_TOKEN`
    access_token: Option<Secret>,
    /// `TWITCH_REFRESH_TOKEN`
    refresh_token: Option<Secret>,
}

impl Environment {
    /// Reads the variables of this process. A file that cannot be read is an error.
    pub(super) fn read() -> Result<Self> {
        Self::of(|name| std::env::var(name).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let value = |name: &str| -> Result<Option<String>> {
            let (plain, file) = (variable(name), variable(&format!("{name}_FILE")));
            let text = match (plain.filter(|it| !it.is_empty()), file.filter(|it| !it.is_empty())) {
                (Some(_), Some(_)) => bail!("both {name} and {name}_FILE are set; set one of them"),
                (Some(text), None) => text,
                (None, Some(file)) => std::fs::read_to_string(&file)
                    .with_context(|| format!("failed to read {file}, which {name}_FILE names"))?,
                (None, None) => return Ok(None),
            };
            let first = text.lines().next().unwrap_or_default().trim();
            // Some write it as Twitch's chat takes it.
            let first = first.strip_prefix("oauth:").unwrap_or(first);
            Ok(Some(first.to_owned()).filter(|it| !it.is_empty()))
        };
        let secret = |name: &str| Ok::<_, anyhow::Error>(value(name)?.map(Secret::new));
        Ok(Self {
            client_id: value("TWITCH_CLIENT_ID")?,
            client_secret: secret("TWITCH_SECRET")?,
            access_token: secret("TWITCH_USER_ACCESS_TOKEN")?,
            refresh_token: secret("TWITCH_REFRESH_TOKEN")?,
        })
    }

    /// What nobody may see of it.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        [&self.client_secret, &self.access_token, &self.refresh_token].into_iter().flatten()
    }

    /// The tokens, as a login brings them.
    pub(super) fn grant(&self) -> Option<Grant> {
        let refresh_token = self.refresh_token.clone();
        // A refresh token alone will do: the first request refreshes.
        let access_token = self.access_token.clone().or_else(|| refresh_token.clone())?;
        Some(Grant { access_token, refresh_token, expires_in: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_from_variables_or_files_and_not_from_both() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("refresh");
        std::fs::write(&file, "r1\nmore\n")?;
        let path = file.display().to_string();
        let of = |pairs: &[(&str, &str)]| {
            let pairs: Vec<(String, String)> =
                pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            Environment::of(|name| {
                pairs.iter().find(|(it, _)| it == name).map(|(_, value)| value.clone())
            })
        };
        let all = of(&[
            ("TWITCH_CLIENT_ID", "c1"),
            ("TWITCH_SECRET", ""),
            ("TWITCH_USER_ACCESS_TOKEN", "oauth:a1"),
            ("TWITCH_REFRESH_TOKEN_FILE", &path),
        ])?;
        assert_eq!((all.client_id.as_deref(), all.client_secret.is_some()), (Some("c1"), false));
        let grant = all.grant().unwrap();
        assert_eq!(grant.access_token.reveal(), "a1");
        assert_eq!(grant.refresh_token.unwrap().reveal(), "r1");
        assert!(of(&[])?.grant().is_none());
        let both = of(&[("TWITCH_SECRET", "x"), ("TWITCH_SECRET_FILE", &path)]);
        assert!(both.unwrap_err().to_string().contains("set one of them"));
        let gone = of(&[("TWITCH_SECRET_FILE", "no/such/file")]);
        assert!(gone.unwrap_err().to_string().contains("TWITCH_SECRET_FILE"));
        Ok(())
    }
}
