//! A fuzz target of the embedded broker: whatever a client sends, what is passed on of it can be read by every client.

use bytes::BytesMut;
use heat_tests::fuzz::Target;
use rumqttc::{Packet, QoS};
use rumqttc_v4 as old;

use super::bounds::LARGEST_PACKET;
use super::message::Message;
use super::packets;
use super::text;
use super::version::Version;

const PACKETS: Target = Target {
    name: "broker_packets",
    run: broker_packets,
    seeds: &[
        b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01p",
        b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x0a\x00\x00\x01p",
        b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x0a\x00\x01p",
        b"\x30\x09\x00\x03a/b\x04\x03\x00\x01x!",
        b"\x33\x12\x00\x03a/b\x00\x07\x0a\x26\x00\x01k\x00\x01v\x01\x01y",
        b"\x82\x09\x00\x07\x00\x00\x03a/#\x01\xa2\x08\x00\x08\x00\x00\x03a/#",
        b"\x40\x02\x00\x01\x50\x02\x00\x01\x62\x02\x00\x01\x70\x02\x00\x01\xc0\x00\xe0\x00",
    ],
    words: &[
        "\x00\x01",
        "\x04MQTT",
        "\x06MQIsdp",
        "\u{7f}",
        "\u{fffe}",
        "/",
        "#",
        "+",
        "$share/g/",
    ],
    recorded: &[],
    inputs: 8_000,
};

fn broker_packets(input: &[u8]) {
    for version in [Version::Three, Version::Five] {
        let mut buffer = BytesMut::from(input);
        while let Ok(Some(packet)) = packets::next(&mut buffer) {
            // As a greeting, and as what comes after one.
            let _ = packets::greeting(packet.clone());
            let Ok(packet) = packets::read(packet, version) else { break };
            if let Packet::Publish(publish) = packet {
                let Ok(topic) = std::str::from_utf8(&publish.topic) else { panic!("no text") };
                if text::topic(topic).is_ok() {
                    passed_on(&Message::of(&publish, topic.into()), publish.qos);
                }
            }
        }
    }
}

/// Clients of both versions read what the broker writes of a message.
fn passed_on(message: &Message, qos: QoS) {
    let mut publish = message.publish(qos, true, &[], std::time::Instant::now());
    publish.pkid = u16::from(qos != QoS::AtMostOnce);
    let written = |version| {
        let mut buffer = BytesMut::new();
        let packet = Packet::Publish(publish.clone());
        assert!(packets::write(packet, version, LARGEST_PACKET, &mut buffer), "{publish:?}");
        buffer
    };
    Packet::read(&mut written(Version::Five), None).expect("a client of version 5 reads it");
    old::Packet::read(&mut written(Version::Three), LARGEST_PACKET as usize)
        .expect("a client of version 3 reads it");
}

#[test]
fn broker_packets_are_such_as_every_client_can_read() {
    PACKETS.check();
}
