//! A scripted api.twitch.tv and its EventSub, on one port: users, streams, chat, moderation, subscriptions, and sessions by WebSocket.
//!
//! It answers in the shapes of dev.twitch.tv/docs/api/reference and dev.twitch.tv/docs/eventsub, takes the tokens of [`crate::logins`] and their scopes, keeps what
//! it was asked, and misbehaves when it is told to. Clients that others have written judge it (`tests/flow/eventsub/peers.rs`).

mod desk;
mod eventsub;
mod http;
mod time;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use serde_json::Value;

use desk::Desk;
pub use desk::{Asked, LiveRow, SaidLine};
pub use time::rfc3339;

use crate::logins::Logins;
use crate::patience::Watched;

/// The servers. They end when this is dropped.
pub struct TwitchApi {
    desk: Arc<Watched<Desk>>,
    addr: SocketAddr,
}

impl TwitchApi {
    /// Starts them on a free port of this machine.
    pub fn start(logins: &Logins) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("failed to listen")?;
        let addr = listener.local_addr()?;
        let desk = Arc::new(Watched::new(Desk::new(logins.tokens(), addr)));
        let server = Self { desk: Arc::clone(&desk), addr };
        thread::Builder::new().name("twitch-api".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                if desk.read().over {
                    return;
                }
                let desk = Arc::clone(&desk);
                // A connection that breaks is the asker's affair.
                thread::spawn(move || serve(&desk, stream));
            }
        })?;
        Ok(server)
    }

    /// What the configuration of heatd says of it.
    pub fn settings(&self) -> String {
        let addr = self.addr;
        format!("api_server = \"http://{addr}/helix\"\neventsub_server = \"ws://{addr}/ws\"\n")
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Changes how it behaves, or what there is.
    pub fn change<V>(&self, change: impl FnOnce(&mut Desk) -> V) -> V {
        self.desk.change(change)
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.desk.read().asked.clone()
    }

    /// How often this was asked: a method and the beginning of a path.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let desk = self.desk.read();
        desk.asked.iter().filter(|it| it.method == method && it.path.starts_with(path)).count()
    }

    /// The lines that were said, in order.
    pub fn said(&self) -> Vec<SaidLine> {
        self.desk.read().said.clone()
    }

    /// Waits until this many lines were said.
    pub fn wait_for_said(&self, count: usize) -> Result<Vec<SaidLine>> {
        let enough = |desk: &Desk| (desk.said.len() >= count).then(|| desk.said.clone());
        self.desk
            .wait(format!("{count} lines that are said"), enough, |desk| format!("{:?}", desk.said))
    }

    /// Waits until a type is subscribed to, by an open session.
    pub fn wait_for_subscription(&self, kind: &str) -> Result<()> {
        let is_there = |desk: &Desk| desk.hears(kind).then_some(());
        let state = |desk: &Desk| format!("{:?}", desk.kinds());
        self.desk.wait(format!("a subscription to {kind}"), is_there, state)
    }

    /// Waits until this many sessions were opened, since the start.
    pub fn wait_for_sessions(&self, count: usize) -> Result<()> {
        let enough = |desk: &Desk| (desk.connections.len() >= count).then_some(());
        let state = |desk: &Desk| format!("{} connections", desk.connections.len());
        self.desk.wait(format!("{count} connections to EventSub"), enough, state)
    }

    /// Tells those who hear of a channel that something has happened. Returns to how many sessions that went.
    pub fn notify(&self, kind: &str, event: &Value) -> usize {
        self.desk.change(|desk| desk.notify(kind, event, None))
    }

    /// The same with this id of the message: to repeat one.
    pub fn notify_as(&self, id: &str, kind: &str, event: &Value) -> usize {
        self.desk.change(|desk| desk.notify(kind, event, Some(id)))
    }

    /// Sends every open session a text as it is.
    pub fn send_raw(&self, text: &str) {
        self.desk.change(|desk| desk.send_all(text));
    }

    /// Asks every session to move to another connection, as Twitch does before it restarts a server.
    pub fn ask_to_move(&self) {
        self.desk.change(Desk::ask_to_move);
    }

    /// Closes every connection with a code of EventSub.
    pub fn close(&self, code: u16) {
        self.desk.change(|desk| desk.close_all(Some(code)));
    }

    /// Breaks every connection without a word. Subscriptions stay as they are for a while.
    pub fn break_off(&self) {
        self.desk.change(|desk| desk.close_all(None));
    }

    /// Ends a subscription, and says why.
    pub fn revoke(&self, kind: &str, status: &str) {
        self.desk.change(|desk| desk.revoke(kind, status));
    }
}

impl Drop for TwitchApi {
    fn drop(&mut self) {
        self.desk.change(|desk| {
            desk.over = true;
            desk.close_all(None);
        });
        // Wakes the thread that accepts connections, which ends.
        drop(TcpStream::connect(self.addr));
    }
}

/// Serves one connection: a WebSocket, or one request.
fn serve(desk: &Arc<Watched<Desk>>, stream: TcpStream) -> Option<()> {
    let mut beginning = [0; 7];
    stream.peek(&mut beginning).ok()?;
    match beginning.starts_with(b"GET /ws") {
        true => eventsub::serve(desk, stream),
        false => http::serve(desk, stream),
    }
}
