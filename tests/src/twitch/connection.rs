//! The sockets of the scripted server: who is connected, and the threads that read.
//!
//! The hall is locked only to look and to note, never during a read or a write: a client that does not read must not
//! stop the others.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::behaviour::Segments;
use super::dialect::{House, Session};
use super::{Hall, Received, To};
use crate::irc::without_line_end;
use crate::patience::{Watched, patience};

/// One client's connection, from its beginning and beyond its end.
pub(super) struct Connection {
    outlet: Arc<Outlet>,
    session: Session,
    state: State,
    /// None before it has started and after someone has taken it to join it.
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Half open: the server no longer takes part.
    Silent,
    Closed,
}

/// The writing side of a socket.
struct Outlet {
    stream: TcpStream,
    /// Held for one send, so that lines of two threads do not mix.
    turn: Mutex<()>,
}

impl Outlet {
    fn send(&self, bytes: &[u8], segments: &Segments) -> std::io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stream = &self.stream;
        segments.cut(bytes).into_iter().try_for_each(|piece| {
            stream.write_all(piece)?;
            stream.flush()
        })
    }
}

impl Connection {
    fn new(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        // Twitch, too, drops a client that does not read.
        stream.set_write_timeout(Some(patience()))?;
        let outlet = Arc::new(Outlet { stream, turn: Mutex::default() });
        Ok(Self { outlet, session: Session::default(), state: State::Open, thread: None })
    }

    pub(super) fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    pub(super) fn is_present(&self) -> bool {
        self.state == State::Open
    }

    pub(super) fn is_welcome(&self) -> bool {
        self.is_present() && self.session.is_welcome()
    }

    pub(super) fn has_joined(&self, channel: &str) -> bool {
        self.is_present() && self.session.joined.contains(channel)
    }

    pub(super) fn fall_silent(&mut self) {
        if self.is_open() {
            self.state = State::Silent;
        }
    }

    /// Ends the thread's read or write, too. What was sent before still arrives.
    pub(super) fn close(&mut self) {
        self.state = State::Closed;
        // It may be closed from the other side already.
        let _ = self.outlet.stream.shutdown(Shutdown::Both);
    }

    pub(super) fn thread(&mut self) -> Option<JoinHandle<()>> {
        self.thread.take()
    }

    fn is_meant(&self, to: To<'_>) -> bool {
        match to {
            To::Channel(channel) => self.has_joined(channel),
            To::Everyone => self.is_present(),
        }
    }

    /// The lines as this client sees them, ready to send.
    fn rendered(&self, lines: &[&[u8]]) -> Vec<u8> {
        let visible = lines.iter().filter_map(|line| self.session.view(line));
        visible.flat_map(|line| [line, b"\r\n"]).flatten().copied().collect()
    }
}

/// Takes connections until the hall no longer accepts any.
pub(super) fn admit_all(hall: &Arc<Watched<Hall>>, listener: &TcpListener) {
    for stream in listener.incoming() {
        if !hall.read().accepting {
            return;
        }
        if let Ok(connection) = stream.and_then(Connection::new) {
            admit(hall, connection);
        }
    }
}

fn admit(hall: &Arc<Watched<Hall>>, connection: Connection) {
    let outlet = Arc::clone(&connection.outlet);
    let number = hall.change(|hall| {
        hall.connections.push(connection);
        hall.connections.len()
    });
    let shared = Arc::clone(hall);
    let thread = thread::Builder::new()
        .name(format!("chat {number}"))
        .spawn(move || serve(&shared, number, &outlet));
    hall.change(|hall| match thread {
        Ok(thread) => hall.connections[number - 1].thread = Some(thread),
        Err(_) => hall.connections[number - 1].close(),
    });
}

/// Reads a client's lines and answers them, until one side ends it.
fn serve(hall: &Watched<Hall>, number: usize, outlet: &Outlet) {
    let mut reader = BufReader::new(&outlet.stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).unwrap_or(0);
        if read == 0 || !take(hall, number, outlet, &line) {
            break;
        }
    }
    hall.change(|hall| hall.connections[number - 1].close());
}

/// Notes one line and answers it. False when the connection shall end.
fn take(hall: &Watched<Hall>, number: usize, outlet: &Outlet, line: &[u8]) -> bool {
    let line = without_line_end(line);
    hall.wait_while(|hall| hall.connections[number - 1].state == State::Silent);
    let received = Received {
        connection: number,
        at: Instant::now(),
        line: String::from_utf8_lossy(line).into_owned(),
    };
    let (session, answer, segments) = hall.change(|hall| {
        let connection = &hall.connections[number - 1];
        let mut session = connection.session.clone();
        let lines = session.answer(line, &House { behaviour: &hall.behaviour, rooms: &hall.rooms });
        let visible = lines.iter().filter_map(|line| session.view(line.as_bytes()));
        let bytes: Vec<u8> = visible.flat_map(|line| [line, b"\r\n"]).flatten().copied().collect();
        (session, bytes, hall.behaviour.segments.clone())
    });
    let sent = outlet.send(&answer, &segments).is_ok();
    // Noted after the answer went out and together with what it changes, so that who waits for a line, such as a join,
    // may speak at once: it is heard, and not before the answer.
    hall.change(|hall| {
        hall.received.push(received);
        let goes_on = sent && !session.over;
        hall.connections[number - 1].session = session;
        goes_on
    })
}

/// Sends lines, each to whom it is visible. Returns how many connections got them.
pub(super) fn deliver(hall: &Watched<Hall>, to: To<'_>, lines: &[&[u8]]) -> usize {
    send(hall, to, |connection| connection.rendered(lines))
}

/// Sends bytes as they are.
pub(super) fn deliver_raw(hall: &Watched<Hall>, to: To<'_>, bytes: &[u8]) -> usize {
    send(hall, to, |_| bytes.to_vec())
}

fn send(hall: &Watched<Hall>, to: To<'_>, bytes: impl Fn(&Connection) -> Vec<u8>) -> usize {
    let (targets, segments) = {
        let hall = hall.read();
        let meant = (1..).zip(&hall.connections).filter(|(_, connection)| connection.is_meant(to));
        let targets: Vec<(usize, Arc<Outlet>, Vec<u8>)> = meant
            .map(|(number, connection)| (number, Arc::clone(&connection.outlet), bytes(connection)))
            .collect();
        (targets, hall.behaviour.segments.clone())
    };
    let mut reached = 0;
    for (number, outlet, bytes) in targets {
        match outlet.send(&bytes, &segments) {
            Ok(()) => reached += 1,
            Err(_) => hall.change(|hall| hall.connections[number - 1].close()),
        }
    }
    reached
}
