//! A scripted Twitch chat server on a real socket, for tests and for the demo.
//!
//! It speaks Twitch's dialect to any number of clients, keeps every line that they send, and does to them what a test
//! asks for. Nothing in it waits for a guessed time; everything ends when the [`Server`] is dropped.

mod behaviour;
mod connection;
mod dialect;
mod ids;
mod line;
mod replay;
mod watch;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};

pub use behaviour::{Behaviour, Segments};
pub use ids::{room_id, user_id};
pub use line::Line;
pub use replay::{Pace, Replayed};
pub use watch::{Join, Received};

use crate::patience::{Watched, eventually};
use connection::Connection;

/// The server. Connections are numbered from 1, in the order in which they came.
pub struct Server {
    hall: Arc<Watched<Hall>>,
    addr: SocketAddr,
    /// None while connections are refused.
    porter: Mutex<Option<JoinHandle<()>>>,
}

/// Everything that the threads of a server share.
#[derive(Default)]
struct Hall {
    /// All there ever were; the number of each is its place, counted from 1.
    connections: Vec<Connection>,
    received: Vec<Received>,
    behaviour: Behaviour,
    rooms: BTreeMap<String, String>,
    /// False when the thread that accepts connections shall end.
    accepting: bool,
}

/// What became of a chat line.
#[derive(Debug, Clone)]
pub struct Said {
    /// The message's id.
    pub id: String,
    /// How many connections it was sent to.
    pub heard_by: usize,
}

/// Who gets something.
#[derive(Debug, Clone, Copy)]
pub enum To<'a> {
    /// The connections that have joined the channel.
    Channel(&'a str),
    /// Every open connection.
    Everyone,
}

impl Server {
    /// Starts a server on a free port of this machine.
    pub fn start() -> Result<Self> {
        let listener =
            TcpListener::bind(("127.0.0.1", 0)).context("failed to listen for chat clients")?;
        let addr = listener.local_addr()?;
        let server = Self { hall: Arc::default(), addr, porter: Mutex::default() };
        server.open(listener)?;
        Ok(server)
    }

    /// Where clients connect, without TLS.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Changes how clients are treated from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        self.hall.change(|hall| change(&mut hall.behaviour));
    }

    /// Gives a channel the id that its recording has. Clients see it when they join.
    pub fn set_room_id(&self, channel: &str, id: &str) {
        self.hall.change(|hall| hall.rooms.insert(bare(channel).to_owned(), id.to_owned()));
    }

    /// A person says something in a channel, now.
    pub fn say(&self, channel: &str, login: &str, text: &str) -> Said {
        let line = Line::chat(channel, login, text);
        Said { id: line.get("id").to_owned(), heard_by: self.send(channel, &line) }
    }

    /// Sends a line to who joined the channel. Returns how many connections got it.
    pub fn send(&self, channel: &str, line: &Line) -> usize {
        connection::deliver(&self.hall, To::Channel(bare(channel)), &[line.to_string().as_bytes()])
    }

    /// Sends bytes exactly as they are, line ends included. Returns how many connections got them.
    pub fn send_raw(&self, to: To<'_>, bytes: &[u8]) -> usize {
        connection::deliver_raw(&self.hall, to, bytes)
    }

    /// Announces a shutdown as Twitch does, and ends the connections.
    pub fn ask_to_reconnect(&self) {
        connection::deliver(&self.hall, To::Everyone, &[b":tmi.twitch.tv RECONNECT"]);
        self.close_abruptly();
    }

    /// Ends all connections without a word.
    pub fn close_abruptly(&self) {
        self.hall.change(|hall| hall.connections.iter_mut().for_each(Connection::close));
    }

    /// Leaves all present connections half open: sockets stay, nothing is read, answered or sent on them any more. New
    /// connections are served.
    pub fn fall_silent(&self) {
        self.hall.change(|hall| {
            hall.connections.iter_mut().for_each(Connection::fall_silent);
        });
    }

    /// Closes the port: clients are refused by the system, as when a server is down. Present connections stay.
    pub fn refuse_connections(&self) {
        self.hall.change(|hall| hall.accepting = false);
        let porter = self.porter.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(porter) = porter {
            // Wakes the thread, which is waiting for a connection.
            drop(TcpStream::connect(self.addr));
            let _ = porter.join();
        }
    }

    /// Opens the same port again.
    pub fn accept_connections(&self) -> Result<()> {
        if self.hall.read().accepting {
            return Ok(());
        }
        self.open(eventually(format!("port {} to be free again", self.addr.port()), || {
            TcpListener::bind(self.addr)
        })?)
    }

    fn open(&self, listener: TcpListener) -> Result<()> {
        self.hall.change(|hall| hall.accepting = true);
        let hall = Arc::clone(&self.hall);
        let porter = thread::Builder::new().name("chat porter".to_owned());
        let porter = porter.spawn(move || connection::admit_all(&hall, &listener))?;
        *self.porter.lock().unwrap_or_else(PoisonError::into_inner) = Some(porter);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.refuse_connections();
        self.close_abruptly();
        let threads: Vec<_> = self
            .hall
            .change(|hall| hall.connections.iter_mut().filter_map(Connection::thread).collect());
        for thread in threads {
            let _ = thread.join();
        }
    }
}

impl Hall {
    fn numbers(&self, which: impl Fn(&Connection) -> bool) -> Vec<usize> {
        let numbered = (1..).zip(&self.connections);
        numbered.filter(|(_, connection)| which(connection)).map(|(number, _)| number).collect()
    }
}

fn bare(channel: &str) -> &str {
    channel.trim_start_matches('#')
}

#[cfg(test)]
mod tests;
