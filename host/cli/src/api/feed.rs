//! The feed of heatd: what happens there, as server-sent events.

use std::io::{self, BufRead, BufReader, Read};

/// Server-sent events, as they come.
pub(crate) struct Feed(BufReader<Box<dyn Read + Send + Sync>>);

/// What comes over a feed.
#[derive(Debug, PartialEq)]
pub(crate) enum FeedEvent {
    /// One entry as JSON.
    Entry(String),
    /// Nothing but a sign of life.
    Alive,
}

impl Feed {
    pub(crate) fn new(source: Box<dyn Read + Send + Sync>) -> Self {
        Self(BufReader::new(source))
    }

    /// The next event; none when heatd has ended the feed.
    pub(crate) fn next(&mut self) -> io::Result<Option<FeedEvent>> {
        next_event(&mut self.0)
    }
}

/// WHATWG HTML, server-sent events, as far as heatd uses them: one line of data for each event.
fn next_event(source: &mut impl BufRead) -> io::Result<Option<FeedEvent>> {
    let mut line = String::new();
    loop {
        line.clear();
        if source.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if let Some(data) = line.strip_prefix("data:") {
            return Ok(Some(FeedEvent::Entry(data.trim().to_owned())));
        }
        if line.starts_with(':') {
            return Ok(Some(FeedEvent::Alive));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_signs_of_life_are_told_apart() {
        let mut feed = "data: {\"kind\":\"chat\"}\n\n:\n\ndata: {}\r\n\r\n".as_bytes();
        let mut next = || next_event(&mut feed).unwrap();
        assert_eq!(next(), Some(FeedEvent::Entry("{\"kind\":\"chat\"}".to_owned())));
        assert_eq!(next(), Some(FeedEvent::Alive));
        assert_eq!(next(), Some(FeedEvent::Entry("{}".to_owned())));
        assert_eq!(next(), None);
    }
}
