//! One connection to Twitch chat: logs in, joins, reads, answers and sends pings.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use heat_engine::wit::Happening;
use tokio::io::{AsyncWriteExt, BufReader, ReadHalf, WriteHalf, split};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info, warn};
use twitch_irc::message::IRCMessage;

use super::assignments::Assignment;
use super::event::Reader;
use super::joins::Joins;
use super::lines::Lines;
use super::outages::Outages;
use super::pending_joins::PendingJoins;
use super::rooms::Rooms;
use super::shared::Chat;
use super::tags::{removal, room, tag};
use crate::backoff::LASTING;
use crate::clock::now;
use crate::queue::Input;
use crate::tls::{self, Socket};
use crate::view::raw_log::{Became, RawKind};

/// How long connecting and the handshake may take.
const CONNECT: Duration = Duration::from_secs(15);

/// Why a connection has ended.
pub(crate) enum Ended {
    /// Twitch will close the connection and asks to come back at once (dev.twitch.tv/docs/chat/irc, RECONNECT).
    Reconnect,
    Closed,
    /// The other side no longer answers, though the connection looks open.
    Silent,
    Failed(std::io::Error),
    /// No channel is wanted here any more.
    Unwanted,
    /// heatd is shutting down.
    NobodyListens,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reconnect => f.write_str("the server asks to reconnect"),
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Silent => f.write_str("the server no longer answers"),
            Self::Failed(error) => error.fmt(f),
            Self::Unwanted => f.write_str("no channel is wanted here any more"),
            Self::NobodyListens => f.write_str("heatd is shutting down"),
        }
    }
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}

pub(crate) struct Connection<'a> {
    chat: &'a Chat,
    joins: &'a Joins,
    share: &'a mut Assignment,
    /// The channels to read, as of the last change.
    wanted: BTreeSet<String>,
    /// Not yet joined on this connection.
    to_join: VecDeque<String>,
    awaited: PendingJoins,
    /// The channels that the server has confirmed.
    joined: BTreeSet<String>,
    /// When the server was heard last.
    heard: u64,
    /// Outlives the connections of the task.
    reader: &'a mut Reader,
    away: &'a mut Outages,
    welcomed: Option<Instant>,
    rooms: Rooms,
}

impl<'a> Connection<'a> {
    pub(crate) fn new(
        chat: &'a Chat,
        share: &'a mut Assignment,
        joins: &'a Joins,
        reader: &'a mut Reader,
        away: &'a mut Outages,
    ) -> Self {
        Self {
            chat,
            joins,
            share,
            wanted: BTreeSet::new(),
            to_join: VecDeque::new(),
            // A confirmation gets as much time as the answer to a PING.
            awaited: PendingJoins::new(Duration::from_millis(chat.twitch().ping)),
            joined: BTreeSet::new(),
            heard: now(),
            reader,
            away,
            welcomed: None,
            rooms: Rooms::default(),
        }
    }

    /// Whether the server has let us in.
    pub(crate) fn was_welcomed(&self) -> bool {
        self.welcomed.is_some()
    }

    /// Whether the connection was useful.
    pub(crate) fn lasted(&self) -> bool {
        self.welcomed.is_some_and(|at| at.elapsed() >= LASTING)
    }

    /// Runs until the connection ends, and says why.
    pub(crate) async fn run(&mut self) -> Ended {
        let ended = match self.talk().await {
            Ok(()) => Ended::Closed,
            Err(ended) => ended,
        };
        let from = match ended {
            // The server closed the connection in order, so every line that it sent has arrived.
            Ended::Closed | Ended::Reconnect => now(),
            _ => self.heard,
        };
        for channel in std::mem::take(&mut self.joined) {
            self.away.lost(&channel, from, &ended.to_string());
            self.chat.lost(&channel, from).await;
        }
        ended
    }

