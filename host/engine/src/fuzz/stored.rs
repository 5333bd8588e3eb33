//! What is stored: any bytes are read or are an error, in bounded memory, and what is read is written back the same.

use heat_tests::fuzz::allocations::most_during;
use heat_tests::fuzz::{Choices, Target};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::contract::digest::Digest;
use crate::contract::{Entry, Event, Happening, Person};
use crate::store::changes::{Action, AuditEntry, SlotOverride, Status};
use crate::store::checkpoint::{Checkpoint, SlotState};
use crate::store::dead_letter::DeadLetter;
use crate::store::log::{Block, LARGEST_BLOCK, decode, encode, pack, unpack};
use crate::store::record::Record;

/// What reading takes besides what is read: zstd's tables, and the first room of lists.
const REST: usize = 4 << 20;

/// How often as many bytes as were packed their values may take: the smallest value of a list has a byte, and its place in memory has
/// the size of a record.
const PER_BYTE: usize = 600;

const PACKED: Target = Target {
    name: "stored_packed",
    run: packed,
    seeds: &[
        b"",
        // A frame that claims 200 MB, and one of zeroes that has them.
        b"\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x0c\x01\x00\x00",
        b"\x28\xb5\x2f\xfd\xa4\x00\x00\x02\x00\x02\x00\x10\x00\x03\x00\x10\x00",
        b"\x28\xb5\x2f\xfd\x00\x58\x02\x00\x10\x00\x02\x00\x10\x00\x02\x00\x10\x00\x02\x00\x10\x00",
        b"\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00\x90",
    ],
    words: &["\u{1}\0\0", "\u{2}\0\u{10}\0", "\0\0\0\0", "(", "/"],
    recorded: &[],
    inputs: 3_000,
};

fn packed(input: &[u8]) {
    let (read, most) = most_during(|| unpack(input));
    // No frame holds more than this: a block of 128 KiB takes four bytes.
    let holds = (input.len() * (128 << 10) / 4).min(LARGEST_BLOCK);
    assert!(most <= holds + REST, "{} bytes of {} take {most}", input.len(), LARGEST_BLOCK);
    if let Ok(bytes) = read {
        assert!(bytes.len() <= LARGEST_BLOCK);
        if bytes.len() < 1 << 20 {
            assert_eq!(unpack(&pack(&bytes).expect("bytes are packed")).expect("as packed"), bytes);
        }
    }
    drop(Block::decode(input));
}

const VALUES: Target = Target {
    name: "stored_values",
    run: values,
    seeds: &[
        b"\x00\x90",
        b"\x00\xdd\xff\xff\xff\xff",
        b"\x01\xdf\xff\xff\xff\xff\xa0",
        b"\x02\xdb\xff\xff\xff\xff",
        b"\x05\xdc\x00\x20\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f",
        b"\x00\x91\x81\xa5Event\x82\xa3now\x01\xa5event\x84\xa2id\xa1a\xa7channel\xa1c\xa2at\x01\xa4what\xabStreamStart",
        b"\x00\x91\x81\xa5Timer\x84\xa3now\x01\xa7channel\xa1c\xa4slot\xa1s\xa4name\xa1n",
        b"\x04\x83\xa2at\x01\xa6stream\xc0\xa5slots\x90",
        b"\x80\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
        b"\x83\x05abcde\x10\x03xyz\x00\x01\x02\x03",
    ],
    words: &["Event", "now", "channel", "Chain", "slots", "Handed", "entries", "Undone", "faves", "Fault", "given"],
    recorded: &[],
    inputs: 20_000,
};

fn values(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    if kind & 0x80 != 0 {
        return made(&mut Choices::of(bytes));
    }
    match kind % 6 {
        0 => comes_back::<Vec<Record>>(bytes),
        1 => comes_back::<DeadLetter>(bytes),
        2 => comes_back::<SlotOverride>(bytes),
        3 => comes_back::<AuditEntry>(bytes),
        4 => comes_back::<Checkpoint>(bytes),
        _ => comes_back::<Digest>(bytes),
    }
}

