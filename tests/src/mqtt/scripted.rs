//! A broker that does what a test says: it speaks the server's side of MQTT 5 to one client at a time, for what no real broker does on
//! command.

use std::io::{BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::{CONNACK, CONNECT, PUBACK, PUBLISH, QOS_1, REPEATED, SUBACK, SUBSCRIBE};
use super::{packet, read_packet, text};
use crate::patience::{Watched, eventually, patience};

const PING: u8 = 0xc0;
const PONG: u8 = 0xd0;

pub struct Scripted {
    listener: TcpListener,
}

/// A client that is connected. Dropped, its connection is closed.
pub struct Client {
    stream: TcpStream,
    /// The body of its CONNECT.
    pub connect: Vec<u8>,
    seen: Arc<Watched<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    subscriptions: usize,
    /// Packet ids of the acknowledgements, in order.
    acknowledged: Vec<(u16, Instant)>,
}

impl Scripted {
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        // Who waits for a client that does not come shall not wait for ever.
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    pub fn port(&self) -> Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Lets the next client in, and tells it whether there is a session of it.
    pub fn accept(&self, session_present: bool) -> Result<Client> {
        let (mut stream, _) = eventually("a client", || self.listener.accept())?;
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience()))?;
        let mut reading = BufReader::new(stream.try_clone()?);
        let (kind, connect) = read_packet(&mut reading)?;
        ensure!(kind == CONNECT, "a client begins with {kind:#x}");
        // No error, and no properties.
        stream.write_all(&packet(CONNACK, &[u8::from(session_present), 0, 0]))?;
        let seen = Arc::new(Watched::new(Seen::default()));
        let (answering, noted) = (stream.try_clone()?, Arc::clone(&seen));
        thread::spawn(move || answer(reading, answering, &noted));
        Ok(Client { stream, connect, seen })
    }
}

impl Client {
    pub fn wait_until_subscribed(&self) -> Result<()> {
        let is_there = |seen: &Seen| (seen.subscriptions > 0).then_some(());
        self.seen.wait("a subscription", is_there, |seen| format!("{seen:?}"))
    }

    /// Sends a message with QoS 1.
    pub fn send(&mut self, topic: &str, number: u16, repeated: bool, payload: &str) -> Result<()> {
        let flags = QOS_1 | if repeated { REPEATED } else { 0 };
        let body = [&text(topic)[..], &number.to_be_bytes(), &[0], payload.as_bytes()].concat();
        Ok(self.stream.write_all(&packet(PUBLISH | flags, &body))?)
    }

    /// Waits for the acknowledgement of a packet id, and says when it came.
    pub fn wait_for_acknowledgement(&self, number: u16) -> Result<Instant> {
        let find =
            |seen: &Seen| seen.acknowledged.iter().find(|(it, _)| *it == number).map(|(_, at)| *at);
        let what = format!("the acknowledgement of packet {number}");
        self.seen.wait(what, find, |seen| format!("{seen:?}"))
    }

    /// The packet ids of all acknowledgements so far.
    pub fn acknowledged(&self) -> Vec<u16> {
        self.seen.read().acknowledged.iter().map(|(number, _)| *number).collect()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Without a goodbye, as when the network breaks.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Says to the client what a broker has to say, until the connection ends.
fn answer(mut reading: BufReader<TcpStream>, mut stream: TcpStream, seen: &Watched<Seen>) {
    while let Ok((kind, body)) = read_packet(&mut reading) {
        let answered = match kind {
            SUBSCRIBE => {
                let answered = number(&body).and_then(|number| {
                    // As many codes as filters; what asks for one filter at a time gets one.
                    Ok(stream.write_all(&packet(SUBACK, &[&number[..], &[0, 1]].concat()))?)
                });
                seen.change(|seen| seen.subscriptions += 1);
                answered
            }
            PUBACK => number(&body).map(|number| {
                let at = Instant::now();
                seen.change(|seen| seen.acknowledged.push((u16::from_be_bytes(number), at)));
            }),
            PING => stream.write_all(&packet(PONG, &[])).map_err(Into::into),
            _ if kind & 0xf6 == PUBLISH | QOS_1 => {
                published(&body).and_then(|number| Ok(stream.write_all(&packet(PUBACK, &number))?))
            }
            _ => Ok(()),
        };
        if answered.is_err() {
            return;
        }
    }
}

fn number(body: &[u8]) -> Result<[u8; 2]> {
    body.first_chunk().copied().context("a packet without a number")
}

/// The packet id of a message.
fn published(body: &[u8]) -> Result<[u8; 2]> {
    let topic = usize::from(u16::from_be_bytes(number(body)?));
    number(body.get(2 + topic..).context("a message without a packet id")?)
}
