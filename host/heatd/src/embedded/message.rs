//! A message on its way through the broker. It owns its bytes: a slice of what was read from a socket would keep all of that in memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use heat_engine::wit::MqttMessage;
use rumqttc::{LastWill, Publish, PublishProperties, QoS};

/// What a message takes beside its texts, in bytes, roughly: its place in queues and trees.
const OVERHEAD: usize = 256;

/// A message that clients may get.
#[derive(Debug, PartialEq)]
pub(super) struct Message {
    pub(super) topic: Arc<str>,
    pub(super) payload: Bytes,
    pub(super) qos: QoS,
    /// It was sent to be kept.
    pub(super) retain: bool,
    properties: Option<Box<PublishProperties>>,
    expires: Option<Instant>,
    /// What it takes in memory, in bytes.
    pub(super) size: usize,
}

impl Message {
    pub(super) fn of(publish: &Publish, topic: Arc<str>) -> Self {
        let properties = publish.properties.clone();
        Self::new(topic, &publish.payload, publish.qos, publish.retain, properties)
    }

    /// The last will of a client, and how long it waits. None: its topic is no text.
    pub(super) fn will(will: &LastWill) -> Option<(Self, Duration)> {
        let topic = std::str::from_utf8(&will.topic).ok()?;
        let delay = will.properties.as_ref().and_then(|it| it.delay_interval).unwrap_or_default();
        let properties = will.properties.clone().map(|it| PublishProperties {
            payload_format_indicator: it.payload_format_indicator,
            message_expiry_interval: it.message_expiry_interval,
            response_topic: it.response_topic,
            correlation_data: it.correlation_data,
            user_properties: it.user_properties,
            content_type: it.content_type,
            ..PublishProperties::default()
        });
        let message = Self::new(topic.into(), &will.message, will.qos, will.retain, properties);
        Some((message, Duration::from_secs(delay.into())))
    }

    fn new(
        topic: Arc<str>,
        payload: &[u8],
        qos: QoS,
        retain: bool,
        properties: Option<PublishProperties>,
    ) -> Self {
        let expiry = properties.as_ref().and_then(|it| it.message_expiry_interval);
        let now = Instant::now();
        let expires =
            expiry.and_then(|seconds| now.checked_add(Duration::from_secs(seconds.into())));
        let properties = properties.map(|mut it| {
            // These are between two ends of one connection.
            it.topic_alias = None;
            it.subscription_identifiers = Vec::new();
            it.correlation_data = it.correlation_data.map(|data| Bytes::copy_from_slice(&data));
            Box::new(it)
        });
        let properties = properties.filter(|it| **it != PublishProperties::default());
        let size =
            OVERHEAD + topic.len() + payload.len() + properties.as_deref().map_or(0, size_of_all);
        let payload = Bytes::copy_from_slice(payload);
        Self { topic, payload, qos, retain, properties, expires, size }
    }

    /// As the engine takes it: as a subscriber of old sees it.
    pub(super) fn for_rules(&self) -> MqttMessage {
        MqttMessage {
            topic: self.topic.to_string(),
            payload: self.payload.to_vec(),
            retained: false,
        }
    }

    pub(super) fn has_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    /// As it is sent to a client.
    pub(super) fn publish(
        &self,
        qos: QoS,
        retain: bool,
        subscriptions: &[usize],
        now: Instant,
    ) -> Publish {
        let mut properties = self.properties.as_deref().cloned();
        if let Some(at) = self.expires {
            // A begun second is one.
            let left = at.saturating_duration_since(now).as_millis().div_ceil(1000);
            properties.get_or_insert_default().message_expiry_interval =
                Some(u32::try_from(left).unwrap_or(u32::MAX));
        }
        if !subscriptions.is_empty() {
            properties.get_or_insert_default().subscription_identifiers = subscriptions.to_vec();
        }
        Publish {
            dup: false,
            qos,
            retain,
            topic: Bytes::copy_from_slice(self.topic.as_bytes()),
            pkid: 0,
            payload: self.payload.clone(),
            properties,
        }
    }
}

fn size_of_all(properties: &PublishProperties) -> usize {
    let own: usize =
        properties.user_properties.iter().map(|(key, value)| 96 + key.len() + value.len()).sum();
    let texts = [&properties.response_topic, &properties.content_type];
    let texts: usize = texts.iter().map(|text| text.as_ref().map_or(0, String::len)).sum();
    let data = properties.correlation_data.as_ref().map_or(0, Bytes::len);
    size_of::<PublishProperties>() + own + texts + data
}
