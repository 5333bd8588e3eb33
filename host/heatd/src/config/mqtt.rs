//! The part of the configuration that is about MQTT: a broker of one's own, or the embedded one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use heat_engine::check_topic;

use super::mistakes::Mistakes;
use super::section::Section;

/// heatd's own name at the embedded broker. No user may have it.
pub(crate) const OWN_NAME: &str = "heatd";

/// How heatd speaks MQTT.
#[derive(Debug)]
pub(crate) struct Mqtt {
    /// What the topics of heatd's own outputs start with.
    pub(crate) prefix: String,
    pub(crate) broker: Broker,
}

/// Which broker.
#[derive(Debug)]
pub(crate) enum Broker {
    Embedded(Embedded),
    External(External),
}

/// The broker inside heatd.
#[derive(Debug)]
pub(crate) struct Embedded {
    pub(crate) listen: SocketAddr,
    /// None: whoever reaches the address may do everything, which is why it must be loopback then.
    pub(crate) users: Vec<User>,
}

/// Someone who may use the embedded broker.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) password: String,
    /// Topic filters that the user may read; writing is allowed where `write` says so.
    pub(crate) read: Vec<String>,
    pub(crate) write: Vec<String>,
}

/// A broker that runs elsewhere.
pub(crate) struct External {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Option<(String, String)>,
    pub(crate) tls: bool,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) client_id: String,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for External {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("External")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Mqtt {
    pub(super) fn read(section: Option<Section<'_>>, folder: &Path, mistakes: &Mistakes) -> Self {
        let embedded =
            Embedded { listen: SocketAddr::from(([127, 0, 0, 1], 1883)), users: Vec::new() };
        let mut mqtt = Self { prefix: "heat/v1".to_owned(), broker: Broker::Embedded(embedded) };
        let Some(mut section) = section else { return mqtt };
        if let Some((prefix, span)) = section.text("prefix") {
            match check_topic(&prefix) {
                Ok(()) if !prefix.starts_with(['/', '$']) && !prefix.ends_with('/') => {
                    mqtt.prefix = prefix;
                }
                Ok(()) => mistakes
                    .add(&span, "`prefix` must neither start nor end with / and not start with $"),
                Err(problem) => mistakes.add(&span, problem),
            }
        }
        let (embedded, external) = (section.section("embedded"), section.section("broker"));
        if let (Some(_), Some(external)) = (&embedded, &external) {
            let hint = "keep [mqtt.embedded] for heatd's own broker, or [mqtt.broker] for one that runs elsewhere";
            mistakes.add_with_hint(
                &external.span(),
                "there are both [mqtt.embedded] and [mqtt.broker]",
                hint,
            );
        }
        if let Some(external) = external {
            mqtt.broker = Broker::External(External::read(external, folder));
        } else if let Some(embedded) = embedded {
            mqtt.broker = Broker::Embedded(Embedded::read(embedded, folder));
        }
        section.end();
        mqtt
    }
}

impl Embedded {
    fn read(mut section: Section<'_>, folder: &Path) -> Self {
        let mistakes = section.mistakes();
        let listen = section.listen("listen");
        let users: Vec<User> = section
            .sections("user")
            .into_iter()
            .filter_map(|user| User::read(user, folder))
            .collect();
        for (place, user) in users.iter().enumerate() {
            if user.name == OWN_NAME || users[..place].iter().any(|other| other.name == user.name) {
                let problem = format!("the user name {:?} is taken", user.name);
                mistakes.add_with_hint(
                    &section.span(),
                    problem,
                    "each user needs a name of its own, other than heatd's",
                );
            }
        }
        section.end();
        if let Some((address, span)) = &listen
            && !address.ip().is_loopback()
            && users.is_empty()
        {
            let hint =
                "add [[mqtt.embedded.user]] with name and password_file, or listen on 127.0.0.1";
            mistakes.add_with_hint(
                span,
                "a broker without users may listen on loopback only",
                hint,
            );
        }
        let default = SocketAddr::from(([127, 0, 0, 1], 1883));
        Self { listen: listen.map_or(default, |(address, _)| address), users }
    }
}

impl User {
    fn read(mut section: Section<'_>, folder: &Path) -> Option<Self> {
        let name = section.text("name");
        let password = password(&mut section, folder);
        let mut filters = |key| {
            let texts: Option<Vec<_>> = section.texts(key);
            for (filter, span) in texts.iter().flatten() {
                if let Err(problem) = heat_engine::check_filter(filter) {
                    section.mistakes().add(span, problem);
                }
            }
            texts.map(|texts| texts.into_iter().map(|(filter, _)| filter).collect())
        };
        let read = filters("read").unwrap_or_else(|| vec!["#".to_owned()]);
        let write = filters("write").unwrap_or_default();
        let span = section.span();
        let mistakes = section.mistakes();
        section.end();
        match (name, password) {
            (Some((name, _)), Some(password)) => Some(Self { name, password, read, write }),
            _ => {
                mistakes.add(&span, "a user needs `name` and `password_file`");
                None
            }
        }
    }
}

impl External {
    fn read(mut section: Section<'_>, folder: &Path) -> Self {
        let mistakes = section.mistakes();
        let host = section.text("host");
        let tls = section.boolean("tls").unwrap_or(false);
        let port = section.integer("port", 1, 65_535).and_then(|port| u16::try_from(port).ok());
        let user = section.text("user");
        let password = password(&mut section, folder);
        let ca = section.text("ca");
        let client_id = section.text("client_id").map_or_else(|| "heatd".to_owned(), |(id, _)| id);
        if host.is_none() {
            mistakes.add_with_hint(
                &section.span(),
                "[mqtt.broker] has no `host`",
                "write host = \"192.168.1.10\"",
            );
        }
        if user.is_some() != password.is_some() {
            mistakes.add(&section.span(), "`user` and `password_file` belong together");
        }
        if let Some((ca, span)) = &ca
            && let Err(error) = crate::tls::client(Some(&folder.join(ca)))
        {
            mistakes.add(span, format!("`ca` cannot be used: {error:#}"));
        }
        section.end();
        Self {
            host: host.map_or_else(String::new, |(host, _)| host),
            port: port.unwrap_or(if tls { 8883 } else { 1883 }),
            login: user.map(|(user, _)| user).zip(password),
            tls,
            ca: ca.map(|(ca, _)| folder.join(ca)),
            client_id,
        }
    }
}

/// The first line of the file that `password_file` names. A secret never stands in the configuration itself.
fn password(section: &mut Section<'_>, folder: &Path) -> Option<String> {
    let mistakes = section.mistakes();
    if let Some((_, span)) = section.text("password") {
        let hint =
            "put it into a file that only heatd can read, and name that: password_file = \"...\"";
        mistakes.add_with_hint(&span, "a password does not belong into the configuration", hint);
    }
    let (file, span) = section.text("password_file")?;
    let text = match std::fs::read_to_string(folder.join(&file)) {
        Ok(text) => text,
        Err(error) => {
            mistakes.add(&span, format!("{file} cannot be read: {error}"));
            return None;
        }
    };
    let password = text.lines().next().unwrap_or_default().trim();
    if password.is_empty() {
        mistakes.add(&span, format!("the first line of {file} is empty; it is the password"));
        return None;
    }
    Some(password.to_owned())
}
