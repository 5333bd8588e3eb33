//! The configuration: read once from a TOML file into its final types, every mistake with its line.
//!
//! Nothing is opened or bound before the whole file is right. `heatd.toml` in this folder's crate is the commented reference.

mod account;
mod backup;
mod emotes;
pub(crate) mod feature;
#[cfg(test)]
mod fuzz;
mod grants;
mod log;
mod login;
mod mistakes;
mod mqtt;
pub(crate) mod provider;
mod secret_file;
mod section;
mod series;
mod stream;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use heat_engine::{Given, HOST};
use toml::de::DeTable;

pub(crate) use account::{AccountConfig, AccountSettings};
pub(crate) use backup::BackupPlan;
pub(crate) use emotes::EmoteSources;
pub(crate) use feature::Feature;
pub(crate) use login::login;
pub(crate) use mistakes::{Mistakes, most_like};
#[cfg(test)]
pub(crate) use mqtt::User;
pub(crate) use mqtt::{Anonymous, Broker, Embedded, External, KEEP_ALIVE, Mqtt, OWN_NAME};
use section::Section;
pub(crate) use series::Retention;
pub(crate) use stream::StreamSigns;

/// The whole configuration.
#[derive(Debug)]
pub(crate) struct Config {
    /// The data folder. heatd writes nothing outside it except backups.
    pub(crate) data: PathBuf,
    /// How much is logged: a level, or directives by module.
    pub(crate) log: String,
    pub(crate) http: Http,
    /// How long the log of events is kept, in milliseconds.
    pub(crate) keep_log: u64,
    /// How long series (counts over time) are kept.
    pub(crate) series: Retention,
    /// The longest time that plain chat waits for its commit, in milliseconds.
    pub(crate) flush: u64,
    /// How long the commit of a fave may wait so that other faves can share it, in milliseconds.
    pub(crate) gather: u64,
    /// Whether heatd starts with the other rules when one cannot be loaded.
    pub(crate) skip_broken_rules: bool,
    pub(crate) backup: BackupPlan,
    pub(crate) twitch: Twitch,
    /// How heatd learns that a stream starts or ends.
    pub(crate) stream: StreamSigns,
    /// The providers of emotes that are not Twitch's.
    pub(crate) emotes: EmoteSources,
    /// The chat command with which moderators take events back, in lower case. Empty: there is none.
    pub(crate) undo_command: String,
    pub(crate) mqtt: Mqtt,
    /// In the order of the file.
    pub(crate) rules: Vec<RuleConfig>,
}

/// The pages and the API.
#[derive(Debug)]
pub(crate) struct Http {
    /// A loopback address.
    pub(crate) listen: SocketAddr,
    /// Names under which a proxy passes requests on, in lower case.
    pub(crate) names: Vec<String>,
    /// How long the head of a request may take, in milliseconds.
    pub(crate) request_timeout: u64,
}

/// Twitch: chat, which is read without a login, and the accounts that heatd may be logged in to.
#[derive(Debug)]
pub(crate) struct Twitch {
    /// Logins, in lower case.
    pub(crate) channels: Vec<String>,
    /// Nobody may search what was said in these channels. A channel that is added while heatd runs may be among them.
    pub(crate) without_history: BTreeSet<String>,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    /// After this much silence heatd sends a PING, in milliseconds. After as much silence again the connection ends.
    pub(crate) ping: u64,
    pub(crate) accounts: AccountSettings,
}

/// One rule at its place in the chain.
#[derive(Debug)]
pub(crate) struct RuleConfig {
    pub(crate) slot: String,
    pub(crate) file: PathBuf,
    /// The file as the configuration has it, relative to its folder.
    pub(crate) written: String,
    /// None: every channel.
    pub(crate) channels: Option<Vec<String>>,
    pub(crate) settings: Vec<(String, Given)>,
    /// Only the configuration may change this slot; the API may not.
    pub(crate) source_is_file: bool,
    /// Filters of the topics that it may publish to.
    pub(crate) publish: Vec<String>,
    /// Memory of one instance, in bytes. None: the default limit.
    pub(crate) memory: Option<usize>,
    /// Where the rule, its file and its settings stand in the configuration.
    pub(crate) span: Range<usize>,
    pub(crate) file_span: Range<usize>,
    pub(crate) setting_spans: Vec<Range<usize>>,
}

