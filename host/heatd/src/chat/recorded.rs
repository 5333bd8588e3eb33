//! Reads a recording of chat: raw IRC lines as they came from Twitch. The time of each line is in its tags.

use heat_engine::Record;
use twitch_irc::message::IRCMessage;

use super::event::Reader;

/// The lines of a recording as records of this channel, whatever channel they were sent to, in order.
///
/// A line without a time gets that of the line before. Other lines than chat are left out.
pub(crate) fn read_recording(bytes: &[u8], channel: &str) -> Vec<Record> {
    let (mut reader, mut records, mut now) = (Reader::default(), Vec::new(), 0);
    let text = String::from_utf8_lossy(bytes);
    // Editors on Windows set a byte order mark.
    for line in text.trim_start_matches('\u{feff}').lines() {
        let Ok(message) = IRCMessage::parse(line.trim_end()) else { continue };
        for mut event in reader.events(&message, now) {
            now = now.max(event.at);
            channel.clone_into(&mut event.channel);
            records.push(Record::Event { now, event: Box::new(event) });
        }
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_records_in_order_of_the_time_that_they_tell() {
        let text = "\u{feff}@id=a;tmi-sent-ts=1000;user-id=1 :ann!ann@ann PRIVMSG #other :?fave\r\n\
                    PING :x\n\
                    @id=b;tmi-sent-ts=900;user-id=2 :bob!bob@bob PRIVMSG #other :hello\n";
        let records = read_recording(text.as_bytes(), "seaside");
        let told: Vec<_> = records.iter().map(|record| (record.at(), record.channel())).collect();
        assert_eq!(told, [(1000, "seaside"), (1000, "seaside")]);
    }
}
