//! EventSub by WebSocket: welcomes, keeps alive, ends sessions that subscribe to nothing, and lets sessions move.

use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tungstenite::WebSocket;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::protocol::Role;

use super::desk::{Connection, Desk};
use crate::patience::Watched;

/// How often it is looked at whether a session has to be told something.
const LOOK: Duration = Duration::from_millis(100);

/// Welcomes, and reads until the other side is gone.
#[expect(clippy::result_large_err, reason = "tungstenite's handshake wants it so")]
pub(super) fn serve(desk: &Arc<Watched<Desk>>, stream: TcpStream) -> Option<()> {
    let writing = stream.try_clone().ok()?;
    let mut query = String::new();
    let note = |request: &Request, response: Response| {
        request.uri().query().unwrap_or_default().clone_into(&mut query);
        Ok(response)
    };
    let mut reading = tungstenite::accept_hdr(stream, note).ok()?;
    let moved = query.strip_prefix("reconnect=").map(str::to_owned);
    let number = desk.change(|desk| {
        if moved.is_some() && desk.refuse_moves > 0 {
            desk.refuse_moves -= 1;
            return None;
        }
        let session = moved.clone().unwrap_or_else(|| desk.id("session"));
        let socket = Some(WebSocket::from_raw_socket(writing, Role::Server, None));
        let now = Instant::now();
        desk.connections.push(Connection { session: session.clone(), socket, said_at: now, opened_at: now });
        let payload = json!({ "session": {
            "id": session, "status": "connected", "keepalive_timeout_seconds": desk.promised, "reconnect_url": null, "connected_at": desk.time(),
        } });
        desk.send(&session, "session_welcome", &payload, None, None);
        Some(desk.connections.len() - 1)
    })?;
    let watched = Arc::clone(desk);
    thread::spawn(move || {
        while look_after(&watched, number) {
            thread::sleep(LOOK);
        }
    });
    // A client sends nothing but pongs and its close.
    while let Ok(message) = reading.read() {
        if message.is_text() || message.is_binary() {
            desk.change(|desk| desk.connections[number].close(Some(4001)));
        }
    }
    desk.change(|desk| desk.connections[number].close(None));
    None
}

/// Tells a session that nothing has happened, or that it has ended. False: it is gone.
fn look_after(desk: &Watched<Desk>, number: usize) -> bool {
    desk.change(|desk| {
        let (keepalive, deadline) =
            (Duration::from_secs(desk.keepalive), Duration::from_millis(desk.deadline));
        let Connection { session, socket, said_at, opened_at } = &desk.connections[number];
        if socket.is_none() {
            return false;
        }
        let (session, quiet, open) = (session.clone(), said_at.elapsed(), opened_at.elapsed());
        let is_used = desk.subscriptions.iter().any(|it| it.session == session);
        if !is_used && open >= deadline {
            desk.connections[number].close(Some(4003));
            return false;
        }
        if !keepalive.is_zero() && quiet >= keepalive {
            desk.send(&session, "session_keepalive", &json!({}), None, None);
        }
        true
    })
}
