//! What the scripted Twitch knows and is told to do: streams, subscriptions, connections, and what was asked.

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Instant;

use serde_json::{Value, json};
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::{Message, WebSocket};

use super::time::{now, rfc3339};
use crate::logins::{Known, Tokens};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    pub body: String,
    pub status: u16,
}

/// A channel that is live.
#[derive(Debug, Clone)]
pub struct LiveRow {
    pub title: String,
    pub category: String,
    pub viewers: u64,
    /// In milliseconds since 1970.
    pub started: u64,
}

/// A line that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidLine {
    /// The login of the account.
    pub by: String,
    /// The login of the channel.
    pub channel: String,
    pub text: String,
    pub reply_to: Option<String>,
}

/// One subscription.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) version: String,
    pub(super) condition: Value,
    pub(super) session: String,
    pub(super) status: String,
    /// Who has made it: client and user.
    pub(super) owner: (String, String),
}

/// One WebSocket.
pub(super) struct Connection {
    pub(super) session: String,
    pub(super) socket: Option<WebSocket<TcpStream>>,
    pub(super) said_at: Instant,
    pub(super) opened_at: Instant,
}

/// What the scripted Twitch knows, and how it behaves.
pub struct Desk {
    pub(super) tokens: Tokens,
    addr: SocketAddr,
    /// The streams that are live, by login.
    pub live: BTreeMap<String, LiveRow>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) connections: Vec<Connection>,
    pub(super) said: Vec<SaidLine>,
    pub(super) asked: Vec<Asked>,
    /// Every request is answered so while this is set: a status and a body.
    pub ill: Option<(u16, String)>,
    /// Lines are not sent, for this reason.
    pub drop_reason: Option<(String, String)>,
    /// Subscriptions are refused with this status and message.
    pub refuse_subscriptions: Option<(u16, String)>,
    /// After so many seconds of silence a session is told that nothing has happened. 0: never.
    pub keepalive: u64,
    /// What a session is told that its keepalive is, in seconds.
    pub promised: u64,
    /// A session without a subscription ends after so many milliseconds (4003).
    pub deadline: u64,
    /// The next connection at a reconnect address is refused so many times.
    pub refuse_moves: u32,
    /// The answer to a new subscription takes so many milliseconds; it is there already.
    pub slow_subscriptions: u64,
    /// By how much its clock is off, in milliseconds.
    pub clock_off: i64,
    number: u64,
    pub(super) over: bool,
}

impl Desk {
    pub(super) fn new(tokens: Tokens, addr: SocketAddr) -> Self {
        Self {
            tokens,
            addr,
            live: BTreeMap::new(),
            subscriptions: Vec::new(),
            connections: Vec::new(),
            said: Vec::new(),
            asked: Vec::new(),
            ill: None,
            drop_reason: None,
            refuse_subscriptions: None,
            keepalive: 10,
            promised: 10,
            deadline: 10_000,
            refuse_moves: 0,
            slow_subscriptions: 0,
            clock_off: 0,
            number: 0,
            over: false,
        }
    }

    /// A new id.
    pub(super) fn id(&mut self, kind: &str) -> String {
        self.number += 1;
        format!("{kind}-{:08}", self.number)
    }

    pub(super) fn time(&self) -> String {
        rfc3339(now().saturating_add_signed(self.clock_off))
    }

    /// Whether an open session hears this type.
    pub(super) fn hears(&self, kind: &str) -> bool {
        let is_it = |it: &&Subscription| it.kind == kind && it.status == "enabled";
        self.subscriptions.iter().filter(is_it).any(|it| self.is_open(&it.session))
    }

    /// The types that are subscribed to, each with its status.
    pub fn kinds(&self) -> Vec<(String, String)> {
        self.subscriptions.iter().map(|it| (it.kind.clone(), it.status.clone())).collect()
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.connections.iter().filter(|it| it.socket.is_some()).count()
    }

    pub(super) fn is_open(&self, session: &str) -> bool {
        self.connections.iter().any(|it| it.session == session && it.socket.is_some())
    }

    /// The newest open connection of a session.
    fn connection(&mut self, session: &str) -> Option<&mut Connection> {
        self.connections.iter_mut().rev().find(|it| it.session == session && it.socket.is_some())
    }

    /// Sends a message of the protocol over the newest connection of a session.
    pub(super) fn send(
        &mut self,
        session: &str,
        kind: &str,
        payload: &Value,
        subscription: Option<(&str, &str)>,
        id: Option<&str>,
    ) -> bool {
        let id = id.map_or_else(|| self.id("message"), str::to_owned);
        let mut metadata =
            json!({ "message_id": id, "message_type": kind, "message_timestamp": self.time() });
        if let Some((kind, version)) = subscription {
            metadata["subscription_type"] = kind.into();
            metadata["subscription_version"] = version.into();
        }
        let text = json!({ "metadata": metadata, "payload": payload }).to_string();
        let Some(connection) = self.connection(session) else { return false };
        connection.say(&text)
    }

