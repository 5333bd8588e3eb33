//! Where heatd is, and the token that it wants: what the command line says, then the environment, then heatd's data folder.

use std::env;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;

/// Where heatd keeps its data when nobody says otherwise: beside its configuration, here or in the folder of the README's
/// first steps, and as a service.
pub(crate) const FOLDERS: [&str; 3] = ["heat-data", "heat/heat-data", "/var/lib/heatd"];

/// The address that heatd leaves in its data folder, and the token.
const URL_FILE: &str = "api.url";
const TOKEN_FILE: &str = "api.token";

/// What the command line says of heatd.
#[derive(Args, Clone, Default)]
pub(crate) struct Place {
    /// Where heatd serves its API, when HEAT_URL or its data folder does not say.
    #[arg(long, value_name = "URL", value_parser = checked_url)]
    pub(crate) url: Option<String>,
    /// heatd's data folder, when it is neither HEAT_DATA nor one of the usual ones.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
}

/// What the environment says.
#[derive(Default)]
pub(crate) struct Environment {
    url: Option<String>,
    data: Option<PathBuf>,
    token_file: Option<PathBuf>,
    /// Looked through when nothing is said.
    folders: Vec<PathBuf>,
}

/// A heatd that can be asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Daemon {
    /// Without a slash at its end.
    pub(crate) url: String,
    pub(crate) token: String,
    /// Where the token is from, for errors.
    pub(crate) token_file: PathBuf,
}

/// Why there is no heatd to ask.
#[derive(Debug, PartialEq)]
pub(crate) enum Missing {
    /// There is no sign of one.
    Nowhere(String),
    /// There is one, and something has to be done first.
    Unusable(String),
}

/// The link that opens heatd's page. Behind the # the token is sent to no server, and stands in no log of one.
pub(crate) fn page_link(url: &str, token: &str) -> String {
    format!("{url}/#token={token}")
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Nowhere(words) | Self::Unusable(words)) = self;
        f.write_str(words)
    }
}

impl std::error::Error for Missing {}

impl Environment {
    pub(crate) fn of_this_process() -> Self {
        let said = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            url: said("HEAT_URL").map(|url| url.to_string_lossy().into_owned()),
            data: said("HEAT_DATA").map(PathBuf::from),
            token_file: said("HEAT_TOKEN_FILE").map(PathBuf::from),
            folders: FOLDERS.map(PathBuf::from).into(),
        }
    }
}

impl Place {
    /// Whether the command line names a heatd: then nothing else will do.
    pub(crate) fn is_said(&self) -> bool {
        self.url.is_some() || self.data.is_some()
    }

    pub(crate) fn find(&self, around: &Environment) -> Result<Daemon, Missing> {
        let url = match (&self.url, &around.url) {
            (Some(url), _) => Some(url.clone()),
            // A folder on the command line is nearer than an address in the environment.
            (None, Some(url)) if self.data.is_none() => {
                Some(checked_url(url).map_err(|problem| {
                    Missing::Unusable(format!("HEAT_URL cannot be used: {problem}"))
                })?)
            }
            _ => None,
        };
        let token_file = around.token_file.clone().filter(|_| self.data.is_none());
        let (token_file, token) = match token_file {
            Some(file) => match read(&file)? {
                Some(token) => (file, token),
                None => {
                    let file = file.display();
                    return Err(Missing::Unusable(format!(
                        "HEAT_TOKEN_FILE names {file}, and there is no such file"
                    )));
                }
            },
            None => self.search(around)?,
        };
        let url = match url {
            Some(url) => url,
            None => url_beside(&token_file)?,
        };
        Ok(Daemon { url, token, token_file })
    }

    /// The first folder with a token.
    fn search(&self, around: &Environment) -> Result<(PathBuf, String), Missing> {
        let folders = match self.data.as_ref().or(around.data.as_ref()) {
            Some(folder) => std::slice::from_ref(folder),
            None => &around.folders[..],
        };
        let files: Vec<PathBuf> = folders.iter().map(|folder| folder.join(TOKEN_FILE)).collect();
        for file in &files {
            if let Some(token) = read(file)? {
                return Ok((file.clone(), token));
            }
        }
        let looked: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        Err(Missing::Nowhere(format!(
            "no heatd found: there is no {}. Is heatd started? --data names its data folder; from another machine, set HEAT_URL and HEAT_TOKEN_FILE",
            looked.join(" and no ")
        )))
    }
}

fn url_beside(token: &Path) -> Result<String, Missing> {
    let file = token.with_file_name(URL_FILE);
    let shown = file.display();
    let Some(url) = read(&file)? else {
        let token = token.display();
        return Err(Missing::Unusable(format!(
            "there is {token}, and no {shown} that says where heatd listens; start heatd, or name the address with --url or HEAT_URL"
        )));
    };
    checked_url(&url)
        .map_err(|problem| Missing::Unusable(format!("{shown} cannot be used: {problem}")))
}

