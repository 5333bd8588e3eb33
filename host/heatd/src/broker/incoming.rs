//! Turns an MQTT message into events of the channels whose rules take its topic. Pure, except for the numbers it hands out and the raw log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use heat_engine::matches;
use heat_engine::wit::{Event, Happening, MqttMessage};
use tokio::sync::watch;

use crate::queue::Topics;
use crate::view::raw_log::{Became, RawKind, RawLog};

/// The longest id that a payload may name, in bytes.
const LONGEST_ID: usize = 128;

/// Which channels take which topics, by the rules that are live now.
#[derive(Clone)]
pub(crate) struct Routes {
    routes: watch::Receiver<Arc<Topics>>,
    /// Part of the id of a message that has none: the time of the start, so that ids are unique over restarts.
    started: u64,
    /// The other part: a number, shared by all clones.
    number: Arc<AtomicU64>,
    raw_log: RawLog,
}

impl Routes {
    pub(crate) fn new(routes: watch::Receiver<Arc<Topics>>, started: u64, raw_log: RawLog) -> Self {
        Self { routes, started, number: Arc::default(), raw_log }
    }

    /// The topics, which change when another rule is live.
    pub(super) fn topics(&self) -> watch::Receiver<Arc<Topics>> {
        self.routes.clone()
    }

    /// The message as an event of each channel that takes it.
    pub(crate) fn events(&self, message: &MqttMessage, now: u64) -> Vec<Event> {
        let id = match named_id(&message.payload) {
            // No topic has a # in it, so no two of them make one id.
            Some(id) => format!("mqtt:{}#{id}", message.topic),
            None => {
                let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
                format!("mqtt:{}:{number}", self.started)
            }
        };
        let routes = Arc::clone(&self.routes.borrow());
        let mut channels: Vec<&Arc<str>> = routes
            .iter()
            .filter(|(_, filter)| matches(filter, &message.topic))
            .map(|(channel, _)| channel)
            .collect();
        channels.dedup();
        let event = |channel: &Arc<str>| Event {
            id: id.clone(),
            channel: channel.to_string(),
            at: now,
            what: Happening::Mqtt(message.clone()),
        };
        let events: Vec<Event> = channels.into_iter().map(event).collect();
        self.note(message, &events);
        events
    }

    fn note(&self, message: &MqttMessage, events: &[Event]) {
        let payload = String::from_utf8_lossy(&message.payload);
        let retained = if message.retained { " (retained)" } else { "" };
        let line = format!("{}{retained} {payload}", message.topic);
        let became = match events {
            [] => Became::Dropped("no rule takes its topic".to_owned()),
            events => Became::Events(events.iter().map(|event| event.id.clone()).collect()),
        };
        let channel = events.first().map(|event| event.channel.as_str());
        self.raw_log.note(RawKind::Mqtt, channel, &line, became);
    }
}

/// The `id` of a payload that is a JSON object: the sender's promise that two messages with one id are one. A whole number is one too.
pub(super) fn named_id(payload: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        id: IdValue,
    }
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum IdValue {
        Text(String),
        Number(u64),
        Negative(i64),
    }
    // .NET and PowerShell write a byte order mark before JSON.
    let payload = payload.strip_prefix("\u{feff}".as_bytes()).unwrap_or(payload).trim_ascii_start();
    if payload.first() != Some(&b'{') {
        return None;
    }
    let named: Named = serde_json::from_slice(payload).ok()?;
    let id = match named.id {
        IdValue::Text(id) => id,
        IdValue::Number(number) => number.to_string(),
        IdValue::Negative(number) => number.to_string(),
    };
    (!id.is_empty() && id.len() <= LONGEST_ID).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(topics: &[(&str, &str)]) -> Routes {
        let topics =
            topics.iter().map(|(channel, filter)| ((*channel).into(), (*filter).to_owned()));
        let topics = watch::Sender::new(Arc::new(topics.collect())).subscribe();
        Routes::new(topics, 7, RawLog::default())
    }

    fn ids(payloads: &[&[u8]]) -> Vec<String> {
        let routes = routes(&[("seaside", "deck/+")]);
        let message = |payload: &&[u8]| MqttMessage {
            topic: "deck/a".to_owned(),
            payload: payload.to_vec(),
            retained: false,
        };
        payloads
            .iter()
            .flat_map(|payload| routes.events(&message(payload), 1))
            .map(|event| event.id)
            .collect()
    }

    #[test]
    fn an_id_in_the_payload_is_the_id_of_the_event() {
        for (payload, id) in [
            (&br#"{"id":"a1","item":"pie"}"#[..], "a1"),
            (b" \n{\"id\":\"a1\"}", "a1"),
            (b"\xEF\xBB\xBF{\"id\":\"a1\"}", "a1"),
            (br#"{"id":17}"#, "17"),
            (br#"{"id":-5}"#, "-5"),
        ] {
            assert_eq!(ids(&[payload]), [format!("mqtt:deck/a#{id}")]);
        }
    }

    #[test]
    fn payloads_without_a_usable_id_get_a_number() {
        let odd: [&[u8]; 6] = [b"", b"\xFF\xFE", b"{", br#"{"id":7.5}"#, br#"{"id":""}"#, b"pie"];
        assert_eq!(ids(&odd), (1..=6).map(|number| format!("mqtt:7:{number}")).collect::<Vec<_>>());
    }

    #[test]
    fn a_topic_that_no_rule_takes_is_no_event() {
        let routes = routes(&[("a", "x"), ("a", "+")]);
        let message = |topic: &str| MqttMessage {
            topic: topic.to_owned(),
            payload: Vec::new(),
            retained: false,
        };
        assert_eq!(routes.events(&message("x"), 1).len(), 1);
        assert!(routes.events(&message("y/z"), 1).is_empty());
    }
}
