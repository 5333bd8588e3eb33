//! What one account hears: a session, kept over Twitch's reconnects, made again after everything else, for as long as the login is good.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use super::close::{Again, answer};
use super::ear::Ear;
use super::frame::{Frame, WelcomedSession, read};
use super::hearing::HearingState;
use super::socket::{EventSocket, Heard};
use super::subscriber::{EventSubscriber, Subscribed};
use super::wanted::{ChannelIds, WantedType, wanted};
use crate::backoff::{Backoff, LASTING};
use crate::config::AccountConfig;
use crate::metrics::Interface;
use crate::shutdown::Shutdown;
use crate::view::raw_log::{Became, RawKind};

/// For how long Twitch lets a connection live that it has asked to be replaced, and how often the new one is tried.
const GRACE: Duration = Duration::from_secs(30);
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// For how long the connection before is read after the new one has welcomed: what was under way arrives.
const DRAIN: Duration = Duration::from_secs(2);

/// How often it is looked at whether something is to be heard that is not.
const LOOK: Duration = Duration::from_secs(60);

type NextSocket =
    Pin<Box<dyn Future<Output = Result<(EventSocket, WelcomedSession), String>> + Send>>;

/// Why a session has ended.
enum SessionEnd {
    Closed(Option<u16>),
    Broken(String),
    Silent,
    /// The login is not good any more, or there is nothing to hear.
    Unwanted,
    NobodyListens,
}

/// Listens for one account until the shutdown.
pub(super) struct EventListener {
    pub(super) ear: Arc<Ear>,
    pub(super) config: AccountConfig,
}

impl EventListener {
    pub(super) async fn run(self, mut shutdown: Shutdown) {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(120));
        let mut changed = self.ear.accounts.watch();
        loop {
            changed.borrow_and_update();
            let listening = async {
                match self.is_able() {
                    true => Some(self.session().await),
                    false => None,
                }
            };
            let ended = tokio::select! {
                ended = listening => ended,
                () = shutdown.begun() => return,
            };
            let wait = match ended {
                None | Some((SessionEnd::Unwanted, _)) => None,
                Some((SessionEnd::NobodyListens, _)) => return,
                Some((ended, lasted)) => {
                    if lasted {
                        backoff.reset();
                    }
                    Some(self.tell(&ended, lasted, &mut backoff))
                }
            };
            tokio::select! {
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
                _ = changed.changed(), if wait.is_none() => {}
                () = shutdown.begun() => return,
            }
        }
    }

    /// Says why a session has ended, and how long to wait.
    fn tell(&self, ended: &SessionEnd, lasted: bool, backoff: &mut Backoff) -> Duration {
        let (why, again) = match ended {
            SessionEnd::Closed(code) => {
                let (why, again) = answer(*code);
                (code.map_or(why.to_owned(), |code| format!("{why} ({code})")), again)
            }
            SessionEnd::Broken(why) => (why.clone(), Again::Later),
            _ => ("Twitch has fallen silent".to_owned(), Again::AtOnce),
        };
        let wait = match again {
            Again::AtOnce if lasted => Duration::ZERO,
            _ => backoff.next(fastrand::f64()),
        };
        let (account, wait_ms) = (&self.config.login, wait.as_millis() as u64);
        warn!(account, why, wait_ms, "EventSub is not heard; what happens meanwhile is missed");
        self.ear.hearing.change(account, |state| {
            state.connected = false;
            state.hears.clear();
            state.problem = Some(why);
        });
        wait
    }

    /// Whether the login covers anything that is to be heard.
    fn is_able(&self) -> bool {
        // The channels do not matter for that.
        let rooms = ChannelIds::from([(String::new(), String::new())]);
        !self.wanted(&rooms).is_empty()
    }

    fn wanted(&self, rooms: &ChannelIds) -> Vec<WantedType> {
        let accounts = &self.ear.accounts;
        let able = accounts.able().into_iter().find(|(config, _)| *config == self.config);
        let (Some((_, covered)), Some(id)) = (able, accounts.user_id(&self.config.login)) else {
            return Vec::new();
        };
        wanted(&self.config, &covered, &id, rooms)
    }

    /// One session, from its welcome to its end. Returns whether it was useful.
    async fn session(&self) -> (SessionEnd, bool) {
        let (address, tls) = (self.ear.address.clone(), self.ear.tls.clone());
        let (socket, session) = match EventSocket::open(address, tls).await {
            Ok(opened) => opened,
            Err(why) => return (SessionEnd::Broken(why), false),
        };
        let begun = Instant::now();
        let mut hearing = SessionHearing::new(self, socket, session);
        let ended = hearing.listen().await;
        hearing.tasks.shutdown().await;
        if matches!(ended, SessionEnd::Unwanted) {
            self.ear.hearing.change(&self.config.login, |state| {
                *state = HearingState::default();
            });
        }
        (ended, begun.elapsed() >= LASTING)
    }
}

