//! Where news come from: a thread that reads, and a bounded queue. When the connection of a reader is dead, another reader takes its place.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::chat::{self, Server};
use super::daemon::Follower;
use super::news::News;

/// How many news may wait. When it is full the reader waits, and heatd says later how much was missed.
const QUEUE: usize = 1024;

/// heatd gives a sign of life every ten seconds; after so long without one the connection is taken for dead.
const SILENCE: Duration = Duration::from_secs(35);

pub(crate) struct Source {
    news: Receiver<News>,
    origin: Origin,
    heard: Instant,
    connected: bool,
}

/// What can be started again.
enum Origin {
    Daemon(Follower),
    Chat,
}

/// What there is now.
pub(crate) enum Next {
    News(News),
    Nothing,
    /// There will be no more.
    End,
}

impl Source {
    pub(crate) fn daemon(mut follower: Follower) -> Result<Self> {
        let again = follower.again();
        let news = start(move |news| follower.run(news))?;
        Ok(Self { news, origin: Origin::Daemon(again), heard: Instant::now(), connected: true })
    }

    /// Chat looks after its own silence: it can ask the server.
    pub(crate) fn chat(server: Server, channel: String, once: bool) -> Result<Self> {
        let news = start(move |news| chat::run(&server, &channel, once, news))?;
        Ok(Self { news, origin: Origin::Chat, heard: Instant::now(), connected: false })
    }

    /// Whether there are rules, and so a heat.
    pub(crate) fn has_heat(&self) -> bool {
        matches!(self.origin, Origin::Daemon(_))
    }

    /// The next of the news; waits at most this long.
    pub(crate) fn next(&mut self, wait: Duration) -> Result<Next> {
        match self.news.recv_timeout(wait) {
            Ok(news) => {
                self.heard = Instant::now();
                match news {
                    News::Up => self.connected = true,
                    News::Down => self.connected = false,
                    _ => {}
                }
                Ok(Next::News(news))
            }
            Err(RecvTimeoutError::Disconnected) => Ok(Next::End),
            Err(RecvTimeoutError::Timeout) => self.look_for_silence(),
        }
    }

    fn look_for_silence(&mut self) -> Result<Next> {
        let Origin::Daemon(follower) = &self.origin else { return Ok(Next::Nothing) };
        if !self.connected || self.heard.elapsed() < SILENCE {
            return Ok(Next::Nothing);
        }
        // The old reader ends when its connection does: nobody listens to it any more.
        let mut again = follower.again();
        self.news = start(move |news| again.run(news))?;
        self.heard = Instant::now();
        Ok(Next::News(News::Note("heatd no longer answers; connecting again".to_owned())))
    }
}

fn start(read: impl FnOnce(&SyncSender<News>) + Send + 'static) -> Result<Receiver<News>> {
    let (sender, news) = sync_channel(QUEUE);
    let reader = thread::Builder::new().name("news".to_owned());
    reader.spawn(move || read(&sender)).context("failed to start a thread")?;
    Ok(news)
}
