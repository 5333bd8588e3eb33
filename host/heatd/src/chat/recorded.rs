//! Reads a recording of chat: raw IRC lines as they came from Twitch. The time of each line is in its tags.
//!
//! A recording is read line by line as it is played: as records it takes several times as much memory as it has bytes.

use std::collections::VecDeque;

use heat_engine::Record;
use twitch_irc::message::IRCMessage;

use super::event::Reader;
use super::lines::LONGEST;

/// The byte order mark, which editors on Windows set.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of a recording as records of one channel, whatever channel they were sent to, in order.
///
/// A line without a time gets that of the line before. Other lines than chat are left out, and so are those that are longer than Twitch's.
pub(crate) struct Recording<'a> {
    rest: &'a [u8],
    channel: &'a str,
    reader: Reader,
    now: u64,
    /// What is left of the last line: a cheer is a record beside its line.
    ready: VecDeque<Record>,
}

impl<'a> Recording<'a> {
    pub(crate) fn read(bytes: &'a [u8], channel: &'a str) -> Self {
        let rest = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        Self { rest, channel, reader: Reader::default(), now: 0, ready: VecDeque::new() }
    }

    /// The next line without its end.
    fn line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        Some(line)
    }

    fn take(&mut self, line: &[u8]) {
        if line.len() > LONGEST {
            return;
        }
        let text = String::from_utf8_lossy(line);
        let Ok(message) = IRCMessage::parse(text.trim_end()) else { return };
        for mut event in self.reader.events(&message, self.now) {
            self.now = self.now.max(event.at);
            self.channel.clone_into(&mut event.channel);
            self.ready.push_back(Record::Event { now: self.now, event: Box::new(event) });
        }
    }
}

impl Iterator for Recording<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.ready.is_empty() {
            let line = self.line()?;
            self.take(line);
        }
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_records_in_order_of_the_time_that_they_tell() {
        let long = format!("@tmi-sent-ts=5000;x={} :a!a@a PRIVMSG #a :x\n", "x".repeat(LONGEST));
        let text = "\u{feff}@id=a;tmi-sent-ts=1000;user-id=1 :ann!ann@ann PRIVMSG #other :?fave\r\n\
                    PING :x\n\n"
            .to_owned()
            + &long
            + "@id=b;tmi-sent-ts=900;user-id=2 :bob!bob@bob PRIVMSG #other :hello \n\
               @id=c;tmi-sent-ts=2000;bits=5;user-id=2 :bob!bob@bob PRIVMSG #other :cheer5";
        let records: Vec<Record> = Recording::read(text.as_bytes(), "seaside").collect();
        let told: Vec<_> = records.iter().map(|record| (record.at(), record.channel())).collect();
        let of = |at| (at, "seaside");
        assert_eq!(told, [of(1000), of(1000), of(2000), of(2000)]);
    }

    #[test]
    fn what_is_no_recording_has_no_records() {
        for bytes in [&b""[..], b"\n", b"\xef\xbb\xbf", b"\xff\xfe\n\0", &[b'\n'; 1000]] {
            assert_eq!(Recording::read(bytes, "seaside").count(), 0, "{bytes:?}");
        }
    }
}