/// Reads any bytes as such a value.
fn comes_back<V: Serialize + DeserializeOwned + std::fmt::Debug>(bytes: &[u8]) {
    let (read, most) = most_during(|| decode::<V>(bytes));
    assert!(most <= REST + bytes.len() * PER_BYTE, "{} bytes take {most}", bytes.len());
    let Ok(value) = read else { return };
    let again = encode(&value).expect("what was read can be written");
    // Not the values: a number that is none is not equal to itself.
    let once_more = encode(&decode::<V>(&again).expect("what was written can be read"));
    assert_eq!(again, once_more.expect("what was read can be written"), "{value:?}");
}

/// Values made from choices come back as they are.
fn made(choices: &mut Choices<'_>) {
    let at = choices.number().unsigned_abs();
    let digest = Digest(std::array::from_fn(|_| choices.byte()));
    let given = vec![(choices.text(), super::settings::given(choices, 0))];
    let event = event(choices);
    let records = vec![
        Record::Event { now: at, event: Box::new(event.clone()) },
        Record::Fault {
            now: at,
            channel: choices.text(),
            slot: choices.text(),
            digest,
            call: u32::from(choices.byte()),
            cause: choices.text(),
        },
        Record::Handed {
            now: at,
            channel: choices.text(),
            slot: choices.text(),
            entries: entries(choices),
            alarms: vec![(choices.text(), at)],
            shown: [(choices.text(), choices.text())].into(),
        },
    ];
    let block =
        Block::encode(at >> 1, &records).expect("records are packed").expect("there are some");
    assert_eq!(Block::decode(&block.compressed).expect("as packed"), records);
    let letter = DeadLetter {
        at,
        channel: choices.text(),
        slot: choices.text(),
        digest,
        call: 0,
        cause: choices.text(),
        event,
    };
    same(&letter);
    let status = choices.pick(&[Status::On, Status::Disabled, Status::Quarantined("x".to_owned())]);
    let shown = [(choices.text(), choices.text())].into();
    same(&SlotOverride { base: digest, digest, given: given.clone(), status, shown, added: None });
    let action = choices.pick(&[Action::Deploy, Action::RollBack, Action::Undo]);
    let to = choices.flag().then_some(digest);
    let refused = choices.flag().then(|| choices.text());
    let (channel, slot, by, note) =
        (choices.text(), choices.text(), choices.text(), choices.text());
    same(&AuditEntry { at, channel, slot, action, by, from: None, to, given, refused, note });
    same(&Checkpoint {
        at,
        stream: choices.flag().then_some((true, at)),
        slots: vec![slot_of(choices)],
    });
}

fn slot_of(choices: &mut Choices<'_>) -> SlotState {
    SlotState {
        slot: choices.text(),
        digest: Digest([choices.byte(); 32]),
        settings: Vec::new(),
        version: u32::from(choices.byte()),
        rule: choices.text(),
        on: choices.flag(),
        entries: entries(choices),
        alarms: vec![(choices.text(), 0)],
        shown: [(choices.text(), choices.text())].into(),
    }
}

fn entries(choices: &mut Choices<'_>) -> Vec<Entry> {
    let count = choices.below(4);
    (0..count).map(|_| Entry { key: choices.text(), value: choices.bytes(30).to_vec() }).collect()
}

fn event(choices: &mut Choices<'_>) -> Event {
    let person = || Person { id: "1".into(), login: "ann".into(), name: "Ann".into() };
    let what = match choices.below(3) {
        0 => Happening::StreamStart,
        1 => Happening::Follow(person()),
        _ => Happening::Mqtt(crate::contract::MqttMessage {
            topic: choices.text(),
            payload: choices.bytes(40).to_vec(),
            retained: choices.flag(),
        }),
    };
    Event { id: choices.text(), channel: choices.text(), at: choices.number().unsigned_abs(), what }
}

fn same<V: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &V) {
    let bytes = encode(value).expect("a value is written");
    assert_eq!(&decode::<V>(&bytes).expect("a value is read"), value);
    let packed = unpack(&pack(&bytes).expect("bytes are packed")).expect("as packed");
    assert_eq!(packed, bytes);
}

#[test]
fn stored_bytes_are_unpacked_in_bounded_memory_or_refused() {
    PACKED.check();
}

#[test]
fn stored_values_come_back_as_they_were_or_are_refused() {
    VALUES.check();
}