/// What subscribing has come to.
enum Step {
    /// Which channels there are. Until then nothing of theirs could be passed on, so it comes first.
    Channels(ChannelIds),
    Subscribed(Subscribed),
}

/// What a session hears, and what it is about to.
struct SessionHearing<'a> {
    listener: &'a EventListener,
    /// None: it has closed, and the next one is on its way.
    current: Option<EventSocket>,
    /// The connection before, until it is drained.
    before: Option<(EventSocket, Instant)>,
    /// The one that Twitch has asked for: its address, when the present one ends, and the attempt that is being made.
    next: Option<(Uri, Instant, NextSocket)>,
    session: String,
    heard: Vec<WantedType>,
    rooms: ChannelIds,
    newest: u64,
    /// Subscribing, while frames are read.
    tasks: JoinSet<Step>,
}

impl<'a> SessionHearing<'a> {
    fn new(listener: &'a EventListener, socket: EventSocket, session: WelcomedSession) -> Self {
        Self {
            listener,
            current: Some(socket),
            before: None,
            next: None,
            session: session.id,
            heard: Vec::new(),
            rooms: ChannelIds::new(),
            newest: session.at.unwrap_or_default(),
            tasks: JoinSet::new(),
        }
    }

    async fn listen(&mut self) -> SessionEnd {
        let mut changed = self.listener.ear.accounts.watch();
        changed.borrow_and_update();
        self.find_channels();
        let mut look = Instant::now() + LOOK;
        loop {
            let silent = self.current.as_ref().map(EventSocket::silent_at);
            let drained = self.before.as_ref().map(|(_, until)| *until);
            let grace = self.next.as_ref().filter(|_| self.current.is_none()).map(|next| next.1);
            let now = Instant::now();
            let ended = tokio::select! {
                heard = next_of(self.current.as_mut()) => self.hear(heard).await,
                heard = next_of(self.before.as_mut().map(|(socket, _)| socket)) => {
                    match heard {
                        Heard::Text(text) => self.take(&text).await,
                        _ => {
                            self.before = None;
                            Ok(())
                        }
                    }
                }
                opened = opened(self.next.as_mut()) => self.replace(opened).await,
                Some(done) = self.tasks.join_next() => match done {
                    Ok(Step::Channels(rooms)) => {
                        self.subscribe(rooms);
                        Ok(())
                    }
                    Ok(Step::Subscribed(done)) => self.subscribed(done),
                    Err(_) => Ok(()),
                },
                () = sleep_until(silent.unwrap_or(now)), if silent.is_some() => Err(SessionEnd::Silent),
                () = sleep_until(grace.unwrap_or(now)), if grace.is_some() => Err(SessionEnd::Closed(Some(4004))),
                () = sleep_until(drained.unwrap_or(now)), if drained.is_some() => {
                    self.before = None;
                    Ok(())
                }
                () = sleep_until(look) => {
                    look = Instant::now() + LOOK;
                    self.look()
                }
                told = changed.changed() => match told {
                    Ok(()) => self.look(),
                    Err(_) => Err(SessionEnd::NobodyListens),
                },
            };
            if let Err(ended) = ended {
                return ended;
            }
        }
    }

