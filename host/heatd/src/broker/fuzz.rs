//! Fuzz targets of MQTT: messages to events, and the topic that tells of streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use heat_engine::wit::{Happening, MqttMessage};
use heat_tests::fuzz::{Choices, Target};
use tokio::sync::watch;

use super::deliveries::{Deliveries, Delivery};
use super::incoming::Routes;
use crate::config::StreamSigns;
use crate::queue::streams::{Sign, Streams};
use crate::view::raw_log::RawLog;

const MESSAGES: Target = Target {
    name: "mqtt_messages",
    run: mqtt_messages,
    seeds: &[
        b"\x01\x03\x01\x12{\"id\":\"a1\",\"x\":1}",
        b"\x01\x03\x00\x03pie\x01\x03\x01\x03pie\x01\x03\x01\x03pip",
        b"\x02\x00\x00\x05start\x02\x00\x00\x03End\x03\x01\x00\x0c{\"id\":\"b:c\"}\x04\x01\x00\x0a{\"id\":\"c\"}",
        b"\x05\x00\x00\x0a{\"id\":\"1\"}\x00\x00\x00\x01x",
    ],
    words: &["{\"id\":\"", "\"}", "{", "}", "\"id\":7", "\u{feff}", "start", "live", "END", "offline", "\\u0000", "[[[["],
    recorded: &["eventsub/chatterino_event_bodies.ndjson"],
    inputs: 8_000,
};

/// When these routes were made: the number that ids of messages without one begin with.
const STARTED: u64 = 7;

/// Topics of which some read like parts of an id.
const TOPICS: [&str; 6] = ["x", "deck/a", "stream/seaside", "a", "a:b", "7"];

fn mqtt_messages(input: &[u8]) {
    let filters = [("seaside", "#"), ("seaside", "deck/+"), ("beach", "+")];
    let topics = filters.iter().map(|(channel, filter)| ((*channel).into(), (*filter).to_owned()));
    let topics = watch::Sender::new(Arc::new(topics.collect())).subscribe();
    let routes = Routes::new(topics, STARTED, RawLog::default());
    let deliveries = Deliveries::default();
    // Who has an id; and by packet id, what came last and whether it was acknowledged.
    let (mut known, mut last) = (BTreeMap::new(), BTreeMap::new());
    let mut choices = Choices::of(input);
    while !choices.is_empty() {
        let topic = choices.pick(&TOPICS).to_owned();
        let (packet, repeated) = (u16::from(choices.byte()), choices.flag());
        let length = usize::from(choices.byte());
        let payload = choices.bytes(length).to_vec();
        let message = MqttMessage { topic: topic.clone(), payload, retained: false };
        let events = routes.events(&message, 1);
        let channels: Vec<&str> = events.iter().map(|event| event.channel.as_str()).collect();
        let expected = if topic.contains('/') { &["seaside"][..] } else { &["seaside", "beach"] };
        assert_eq!(channels, expected, "{topic}");
        let id = events[0].id.clone();
        assert!(events.iter().all(|event| event.id == id));
        assert!(id.len() < 256, "an id of {} bytes", id.len());
        let content = (topic, message.payload.clone());
        let owner = known.entry(id.clone()).or_insert_with(|| content.clone());
        if *owner != content {
            // Two payloads may name one id: that is their sender's promise. Two topics have two senders.
            assert_eq!(owner.0, content.0, "{id} is of two topics");
            let text = content.1.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&content.1);
            assert!(text.trim_ascii_start().starts_with(b"{"), "{id} is of two messages");
        }
        let named = id.contains('#');
        let is_known = match last.get(&packet) {
            Some((before, acknowledged)) if packet != 0 && repeated => {
                *before == content && (named || !acknowledged)
            }
            _ => false,
        };
        let delivery = Delivery { packet, repeated, named };
        assert_eq!(deliveries.is_repetition(&message, delivery), is_known, "{content:?}");
        // Every other packet id is acknowledged at once.
        if packet % 2 == 1 {
            deliveries.acknowledge(packet);
        }
        last.insert(packet, (content, packet % 2 == 1));
        told(&message);
    }
}

/// A topic tells of a stream only by the words for it.
fn told(message: &MqttMessage) {
    let signs = StreamSigns { topic: "stream/{channel}".to_owned(), ..StreamSigns::default() };
    let channels = ["seaside".to_owned()];
    let streams = Streams::new(signs, &channels, 0);
    let event = heat_engine::wit::Event {
        id: "a".to_owned(),
        channel: "seaside".to_owned(),
        at: 0,
        what: Happening::Mqtt(message.clone()),
    };
    let sign = streams.after(&event);
    assert_eq!(sign == Sign::Nothing, message.topic != "stream/seaside");
    if matches!(sign, Sign::Starts | Sign::Ends) {
        let text = std::str::from_utf8(&message.payload).expect("a word");
        let word = text.trim().to_lowercase();
        assert!(["start", "live", "end", "offline"].contains(&word.as_str()), "{word}");
    }
}

#[test]
fn mqtt_messages_have_ids_of_their_own() {
    MESSAGES.check();
}
