//! Listens to 7TV's events (a WebSocket), which push changes of sets at once. This is only a faster way: what is missed here is in the next
//! query, and after each lost connection the sets are queried.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::Uri;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::rustls::ClientConfig;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tracing::{debug, info, warn};

use super::shapes::{EmoteName, NamedEmote, Subject, can_be_typed};
use crate::backoff::{Backoff, LASTING};
use crate::metrics::{Interface, Unrecognized};
use crate::web::AGENT;
use crate::web::dial::{Socket, dial};

/// How long connecting, and the first word of the server, may take.
const WELCOME: Duration = Duration::from_secs(20);

/// After this many missed heartbeats the connection counts as dead.
const MISSED: u32 = 3;

/// The longest message: one that fills a whole set at once.
const LARGEST: usize = 4 << 20;

/// What was pushed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Push {
    /// A set has changed.
    Set { set: String, steps: Vec<PushStep> },
    /// A user has another set.
    User(String),
    /// The connection broke: nobody knows what was missed.
    Missed,
}

/// A change of a set.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PushStep {
    Added(EmoteName),
    Removed(EmoteName),
    /// Something that cannot be read.
    Unclear,
}

impl Push {
    /// The steps that change the set of this subject.
    pub(super) fn steps(&self, subject: &Subject) -> &[PushStep] {
        match self {
            Self::Set { set, steps } if *set == subject.set => steps,
            Self::User(user) if Some(user) == subject.user.as_ref() => &[PushStep::Unclear],
            Self::Missed => &[PushStep::Unclear],
            Self::Set { .. } | Self::User(_) => &[],
        }
    }
}

/// What the server says.
#[derive(Debug, PartialEq, Eq)]
enum ServerMessage {
    /// The first message: heartbeats come at this interval.
    Hello(Duration),
    /// The server asks to reconnect.
    Reconnect,
    /// The server reports an error.
    Complaint(String),
    Pushed(Push),
    /// Something that heatd does not know how to read.
    Unknown(&'static str),
    /// A heartbeat, or a message of no interest.
    Nothing,
}

/// The subscriptions: kind of event, and id of the object.
type PushTopics = BTreeSet<(&'static str, String)>;

/// Keeps a connection while there is anything to subscribe to.
pub(super) async fn run(
    address: Uri,
    tls: Option<Arc<ClientConfig>>,
    mut subjects: watch::Receiver<Vec<Subject>>,
    pushes: mpsc::Sender<Push>,
    unrecognized: Unrecognized,
) {
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(300));
    let mut is_first = true;
    // Nobody wants to hear any more when the other end is gone.
    while subjects.wait_for(|subjects| !subjects.is_empty()).await.is_ok() {
        let begun = Instant::now();
        let mut listener = Listener {
            subjects: subjects.clone(),
            pushes: &pushes,
            topics: PushTopics::new(),
            unrecognized: &unrecognized,
        };
        let ended = match timeout(WELCOME, connect(&address, tls.as_ref())).await {
            Ok(Ok(socket)) => listener.listen(socket, &mut is_first).await,
            Ok(Err(problem)) => Err(problem),
            Err(_) => Err("the server does not answer".to_owned()),
        };
        if begun.elapsed() >= LASTING {
            backoff.reset();
        }
        let wait = backoff.next(fastrand::f64());
        let wait_ms = wait.as_millis() as u64;
        match ended {
            // It does so every hour.
            Ok(()) => debug!(wait_ms, "7TV's events ask to reconnect"),
            Err(problem) => {
                warn!(%address, problem, wait_ms, "7TV's events are not heard; sets are asked for all the same");
            }
        }
        sleep(wait).await;
    }
}

async fn connect(
    address: &Uri,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<WebSocketStream<Box<dyn Socket>>, String> {
    let socket = dial(address, tls).await.map_err(|error| error.to_string())?;
    let request = ClientRequestBuilder::new(address.clone()).with_header("User-Agent", AGENT);
    let config = WebSocketConfig::default().max_message_size(Some(LARGEST));
    let made = client_async_with_config(request, socket, Some(config)).await;
    Ok(made.map_err(|error| error.to_string())?.0)
}

/// One connection.
struct Listener<'a> {
    subjects: watch::Receiver<Vec<Subject>>,
    pushes: &'a mpsc::Sender<Push>,
    topics: PushTopics,
    unrecognized: &'a Unrecognized,
}

impl Listener<'_> {
    /// Listens until the server asks to reconnect, or something is wrong.
    async fn listen(
        &mut self,
        mut socket: WebSocketStream<Box<dyn Socket>>,
        is_first: &mut bool,
    ) -> Result<(), String> {
        let (mut patience, mut welcomed) = (WELCOME, false);
        let mut silent_at = Instant::now() + patience;
        loop {
            tokio::select! {
                message = socket.next() => {
                    let text = match message {
                        Some(Ok(Message::Text(text))) => text,
                        Some(Ok(Message::Close(_))) | None => return Err("the server closed the connection".to_owned()),
                        Some(Ok(_)) => continue,
                        Some(Err(error)) => return Err(error.to_string()),
                    };
                    match said(&text) {
                        ServerMessage::Hello(interval) => {
                            (patience, welcomed) = (interval * MISSED, true);
                            self.subscribe(&mut socket).await?;
                            info!("7TV's events are heard");
                            // Nobody reports what happened between two connections, so the sets must be queried.
                            if !std::mem::replace(is_first, false) {
                                self.push(Push::Missed).await?;
                            }
                        }
                        ServerMessage::Reconnect => return Ok(()),
                        ServerMessage::Complaint(problem) => warn!(problem, "7TV's events have a complaint"),
                        ServerMessage::Unknown(what) => self.unrecognized.note(Interface::SevenTvEvents, what, &text),
                        ServerMessage::Pushed(push) => self.push(push).await?,
                        ServerMessage::Nothing => {}
                    }
                    // Only messages count as signs of life, because the server has promised heartbeats.
                    silent_at = Instant::now() + patience;
                }
                changed = self.subjects.changed(), if welcomed => {
                    changed.map_err(|_| "heatd is shutting down".to_owned())?;
                    self.subscribe(&mut socket).await?;
                }
                () = sleep_until(silent_at) => return Err("the server has fallen silent".to_owned()),
            }
        }
    }