impl Config {
    /// Reads the text of a file. What is wrong with it is in `mistakes`; a configuration with mistakes must not be used.
    pub(crate) fn read(text: &str, file: &Path, mistakes: &Mistakes) -> Self {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            mistakes.add(&error.span().unwrap_or(0..0), error.message());
        }
        let mut root = Section::new("", table.get_ref(), 0..0, mistakes);
        let data = root.text("data").map_or_else(|| "heat-data".to_owned(), |(data, _)| data);
        let log = root.text("log").map_or_else(
            || "info".to_owned(),
            |(log, span)| {
                log::check(&log, &span, mistakes);
                log
            },
        );
        let twitch = Twitch::read(root.section("twitch"), &folder, mistakes);
        let stream = StreamSigns::read(root.section("stream"), twitch.channels.len(), mistakes);
        let data = folder.join(data);
        let config = Self {
            backup: BackupPlan::read(root.section("backup"), &folder, &data),
            data,
            log,
            http: Http::read(root.section("http")),
            keep_log: root
                .duration("keep_log", 3_600_000, 3_650 * 86_400_000)
                .unwrap_or(30 * 86_400_000),
            series: Retention::read(root.section("series")),
            flush: root.duration("flush", 100, 60_000).unwrap_or(5_000),
            gather: root.duration("gather", 0, 60_000).unwrap_or(0),
            skip_broken_rules: root.boolean("skip_broken_rules").unwrap_or(false),
            undo_command: root
                .text("undo_command")
                .map_or_else(|| "?heat undo".to_owned(), |(command, _)| command.to_lowercase()),
            mqtt: Mqtt::read(root.section("mqtt"), &folder, mistakes),
            rules: root
                .sections("rule")
                .into_iter()
                .filter_map(|rule| RuleConfig::read(rule, &folder, &twitch))
                .collect(),
            twitch,
            stream,
            emotes: EmoteSources::read(root.section("emotes"), mistakes),
        };
        root.end();
        config.check(mistakes);
        config
    }

    fn check(&self, mistakes: &Mistakes) {
        for (place, rule) in self.rules.iter().enumerate() {
            if rule.slot == HOST {
                let hint = "give the rule another `slot`";
                mistakes.add_with_hint(
                    &rule.span,
                    format!("the slot `{HOST}` is heatd's own"),
                    hint,
                );
            }
            let in_both = |other: &RuleConfig| {
                self.twitch.channels.iter().any(|it| rule.is_for(it) && other.is_for(it))
            };
            if self.rules[..place].iter().any(|it| it.slot == rule.slot && in_both(it)) {
                mistakes.add(
                    &rule.span,
                    format!("there are two rules in slot `{}`; give one another `slot`", rule.slot),
                );
            }
        }
        if self.rules.is_empty() {
            mistakes.add(&(0..0), "there is no [[rule]]; without rules nothing is counted");
        }
    }
}

impl Http {
    fn read(section: Option<Section<'_>>) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8077));
        let mut http = Self { listen, names: Vec::new(), request_timeout: 10_000 };
        let Some(mut section) = section else { return http };
        if let Some((address, span)) = section.listen("listen") {
            if !address.ip().is_loopback() {
                let problem =
                    "`listen` must be a loopback address: these pages have no authentication";
                let hint = "put a reverse proxy before it to reach it from elsewhere, and its name into `names`";
                section.mistakes().add_with_hint(&span, problem, hint);
            }
            http.listen = address;
        }
        for (name, span) in section.texts("names").unwrap_or_default() {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
            if name.is_empty() || !name.chars().all(plain) {
                let hint = "write it as it stands in the address, without https:// and without a path: \"heat.example.org\"";
                section.mistakes().add_with_hint(
                    &span,
                    format!("{name:?} is no name of a machine"),
                    hint,
                );
            }
            http.names.push(name.to_ascii_lowercase());
        }
        if let Some(time) = section.duration("request_timeout", 100, 300_000) {
            http.request_timeout = time;
        }
        section.end();
        http
    }
}

