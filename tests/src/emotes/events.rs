//! 7TV's events: a WebSocket that greets, takes subscriptions, and is told what to say.

use std::collections::BTreeSet;
use std::net::{Shutdown, TcpStream};

use anyhow::Result;
use serde_json::{Value, json};
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

use super::{Hall, Providers};
use crate::patience::Watched;

/// One who hears the events.
pub(super) struct Socket {
    /// The writing half; another one reads.
    socket: WebSocket<TcpStream>,
    /// Kind and object.
    pub(super) subscribed: BTreeSet<(String, String)>,
}

impl Socket {
    pub(super) fn say(&mut self, message: &Value) -> Result<()> {
        Ok(self.socket.send(Message::text(message.to_string()))?)
    }

    pub(super) fn dispatch(&mut self, kind: &str, body: &Value) -> Result<()> {
        self.say(
            &json!({ "op": 0, "t": 1_672_506_026_185_u64, "d": { "type": kind, "body": body } }),
        )
    }

    pub(super) fn close(&mut self) {
        // It may be gone already.
        let _ = self.socket.get_ref().shutdown(Shutdown::Both);
    }
}

/// Greets, and reads until the other side is gone.
pub(super) fn serve(hall: &Watched<Hall>, stream: TcpStream) -> Option<()> {
    let writing = stream.try_clone().ok()?;
    let mut reading = tungstenite::accept(stream).ok()?;
    let mut socket = Socket {
        socket: WebSocket::from_raw_socket(writing, Role::Server, None),
        subscribed: BTreeSet::new(),
    };
    let number = hall.change(|hall| {
        let hello = json!({ "op": 1, "t": 1, "d": { "heartbeat_interval": hall.heartbeat, "session_id": "s", "subscription_limit": 500 } });
        socket.say(&hello).ok()?;
        hall.sockets.push(socket);
        Some(hall.sockets.len() - 1)
    })?;
    while let Ok(message) = reading.read() {
        let Ok(said) = serde_json::from_str::<Value>(message.to_text().ok()?) else { continue };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let topic = (text(&said["d"]["type"]), text(&said["d"]["condition"]["object_id"]));
        hall.change(|hall| {
            let socket = &mut hall.sockets[number];
            match said["op"].as_u64() {
                Some(35) => drop(socket.subscribed.insert(topic)),
                Some(36) => drop(socket.subscribed.remove(&topic)),
                _ => {}
            }
            // As the real one does.
            let _ = socket.say(&json!({ "op": 5, "t": 1, "d": { "command": "SUBSCRIBE" } }));
        });
    }
    hall.change(|hall| hall.sockets[number].close());
    None
}

impl Providers {
    /// Tells those who hear of a set that emotes came, and that others went.
    pub fn change_set(&self, set: &str, added: &[(&str, &str)], removed: &[(&str, &str)]) -> usize {
        let emote = |(name, id): &(&str, &str)| super::shape::seventv_emote(name, id);
        let pushed: Vec<Value> = added
            .iter()
            .map(|it| json!({ "key": "emotes", "index": 0, "value": emote(it), "old_value": null }))
            .collect();
        let pulled: Vec<Value> = removed
            .iter()
            .map(|it| json!({ "key": "emotes", "index": 0, "value": null, "old_value": emote(it) }))
            .collect();
        let body = json!({ "id": set, "kind": 2, "actor": { "id": "u" }, "pushed": pushed, "pulled": pulled });
        self.push("emote_set.update", set, &body)
    }

    /// Tells those who hear of a set that an emote has another name.
    pub fn rename_emote(&self, set: &str, id: &str, from: &str, to: &str) -> usize {
        let emote = |name| super::shape::seventv_emote(name, id);
        let change =
            json!({ "key": "emotes", "index": 0, "old_value": emote(from), "value": emote(to) });
        self.push("emote_set.update", set, &json!({ "id": set, "kind": 2, "updated": [change] }))
    }
}
