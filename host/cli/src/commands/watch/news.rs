//! What a reader in a thread of its own tells, and that nobody listens to it any more.

use std::sync::mpsc::SyncSender;

/// One of the news.
#[derive(Debug, PartialEq)]
pub(crate) enum News {
    /// An entry, as JSON.
    Entry(String),
    /// Something about the connection, for people.
    Note(String),
    /// The connection is up, and what stands follows.
    Up,
    /// It is down, and is tried again.
    Down,
    /// Nothing but a sign of life.
    Alive,
    /// It was never up, and is not tried again.
    Failed(String),
}

/// Nobody listens any more.
pub(crate) struct NoListener;

/// Tells one of the news, as soon as there is room for it.
pub(crate) fn tell(news: &SyncSender<News>, what: News) -> Result<(), NoListener> {
    news.send(what).map_err(|_| NoListener)
}
