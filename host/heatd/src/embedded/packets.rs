//! Packets of MQTT 3.1, 3.1.1 and 5 in one form, which is that of version 5.
//!
//! The codec is the one that heatd's own client and heat-writer have: what it cannot read does not get in.

use bytes::BytesMut;
use rumqttc::mqttbytes::check as framed;
use rumqttc::{
    ConnAck, Connect, ConnectAuth, ConnectReturnCode, DisconnectReasonCode as Reason, Error,
    LastWill, Packet, PubAck, PubComp, PubRec, PubRel, Publish, SubAck, Subscribe, SubscribeFilter,
    SubscribeReasonCode, UnsubAck, Unsubscribe,
};
use rumqttc_v4 as old;

use super::bounds::LARGEST_PACKET;
use super::strict::{self, Fault};
use super::version::Version;

/// The first packet of a client.
pub(super) struct Greeting {
    pub(super) version: Version,
    pub(super) connect: Connect,
    pub(super) will: Option<LastWill>,
    pub(super) auth: ConnectAuth,
}

/// What a client that cannot be greeted is told.
pub(super) enum NoGreeting {
    /// Nothing: it does not speak MQTT.
    Nothing,
    /// Nothing either: it has said nothing.
    Gone,
    /// That its version is not spoken here.
    OtherVersion,
}

/// The next whole packet that has come in, as bytes.
pub(super) fn next(buffer: &mut BytesMut) -> Result<Option<BytesMut>, Fault> {
    match framed(buffer.iter(), Some(LARGEST_PACKET)) {
        Ok(header) => Ok(Some(buffer.split_to(header.frame_length()))),
        Err(Error::InsufficientBytes(_)) => Ok(None),
        Err(error) => Err(fault(&error)),
    }
}

/// Reads the packet with which a client says who it is.
pub(super) fn greeting(mut packet: BytesMut) -> Result<Greeting, NoGreeting> {
    if packet.first().is_none_or(|first| first >> 4 != 1) {
        return Err(NoGreeting::Nothing);
    }
    let version = version(&mut packet)?;
    match read(packet, version) {
        Ok(Packet::Connect(connect, will, auth)) => Ok(Greeting { version, connect, will, auth }),
        _ => Err(NoGreeting::Nothing),
    }
}

/// Which version it is. A packet of MQTT 3.1 becomes one of 3.1.1, which differ in their name and number alone.
fn version(packet: &mut BytesMut) -> Result<Version, NoGreeting> {
    let head = 1 + packet.iter().skip(1).take_while(|byte| *byte & 0x80 != 0).count() + 1;
    let body = packet.get(head..).unwrap_or_default();
    if let Some(rest) = body.strip_prefix(b"\x00\x06MQIsdp\x03") {
        let mut body = [b"\x00\x04MQTT\x04", rest].concat();
        if let Some(flags) = body.get_mut(7) {
            // In 3.1 this bit may have any value.
            *flags &= 0xFE;
        }
        let mut renamed = BytesMut::from(&[0x10][..]);
        let mut length = body.len();
        while length > 0x7f {
            renamed.extend_from_slice(&[(length & 0x7f) as u8 | 0x80]);
            length >>= 7;
        }
        renamed.extend_from_slice(&[length as u8]);
        renamed.extend_from_slice(&body);
        *packet = renamed;
        return Ok(Version::Three);
    }
    let level = body.strip_prefix(b"\x00\x04MQTT").or_else(|| body.strip_prefix(b"\x00\x06MQIsdp"));
    match level.and_then(<[u8]>::first) {
        Some(4) => Ok(Version::Three),
        Some(5) => Ok(Version::Five),
        Some(_) => Err(NoGreeting::OtherVersion),
        None => Err(NoGreeting::Nothing),
    }
}

