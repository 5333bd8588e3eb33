//! A scripted provider of emotes: 7TV, BetterTTV and FrankerFaceZ on one port, each below a folder of its own, and 7TV's events.
//!
//! It answers in the shapes of the real ones, knows tags (`ETag`), keeps what it was asked, and misbehaves when it is told to. A path that
//! nobody has set is one that it does not know: 404.

mod events;
mod shape;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

pub use shape::{
    bttv_channel, bttv_global, ffz_global, ffz_room, seventv_global, seventv_user,
    seventv_user_of_set,
};

use crate::patience::Watched;
use events::Socket;

/// What a path answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 200 with this body; or 304 to a client that has it.
    Json(Value),
    /// 200, and this text, whatever it is.
    Text(String),
    /// This status, and a page for people.
    Status(u16),
    /// Nothing, while the connection stays open.
    Nothing,
    /// Blanks without an end.
    Endless,
}

/// One request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub path: String,
    /// The tag that the asker has.
    pub etag: Option<String>,
    pub agent: Option<String>,
    /// How it was answered.
    pub status: u16,
}

/// The server. It ends when it is dropped.
pub struct Providers {
    hall: Arc<Watched<Hall>>,
    addr: SocketAddr,
}

#[derive(Default)]
struct Hall {
    answers: BTreeMap<String, Answer>,
    asked: Vec<Asked>,
    /// Of 7TV's events.
    sockets: Vec<Socket>,
    /// Connections that wait for an answer.
    open: Vec<TcpStream>,
    /// How often the events' server gives a sign of life, in milliseconds, and whether it does.
    heartbeat: u64,
    over: bool,
}

impl Providers {
    pub fn start() -> Result<Self> {
        let listener =
            TcpListener::bind(("127.0.0.1", 0)).context("failed to listen for who wants emotes")?;
        let addr = listener.local_addr()?;
        let hall = Arc::new(Watched::new(Hall { heartbeat: 45_000, ..Hall::default() }));
        let server = Self { hall: Arc::clone(&hall), addr };
        thread::Builder::new().name("emotes".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                if hall.read().over {
                    return;
                }
                let hall = Arc::clone(&hall);
                // A connection that breaks is the asker's affair.
                thread::spawn(move || serve(&hall, stream));
            }
        })?;
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.addr
    }

    /// The table of heatd's configuration that points to this server.
    pub fn table(&self, refresh: &str) -> String {
        let at = self.addr;
        format!(
            "[emotes]\nrefresh = \"{refresh}\"\nseventv = \"http://{at}/7tv\"\nseventv_events = \"ws://{at}/events\"\n\
             bttv = \"http://{at}/bttv/\"\nffz = \"http://{at}/ffz\"\n"
        )
    }

    /// Sets what a path answers from now on.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.hall.change(|hall| {
            hall.answers.insert(path.to_owned(), answer);
            // Who waits for nothing is let go.
            hall.open.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        });
    }

    /// Sets what all paths answer that begin so.
    pub fn answer_all(&self, beginning: &str, answer: &Answer) {
        let paths: Vec<String> = self.hall.read().answers.keys().cloned().collect();
        for path in paths.iter().filter(|path| path.starts_with(beginning)) {
            self.answer(path, answer.clone());
        }
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.hall.read().asked.clone()
    }

    /// Waits until a path has been asked so many times more than now.
    pub fn wait_for_questions(&self, path: &str, more: usize) -> Result<Vec<Asked>> {
        let of = |hall: &Hall| -> Vec<Asked> {
            hall.asked.iter().filter(|asked| asked.path == path).cloned().collect()
        };
        let before = of(&self.hall.read()).len();
        let find = |hall: &Hall| Some(of(hall)).filter(|asked| asked.len() >= before + more);
        self.hall
            .wait(format!("{more} questions for {path}"), find, |hall| format!("{:?}", hall.asked))
    }

    /// How often the events' server says that it will give a sign of life, in milliseconds. It gives none of its own.
    pub fn set_heartbeat(&self, milliseconds: u64) {
        self.hall.change(|hall| hall.heartbeat = milliseconds);
    }

    /// Waits until somebody has subscribed to this, on the connection of this number, counted from 1.
    pub fn wait_for_subscription(&self, connection: usize, kind: &str, object: &str) -> Result<()> {
        let find = |hall: &Hall| {
            let socket = hall.sockets.get(connection.checked_sub(1)?)?;
            socket.subscribed.contains(&(kind.to_owned(), object.to_owned())).then_some(())
        };
        let what = format!("a subscription to {kind} of {object} on connection {connection}");
        self.hall.wait(what, find, |hall| {
            let all: Vec<_> = hall.sockets.iter().map(|socket| &socket.subscribed).collect();
            format!("{all:?}")
        })
    }

    /// Tells those who have subscribed to it. Returns how many that are.
    pub fn push(&self, kind: &str, object: &str, body: &Value) -> usize {
        self.hall.change(|hall| {
            let key = (kind.to_owned(), object.to_owned());
            let told = hall.sockets.iter_mut().filter(|socket| socket.subscribed.contains(&key));
            told.filter_map(|socket| socket.dispatch(kind, body).ok()).count()
        })
    }

    /// Says something to everybody who hears the events.
    pub fn say_to_all(&self, message: &Value) {
        self.hall.change(|hall| {
            for socket in &mut hall.sockets {
                // Those that are gone hear nothing.
                let _ = socket.say(message);
            }
        });
    }

    /// Ends the connections of the events without a word.
    pub fn break_events(&self) {
        self.hall.change(|hall| hall.sockets.iter_mut().for_each(Socket::close));
    }
}