    /// Looks whether the login is still good, and whether something is to be heard that is not.
    fn look(&mut self) -> Result<(), SessionEnd> {
        if !self.listener.is_able() {
            return Err(SessionEnd::Unwanted);
        }
        if self.tasks.is_empty() {
            self.find_channels();
        }
        Ok(())
    }

    /// Finds out which channels there are, beside the reading of frames; then comes subscribing.
    fn find_channels(&mut self) {
        self.listener.ear.former.note(&self.session);
        let (ear, config) = (Arc::clone(&self.listener.ear), self.listener.config.clone());
        let listener = EventListener { ear, config };
        self.tasks.spawn(async move { Step::Channels(listener.rooms().await) });
    }

    /// Subscribes to what is wanted of these channels and not heard yet.
    fn subscribe(&mut self, rooms: ChannelIds) {
        // Where Twitch could not be asked, what was known stays.
        if !rooms.is_empty() {
            self.rooms = rooms;
        }
        self.rooms.values().for_each(|channel| self.listener.ear.hear(channel));
        let mut wanted = self.listener.wanted(&self.rooms);
        wanted.retain(|it| !self.heard.contains(it));
        if wanted.is_empty() {
            return;
        }
        let (ear, account) = (Arc::clone(&self.listener.ear), self.listener.config.login.clone());
        let session = self.session.clone();
        self.tasks.spawn(async move {
            let (helix, former) = (&ear.helix, &ear.former);
            let (account, session) = (account.as_str(), session.as_str());
            let subscriber = EventSubscriber { helix, former, account, session };
            Step::Subscribed(subscriber.subscribe(wanted).await)
        });
    }

    fn subscribed(&mut self, done: Subscribed) -> Result<(), SessionEnd> {
        let (account, ear) = (&self.listener.config.login, &self.listener.ear);
        let is_first = self.heard.is_empty();
        for (wanted, why) in &done.refused {
            let kind = wanted.kind;
            let is_known =
                ear.hearing.of(account).is_some_and(|it| it.refused.get(kind) == Some(why));
            if !is_known {
                warn!(
                    account,
                    kind, why, "Twitch does not let heatd hear this; it is asked for again"
                );
            }
        }
        self.heard.extend(done.heard);
        if is_first && !self.heard.is_empty() {
            info!(account, types = self.heard.len(), "EventSub is heard");
        }
        let heard = &self.heard;
        ear.hearing.change(account, |state| {
            state.connected = !heard.is_empty();
            state.hears = heard.iter().map(|it| it.kind).collect();
            state.refused =
                done.refused.into_iter().map(|(wanted, why)| (wanted.kind, why)).collect();
            state.problem = None;
        });
        if done.is_logged_out { Err(SessionEnd::Unwanted) } else { Ok(()) }
    }

    async fn hear(&mut self, heard: Heard) -> Result<(), SessionEnd> {
        match heard {
            Heard::Text(text) => self.take(&text).await,
            // It was to end: the new one is on its way.
            Heard::Closed(_) | Heard::Broken(_) if self.next.is_some() => {
                self.current = None;
                Ok(())
            }
            Heard::Closed(code) => Err(SessionEnd::Closed(code)),
            Heard::Broken(why) => Err(SessionEnd::Broken(why)),
        }
    }

    async fn take(&mut self, text: &str) -> Result<(), SessionEnd> {
        let ear = &self.listener.ear;
        let used = |became| ear.teller.raw_log.note(RawKind::EventSub, None, text, became);
        match read(text) {
            Frame::Notification(told) => {
                let taken = ear.teller.take(text, &told, &self.rooms, &mut self.newest).await;
                return taken.map_err(|_| SessionEnd::NobodyListens);
            }
            Frame::Keepalive => used(Became::Used("a sign of life")),
            Frame::Welcome(_) => used(Became::Used("a welcome")),
            Frame::Reconnect(address) => {
                used(Became::Used("the address of the next connection"));
                self.move_to(&address);
            }
            Frame::Revocation { kind, channel, why } => {
                used(Became::Used("the end of a subscription"));
                self.revoked(&kind, &channel, why);
            }
            Frame::Unknown(what) => {
                ear.teller.metrics.unrecognized().note(Interface::TwitchEventSub, &what, text);
                used(Became::Dropped("heatd does not know it".to_owned()));
            }
        }
        Ok(())
    }