/// Reads a packet.
pub(super) fn read(mut packet: BytesMut, version: Version) -> Result<Packet, Fault> {
    strict::check(&packet, version)?;
    if version == Version::Five && packet[..2] == [0xE0, 1] {
        // The codec wants the length of the properties, which may be left out.
        packet = BytesMut::from(&[0xE0, 2, packet[2], 0][..]);
    }
    match version {
        Version::Five => {
            let is_list = matches!(packet[0] >> 4, 8 | 10);
            Packet::read(&mut packet, None).map_err(|error| match error {
                Error::InvalidPropertyType(_) if is_list => Fault(Reason::MalformedPacket),
                error => fault(&error),
            })
        }
        Version::Three => {
            let packet = old::Packet::read(&mut packet, LARGEST_PACKET as usize);
            // Clients of version 3 are told nothing but by the end of the connection.
            renewed(packet.map_err(|_| Fault(Reason::MalformedPacket))?)
        }
    }
}

/// What a client is told of a packet that cannot be read.
fn fault(error: &Error) -> Fault {
    Fault(match error {
        Error::ProtocolViolation(reason) => *reason,
        Error::PayloadSizeLimitExceeded { .. } => Reason::PacketTooLarge,
        Error::InvalidProtocol
        | Error::PacketIdZero
        | Error::InvalidReason(_)
        | Error::InvalidPropertyType(_)
        | Error::ProtocolError
        | Error::EmptySubscription
        | Error::InvalidRetainForwardRule(_) => Reason::ProtocolError,
        _ => Reason::MalformedPacket,
    })
}

/// A packet of version 3 as one of version 5.
fn renewed(packet: old::Packet) -> Result<Packet, Fault> {
    Ok(match packet {
        old::Packet::Connect(it) => {
            let connect = Connect {
                keep_alive: it.keep_alive,
                client_id: it.client_id,
                clean_start: it.clean_session,
                properties: None,
            };
            let will = it
                .last_will
                .map(|it| LastWill::new(it.topic, it.message.to_vec(), it.qos, it.retain, None));
            let auth = match it.auth {
                old::ConnectAuth::None => ConnectAuth::None,
                old::ConnectAuth::Username { username } => ConnectAuth::Username { username },
                old::ConnectAuth::UsernamePassword { username, password } => {
                    ConnectAuth::UsernamePassword { username, password }
                }
            };
            Packet::Connect(connect, will, auth)
        }
        old::Packet::Publish(it) => Packet::Publish(Publish {
            dup: it.dup,
            qos: it.qos,
            retain: it.retain,
            topic: it.topic,
            pkid: it.pkid,
            payload: it.payload,
            properties: None,
        }),
        old::Packet::PubAck(it) => Packet::PubAck(PubAck::new(it.pkid, None)),
        old::Packet::PubRec(it) => Packet::PubRec(PubRec::new(it.pkid, None)),
        old::Packet::PubRel(it) => Packet::PubRel(PubRel::new(it.pkid, None)),
        old::Packet::PubComp(it) => Packet::PubComp(PubComp::new(it.pkid, None)),
        old::Packet::Subscribe(it) => {
            let filter = |it: old::SubscribeFilter| SubscribeFilter::new(it.path, it.qos);
            let filters = it.filters.into_iter().map(filter).collect();
            Packet::Subscribe(Subscribe { pkid: it.pkid, filters, properties: None })
        }
        old::Packet::Unsubscribe(it) => {
            Packet::Unsubscribe(Unsubscribe { pkid: it.pkid, filters: it.topics, properties: None })
        }
        old::Packet::PingReq => Packet::PingReq,
        old::Packet::Disconnect => {
            Packet::Disconnect(rumqttc::Disconnect::new(Reason::NormalDisconnection))
        }
        // What only brokers send.
        old::Packet::ConnAck(_)
        | old::Packet::SubAck(_)
        | old::Packet::UnsubAck(_)
        | old::Packet::PingResp => return Err(Fault(Reason::ProtocolError)),
    })
}