    async fn talk(&mut self) -> Result<(), Ended> {
        let socket = timeout(CONNECT, self.connect()).await.map_err(|_| Ended::Silent)??;
        let (read, mut write) = split(socket);
        // Twitch lets any nick of `justinfan` and digits read without a password. Random digits keep two connections apart.
        let nick = fastrand::u32(10_000..100_000_000);
        send(
            &mut write,
            &format!("CAP REQ :twitch.tv/tags twitch.tv/commands\r\nNICK justinfan{nick}\r\n"),
        )
        .await?;
        self.listen(BufReader::new(read), write).await
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Socket>> {
        let twitch = self.chat.twitch();
        tls::connect(&twitch.host, twitch.port, self.chat.tls.as_ref()).await
    }

    async fn listen(
        &mut self,
        mut read: BufReader<ReadHalf<Box<dyn Socket>>>,
        mut write: WriteHalf<Box<dyn Socket>>,
    ) -> Result<(), Ended> {
        let ping = Duration::from_millis(self.chat.twitch().ping);
        let mut lines = Lines::default();
        let mut heard = Instant::now();
        let mut asked = false;
        // This only fills `to_join`: nothing may be sent before the welcome.
        self.look(&mut write).await?;
        loop {
            let patience = if asked { ping * 2 } else { ping };
            let joining = self.welcomed.is_some() && !self.to_join.is_empty();
            tokio::select! {
                line = lines.next(&mut read) => {
                    let Some(line) = line? else { return Ok(()) };
                    (heard, asked) = (Instant::now(), false);
                    self.heard = now();
                    self.chat.metrics.bad_lines(lines.take_too_long());
                    self.take(&line, &mut write).await?;
                }
                () = self.share.changed() => self.look(&mut write).await?,
                () = self.joins.next(), if joining => self.join(&mut write).await?,
                () = sleep_until(self.awaited.next().unwrap_or(heard)), if self.awaited.next().is_some() => {
                    self.ask_again();
                }
                () = sleep_until(heard + patience) => {
                    if asked {
                        return Err(Ended::Silent);
                    }
                    asked = true;
                    send(&mut write, "PING :heatd\r\n").await?;
                }
            }
        }
    }

    /// Takes over a change of the wanted channels: queues joins of new ones, and leaves those that are no longer wanted.
    async fn look(&mut self, write: &mut WriteHalf<Box<dyn Socket>>) -> Result<(), Ended> {
        let wanted = self.share.look(self.away);
        for channel in self.wanted.difference(&wanted) {
            self.to_join.retain(|it| it != channel);
            self.awaited.forget(channel);
            self.away.forget(channel);
            self.chat.metrics.health().channel_unwanted(channel);
            if self.joined.remove(channel) {
                self.chat.lost(channel, now()).await;
                send(write, &format!("PART #{channel}\r\n")).await?;
                debug!(channel, "leaving");
            }
        }
        self.to_join.extend(wanted.difference(&self.wanted).cloned());
        self.wanted = wanted;
        if self.wanted.is_empty() { Err(Ended::Unwanted) } else { Ok(()) }
    }

    async fn join(&mut self, write: &mut WriteHalf<Box<dyn Socket>>) -> Result<(), Ended> {
        if let Some(channel) = self.to_join.pop_front() {
            send(write, &format!("JOIN #{channel}\r\n")).await?;
            self.awaited.asked(&channel, Instant::now());
            debug!(channel, "joining");
        }
        Ok(())
    }

    /// Queues joins that were not confirmed in time. Twitch does not answer for a channel that does not exist, and it may exist tomorrow.
    fn ask_again(&mut self) {
        while let Some((channel, asked)) = self.awaited.overdue(Instant::now()) {
            warn!(
                channel,
                "Twitch does not confirm the channel; is its name right? It is asked for again"
            );
            self.chat.metrics.health().channel_unconfirmed(&channel, asked.into_std());
            self.to_join.push_back(channel);
        }
    }

    async fn confirmed(&mut self, channel: &str) -> Result<(), Ended> {
        if !self.awaited.confirmed(channel) {
            return Ok(());
        }
        self.joined.insert(channel.to_owned());
        self.chat.heard(channel);
        debug!(channel, "joined");
        match self.away.heard(channel) {
            Some(since) => {
                self.chat.note_gap(channel, since).await.map_err(|_| Ended::NobodyListens)
            }
            None => Ok(()),
        }
    }

    /// The server has removed us from a channel, or has closed it. heatd joins it again later.
    async fn put_out(&mut self, channel: &str, why: &str) {
        if self.joined.remove(channel) {
            warn!(channel, why, "chat no longer sends a channel; it is asked for again");
            self.chat.lost(channel, now()).await;
            self.away.lost(channel, now(), why);
            self.awaited.asked(channel, Instant::now());
        }
    }

    async fn take(
        &mut self,
        line: &str,
        write: &mut WriteHalf<Box<dyn Socket>>,
    ) -> Result<(), Ended> {
        if line.trim().is_empty() {
            return Ok(());
        }
        let message = match IRCMessage::parse(line) {
            Ok(message) => message,
            Err(error) => {
                self.chat.metrics.bad_lines(1);
                debug!(%error, "a line that is no IRC message is left out");
                return Ok(());
            }
        };
        match message.command.as_str() {
            "PING" => {
                let word = message.params.first().map_or("tmi.twitch.tv", String::as_str);
                send(write, &format!("PONG :{word}\r\n")).await?;
            }
            "001" => {
                self.welcomed = Some(Instant::now());
                self.chat.metrics.chat_connected(true);
                info!(
                    server = self.chat.twitch().host,
                    channels = self.to_join.len(),
                    "chat connected"
                );
            }
            "JOIN" => self.confirmed(channel_of(&message)).await?,
            "PART" => {
                self.put_out(channel_of(&message), "the server put us out of the channel").await;
            }
            "RECONNECT" => return Err(Ended::Reconnect),
            "NOTICE" => self.notice(&message).await,
            "CLEARCHAT" | "CLEARMSG" => self.removed(&message),
            _ => return self.pass_on(line, &message).await,
        }
        let became = Became::Used("the connection to chat");
        self.chat.raw_log.note(RawKind::Irc, channel_named(&message), line, became);
        Ok(())
    }

    /// Moderators have removed lines.
    fn removed(&self, message: &IRCMessage) {
        if let (Some(channel), Some(removal)) = (channel_named(message), removal(message)) {
            self.chat.removals.note(now(), channel, removal);
        }
    }

    /// A notice by Twitch about a channel, such as that it is suspended.
    async fn notice(&mut self, message: &IRCMessage) {
        let channel = channel_of(message);
        let text = message.params.get(1).map_or("", String::as_str);
        warn!(channel, text, "notice from chat");
        if matches!(tag(message, "msg-id"), Some("msg_channel_suspended" | "tos_ban")) {
            self.put_out(channel, "the channel is suspended").await;
        }
    }

    /// Passes the events of a line on. It waits while the engine's queue is full; Twitch buffers the lines meanwhile.
    async fn pass_on(&mut self, line: &str, message: &IRCMessage) -> Result<(), Ended> {
        let now = now();
        // Before the line: it may be the first of a channel under another name.
        if let Some(news) = self.rooms.news(message) {
            self.chat.inputs.send(news).await.map_err(|_| Ended::NobodyListens)?;
        }
        if let (Some(id), Some(colour)) = (tag(message, "user-id"), tag(message, "color")) {
            self.chat.colours.note(id, colour);
        }
        let mut events = self.reader.events(message, now);
        if let Some(emotes) = &self.chat.emotes {
            if let Some((channel, id)) = room(message) {
                emotes.note_room(channel, id);
            }
            events.iter_mut().for_each(|event| emotes.add_to(event));
        }
        // The words of a resubscription are one, too.
        if events.iter().any(|event| matches!(event.what, Happening::Chat(_))) {
            self.chat.metrics.chat_line(now);
        }
        let count = events.len();
        events.retain(|event| self.chat.facts.of_chat(now, event));
        let became = match (count, events.len()) {
            (0, _) => Became::Dropped("it tells rules nothing".to_owned()),
            (_, 0) => Became::Dropped("EventSub has told it".to_owned()),
            _ => Became::Events(events.iter().map(|event| event.id.clone()).collect()),
        };
        self.chat.raw_log.note(RawKind::Irc, channel_named(message), line, became);
        for event in events {
            let sent = self.chat.inputs.send(Input::event(now, event)).await;
            sent.map_err(|_| Ended::NobodyListens)?;
        }
        Ok(())
    }
}

/// The channel that a message is about; empty when it is about none.
fn channel_of(message: &IRCMessage) -> &str {
    channel_named(message).unwrap_or_default()
}

fn channel_named(message: &IRCMessage) -> Option<&str> {
    message.params.first().and_then(|it| it.strip_prefix('#'))
}

async fn send(write: &mut WriteHalf<Box<dyn Socket>>, text: &str) -> std::io::Result<()> {
    write.write_all(text.as_bytes()).await?;
    write.flush().await
}
