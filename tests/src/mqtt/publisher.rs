//! A client that publishes with QoS 1 as the protocol has it: it keeps each message until the broker has acknowledged it, and repeats
//! what is left, marked and in order, on the next connection.

use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};

use super::{PUBACK, PUBLISH, QOS_1, REPEATED, log_in, packet, read_packet, text};
use crate::patience::{eventually, patience};

/// Its session at the broker lasts longer than a connection.
pub struct Publisher {
    port: u16,
    id: String,
    /// How many messages may wait for their acknowledgement.
    window: usize,
    connection: Option<Connection>,
    /// With their packet ids, in order.
    unacknowledged: VecDeque<(u16, Vec<u8>)>,
    packet: u16,
    acknowledged: u64,
}

struct Connection {
    stream: TcpStream,
    reading: BufReader<TcpStream>,
}

impl Publisher {
    pub fn new(port: u16, window: usize) -> Self {
        static PUBLISHERS: AtomicU64 = AtomicU64::new(0);
        let number = PUBLISHERS.fetch_add(1, Ordering::Relaxed);
        let id = format!("heat-tests-publisher-{}-{number}", std::process::id());
        let unacknowledged = VecDeque::new();
        Self { port, id, window, connection: None, unacknowledged, packet: 0, acknowledged: 0 }
    }

    /// How many messages the broker has acknowledged: the first so many.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Sends a message; waits while too many have no acknowledgement. Comes back to a broker that was gone, and repeats.
    pub fn publish(&mut self, topic: &str, payload: impl AsRef<[u8]>) -> Result<()> {
        self.send(topic, payload.as_ref())?;
        self.settle(self.window)
    }

    /// As `publish`, but for one connection: when it breaks, that is the end, and nothing is repeated.
    pub fn publish_while_connected(
        &mut self,
        topic: &str,
        payload: impl AsRef<[u8]>,
    ) -> Result<()> {
        if self.connection.is_none() {
            self.connect()?;
        }
        let message = self.keep(topic, payload.as_ref());
        self.connection.as_mut().context("no connection")?.stream.write_all(&message)?;
        while self.unacknowledged.len() >= self.window {
            self.take_acknowledgement()?;
        }
        Ok(())
    }

    /// Waits until everything is acknowledged, and returns how many messages that are.
    pub fn finish(&mut self) -> Result<u64> {
        self.settle(1)?;
        Ok(self.acknowledged)
    }

    fn send(&mut self, topic: &str, payload: &[u8]) -> Result<()> {
        let message = self.keep(topic, payload);
        let sent = self.connection.as_mut().map(|it| it.stream.write_all(&message));
        match sent {
            Some(Ok(())) => Ok(()),
            // The new message goes with the others that are repeated.
            _ => self.come_back(),
        }
    }

    /// Makes a message of it that is kept until it is acknowledged.
    fn keep(&mut self, topic: &str, payload: &[u8]) -> Vec<u8> {
        self.packet = self.packet.checked_add(1).unwrap_or(1);
        let body = [&text(topic)[..], &self.packet.to_be_bytes(), payload].concat();
        let message = packet(PUBLISH | QOS_1, &body);
        self.unacknowledged.push_back((self.packet, message.clone()));
        message
    }

    /// Waits until fewer than so many messages have no acknowledgement.
    fn settle(&mut self, fewer_than: usize) -> Result<()> {
        while self.unacknowledged.len() >= fewer_than {
            if self.take_acknowledgement().is_err() {
                self.come_back()?;
            }
        }
        Ok(())
    }

    fn take_acknowledgement(&mut self) -> Result<()> {
        let connection = self.connection.as_mut().context("no connection")?;
        let (kind, body) = read_packet(&mut connection.reading)?;
        let number = body.first_chunk().map(|bytes| u16::from_be_bytes(*bytes));
        let place = self.unacknowledged.iter().position(|(it, _)| Some(*it) == number);
        if kind == PUBACK
            && let Some(place) = place
        {
            self.unacknowledged.remove(place);
            self.acknowledged += 1;
        }
        Ok(())
    }

    /// Connects, however long the broker is away, and repeats.
    fn come_back(&mut self) -> Result<()> {
        // What the broker has acknowledged before it went need not be sent again.
        while self.take_acknowledgement().is_ok() {}
        self.connection = None;
        let port = self.port;
        eventually(format!("a broker on port {port}"), || {
            self.connect()?;
            let stream = &mut self.connection.as_mut().context("no connection")?.stream;
            for (_, message) in &mut self.unacknowledged {
                if let Some(first) = message.first_mut() {
                    *first |= REPEATED;
                }
                stream.write_all(message)?;
            }
            anyhow::Ok(())
        })
    }

    fn connect(&mut self) -> Result<()> {
        let stream = log_in(TcpStream::connect(("127.0.0.1", self.port))?, &self.id, 0)?;
        // A broker that takes messages and never acknowledges them is an error and no reason to wait for ever.
        stream.set_read_timeout(Some(patience()))?;
        let reading = BufReader::new(stream.try_clone()?);
        self.connection = Some(Connection { stream, reading });
        Ok(())
    }
}
