//! The least of an MQTT client (3.1.1): enough to put load on a broker and to see what comes of it, at as little cost as possible.
//!
//! [`subscribe`] calls back for each message; [`Publisher`] repeats what the broker has not acknowledged; [`Scripted`] is the other side.

mod publisher;
mod scripted;

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

pub use publisher::Publisher;
pub use scripted::{Client, Scripted};

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;
const CLEAN_SESSION: u8 = 0x02;

/// The first byte of a PUBLISH, without flags.
pub const PUBLISH: u8 = 0x30;
/// Its flags.
pub const QOS_1: u8 = 0x02;
pub const REPEATED: u8 = 0x08;
pub const PUBACK: u8 = 0x40;

/// A message as it arrived.
pub struct Message<'a> {
    pub payload: &'a [u8],
    pub at: Instant,
}

/// Subscribes, and calls this for each message, from a thread that ends with the connection. Messages with QoS 1 are acknowledged.
pub fn subscribe(
    port: u16,
    filter: &str,
    qos: u8,
    mut take: impl FnMut(&Message<'_>) + Send + 'static,
) -> Result<()> {
    let mut stream = connect(port, "subscriber")?;
    let body = [&[0, 1][..], &text(filter), &[qos]].concat();
    stream.write_all(&packet(SUBSCRIBE, &body))?;
    let mut reading = BufReader::new(stream.try_clone()?);
    // A retained message may come before the answer.
    let mut early = Vec::new();
    loop {
        let (kind, body) = read_packet(&mut reading)?;
        if kind == SUBACK {
            ensure!(body.last().is_some_and(|code| *code < 0x80), "the subscription was refused");
            break;
        }
        early.push((kind, body));
    }
    thread::spawn(move || {
        for (kind, body) in early {
            receive(&mut stream, kind, &body, &mut take);
        }
        while let Ok((kind, body)) = read_packet(&mut reading) {
            receive(&mut stream, kind, &body, &mut take);
        }
    });
    Ok(())
}

fn receive(stream: &mut TcpStream, kind: u8, body: &[u8], take: &mut impl FnMut(&Message<'_>)) {
    let at = Instant::now();
    let Some((length, rest)) = body.split_first_chunk().filter(|_| kind & 0xf0 == PUBLISH) else {
        return;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    let mut payload = rest.get(length..).unwrap_or_default();
    let mut acknowledgement = None;
    if kind & 0x06 != 0
        && let Some((number, after)) = payload.split_first_chunk::<2>()
    {
        (acknowledgement, payload) = (Some(*number), after);
    }
    take(&Message { payload, at });
    if let Some(number) = acknowledgement {
        // A lost connection shows as messages that do not arrive.
        let _ = stream.write_all(&packet(PUBACK, &number));
    }
}

/// Connects with a new name, for as long as the connection lasts.
pub fn connect(port: u16, role: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    let id = format!("heat-tests-{role}-{}", stream.local_addr()?.port());
    log_in(stream, &id, CLEAN_SESSION)
}

/// Says who this is, and waits until the broker has let it in.
fn log_in(mut stream: TcpStream, id: &str, flags: u8) -> Result<TcpStream> {
    stream.set_nodelay(true)?;
    // Level 4, no keep-alive.
    let body = [&text("MQTT")[..], &[4, flags, 0, 0], &text(id)].concat();
    stream.write_all(&packet(CONNECT, &body))?;
    let (kind, body) = read_packet(&mut stream)?;
    ensure!(kind == CONNACK && body.last() == Some(&0), "the broker refuses the connection");
    Ok(stream)
}

/// A packet with its length.
pub fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    let mut length = body.len();
    loop {
        let seven = (length & 0x7f) as u8;
        length >>= 7;
        bytes.push(if length > 0 { seven | 0x80 } else { seven });
        if length == 0 {
            break;
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

/// A text with its length.
pub fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], text.as_bytes()].concat()
}

/// Reads a packet: its first byte, and its body.
pub fn read_packet(stream: &mut impl Read) -> Result<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte).context("the broker has closed the connection")?;
    let kind = byte[0];
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        stream.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((kind, body))
}
