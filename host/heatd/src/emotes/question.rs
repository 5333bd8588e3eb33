//! One question to a provider, in as many requests as it takes: 7TV names a channel's set in one answer and holds it in another.

use tokio::task::spawn_blocking;

use super::fetch::{Fetch, Fetched};
use super::shapes::{self, EmoteName, SetAnswer, Subject};
use crate::config::provider::{Addresses, Provider, SetScope};

/// What a provider says of a set.
pub(super) enum Said {
    /// The set is as it was.
    Same,
    /// There is no such channel there.
    Unknown,
    /// The channel has no set. Whoever had one is not believed at once.
    NoSet(Option<Subject>),
    Set {
        emotes: Vec<EmoteName>,
        subject: Option<Subject>,
        etag: Option<Etag>,
    },
}

/// The mark of an answer, by which its server tells whether there is anything new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Etag {
    /// The address that has answered.
    pub(super) of: String,
    pub(super) tag: String,
}

/// Why there is no news.
pub(super) enum Failure {
    /// Nothing came, or nothing whole. The provider may be down.
    NotAnswered(String),
    /// An answer that heatd does not know how to read: the interface may have changed.
    NotUnderstood(String),
}

/// Asks a provider for a set. `known` is the mark of the last answer.
pub(super) async fn ask(
    fetch: &Fetch,
    addresses: &Addresses,
    (provider, of): (Provider, &SetScope),
    known: Option<&Etag>,
) -> Result<Said, Failure> {
    let address = addresses.address(provider, of);
    let tag = known.filter(|known| known.of == address).map(|known| known.tag.as_str());
    let (body, etag) = match fetch.get(&address, tag).await.map_err(Failure::NotAnswered)? {
        Fetched::Same => return Ok(Said::Same),
        Fetched::Unknown => return Ok(Said::Unknown),
        Fetched::Body { body, etag } => (body, etag),
    };
    let of = of.clone();
    match read(move || shapes::read(provider, &of, &body)).await? {
        SetAnswer::Set { emotes, subject } => {
            let etag = etag.map(|tag| Etag { of: address, tag });
            Ok(Said::Set { emotes, subject, etag })
        }
        SetAnswer::Elsewhere(subject) => ask_for_set(fetch, addresses, subject, known).await,
        SetAnswer::NoSet(subject) => Ok(Said::NoSet(subject)),
    }
}

async fn ask_for_set(
    fetch: &Fetch,
    addresses: &Addresses,
    subject: Subject,
    known: Option<&Etag>,
) -> Result<Said, Failure> {
    let address = addresses.set(&subject.set);
    let tag = known.filter(|known| known.of == address).map(|known| known.tag.as_str());
    let (body, etag) = match fetch.get(&address, tag).await.map_err(Failure::NotAnswered)? {
        Fetched::Same => return Ok(Said::Same),
        Fetched::Unknown => {
            let problem = format!("it names the set {:?}, and answers 404 for it", subject.set);
            return Err(Failure::NotAnswered(problem));
        }
        Fetched::Body { body, etag } => (body, etag),
    };
    let user = subject.user;
    match read(move || shapes::read_set(&body, user)).await? {
        SetAnswer::Set { emotes, subject } => {
            let etag = etag.map(|tag| Etag { of: address, tag });
            Ok(Said::Set { emotes, subject, etag })
        }
        other => Err(Failure::NotUnderstood(format!("{other:?}"))),
    }
}

/// Reads an answer on another thread: the runtime has one, which reads chat.
async fn read(
    read: impl FnOnce() -> Result<SetAnswer, String> + Send + 'static,
) -> Result<SetAnswer, Failure> {
    let done = spawn_blocking(read).await.unwrap_or_else(|error| Err(error.to_string()));
    done.map_err(Failure::NotUnderstood)
}