    async fn push(&self, push: Push) -> Result<(), String> {
        self.pushes.send(push).await.map_err(|_| "heatd is shutting down".to_owned())
    }

    /// Subscribes and unsubscribes until the subscriptions fit the wanted subjects.
    async fn subscribe(
        &mut self,
        socket: &mut WebSocketStream<Box<dyn Socket>>,
    ) -> Result<(), String> {
        let wanted = topics(&self.subjects.borrow_and_update());
        let gone = self.topics.difference(&wanted).map(|topic| (36, topic));
        let new = wanted.difference(&self.topics).map(|topic| (35, topic));
        for (op, (kind, object)) in gone.chain(new) {
            let what =
                json!({ "op": op, "d": { "type": kind, "condition": { "object_id": object } } });
            socket
                .send(Message::text(what.to_string()))
                .await
                .map_err(|error| error.to_string())?;
        }
        self.topics = wanted;
        Ok(())
    }
}

fn topics(subjects: &[Subject]) -> PushTopics {
    let sets = subjects.iter().map(|it| ("emote_set.update", it.set.clone()));
    let users = subjects.iter().filter_map(|it| Some(("user.update", it.user.clone()?)));
    sets.chain(users).filter(|(_, object)| !object.is_empty()).collect()
}

#[derive(Deserialize)]
struct Envelope {
    op: u8,
    #[serde(default)]
    d: Value,
}

#[derive(Deserialize)]
struct Dispatch {
    #[serde(rename = "type")]
    kind: String,
    body: Body,
}

#[derive(Deserialize)]
struct Body {
    id: String,
    #[serde(default)]
    pushed: Option<Vec<Change>>,
    #[serde(default)]
    pulled: Option<Vec<Change>>,
    #[serde(default)]
    updated: Option<Vec<Change>>,
}

#[derive(Deserialize)]
struct Change {
    key: String,
    #[serde(default)]
    value: Value,
    #[serde(default)]
    old_value: Value,
}

fn said(text: &str) -> ServerMessage {
    let Ok(Envelope { op, d }) = serde_json::from_str(text) else {
        return ServerMessage::Unknown("message without an op");
    };
    match op {
        0 => dispatched(d),
        1 => {
            let interval = d["heartbeat_interval"].as_u64().unwrap_or(45_000);
            ServerMessage::Hello(Duration::from_millis(interval.clamp(100, 600_000)))
        }
        4 | 7 => ServerMessage::Reconnect,
        6 => ServerMessage::Complaint(d.to_string()),
        // Heartbeat, and the answers to what heatd has asked for.
        2 | 5 => ServerMessage::Nothing,
        _ => ServerMessage::Unknown("message with an unknown op"),
    }
}