/// Writes a packet, unless it is larger than `largest` or cannot be written.
pub(super) fn write(packet: Packet, version: Version, largest: u32, buffer: &mut BytesMut) -> bool {
    let before = buffer.len();
    if version == Version::Five && short(&packet, buffer) {
        return true;
    }
    let is_written = match version {
        Version::Five => packet.write(buffer, Some(largest)).is_ok(),
        Version::Three => {
            aged(packet).is_some_and(|packet| packet.write(buffer, largest as usize).is_ok())
        }
    };
    if !is_written {
        buffer.truncate(before);
    }
    is_written
}

/// Writes an acknowledgement that has a reason and no properties, whose length may be left out. False: it is no such packet.
fn short(packet: &Packet, buffer: &mut BytesMut) -> bool {
    let (first, packet, reason) = match packet {
        Packet::PubAck(it) => (0x40, it.pkid, it.reason as u8),
        Packet::PubRec(it) => (0x50, it.pkid, it.reason as u8),
        _ => return false,
    };
    if reason != 0 {
        let [high, low] = packet.to_be_bytes();
        buffer.extend_from_slice(&[first, 3, high, low, reason]);
    }
    reason != 0
}

/// A packet as one of version 3, if there is such a one.
fn aged(packet: Packet) -> Option<old::Packet> {
    Some(match packet {
        Packet::ConnAck(ConnAck { session_present, code, .. }) => {
            old::Packet::ConnAck(old::ConnAck { session_present, code: aged_code(code) })
        }
        Packet::Publish(it) => old::Packet::Publish(old::Publish {
            dup: it.dup,
            qos: it.qos,
            retain: it.retain,
            topic: it.topic,
            pkid: it.pkid,
            payload: it.payload,
        }),
        Packet::PubAck(it) => old::Packet::PubAck(old::PubAck::new(it.pkid)),
        Packet::PubRec(it) => old::Packet::PubRec(old::PubRec::new(it.pkid)),
        Packet::PubRel(it) => old::Packet::PubRel(old::PubRel::new(it.pkid)),
        Packet::PubComp(it) => old::Packet::PubComp(old::PubComp::new(it.pkid)),
        Packet::SubAck(SubAck { pkid, return_codes, .. }) => {
            let code = |code| match code {
                SubscribeReasonCode::Success(qos) => old::SubscribeReasonCode::Success(qos),
                _ => old::SubscribeReasonCode::Failure,
            };
            let codes = return_codes.into_iter().map(code).collect();
            old::Packet::SubAck(old::SubAck::new(pkid, codes))
        }
        Packet::UnsubAck(UnsubAck { pkid, .. }) => old::Packet::UnsubAck(old::UnsubAck::new(pkid)),
        Packet::PingResp => old::Packet::PingResp,
        _ => return None,
    })
}

fn aged_code(code: ConnectReturnCode) -> old::ConnectReturnCode {
    match code {
        ConnectReturnCode::Success => old::ConnectReturnCode::Success,
        ConnectReturnCode::ClientIdentifierNotValid => old::ConnectReturnCode::BadClientId,
        ConnectReturnCode::BadUserNamePassword => old::ConnectReturnCode::BadUserNamePassword,
        ConnectReturnCode::NotAuthorized => old::ConnectReturnCode::NotAuthorized,
        _ => old::ConnectReturnCode::ServiceUnavailable,
    }
}

/// Says that this version is not spoken here, in the words of version 3, which every client understands.
pub(super) fn other_version(buffer: &mut BytesMut) {
    buffer.extend_from_slice(&[0x20, 0x02, 0x00, 0x01]);
}

/// Says why the connection ends. Only clients of version 5 are told.
pub(super) fn farewell(reason: Reason, version: Version, buffer: &mut BytesMut) {
    if version == Version::Five {
        buffer.extend_from_slice(&[0xE0, 0x01, reason as u8]);
    }
}
