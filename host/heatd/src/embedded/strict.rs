//! What a packet must be before it is read at all. The codec is made for clients, who trust their broker: it takes properties that are
//! there twice or cut short, and texts that other clients do not take. A broker passes on what it takes, so it has to be stricter.

use rumqttc::DisconnectReasonCode as Reason;

use super::bounds::MOST_PROPERTIES;
use super::text::is_clean;
use super::version::Version;

/// What is wrong with a packet: what the client is told before the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault(pub(super) Reason);

const MALFORMED: Fault = Fault(Reason::MalformedPacket);
const WRONG: Fault = Fault(Reason::ProtocolError);

const USER_PROPERTY: u8 = 38;

/// Flags of a CONNECT.
const WILL: u8 = 0x04;
const USER: u8 = 0x80;

/// Checks a whole packet, from its first byte on.
pub(super) fn check(packet: &[u8], version: Version) -> Result<(), Fault> {
    let mut reader = PacketReader(packet);
    let first = reader.byte()?;
    reader.variable()?;
    if matches!(first >> 4, 0 | 2 | 9 | 11 | 13) {
        // What only brokers send, and what there is not.
        return Err(WRONG);
    }
    match version {
        Version::Three => three(first, reader),
        Version::Five => five(first, reader),
    }
}

fn three(first: u8, mut reader: PacketReader<'_>) -> Result<(), Fault> {
    match first >> 4 {
        1 => {
            let flags = reader.greeting()?;
            reader.text()?;
            reader.will_and_user(flags)
        }
        12 | 14 if !reader.is_empty() => Err(MALFORMED),
        8 | 10 => {
            reader.two()?;
            if reader.is_empty() { Err(MALFORMED) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

fn five(first: u8, mut reader: PacketReader<'_>) -> Result<(), Fault> {
    match first >> 4 {
        1 => connect(reader),
        3 => {
            reader.text()?;
            if first & 0x06 != 0 {
                reader.two()?;
            }
            reader.properties()
        }
        4..=7 => {
            reader.two()?;
            reason_and_properties(reader)
        }
        8 | 10 => {
            reader.two()?;
            reader.properties()?;
            if reader.is_empty() { Err(MALFORMED) } else { Ok(()) }
        }
        12 if !reader.is_empty() => Err(MALFORMED),
        14 => reason_and_properties(reader),
        // No client has begun an exchange of authentication: the broker offers none.
        15 => Err(WRONG),
        _ => Ok(()),
    }
}

fn connect(mut reader: PacketReader<'_>) -> Result<(), Fault> {
    let flags = reader.greeting()?;
    reader.properties()?;
    reader.text()?;
    if flags & WILL != 0 {
        reader.properties()?;
    }
    reader.will_and_user(flags)
}

/// The end of an acknowledgement: nothing, or a reason, or a reason and properties.
fn reason_and_properties(mut reader: PacketReader<'_>) -> Result<(), Fault> {
    if reader.is_empty() {
        return Ok(());
    }
    reader.byte()?;
    if !reader.is_empty() {
        reader.properties()?;
    }
    if reader.is_empty() { Ok(()) } else { Err(MALFORMED) }
}

/// What is left of a packet.
struct PacketReader<'a>(&'a [u8]);

impl<'a> PacketReader<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(MALFORMED)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn two(&mut self) -> Result<usize, Fault> {
        self.take(2).map(|bytes| usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
    }

    fn variable(&mut self) -> Result<usize, Fault> {
        let mut number = 0;
        for place in 0..4 {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(MALFORMED)
    }

    fn binary(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.two()?;
        self.take(length)
    }

    fn text(&mut self) -> Result<&'a str, Fault> {
        let text = std::str::from_utf8(self.binary()?).map_err(|_| MALFORMED)?;
        if is_clean(text) { Ok(text) } else { Err(MALFORMED) }
    }

    /// The head of a CONNECT, of which the flags tell what follows.
    fn greeting(&mut self) -> Result<u8, Fault> {
        self.text()?;
        self.byte()?;
        let flags = self.byte()?;
        self.two()?;
        Ok(flags)
    }

    /// The texts at the end of a CONNECT. A password is no text.
    fn will_and_user(&mut self, flags: u8) -> Result<(), Fault> {
        if flags & WILL != 0 {
            self.text()?;
            self.binary()?;
        }
        if flags & USER != 0 {
            self.text()?;
        }
        Ok(())
    }

    fn properties(&mut self) -> Result<(), Fault> {
        let length = self.variable()?;
        let mut properties = PacketReader(self.take(length)?);
        let (mut seen, mut own) = (0_u64, 0);
        while !properties.is_empty() {
            let kind = properties.byte()?;
            properties.value(kind)?;
            if kind == USER_PROPERTY {
                own += 1;
            } else if seen & (1 << kind) != 0 {
                return Err(WRONG);
            }
            seen |= 1 << kind;
        }
        if own > MOST_PROPERTIES {
            return Err(Fault(Reason::QuotaExceeded));
        }
        Ok(())
    }

    /// The value of a property. Which packet may have which property is the codec's to know.
    fn value(&mut self, kind: u8) -> Result<(), Fault> {
        match kind {
            1 => {
                if self.byte()? > 1 {
                    return Err(WRONG);
                }
            }
            23 | 25 | 36 | 37 | 40..=42 => drop(self.byte()?),
            19 | 33..=35 => drop(self.two()?),
            2 | 17 | 24 | 39 => drop(self.take(4)?),
            3 | 18 | 21 | 26 | 28 | 31 => drop(self.text()?),
            8 => {
                if self.text()?.contains(['+', '#']) {
                    return Err(WRONG);
                }
            }
            9 | 22 => drop(self.binary()?),
            11 => drop(self.variable()?),
            USER_PROPERTY => {
                self.text()?;
                self.text()?;
            }
            _ => return Err(MALFORMED),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PUBLISH with QoS 0 and these properties.
    fn publish(properties: &[u8]) -> Vec<u8> {
        let length = u8::try_from(properties.len()).unwrap();
        let body = [&[0, 1, b'a', length], properties].concat();
        [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
    }

    #[test]
    fn properties_that_some_client_could_not_read_are_refused() {
        for (properties, expected) in [
            (&[1, 1][..], Ok(())),
            (&[3, 0, 1, b'x'], Ok(())),
            (&[3, 0, 1, 0], Err(MALFORMED)),
            (&[38, 0, 1, b'k', 0, 1, 0], Err(MALFORMED)),
            (&[38, 0, 1, 0x1f, 0, 1, b'v'], Err(MALFORMED)),
            (&[3, 0, 2, 0xc3, 0x28], Err(MALFORMED)),
            (&[1], Err(MALFORMED)),
            (&[1, 2], Err(WRONG)),
            (&[1, 1, 1, 1], Err(WRONG)),
            (&[8, 0, 1, b'#'], Err(WRONG)),
            (&[99, 0], Err(MALFORMED)),
        ] {
            assert_eq!(check(&publish(properties), Version::Five), expected, "{properties:?}");
        }
    }

    #[test]
    fn a_packet_may_have_some_properties_of_its_own_and_no_thousands() {
        let one = [USER_PROPERTY, 0, 0, 0, 0];
        assert_eq!(check(&publish(&one.repeat(20)), Version::Five), Ok(()));
        let body = [&[0, 1, b'a', 0xA5, 0x01][..], &one.repeat(33)].concat();
        let packet = [&[0x30, 0xAA, 0x01], &body[..]].concat();
        assert_eq!(check(&packet, Version::Five), Err(Fault(Reason::QuotaExceeded)));
    }
}