fn dispatched(d: Value) -> ServerMessage {
    let Ok(Dispatch { kind, body }) = serde_json::from_value::<Dispatch>(d) else {
        return ServerMessage::Unknown("event without type or body");
    };
    let push = match kind.as_str() {
        "emote_set.update" => {
            let mut steps = Vec::new();
            let emotes = |list: Option<Vec<Change>>| {
                list.unwrap_or_default().into_iter().filter(|change| change.key == "emotes")
            };
            steps.extend(emotes(body.pulled).map(|it| step(it.old_value, PushStep::Removed)));
            for Change { value, old_value, .. } in emotes(body.updated) {
                steps.extend([step(old_value, PushStep::Removed), step(value, PushStep::Added)]);
            }
            steps.extend(emotes(body.pushed).map(|it| step(it.value, PushStep::Added)));
            // A new name of the set, say.
            (!steps.is_empty()).then_some(Push::Set { set: body.id, steps })
        }
        "user.update" => Some(Push::User(body.id)),
        // Other events are of things that heatd has not asked for.
        _ => None,
    };
    push.map_or(ServerMessage::Nothing, ServerMessage::Pushed)
}

fn step(value: Value, step: fn(EmoteName) -> PushStep) -> PushStep {
    let emote = serde_json::from_value::<NamedEmote>(value).ok().map(EmoteName::from);
    emote.filter(|(name, _)| can_be_typed(name)).map_or(PushStep::Unclear, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, id: &str) -> EmoteName {
        (name.into(), id.into())
    }

    #[test]
    fn what_is_pushed_pulled_and_updated_becomes_steps() {
        let text = r#"{"op":0,"t":1,"d":{"type":"emote_set.update","body":{"id":"s1","kind":2,
            "pushed":[{"key":"emotes","index":3,"value":{"id":"e3","name":"new","data":{}}}],
            "pulled":[{"key":"emotes","index":1,"old_value":{"id":"e1","name":"old"},"value":null}],
            "updated":[{"key":"emotes","old_value":{"id":"e2","name":"was"},"value":{"id":"e2","name":"is"}},{"key":"name","value":"x"}]}}}"#;
        let steps = vec![
            PushStep::Removed(named("old", "e1")),
            PushStep::Removed(named("was", "e2")),
            PushStep::Added(named("is", "e2")),
            PushStep::Added(named("new", "e3")),
        ];
        assert_eq!(said(text), ServerMessage::Pushed(Push::Set { set: "s1".to_owned(), steps }));
    }

    #[test]
    fn what_is_not_understood_is_asked_for_or_passed_over() {
        let unclear = r#"{"op":0,"d":{"type":"emote_set.update","body":{"id":"s1","pulled":[{"key":"emotes","old_value":7}]}}}"#;
        let expected = Push::Set { set: "s1".to_owned(), steps: vec![PushStep::Unclear] };
        assert_eq!(said(unclear), ServerMessage::Pushed(expected));
        let user = r#"{"op":0,"d":{"type":"user.update","body":{"id":"u1","updated":[{"key":"connections","index":0,"nested":true,"value":[]}]}}}"#;
        assert_eq!(said(user), ServerMessage::Pushed(Push::User("u1".to_owned())));
        let hello = r#"{"op":1,"d":{"heartbeat_interval":25000,"session_id":"x"}}"#;
        assert_eq!(said(hello), ServerMessage::Hello(Duration::from_secs(25)));
        for (text, expected) in [
            (r#"{"op":2,"d":{"count":3}}"#, ServerMessage::Nothing),
            (r#"{"op":4,"d":null}"#, ServerMessage::Reconnect),
            (r#"{"op":7}"#, ServerMessage::Reconnect),
            (
                r#"{"op":0,"d":{"type":"cosmetic.create","body":{"id":"x"}}}"#,
                ServerMessage::Nothing,
            ),
            (
                r#"{"op":0,"d":{"type":"emote_set.update","body":{"id":"s","updated":[{"key":"name"}]}}}"#,
                ServerMessage::Nothing,
            ),
            (r#"{"op":5,"d":{"command":"SUBSCRIBE"}}"#, ServerMessage::Nothing),
            (r#"{"op":99}"#, ServerMessage::Unknown("message with an unknown op")),
            (
                r#"{"op":0,"d":{"type":"emote_set.update"}}"#,
                ServerMessage::Unknown("event without type or body"),
            ),
            ("oops", ServerMessage::Unknown("message without an op")),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn sets_and_users_are_subscribed_once_each() {
        let subject = |set: &str, user: Option<&str>| Subject {
            set: set.to_owned(),
            user: user.map(str::to_owned),
        };
        let all = topics(&[
            subject("s1", Some("u1")),
            subject("s1", Some("u2")),
            subject("", Some("u1")),
        ]);
        assert_eq!(all.len(), 3, "{all:?}");
    }
}
