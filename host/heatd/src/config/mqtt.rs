//! `[mqtt]`: an external broker, or the embedded one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use heat_engine::check_topic;

use super::mistakes::Mistakes;
use super::secret_file::first_line;
use super::section::Section;

/// heatd's own name at the embedded broker. No user may have it.
pub(crate) const OWN_NAME: &str = "heatd";

/// The MQTT keep-alive, in seconds.
pub(crate) const KEEP_ALIVE: u16 = 20;

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
    pub(crate) users: Vec<User>,
    /// What clients without a user name may do. None: nothing, if there are users.
    pub(crate) anonymous: Option<Anonymous>,
}

/// What may be done without a user name and a password.
#[derive(Debug)]
pub(crate) struct Anonymous {
    /// Topic filters.
    pub(crate) read: Vec<String>,
    pub(crate) write: Vec<String>,
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
    /// In seconds.
    pub(crate) keep_alive: u16,
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
        let embedded = Broker::Embedded(Embedded::default());
        let mut mqtt = Self { prefix: "heat/v1".to_owned(), broker: embedded };
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
            mqtt.broker = Broker::Embedded(Embedded::read(embedded, folder, &mqtt.prefix));
        }
        section.end();
        mqtt
    }
}

impl Default for Embedded {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 1883));
        Self { listen, users: Vec::new(), anonymous: None }
    }
}

impl Embedded {
    /// Whether every client may do everything. Then the address must be a loopback address.
    pub(crate) fn is_open(&self) -> bool {
        self.users.is_empty() && self.anonymous.is_none()
    }

    fn read(mut section: Section<'_>, folder: &Path, prefix: &str) -> Self {
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
        let anonymous =
            section.section("anonymous").map(|anonymous| Anonymous::read(anonymous, prefix));
        section.end();
        let mut embedded = Self { users, anonymous, ..Self::default() };
        if let Some((address, span)) = listen {
            embedded.listen = address;
            if !address.ip().is_loopback() && embedded.is_open() {
                let problem = "a broker without users may listen on loopback only";
                let hint = "add [[mqtt.embedded.user]] with name and password_file, or [mqtt.embedded.anonymous] with the topics \
                            that anybody may read and write, or listen on 127.0.0.1";
                mistakes.add_with_hint(&span, problem, hint);
            }
        }
        embedded
    }
}

impl Anonymous {
    fn read(mut section: Section<'_>, prefix: &str) -> Self {
        let (read, write) = (filters(&mut section, "read"), filters(&mut section, "write"));
        let (read, write) = (read.unwrap_or_default(), write.unwrap_or_default());
        let (span, mistakes) = (section.span(), section.mistakes());
        section.end();
        if read.is_empty() && write.is_empty() {
            let hint = "name topics in `read` and `write`, or leave the table out";
            mistakes.add_with_hint(&span, "[mqtt.embedded.anonymous] allows nothing", hint);
        }
        if let Some(filter) = write.iter().find(|filter| reaches_below(filter, prefix)) {
            let problem =
                format!("{filter:?} lets anybody forge heatd's own outputs, below {prefix}/");
            mistakes.add_with_hint(
                &span,
                problem,
                "let `write` name the topics that rules take, no more",
            );
        }
        Self { read, write }
    }
}

/// Whether a filter matches any topic below a prefix.
fn reaches_below(filter: &str, prefix: &str) -> bool {
    let mut levels = filter.split('/');
    for wanted in prefix.split('/') {
        match levels.next() {
            Some("#") => return true,
            Some(level) if level == "+" || level == wanted => {}
            _ => return false,
        }
    }
    levels.next().is_some()
}

/// A list of topic filters. None if there is none.
fn filters(section: &mut Section<'_>, key: &'static str) -> Option<Vec<String>> {
    let texts = section.texts(key)?;
    for (filter, span) in &texts {
        if let Err(problem) = heat_engine::check_filter(filter) {
            section.mistakes().add(span, problem);
        }
    }
    Some(texts.into_iter().map(|(filter, _)| filter).collect())
}

impl User {
    fn read(mut section: Section<'_>, folder: &Path) -> Option<Self> {
        let before = section.mistakes().count();
        let name = section.text("name");
        let password = password(&mut section, folder);
        let is_reported = section.mistakes().count() > before;
        let read = filters(&mut section, "read").unwrap_or_else(|| vec!["#".to_owned()]);
        let write = filters(&mut section, "write").unwrap_or_default();
        let span = section.span();
        let mistakes = section.mistakes();
        section.end();
        match (name, password) {
            (Some((name, _)), Some(password)) if !name.is_empty() => {
                Some(Self { name, password, read, write })
            }
            _ => {
                if !is_reported {
                    mistakes.add(&span, "a user needs `name` and `password_file`");
                }
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
        let keep_alive = section.duration("keep_alive", 2_000, 300_000);
        let keep_alive = keep_alive.and_then(|it| u16::try_from(it / 1000).ok());
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
            keep_alive: keep_alive.unwrap_or(KEEP_ALIVE),
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
    first_line(folder, &file, &span, "password", mistakes)
}

#[cfg(test)]
mod tests {
    use super::reaches_below;

    #[test]
    fn wildcards_reach_below_a_prefix_and_other_topics_do_not() {
        for (filter, expected) in [
            ("#", true),
            ("heat/#", true),
            ("heat/v1/#", true),
            ("+/v1/seaside/heat", true),
            ("heat/+/seaside/+", true),
            ("heat/v1", false),
            ("heat", false),
            ("heat/+", false),
            ("heat/v2/#", false),
            ("new-heat", false),
            ("+", false),
        ] {
            assert_eq!(reaches_below(filter, "heat/v1"), expected, "{filter}");
        }
    }
}