    pub(super) fn notify(&mut self, kind: &str, event: &Value, id: Option<&str>) -> usize {
        let channel = |condition: &Value| {
            ["broadcaster_user_id", "to_broadcaster_user_id"].iter().find_map(|field| {
                condition[*field].as_str().map(|id| ((*field).to_owned(), id.to_owned()))
            })
        };
        let hears = |it: &&Subscription| {
            let of = channel(&it.condition);
            let is_here = of.is_some_and(|(field, id)| event[&field].as_str() == Some(&id));
            it.kind == kind && it.status == "enabled" && is_here
        };
        let told: Vec<Subscription> = self.subscriptions.iter().filter(hears).cloned().collect();
        let mut sessions = 0;
        for it in told {
            let payload = json!({ "subscription": row(&it), "event": event });
            let of = Some((it.kind.as_str(), it.version.as_str()));
            sessions += usize::from(self.send(&it.session, "notification", &payload, of, id));
        }
        sessions
    }

    pub(super) fn send_all(&mut self, text: &str) {
        for connection in &mut self.connections {
            connection.say(text);
        }
    }

    pub(super) fn ask_to_move(&mut self) {
        let sessions: Vec<String> = self
            .connections
            .iter()
            .filter(|it| it.socket.is_some())
            .map(|it| it.session.clone())
            .collect();
        for session in sessions {
            let url = format!("ws://{}/ws?reconnect={session}", self.addr);
            let payload = json!({ "session": { "id": session, "status": "reconnecting", "keepalive_timeout_seconds": null, "reconnect_url": url, "connected_at": self.time() } });
            self.send(&session, "session_reconnect", &payload, None, None);
        }
    }

    pub(super) fn close_all(&mut self, code: Option<u16>) {
        for connection in &mut self.connections {
            connection.close(code);
        }
    }

    /// Twitch notices that sessions are gone: their subscriptions are not enabled any more.
    pub fn notice_the_dead(&mut self) {
        let open: Vec<String> = self
            .connections
            .iter()
            .filter(|it| it.socket.is_some())
            .map(|it| it.session.clone())
            .collect();
        for subscription in &mut self.subscriptions {
            if !open.contains(&subscription.session) {
                "websocket_disconnected".clone_into(&mut subscription.status);
            }
        }
    }

    pub(super) fn revoke(&mut self, kind: &str, status: &str) {
        let mut ended = Vec::new();
        self.subscriptions.retain(|it| {
            if it.kind == kind {
                ended.push(it.clone());
            }
            it.kind != kind
        });
        for mut it in ended {
            status.clone_into(&mut it.status);
            let payload = json!({ "subscription": row(&it) });
            let of = Some((it.kind.as_str(), it.version.as_str()));
            self.send(&it.session, "revocation", &payload, of, None);
        }
    }

    /// Adds a subscription of somebody else with the same account: another program, whose session is open elsewhere.
    pub fn add_foreign_subscription(&mut self, known: &Known, kind: &str, condition: Value) {
        let id = self.id("subscription");
        self.subscriptions.push(Subscription {
            id,
            kind: kind.to_owned(),
            version: "2".to_owned(),
            condition,
            session: "session-of-another-program".to_owned(),
            status: "enabled".to_owned(),
            owner: (known.client.clone(), known.id.clone()),
        });
    }

    /// The sessions of all subscriptions, one for each.
    pub fn sessions(&self) -> Vec<String> {
        self.subscriptions.iter().map(|it| it.session.clone()).collect()
    }
}

/// A subscription as Twitch lists it.
pub(super) fn row(it: &Subscription) -> Value {
    json!({
        "id": it.id, "status": it.status, "type": it.kind, "version": it.version, "condition": it.condition,
        "transport": { "method": "websocket", "session_id": it.session }, "created_at": rfc3339(now()), "cost": 0,
    })
}

impl Connection {
    /// False: it is gone.
    pub(super) fn say(&mut self, text: &str) -> bool {
        let Some(socket) = &mut self.socket else { return false };
        self.said_at = Instant::now();
        let is_sent = socket.send(Message::text(text)).is_ok();
        if !is_sent {
            self.socket = None;
        }
        is_sent
    }

    /// Closes with a code, or breaks.
    pub(super) fn close(&mut self, code: Option<u16>) {
        let Some(mut socket) = self.socket.take() else { return };
        if let Some(code) = code {
            let frame = CloseFrame { code: code.into(), reason: "closed by the script".into() };
            let _ = socket.close(Some(frame));
            let _ = socket.flush();
            // The other side answers the close, and ends the connection.
            return;
        }
        let _ = socket.get_ref().shutdown(Shutdown::Both);
    }
}
