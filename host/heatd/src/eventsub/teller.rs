//! What is done with each notification: an event for the engine, words of a stream, lines that are gone; and what became of it, for the raw log.

use std::sync::Arc;

use heat_engine::wit::{Event, Happening};
use tokio::sync::mpsc;

use super::decode::{Decoded, told};
use super::frame::Notification;
use super::wanted::ChannelIds;
use crate::clock::now;
use crate::emotes::Emotes;
use crate::facts::{FactVerdict, Facts, LiveWords};
use crate::metrics::{Interface, Metrics};
use crate::queue::Input;
use crate::view::raw_log::{Became, RawKind, RawLog};
use crate::view::removals::{Removal, Removals};

/// Twitch repeats a notification for at most so long, in milliseconds; what is older is a replay by somebody else.
const OLDEST: u64 = 600_000;

/// Where notifications go.
pub(crate) struct Teller {
    pub(crate) inputs: mpsc::Sender<Input>,
    pub(crate) facts: Arc<Facts>,
    pub(crate) words: Arc<LiveWords>,
    pub(crate) removals: Arc<Removals>,
    /// Emotes of other providers; none if no provider is asked.
    pub(crate) emotes: Option<Arc<Emotes>>,
    pub(crate) metrics: Metrics,
    pub(crate) raw_log: RawLog,
}

/// heatd is shutting down.
#[derive(Debug)]
pub(super) struct EngineGone;

impl Teller {
    /// Takes a notification. `newest` is the time of the newest one, as the server tells it: heatd's own clock may be wrong.
    pub(super) async fn take(
        &self,
        text: &str,
        notification: &Notification,
        rooms: &ChannelIds,
        newest: &mut u64,
    ) -> Result<(), EngineGone> {
        self.metrics.eventsub_notification();
        let at = notification.at.unwrap_or(*newest);
        *newest = at.max(*newest);
        if at + OLDEST < *newest {
            let became = Became::Dropped("it is older than ten minutes".to_owned());
            self.raw_log.note(RawKind::EventSub, None, text, became);
            return Ok(());
        }
        let told = told(notification);
        let id = match &told {
            Decoded::Event { channel, .. }
            | Decoded::Deleted { channel, .. }
            | Decoded::Title { channel, .. } => Some(channel),
            Decoded::Passed(_) | Decoded::Unknown => None,
        };
        let channel = id.and_then(|id| rooms.get(id)).map(String::as_str);
        let (channel, became) = match (told, channel) {
            (Decoded::Passed(why), _) => (None, Became::Dropped(why.to_owned())),
            (Decoded::Unknown, _) => {
                let what = format!("{} of version {}", notification.kind, notification.version);
                self.metrics.unrecognized().note(Interface::TwitchEventSub, &what, text);
                (None, Became::Dropped("heatd does not know it".to_owned()))
            }
            (_, None) => (None, Became::Dropped("no channel that is read has this id".to_owned())),
            (Decoded::Event { id, what, only_here, .. }, Some(channel)) => {
                let event = Event { id, channel: channel.to_owned(), at, what: *what };
                (Some(channel), self.event(event, only_here).await?)
            }
            (Decoded::Title { title, category, .. }, Some(channel)) => {
                self.title(channel, title, category).await?;
                (Some(channel), Became::Used("title and category of the stream"))
            }
            (Decoded::Deleted { message, person, .. }, Some(channel)) => {
                let removal = match (message, person) {
                    (Some(message), _) => Removal::Line(message),
                    (None, Some(person)) => Removal::Person(person),
                    (None, None) => Removal::All,
                };
                self.removals.note(now(), channel, removal);
                (Some(channel), Became::Used("lines that moderators have removed"))
            }
        };
        self.raw_log.note(RawKind::EventSub, channel, text, became);
        Ok(())
    }

    async fn event(&self, mut event: Event, only_here: bool) -> Result<Became, EngineGone> {
        let is_live = match event.what {
            Happening::StreamStart => Some(true),
            Happening::StreamEnd => Some(false),
            _ => None,
        };
        if is_live.is_some_and(|is_live| !self.words.happens(now(), &event.channel, is_live)) {
            return Ok(Became::Dropped("Twitch has said so before".to_owned()));
        }
        if let Some(emotes) = &self.emotes {
            emotes.add_to(&mut event);
        }
        let now = now();
        let verdict = match only_here {
            true => FactVerdict::Pass(Box::new(event)),
            false => self.facts.of_eventsub(now, event),
        };
        match verdict {
            FactVerdict::Pass(event) => {
                let id = event.id.clone();
                self.send(Input::event(now, *event)).await?;
                Ok(Became::Events(vec![id]))
            }
            FactVerdict::Told => Ok(Became::Dropped("chat has told it".to_owned())),
            FactVerdict::Kept => {
                Ok(Became::Dropped("chat tells it; kept in case that chat is lost".to_owned()))
            }
        }
    }

    async fn title(
        &self,
        channel: &str,
        title: String,
        category: String,
    ) -> Result<(), EngineGone> {
        let channel = channel.to_owned();
        let task = Input::task("stream.title", move |access| {
            access.engine.show_of_stream(&channel, "title", Some(title));
            access.engine.show_of_stream(&channel, "category", Some(category));
            Ok(())
        });
        self.send(task).await
    }

    async fn send(&self, input: Input) -> Result<(), EngineGone> {
        self.inputs.send(input).await.map_err(|_| EngineGone)
    }
}