/// One line of a file; none when there is no such file.
fn read(file: &Path) -> Result<Option<String>, Missing> {
    let shown = file.display();
    let unusable = |words: String| Err(Missing::Unusable(words));
    match fs::read_to_string(file) {
        Ok(text) if text.trim().is_empty() => {
            unusable(format!("{shown} is empty; start heatd again"))
        }
        Ok(text) if text.trim().contains(|c: char| !c.is_ascii_graphic()) => {
            unusable(format!("{shown} holds something else than heatd wrote"))
        }
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => unusable(format!(
            "{shown} may not be read by this user: it belongs to the user that heatd runs as. Run heat as that user or as root \
             (sudo heat status), or as one of its group where the file is open to that, or name a copy with HEAT_TOKEN_FILE"
        )),
        Err(error) => unusable(format!("{shown} cannot be read: {error}")),
    }
}

/// An address that can be asked, without a slash at its end.
pub(crate) fn checked_url(url: &str) -> Result<String, String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.trim_matches('/').is_empty() => {
            Ok(url.trim_end_matches('/').to_owned())
        }
        _ => Err(format!("{url:?} is no address such as http://127.0.0.1:8077")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(TOKEN_FILE), "secret\n").unwrap();
        fs::write(folder.path().join(URL_FILE), "http://127.0.0.1:8077\n").unwrap();
        folder
    }

    fn around(folders: &[&Path]) -> Environment {
        let folders = folders.iter().map(|folder| folder.to_path_buf()).collect();
        Environment { folders, ..Environment::default() }
    }

    #[test]
    fn the_first_folder_with_a_token_has_the_address_too() {
        let (empty, good) = (tempfile::tempdir().unwrap(), folder());
        let found = Place::default().find(&around(&[empty.path(), good.path()])).unwrap();
        assert_eq!((found.url.as_str(), found.token.as_str()), ("http://127.0.0.1:8077", "secret"));
        assert_eq!(found.token_file, good.path().join(TOKEN_FILE));
    }

    #[test]
    fn the_command_line_goes_before_the_environment() {
        let (one, two) = (folder(), folder());
        fs::write(two.path().join(TOKEN_FILE), "other").unwrap();
        let around = Environment {
            url: Some("http://elsewhere:1".to_owned()),
            token_file: Some(one.path().join(TOKEN_FILE)),
            ..around(&[])
        };
        let found = Place::default().find(&around).unwrap();
        assert_eq!((found.url.as_str(), found.token.as_str()), ("http://elsewhere:1", "secret"));
        let said = Place { data: Some(two.path().to_owned()), url: None };
        let found = said.find(&around).unwrap();
        assert_eq!((found.url.as_str(), found.token.as_str()), ("http://127.0.0.1:8077", "other"));
        let said = Place { data: None, url: Some("https://far:2".to_owned()) };
        assert_eq!(said.find(&around).unwrap().url, "https://far:2");
    }

    #[test]
    fn what_was_looked_for_is_said() {
        let empty = tempfile::tempdir().unwrap();
        let Err(Missing::Nowhere(words)) = Place::default().find(&around(&[empty.path()])) else {
            panic!()
        };
        let file = empty.path().join(TOKEN_FILE);
        assert!(words.contains(&file.display().to_string()), "{words}");
        assert!(words.contains("--data") && words.contains("HEAT_URL"), "{words}");
    }

    #[test]
    fn a_token_that_is_there_and_cannot_be_read_is_not_passed_over() {
        let (bad, good) = (tempfile::tempdir().unwrap(), folder());
        // A folder in its place cannot be read by root either.
        fs::create_dir(bad.path().join(TOKEN_FILE)).unwrap();
        let found = Place::default().find(&around(&[bad.path(), good.path()]));
        assert!(
            matches!(&found, Err(Missing::Unusable(words)) if words.contains("cannot be read")),
            "{found:?}"
        );
    }

    #[test]
    fn odd_files_and_addresses_are_refused() {
        let odd = folder();
        fs::write(odd.path().join(URL_FILE), "ftp://x").unwrap();
        let found = Place::default().find(&around(&[odd.path()]));
        assert!(
            matches!(&found, Err(Missing::Unusable(words)) if words.contains("api.url")),
            "{found:?}"
        );
        fs::write(odd.path().join(TOKEN_FILE), " \n").unwrap();
        let found = Place::default().find(&around(&[odd.path()]));
        assert!(
            matches!(&found, Err(Missing::Unusable(words)) if words.contains("is empty")),
            "{found:?}"
        );
        assert_eq!(checked_url("http://x:1/"), Ok("http://x:1".to_owned()));
        assert!(checked_url("http://").is_err() && checked_url("x:1").is_err());
    }
}
