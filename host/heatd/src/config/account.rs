//! `[[twitch.account]]`, and where Twitch is asked: which accounts heatd shall be logged in to, and for what.

use std::ops::Range;
use std::path::Path;

use hyper::Uri;

use super::feature::Feature;
use super::login::login;
use super::mistakes::Mistakes;
use super::provider::is_encrypted;
use super::secret_file::first_line;
use super::section::Section;
use crate::secret::Secret;

/// An account that heatd shall be logged in to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountConfig {
    /// Whether it speaks in every channel. Otherwise it is that of a channel's owner.
    pub(crate) is_bot: bool,
    /// The login, in lower case: of the channel, or of the bot.
    pub(crate) login: String,
    /// In the order of the configuration.
    pub(crate) features: Vec<Feature>,
}

/// Accounts, the program that they are logged in with, and Twitch's servers.
#[derive(Debug, Clone)]
pub(crate) struct AccountSettings {
    pub(crate) wanted: Vec<AccountConfig>,
    /// None: the person who logs in says it.
    pub(crate) client_id: Option<String>,
    /// Of a confidential client.
    pub(crate) client_secret: Option<Secret>,
    /// The server for logins.
    pub(crate) id: Uri,
    /// Twitch's API, called Helix.
    pub(crate) api: Uri,
    /// Where EventSub is spoken, by WebSocket.
    pub(crate) eventsub: Uri,
    /// How often Twitch is asked which streams are live, in milliseconds.
    pub(crate) live_every: u64,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self {
            wanted: Vec::new(),
            client_id: None,
            client_secret: None,
            id: Uri::from_static("https://id.twitch.tv/oauth2"),
            api: Uri::from_static("https://api.twitch.tv/helix"),
            eventsub: Uri::from_static("wss://eventsub.wss.twitch.tv/ws"),
            live_every: 60_000,
        }
    }
}

impl AccountSettings {
    /// Whether a server has to be asked with TLS.
    pub(crate) fn is_encrypted(&self) -> bool {
        let servers = [&self.id, &self.api, &self.eventsub];
        !self.wanted.is_empty() && servers.into_iter().any(is_encrypted)
    }

    /// Reads what `[twitch]` says of accounts. `channels`: those of the configuration.
    pub(super) fn read(
        section: &mut Section<'_>,
        channels: &[String],
        folder: &Path,
        mistakes: &Mistakes,
    ) -> Self {
        let mut accounts = Self::default();
        if let Some((id, span)) = section.text("client_id") {
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let hint = "it is a text of letters and digits, from dev.twitch.tv/console";
                mistakes.add_with_hint(&span, format!("{id:?} is no client id"), hint);
            }
            accounts.client_id = Some(id);
        }
        accounts.client_secret = section
            .text("client_secret_file")
            .and_then(|(file, span)| first_line(folder, &file, &span, "client secret", mistakes))
            .map(Secret::new);
        for (key, server) in [
            ("id_server", &mut accounts.id),
            ("api_server", &mut accounts.api),
            ("eventsub_server", &mut accounts.eventsub),
        ] {
            let Some((address, span)) = section.text(key) else { continue };
            match address.parse::<Uri>() {
                Ok(uri) if uri.host().is_some() && uri.scheme().is_some() => *server = uri,
                _ => {
                    let hint = format!("write it as \"{server}\"");
                    mistakes.add_with_hint(&span, format!("{address:?} is no address"), hint);
                }
            }
        }
        if let Some(every) = section.duration("live_every", 100, 3_600_000) {
            accounts.live_every = every;
        }
        for account in section.sections("account") {
            accounts.add(account, channels, mistakes);
        }
        accounts
    }

    fn add(&mut self, mut section: Section<'_>, channels: &[String], mistakes: &Mistakes) {
        let span = section.span();
        let (channel, bot) = (section.text("channel"), section.text("bot"));
        let features = features(&mut section, mistakes);
        section.end();
        let (is_bot, written, at) = match (channel, bot) {
            (Some((name, at)), None) => (false, name, at),
            (None, Some((name, at))) => (true, name, at),
            _ => {
                let problem = "an account is that of a `channel`, or that of a `bot`";
                let hint = "write channel = \"yourname\", or bot = \"yourbot\"";
                return mistakes.add_with_hint(&span, problem, hint);
            }
        };
        let Some(login) = login(&written) else {
            return mistakes.add(&at, format!("{written:?} is no login"));
        };
        if !is_bot && !channels.contains(&login) {
            let problem = format!("the channel {login:?} is not in [twitch] channels");
            mistakes.add(&at, problem);
        }
        if self.wanted.iter().any(|it| it.login == login) {
            mistakes.add(&at, format!("the account {login:?} stands here twice"));
        }
        if is_bot && self.wanted.iter().any(|it| it.is_bot) {
            mistakes.add(&at, "there is a bot already; one account speaks");
        }
        let of_bot = [Feature::Say, Feature::Moderate, Feature::Chat];
        if is_bot && let Some(other) = features.iter().find(|it| !of_bot.contains(it)) {
            let name = other.need().name;
            let problem = format!("`{name}` needs the account of the channel itself, not a bot");
            mistakes.add(&at, problem);
        }
        self.wanted.push(AccountConfig { is_bot, login, features });
    }
}

fn features(section: &mut Section<'_>, mistakes: &Mistakes) -> Vec<Feature> {
    let written = section.texts("features");
    if written.is_none() {
        let hint = format!("write some of {}", names());
        mistakes.add_with_hint(&section.span(), "this account has no `features`", hint);
    }
    let mut features = Vec::new();
    for (name, span) in written.unwrap_or_default() {
        match Feature::of_name(&name) {
            Some(feature) if features.contains(&feature) => twice(&name, &span, mistakes),
            Some(feature) => features.push(feature),
            None => {
                let hint = format!("there are {}", names());
                mistakes.add_with_hint(&span, format!("there is no feature {name:?}"), hint);
            }
        }
    }
    features
}

fn twice(name: &str, span: &Range<usize>, mistakes: &Mistakes) {
    mistakes.add(span, format!("the feature {name:?} stands here twice"));
}

fn names() -> String {
    super::feature::NEEDS.iter().map(|need| need.name).collect::<Vec<_>>().join(", ")
}
