//! The providers of emotes, and their addresses.

use heat_engine::wit::EmoteProvider;
use hyper::Uri;

use crate::metrics::Interface;

/// Whether an address needs TLS.
pub(crate) fn is_encrypted(address: &Uri) -> bool {
    matches!(address.scheme_str(), Some("https" | "wss"))
}

/// A provider, in the order in which a word is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    FrankerFaceZ,
    BetterTtv,
    SevenTv,
}

/// Where the emotes of a set can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SetScope {
    /// In every channel.
    Global,
    /// In one channel, which has this Twitch id.
    Channel { login: String, id: String },
}

/// Where the providers are.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) seventv: Uri,
    pub(crate) bttv: Uri,
    pub(crate) ffz: Uri,
}

impl Provider {
    /// All, in the order in which a word is looked up.
    pub(crate) const ALL: [Self; 3] = [Self::FrankerFaceZ, Self::BetterTtv, Self::SevenTv];

    /// As it is written in the configuration and in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FrankerFaceZ => "ffz",
            Self::BetterTtv => "bttv",
            Self::SevenTv => "7tv",
        }
    }

    /// As figures and lists know its interface.
    pub(crate) fn interface(self) -> Interface {
        match self {
            Self::FrankerFaceZ => Interface::FrankerFaceZ,
            Self::BetterTtv => Interface::BetterTtv,
            Self::SevenTv => Interface::SevenTv,
        }
    }

    /// As rules know it.
    pub(crate) fn contract(self) -> EmoteProvider {
        match self {
            Self::FrankerFaceZ => EmoteProvider::FrankerFaceZ,
            Self::BetterTtv => EmoteProvider::BetterTtv,
            Self::SevenTv => EmoteProvider::SevenTv,
        }
    }
}

impl SetScope {
    /// For the log of the program.
    pub(crate) fn told(&self) -> &str {
        match self {
            Self::Global => "everybody",
            Self::Channel { login, .. } => login,
        }
    }

    /// The channel; empty for all.
    pub(crate) fn channel(&self) -> &str {
        match self {
            Self::Global => "",
            Self::Channel { login, .. } => login,
        }
    }

    /// What tells its file from others.
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Global => "global",
            Self::Channel { id, .. } => id,
        }
    }
}

impl Addresses {
    /// Where the set is.
    pub(crate) fn address(&self, provider: Provider, of: &SetScope) -> String {
        let (base, path) = match (provider, of) {
            (Provider::SevenTv, SetScope::Global) => {
                (&self.seventv, "/emote-sets/global".to_owned())
            }
            (Provider::SevenTv, SetScope::Channel { id, .. }) => {
                (&self.seventv, format!("/users/twitch/{id}"))
            }
            (Provider::BetterTtv, SetScope::Global) => (&self.bttv, "/emotes/global".to_owned()),
            (Provider::BetterTtv, SetScope::Channel { id, .. }) => {
                (&self.bttv, format!("/users/twitch/{id}"))
            }
            (Provider::FrankerFaceZ, SetScope::Global) => (&self.ffz, "/set/global".to_owned()),
            (Provider::FrankerFaceZ, SetScope::Channel { id, .. }) => {
                (&self.ffz, format!("/room/id/{id}"))
            }
        };
        joined(base, &path)
    }

    /// Where one set of 7TV is, by its id.
    pub(crate) fn set(&self, id: &str) -> String {
        joined(&self.seventv, &format!("/emote-sets/{id}"))
    }
}

fn joined(base: &Uri, path: &str) -> String {
    format!("{}{path}", base.to_string().trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_that_the_providers_document() {
        let addresses = Addresses {
            seventv: Uri::from_static("https://7tv.io/v3"),
            bttv: Uri::from_static("https://api.betterttv.net/3/cached/"),
            ffz: Uri::from_static("http://127.0.0.1:8080"),
        };
        let channel = SetScope::Channel { login: "ann".to_owned(), id: "42".to_owned() };
        let of = |provider, of| addresses.address(provider, of);
        assert_eq!(of(Provider::SevenTv, &channel), "https://7tv.io/v3/users/twitch/42");
        assert_eq!(of(Provider::SevenTv, &SetScope::Global), "https://7tv.io/v3/emote-sets/global");
        assert_eq!(addresses.set("s1"), "https://7tv.io/v3/emote-sets/s1");
        assert_eq!(
            of(Provider::BetterTtv, &SetScope::Global),
            "https://api.betterttv.net/3/cached/emotes/global"
        );
        assert_eq!(
            of(Provider::BetterTtv, &channel),
            "https://api.betterttv.net/3/cached/users/twitch/42"
        );
        assert_eq!(of(Provider::FrankerFaceZ, &channel), "http://127.0.0.1:8080/room/id/42");
        assert_eq!(
            of(Provider::FrankerFaceZ, &SetScope::Global),
            "http://127.0.0.1:8080/set/global"
        );
    }
}
