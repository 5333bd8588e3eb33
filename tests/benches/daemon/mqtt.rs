//! A publisher at as little cost as possible, since it shares the processors with what is measured.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::thread;

use anyhow::Result;
use heat_tests::mqtt::{PUBLISH, QOS_1, connect, packet, read_packet, text};

pub(crate) use heat_tests::mqtt::subscribe;

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
            bytes.extend(packet(PUBLISH | QOS_1, &body));
        }
        Ok(self.stream.write_all(&bytes)?)
    }
}
