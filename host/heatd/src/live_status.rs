//! Which streams are live, with title, category and viewers: Twitch is asked once a minute for all channels together, also for those of others.
//!
//! Facts: dev.twitch.tv/docs/api/reference, "Get Streams". EventSub tells the start and the end of an own channel's stream sooner; what Twitch has said by
//! either way is one word, and only a change of it is an event (`facts/live.rs`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use heat_engine::wit::{Event, Happening};
use tokio::sync::mpsc::error::SendError;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::clock::now;
use crate::facts::LiveWords;
use crate::helix::{Helix, HelixError, LiveStream};
use crate::queue::{EngineAccess, Input};
use crate::shutdown::Shutdown;
use crate::view::feed::States;
use crate::view::registry::ChannelRegistry;

/// How much of a title is shown, in characters. Twitch's have at most 140.
const LONGEST: usize = 200;

/// What the task needs.
pub(crate) struct LiveStatus {
    pub(crate) helix: Arc<Helix>,
    pub(crate) registry: Arc<ChannelRegistry>,
    /// How streams are for heatd.
    pub(crate) states: watch::Receiver<Arc<States>>,
    pub(crate) words: Arc<LiveWords>,
    pub(crate) inputs: mpsc::Sender<Input>,
    /// How often Twitch is asked.
    pub(crate) every: Duration,
}

impl LiveStatus {
    /// Asks until the shutdown, as long as an account is logged in.
    pub(crate) async fn run(self, mut shutdown: Shutdown) -> Result<()> {
        let mut changed = self.helix.accounts().watch();
        let mut is_troubled = false;
        loop {
            changed.borrow_and_update();
            let asking = async {
                let account = self.account()?;
                let channels: Vec<String> =
                    self.registry.names().iter().map(ToString::to_string).collect();
                Some((self.helix.streams(&account, &channels).await, channels))
            };
            let answer = tokio::select! {
                answer = asking => answer,
                () = shutdown.begun() => return Ok(()),
            };
            let mut wait = self.every;
            let is_asked = answer.is_some();
            match answer {
                Some((Ok(live), channels)) => {
                    is_troubled = false;
                    // heatd is shutting down.
                    if self.tell(&channels, &live).await.is_err() {
                        return Ok(());
                    }
                }
                Some((Err(error), _)) => {
                    if let HelixError::Busy(longer) = error {
                        wait = wait.max(longer);
                    }
                    match std::mem::replace(&mut is_troubled, true) {
                        false => {
                            warn!(%error, "Twitch does not say which streams are live; it is asked again");
                        }
                        true => debug!(%error, "Twitch does not say which streams are live"),
                    }
                }
                None => {}
            }
            tokio::select! {
                () = sleep(wait), if is_asked => {}
                _ = changed.changed(), if !is_asked => {}
                () = shutdown.begun() => return Ok(()),
            }
        }
    }

    /// Anybody who is logged in may ask.
    fn account(&self) -> Option<String> {
        self.helix.accounts().able().into_iter().next().map(|(config, _)| config.login)
    }

    async fn tell(&self, channels: &[String], live: &[LiveStream]) -> Result<(), SendError<Input>> {
        let live: HashMap<&str, &LiveStream> =
            live.iter().map(|it| (it.channel.as_str(), it)).collect();
        let mut shown = Vec::new();
        for channel in channels {
            let stream = live.get(channel.as_str()).copied();
            let started = stream.and_then(|it| {
                let at: jiff::Timestamp = it.started_at.parse().ok()?;
                u64::try_from(at.as_millisecond()).ok()
            });
            let known = self.states.borrow().get(channel.as_str()).copied();
            if self.words.is(now(), channel, stream.is_some(), started, known) {
                self.send(event(channel, stream.is_some(), started)).await?;
            }
            shown.push((channel.clone(), stream.cloned()));
        }
        let show = Input::task("stream.viewers", move |access| {
            shown.iter().for_each(|(channel, stream)| show(access, channel, stream.as_ref()));
            Ok(())
        });
        self.send(show).await
    }

    async fn send(&self, input: Input) -> Result<(), SendError<Input>> {
        self.inputs.send(input).await
    }
}

fn event(channel: &str, is_live: bool, started: Option<u64>) -> Input {
    let now = now();
    let what = if is_live { Happening::StreamStart } else { Happening::StreamEnd };
    let id = format!("stream:twitch:{channel}:{now}");
    let at = started.filter(|_| is_live).unwrap_or(now);
    Input::event(now, Event { id, channel: channel.to_owned(), at, what })
}

fn show(access: &mut EngineAccess<'_>, channel: &str, stream: Option<&LiveStream>) {
    let cut = |text: &String| text.chars().take(LONGEST).collect::<String>();
    let facts = [
        ("viewers", stream.map(|it| it.viewers.to_string())),
        ("title", stream.map(|it| cut(&it.title))),
        ("category", stream.map(|it| cut(&it.category))),
    ];
    for (name, text) in facts {
        access.engine.show_of_stream(channel, name, text);
    }
}
