//! `[emotes]`: which providers are queried for emotes, how often, and at which addresses.

use hyper::Uri;

use super::mistakes::{Mistakes, most_like};
use super::provider::{Addresses, Provider, is_encrypted};
use super::section::Section;

/// How often the providers are queried by default, in milliseconds.
const REFRESH: u64 = 15 * 60_000;

/// Which providers are queried, and how.
#[derive(Debug, Clone)]
pub(crate) struct EmoteSources {
    /// Empty: none, and heatd knows Twitch's emotes only.
    pub(crate) providers: Vec<Provider>,
    /// How often, in milliseconds.
    pub(crate) refresh: u64,
    pub(crate) addresses: Addresses,
    /// The address of 7TV's events, which push changes. None: they are not used.
    events: Option<Uri>,
}

impl Default for EmoteSources {
    fn default() -> Self {
        Self {
            providers: Provider::ALL.to_vec(),
            refresh: REFRESH,
            addresses: Addresses {
                seventv: Uri::from_static("https://7tv.io/v3"),
                bttv: Uri::from_static("https://api.betterttv.net/3/cached"),
                ffz: Uri::from_static("https://api.frankerfacez.com/v1"),
            },
            events: Some(Uri::from_static("wss://events.7tv.io/v3")),
        }
    }
}

impl EmoteSources {
    pub(super) fn read(section: Option<Section<'_>>, mistakes: &Mistakes) -> Self {
        let mut sources = Self::default();
        let Some(mut section) = section else { return sources };
        if let Some(names) = section.texts("providers") {
            sources.providers.clear();
            for (name, span) in names {
                let known = Provider::ALL.map(Provider::name);
                match Provider::ALL.into_iter().find(|it| it.name() == name) {
                    Some(it) if sources.providers.contains(&it) => {
                        mistakes.add(&span, format!("the provider {name:?} stands here twice"));
                    }
                    Some(it) => sources.providers.push(it),
                    None => {
                        let hint = match most_like(&name, known) {
                            Some(like) => format!("did you mean {like:?}?"),
                            None => "there are \"7tv\", \"bttv\" and \"ffz\"".to_owned(),
                        };
                        mistakes.add_with_hint(
                            &span,
                            format!("{name:?} is no provider of emotes"),
                            hint,
                        );
                    }
                }
            }
        }
        sources.refresh = section.duration("refresh", 100, 86_400_000).unwrap_or(REFRESH);
        let addresses = &mut sources.addresses;
        for (key, address) in [
            ("seventv", &mut addresses.seventv),
            ("bttv", &mut addresses.bttv),
            ("ffz", &mut addresses.ffz),
        ] {
            if let Some(given) = uri(&mut section, key, ["https", "http"]) {
                *address = given;
            }
        }
        match section.text("seventv_events") {
            Some((text, _)) if text.is_empty() => sources.events = None,
            Some((text, span)) => match usable(&text, ["wss", "ws"]) {
                Some(address) => sources.events = Some(address),
                None => mistakes.add(
                    &span,
                    "`seventv_events` must be an address such as \"wss://events.7tv.io/v3\", or empty for none",
                ),
            },
            None => {}
        }
        section.end();
        sources
    }

    /// The address of 7TV's events.
    pub(crate) fn events(&self) -> Option<&Uri> {
        self.events.as_ref()
    }

    /// Whether any of the addresses needs TLS.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.providers.iter().any(|provider| match provider {
            Provider::SevenTv => {
                is_encrypted(&self.addresses.seventv) || self.events().is_some_and(is_encrypted)
            }
            Provider::BetterTtv => is_encrypted(&self.addresses.bttv),
            Provider::FrankerFaceZ => is_encrypted(&self.addresses.ffz),
        })
    }
}

fn uri(section: &mut Section<'_>, key: &'static str, schemes: [&str; 2]) -> Option<Uri> {
    let (text, span) = section.text(key)?;
    let address = usable(&text, schemes);
    if address.is_none() {
        let problem = format!("`{key}` must be an address such as \"{}://host/path\"", schemes[0]);
        section.mistakes().add(&span, problem);
    }
    address
}

/// An address with a host, and nothing behind its path.
fn usable(text: &str, schemes: [&str; 2]) -> Option<Uri> {
    let address: Uri = text.parse().ok()?;
    let scheme = address.scheme_str()?;
    let is_usable = schemes.contains(&scheme)
        && address.host().is_some_and(|host| !host.is_empty())
        && address.query().is_none()
        && !text.contains('@');
    is_usable.then_some(address)
}