impl Drop for Providers {
    fn drop(&mut self) {
        self.hall.change(|hall| {
            hall.over = true;
            hall.open.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
            hall.sockets.iter_mut().for_each(Socket::close);
        });
        // Wakes the thread that accepts connections, which ends.
        drop(TcpStream::connect(self.addr));
    }
}

/// Answers one connection.
fn serve(hall: &Watched<Hall>, mut stream: TcpStream) -> Option<()> {
    // The WebSocket reads its request itself, so this one only looks.
    let mut first = [0; 11];
    loop {
        match stream.peek(&mut first).ok()? {
            // Whoever connected is gone without a word.
            0 => return None,
            seen if seen < first.len() => thread::sleep(Duration::from_millis(1)),
            _ => break,
        }
    }
    if first.starts_with(b"GET /events") {
        return events::serve(hall, stream);
    }
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut asked = Asked { path, ..Asked::default() };
    for line in lines {
        let line = line.ok()?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("if-none-match") => {
                asked.etag = Some(value.to_owned());
            }
            Some((name, value)) if name.eq_ignore_ascii_case("user-agent") => {
                asked.agent = Some(value.to_owned());
            }
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let answer = hall.read().answers.get(&asked.path).cloned();
    let (status, body) = match answer.unwrap_or(Answer::Status(404)) {
        Answer::Json(body) => {
            let body = body.to_string();
            let known = asked.etag.as_deref() == Some(&tag(&body));
            (if known { 304 } else { 200 }, body)
        }
        Answer::Text(body) => (200, body),
        Answer::Status(status) => (status, "<html>no emotes today</html>".to_owned()),
        Answer::Nothing => {
            let kept = stream.try_clone().ok()?;
            hall.change(|hall| {
                hall.asked.push(asked);
                hall.open.push(kept);
            });
            return None;
        }
        Answer::Endless => {
            hall.change(|hall| hall.asked.push(Asked { status: 200, ..asked }));
            write!(stream, "HTTP/1.1 200 OK\r\n\r\n[").ok()?;
            let blanks = vec![b' '; 1 << 20];
            // Until the asker has had enough.
            while stream.write_all(&blanks).is_ok() {}
            return None;
        }
    };
    let sent = if status == 304 { "" } else { &body };
    // First it is noted: a client that has the answer may look at once how often it asked.
    hall.change(|hall| hall.asked.push(Asked { status, ..asked }));
    write!(
        stream,
        "HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nETag: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{sent}",
        tag(&body),
        sent.len(),
    )
    .ok()
}

/// What stands for a body.
fn tag(body: &str) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:x}\"", hasher.finish())
}
