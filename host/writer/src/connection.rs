//! The settings of the connection: where the broker is, who connects, whom to trust.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::ClientConfig;

use crate::address::Endpoint;
use crate::mistake::Mistake;
use crate::sheet::Common;
use crate::tls;

/// How to reach the broker. Not `Debug`: the password must not get into a report by accident.
pub(crate) struct Connection {
    pub(crate) endpoint: Endpoint,
    pub(crate) login: Option<Login>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) client_id: String,
}

pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Connection {
    /// `password` is the one from the environment.
    pub(crate) fn check(
        sheet: Common,
        base: &Path,
        password: Option<String>,
    ) -> Result<Self, Mistake> {
        let address = sheet.broker.ok_or_else(|| {
            let text = "no broker is named; add one, for example: broker = \"192.168.1.10\"";
            Mistake::new("broker", text)
        })?;
        let endpoint = address.with_port(sheet.tls);
        if sheet.ca.is_some() && !sheet.tls {
            let text = "an authority is only used with tls; switch tls on";
            return Err(Mistake::new("ca", text));
        }
        let ca = sheet.ca.map(|path| base.join(path));
        let key = if ca.is_some() { "ca" } else { "tls" };
        let tls = sheet.tls.then(|| tls::config(&endpoint.host, ca.as_deref()));
        let tls = tls.transpose().map_err(|error| Mistake::new(key, format!("{error:#}")))?;
        let password_file = sheet.password_file.map(|path| base.join(path));
        Ok(Self {
            login: login(sheet.user, password_file.as_deref(), password)?,
            tls: tls.map(Arc::new),
            client_id: client_id(sheet.client_id)?,
            endpoint,
        })
    }
}

fn login(
    user: Option<String>,
    file: Option<&Path>,
    environment: Option<String>,
) -> Result<Option<Login>, Mistake> {
    let Some(user) = user else {
        return match file {
            Some(_) => {
                let text = "a password needs a user; name the user too";
                Err(Mistake::new("password-file", text))
            }
            None => Ok(None),
        };
    };
    let password = match (file, environment) {
        (Some(file), _) => password_in(file).map_err(|text| Mistake::new("password-file", text))?,
        (None, Some(password)) => password,
        (None, None) => {
            let text = "a user needs a password; name a password file or set HEAT_PASSWORD";
            return Err(Mistake::new("user", text));
        }
    };
    Ok(Some(Login { user, password }))
}

/// Editors end a file with a line break that is not part of the password.
fn password_in(path: &Path) -> Result<String, String> {
    let path_text = path.display();
    let bytes = fs::read(path).map_err(|error| format!("cannot read {path_text}: {error}"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("{path_text} is not UTF-8 text; save it as UTF-8"))?;
    let password = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    if password.is_empty() || password.contains(['\n', '\0']) {
        return Err(format!("{path_text} must hold the password in one line and nothing else"));
    }
    Ok(password.to_owned())
}

/// A random id by default: two programs with one id would throw each other off the broker for ever.
fn client_id(given: Option<String>) -> Result<String, Mistake> {
    match given {
        Some(id) if id.is_empty() || id.len() > 255 || id.contains(char::is_control) => {
            let text = "an id has 1 to 255 printable characters; leave it out for a random one";
            Err(Mistake::new("client-id", text))
        }
        Some(id) => Ok(id),
        None => Ok(format!("heat-writer-{:08x}", fastrand::u32(..))),
    }
}