    /// Twitch will end this connection: another one is made, at the address as it is, and only then is this one given up.
    fn move_to(&mut self, address: &str) {
        let account = &self.listener.config.login;
        match address.parse::<Uri>() {
            Ok(address) => {
                info!(account, "EventSub asks to move to another connection");
                let opening = self.open(&address, Duration::ZERO);
                self.next = Some((address, Instant::now() + GRACE, opening));
            }
            // The connection ends, and a new session is made.
            Err(error) => {
                warn!(account, %error, "EventSub names a next connection without an address");
            }
        }
    }

    fn open(&self, address: &Uri, wait: Duration) -> NextSocket {
        let (address, tls) = (address.clone(), self.listener.ear.tls.clone());
        Box::pin(async move {
            sleep(wait).await;
            EventSocket::open(address, tls).await
        })
    }

    async fn replace(
        &mut self,
        opened: Result<(EventSocket, WelcomedSession), String>,
    ) -> Result<(), SessionEnd> {
        let Some((address, until, _)) = self.next.take() else { return Ok(()) };
        match opened {
            Ok((socket, session)) => {
                // The subscriptions are there already.
                let before = self.current.replace(socket);
                self.before = before.map(|socket| (socket, Instant::now() + DRAIN));
                self.session = session.id;
                self.listener.ear.former.note(&self.session);
                info!(
                    account = self.listener.config.login,
                    "EventSub has moved to another connection"
                );
            }
            Err(why) if Instant::now() + TRY_AGAIN < until => {
                warn!(
                    account = self.listener.config.login,
                    why, "EventSub's next connection fails; it is tried again"
                );
                let opening = self.open(&address, TRY_AGAIN);
                self.next = Some((address, until, opening));
            }
            Err(why) if self.current.is_none() => return Err(SessionEnd::Broken(why)),
            // Twitch will close the present one, and a new session is made.
            Err(_) => {}
        }
        Ok(())
    }

    /// A subscription has ended at Twitch. It is asked for again with the next look; where the login was revoked, that finds out.
    fn revoked(&mut self, kind: &str, channel: &str, why: String) {
        let account = &self.listener.config.login;
        warn!(account, kind, why, "Twitch has ended what heatd hears");
        let Some(known) = self.heard.iter().find(|it| it.kind == kind).map(|it| it.kind) else {
            return;
        };
        self.heard.retain(|it| it.kind != kind || it.channel != channel);
        let heard = &self.heard;
        self.listener.ear.hearing.change(account, |state| {
            state.connected = !heard.is_empty();
            state.hears = heard.iter().map(|it| it.kind).collect();
            state.refused.insert(known, why);
        });
    }
}

impl EventListener {
    /// The channels that the account hears of, by their ids: its own, or for a bot all that are read.
    async fn rooms(&self) -> ChannelIds {
        let login = &self.config.login;
        if !self.config.is_bot {
            let id = self.ear.accounts.user_id(login);
            return id.map(|id| (id, login.clone())).into_iter().collect();
        }
        let channels = self.ear.channels();
        match self.ear.helix.people(login, &channels).await {
            Ok(people) => people.into_iter().map(|it| (it.id, it.login)).collect(),
            Err(error) => {
                warn!(account = login, %error, "Twitch does not say which channels there are");
                ChannelIds::new()
            }
        }
    }
}

/// The next text of a socket; never, where there is none.
async fn next_of(socket: Option<&mut EventSocket>) -> Heard {
    match socket {
        Some(socket) => socket.next().await,
        None => std::future::pending().await,
    }
}

/// Resolves when the next connection is open, or has failed; never, where none is wanted.
async fn opened(
    next: Option<&mut (Uri, Instant, NextSocket)>,
) -> Result<(EventSocket, WelcomedSession), String> {
    match next {
        Some((_, _, opening)) => opening.await,
        None => std::future::pending().await,
    }
}
