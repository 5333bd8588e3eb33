//! Follows heatd's feed, and comes back when heatd does.

use std::sync::mpsc::SyncSender;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::news::{News, NoListener, tell};
use crate::api::feed::{Feed, FeedEvent};
use crate::api::{Api, Failure};
use crate::backoff::{Backoff, LASTING};
use crate::find::{Environment, Missing, Place};

/// heatd is on this machine, or near: it is worth a try often.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

pub(crate) struct Follower {
    place: Place,
    channel: Option<String>,
    /// How many of the last lines come first.
    last: u16,
    once: bool,
    /// The connection that is open already.
    feed: Option<Feed>,
}

impl Follower {
    pub(crate) fn new(
        place: Place,
        channel: Option<String>,
        last: u16,
        once: bool,
        feed: Feed,
    ) -> Self {
        Self { place, channel, last, once, feed: Some(feed) }
    }

    /// One that has to connect first.
    pub(crate) fn again(&self) -> Self {
        let (place, channel) = (self.place.clone(), self.channel.clone());
        Self { place, channel, last: self.last, once: self.once, feed: None }
    }

    /// Until nobody listens, or once.
    pub(crate) fn run(&mut self, news: &SyncSender<News>) {
        // Nobody listens: there is nothing left to do.
        let _ = self.follow(news);
    }

    fn follow(&mut self, news: &SyncSender<News>) -> Result<(), NoListener> {
        let mut backoff = Backoff::up_to(LONGEST_WAIT);
        // What was said last of why there is no connection.
        let mut told = None;
        loop {
            let opened = match self.feed.take() {
                Some(feed) => Ok(feed),
                None => self.open(),
            };
            let (reason, absent) = match opened {
                Ok(feed) => {
                    tell(news, News::Up)?;
                    if told.take().is_some() {
                        tell(news, News::Note("heatd is back".to_owned()))?;
                    }
                    let start = Instant::now();
                    let reason = pass_on(feed, news)?;
                    if start.elapsed() >= LASTING {
                        backoff.reset();
                    }
                    (reason, false)
                }
                Err(reason) => reason,
            };
            tell(news, News::Down)?;
            if self.once {
                return Ok(());
            }
            // That it is not there yet is said once, and so is what is wrong with it.
            if told.is_none() || !absent && told.as_ref() != Some(&reason) {
                tell(news, News::Note(format!("{reason}; waiting until it is back")))?;
                told = Some(reason);
            }
            sleep(backoff.next());
        }
    }

    /// Address and token are looked up again: both may have changed with heatd. An error says why not, and whether that is because
    /// there is none.
    fn open(&self) -> Result<Feed, (String, bool)> {
        let found = self.place.find(&Environment::of_this_process());
        let daemon = found
            .map_err(|missing| (missing.to_string(), matches!(missing, Missing::Nowhere(_))))?;
        Api::new(daemon)
            .watch(self.channel.as_deref(), self.last)
            .map_err(|failure| (failure.to_string(), matches!(failure, Failure::Unreachable(_))))
    }
}

/// Passes on what comes, and says why no more does.
fn pass_on(mut feed: Feed, news: &SyncSender<News>) -> Result<String, NoListener> {
    loop {
        match feed.next() {
            Ok(Some(FeedEvent::Entry(json))) => tell(news, News::Entry(json))?,
            Ok(Some(FeedEvent::Alive)) => tell(news, News::Alive)?,
            Ok(None) => return Ok("heatd has stopped".to_owned()),
            Err(error) => return Ok(format!("the connection to heatd is lost: {error}")),
        }
    }
}