impl Twitch {
    fn read(section: Option<Section<'_>>, folder: &Path, mistakes: &Mistakes) -> Self {
        let mut twitch = Self {
            channels: Vec::new(),
            without_history: BTreeSet::new(),
            host: "irc.chat.twitch.tv".to_owned(),
            port: 6697,
            tls: true,
            ping: 60_000,
            accounts: AccountSettings::default(),
        };
        let Some(mut section) = section else {
            mistakes.add_with_hint(
                &(0..0),
                "there is no [twitch]",
                "write [twitch] and channels = [\"yourname\"]",
            );
            return twitch;
        };
        let before = mistakes.count();
        for (name, span) in section.texts("channels").unwrap_or_default() {
            twitch.add_channel(&name, &span, mistakes);
        }
        if twitch.channels.is_empty() && mistakes.count() == before {
            mistakes.add(&section.span(), "`channels` must name at least one channel");
        }
        for (name, span) in section.texts("without_history").unwrap_or_default() {
            match login(&name) {
                Some(login) => drop(twitch.without_history.insert(login)),
                None => no_channel(&name, &span, mistakes),
            }
        }
        if let Some((server, span)) = section.text("server") {
            match server
                .rsplit_once(':')
                .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)))
            {
                Some((host, port)) => (twitch.host, twitch.port) = (host, port),
                None => mistakes.add(
                    &span,
                    "`server` must be a host and a port, such as \"irc.chat.twitch.tv:6697\"",
                ),
            }
        }
        twitch.tls = section.boolean("tls").unwrap_or(true);
        twitch.ping = section.duration("ping", 100, 300_000).unwrap_or(60_000);
        twitch.accounts = AccountSettings::read(&mut section, &twitch.channels, folder, mistakes);
        section.end();
        twitch
    }

    fn add_channel(&mut self, name: &str, span: &Range<usize>, mistakes: &Mistakes) {
        let Some(login) = login(name) else { return no_channel(name, span, mistakes) };
        if self.channels.contains(&login) {
            mistakes.add(span, format!("the channel {login:?} stands here twice"));
        } else {
            self.channels.push(login);
        }
    }
}

fn no_channel(name: &str, span: &Range<usize>, mistakes: &Mistakes) {
    let problem = format!("{name:?} is no channel");
    let hint = "write the name at the end of the channel's address: \"yourname\"";
    mistakes.add_with_hint(span, problem, hint);
}

/// How a slot may be named.
pub(crate) const SLOT_NAMES: &str =
    "a slot is named with 1 to 32 lower-case letters, digits, - and _";

/// Whether this can name a slot.
pub(crate) fn is_slot_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= 32 && name.chars().all(plain)
}

impl RuleConfig {
    /// Where a setting stands in the configuration; where the rule stands, if the setting is not written there.
    pub(crate) fn span_of(&self, setting: &str) -> &Range<usize> {
        let place = self.settings.iter().position(|(key, _)| key == setting);
        place.and_then(|place| self.setting_spans.get(place)).unwrap_or(&self.span)
    }

    fn read(mut section: Section<'_>, folder: &Path, twitch: &Twitch) -> Option<Self> {
        let (span, mistakes) = (section.span(), section.mistakes());
        let file = section.text("file");
        let slot = section.text("slot");
        let channels = section.texts("channels");
        let source_is_file = grants::source_is_file(&mut section);
        let (publish, memory) = (grants::publish(&mut section), grants::memory(&mut section));
        let settings =
            section.section("settings").map(|mut settings| settings.all()).unwrap_or_default();
        section.end();
        let Some((file, file_span)) = file else {
            mistakes.add_with_hint(
                &span,
                "this [[rule]] has no `file`",
                "write file = \"rules/fave.wasm\"",
            );
            return None;
        };
        let (written, file) = (file.clone(), folder.join(file));
        let stem =
            file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let (slot, slot_span) = slot.unwrap_or((stem, file_span.clone()));
        if !is_slot_name(&slot) {
            mistakes.add_with_hint(&slot_span, format!("{slot:?} cannot name a slot"), SLOT_NAMES);
        }
        for (name, span) in channels.iter().flatten() {
            if !twitch.channels.contains(&name.to_lowercase()) {
                let problem = format!("the channel {name:?} is not in [twitch] channels");
                match most_like(name, twitch.channels.iter().map(String::as_str)) {
                    Some(known) => {
                        mistakes.add_with_hint(span, problem, format!("did you mean {known:?}?"));
                    }
                    None => mistakes.add(span, problem),
                }
            }
        }
        let channels =
            channels.map(|list| list.into_iter().map(|(name, _)| name.to_lowercase()).collect());
        let setting_spans = settings.iter().map(|(_, _, span)| span.clone()).collect();
        let settings = settings.into_iter().map(|(name, given, _)| (name, given)).collect();
        Some(Self {
            slot,
            file,
            written,
            channels,
            settings,
            publish,
            source_is_file,
            memory,
            span,
            file_span,
            setting_spans,
        })
    }

    /// Whether the rule is in the chain of this channel.
    pub(crate) fn is_for(&self, channel: &str) -> bool {
        self.channels.as_ref().is_none_or(|channels| channels.iter().any(|name| name == channel))
    }
}
