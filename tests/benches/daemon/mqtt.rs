//! The least of an MQTT client (3.1.1): enough to put load on a broker and to see what comes of it, at as little cost as possible,
//! since it shares the processors with what is measured.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;

/// A message as it arrived.
pub(crate) struct Message<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) at: Instant,
}

/// A connection that sends messages. What the broker acknowledges is read by a thread, and left at that: who counts are the
/// subscribers.
pub(crate) struct Publisher {
    stream: TcpStream,
    packet: u16,
}

impl Publisher {
    pub(crate) fn connect(port: u16) -> Result<Self> {
        let stream = connect(port, "publisher")?;
        let mut reading = BufReader::new(stream.try_clone()?);
        thread::spawn(move || while read_packet(&mut reading).is_ok() {});
        Ok(Self { stream, packet: 0 })
    }

    /// Sends messages with QoS 1 in one write.
    pub(crate) fn publish(
        &mut self,
        topic: &str,
        payloads: impl Iterator<Item = String>,
    ) -> Result<()> {
        let mut bytes = Vec::new();
        for payload in payloads {
            self.packet = self.packet.checked_add(1).unwrap_or(1);
            let mut body = text(topic);
            body.extend(self.packet.to_be_bytes());
            body.extend(payload.as_bytes());
            bytes.extend(packet(PUBLISH | 0x02, &body));
        }
        Ok(self.stream.write_all(&bytes)?)
    }
}

/// Subscribes, and calls this for each message, from a thread that ends with the connection. Messages with QoS 1 are acknowledged.
pub(crate) fn subscribe(
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

fn connect(port: u16, role: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let id = format!("heat-bench-{role}-{}", stream.local_addr()?.port());
    // Level 4, a clean session, no keep-alive.
    let body = [&text("MQTT")[..], &[4, 0x02, 0, 0], &text(&id)].concat();
    stream.write_all(&packet(CONNECT, &body))?;
    let (kind, body) = read_packet(&mut stream)?;
    ensure!(kind == CONNACK && body.last() == Some(&0), "the broker refuses the connection");
    Ok(stream)
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
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

fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], text.as_bytes()].concat()
}

fn read_packet(stream: &mut impl Read) -> Result<(u8, Vec<u8>)> {
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
