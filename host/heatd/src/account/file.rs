//! The file of logins: tokens of Twitch, readable for heatd's user alone. It is no part of the store, so no backup has it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::data;
use crate::secret::Secret;

/// The name of the file in the data folder.
const FILE: &str = "twitch.logins";

/// One account that is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Login {
    /// Twitch's id of the account: logins change.
    pub(crate) user_id: String,
    /// Its login when it was last asked for.
    pub(crate) login: String,
    /// The client that the tokens were given to. Only that one can refresh them.
    pub(crate) client_id: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    /// When the access token is to be refreshed, and when it ends, in milliseconds since 1970.
    pub(crate) refresh_at: u64,
    pub(crate) ends_at: u64,
}

/// What the file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    /// The client id that somebody has typed, where the configuration has none.
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    logins: Vec<Login>,
}

/// The file, as it stands.
#[derive(Debug)]
pub(crate) struct LoginFile {
    path: PathBuf,
    content: Content,
}

impl LoginFile {
    /// Reads the file. None there is as good as an empty one; one that others can read is an error.
    pub(crate) fn open(data: &Path) -> Result<Self> {
        let path = data.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { path, content: Content::default() });
            }
            Err(error) => {
                return Err(error).with_context(|| format!("failed to read {}", path.display()));
            }
        };
        must_be_private(&path)?;
        let content = serde_json::from_str(&text).map_err(|error| {
            anyhow::anyhow!(
                "{} cannot be read (line {}): move it away, start heatd again, and log in again: heat login",
                path.display(),
                error.line()
            )
        })?;
        Ok(Self { path, content })
    }

    pub(crate) fn client_id(&self) -> Option<&str> {
        self.content.client_id.as_deref()
    }

    pub(crate) fn set_client_id(&mut self, id: &str) -> Result<()> {
        self.content.client_id = Some(id.to_owned());
        self.write()
    }

    /// The login of an account, by its name of now.
    pub(crate) fn find(&self, login: &str) -> Option<&Login> {
        self.content.logins.iter().find(|it| it.login == login)
    }

    /// Keeps a login, in the place of an older one of the same account. It is on the disk when this returns.
    pub(crate) fn keep(&mut self, login: Login) -> Result<()> {
        self.content.logins.retain(|it| it.user_id != login.user_id && it.login != login.login);
        self.content.logins.push(login);
        self.write()
    }

    pub(crate) fn remove(&mut self, login: &str) -> Result<()> {
        self.content.logins.retain(|it| it.login != login);
        self.write()
    }

    fn write(&self) -> Result<()> {
        data::replace(&self.path, &serde_json::to_string(&self.content)?, 0o600)
    }
}

/// Refuses a file that others can read: whoever has a refresh token has the account.
fn must_be_private(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path)
            .with_context(|| format!("failed to read {}", path.display()))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            let path = path.display();
            bail!(
                "{path} has the tokens of your Twitch accounts, and others can read it (mode {:03o}): chmod 600 {path}",
                mode & 0o777
            );
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(id: &str, name: &str) -> Login {
        Login {
            user_id: id.to_owned(),
            login: name.to_owned(),
            client_id: "c".to_owned(),
            scopes: vec!["user:read:chat".to_owned()],
            access_token: Secret::new("access"),
            refresh_token: Some(Secret::new("refresh")),
            refresh_at: 900,
            ends_at: 1_000,
        }
    }

    #[test]
    fn logins_are_kept_for_their_owner_alone() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let mut file = LoginFile::open(folder.path())?;
        assert_eq!(file.find("ann"), None);
        file.set_client_id("c9")?;
        file.keep(login("1", "ann"))?;
        // Renamed, and logged in again: it is one account.
        file.keep(login("1", "anna"))?;
        file.keep(login("2", "bot"))?;
        let mut file = LoginFile::open(folder.path())?;
        assert_eq!((file.client_id(), file.find("ann")), (Some("c9"), None));
        assert_eq!(file.find("anna"), Some(&login("1", "anna")));
        file.remove("anna")?;
        assert_eq!(LoginFile::open(folder.path())?.find("anna"), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let path = folder.path().join(FILE);
            assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
            let error = LoginFile::open(folder.path()).unwrap_err().to_string();
            assert!(error.contains("chmod 600") && error.contains("mode 644"), "{error}");
        }
        Ok(())
    }

    #[test]
    fn what_cannot_be_read_is_said_without_what_is_in_it() -> Result<()> {
        let folder = tempfile::tempdir()?;
        data::replace(
            &folder.path().join(FILE),
            "{\"logins\": [{\"access_token\": \"hush\"",
            0o600,
        )?;
        let error = format!("{:#}", LoginFile::open(folder.path()).unwrap_err());
        assert!(error.contains("log in again") && !error.contains("hush"), "{error}");
        Ok(())
    }
}
