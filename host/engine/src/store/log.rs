//! The log: records in order, in compressed blocks. A commit has one, or several when it is large.

use redb::WriteTransaction;
use serde::{Deserialize, Serialize};
use zstd::bulk::Compressor;

use crate::contract::Happening;
use crate::error::StoreError;
use crate::store::record::Record;
use crate::store::tables::{LOG, META};

/// zstd's level: beyond 3 the Pi pays more than the SD card gains.
const LEVEL: i32 = 3;

/// A large value has pages of its own in the store, as many as the next power of two: a block that is a little larger than this would take
/// twice as much of the disk.
const PAGES: usize = 64 << 10;

/// So much of the pages a block aims at: how well records compress is not known before.
const AIM: f64 = 0.93;

/// How many times smaller records get, until it is known.
const USUAL_RATIO: f64 = 6.0;

/// What a block may hold when it is read back, in bytes; more means that it is damaged.
pub(crate) const LARGEST_BLOCK: usize = 256 << 20;

/// The records of one commit, as they are stored.
pub(crate) struct Block {
    pub(crate) first: u64,
    pub(crate) first_at: u64,
    pub(crate) last_at: u64,
    pub(crate) records: u32,
    pub(crate) compressed: Vec<u8>,
}

/// Makes blocks of records. It knows how well the last blocks compressed. It also keeps zstd's working memory, because allocating
/// that takes longer than compressing a few records.
pub(crate) struct LogEncoder {
    ratio: f64,
    compressor: Compressor<'static>,
}

impl LogEncoder {
    pub(crate) fn new() -> Result<Self, StoreError> {
        let compressor = Compressor::new(LEVEL).map_err(damaged)?;
        Ok(Self { ratio: USUAL_RATIO, compressor })
    }

    /// Compresses the records of a commit, the first of which has this number, into blocks that fill the pages of the store.
    pub(crate) fn encode(
        &mut self,
        first: u64,
        records: &[Record],
    ) -> Result<Vec<Block>, StoreError> {
        let (mut blocks, mut start, mut bytes) = (Vec::new(), 0, Vec::new());
        for (place, record) in (1..).zip(records) {
            rmp_serde::encode::write_named(&mut bytes, record).map_err(damaged)?;
            let is_full = bytes.len() as f64 >= PAGES as f64 * AIM * self.ratio;
            if is_full || place == records.len() {
                let block = self.block(first + start as u64, &records[start..place], &bytes)?;
                if is_full {
                    let found = bytes.len() as f64 / block.compressed.len() as f64;
                    self.ratio = found.clamp(2.0, 30.0);
                }
                blocks.push(block);
                start = place;
                bytes.clear();
            }
        }
        Ok(blocks)
    }

    /// A block of these records, of which there is at least one, as they are encoded one after the other.
    fn block(
        &mut self,
        first: u64,
        records: &[Record],
        encoded: &[u8],
    ) -> Result<Block, StoreError> {
        let times = || records.iter().map(Record::at);
        let (first_at, last_at) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        let count = u32::try_from(records.len()).map_err(damaged)?;
        // A list in MessagePack is its length, and then what is in it.
        let list = [&[0xdd][..], &count.to_be_bytes(), encoded].concat();
        let compressed = self.compressor.compress(&list).map_err(damaged)?;
        Ok(Block { first, first_at, last_at, records: count, compressed })
    }
}

impl Block {
    /// Compresses the records, the first of which has this number. None when there are none.
    pub(crate) fn encode(first: u64, records: &[Record]) -> Result<Option<Self>, StoreError> {
        let times = || records.iter().map(Record::at);
        let (Some(first_at), Some(last_at)) = (times().min(), times().max()) else {
            return Ok(None);
        };
        let compressed = pack(&rmp_serde::to_vec_named(records).map_err(damaged)?)?;
        let records = u32::try_from(records.len()).map_err(damaged)?;
        Ok(Some(Self { first, first_at, last_at, records, compressed }))
    }

    /// The block as a row of the table.
    pub(crate) fn row(&self) -> (u64, u64, u32, &[u8]) {
        (self.first_at, self.last_at, self.records, &self.compressed)
    }

    pub(crate) fn decode(compressed: &[u8]) -> Result<Vec<Record>, StoreError> {
        Self::decode_unpacked(&unpack(compressed)?)
    }

    /// Of bytes that [`unpack`] has made.
    pub(crate) fn decode_unpacked(bytes: &[u8]) -> Result<Vec<Record>, StoreError> {
        decode(bytes)
    }

    /// The gaps among the records. A block without any, which is nearly each, is not taken apart.
    pub(crate) fn gaps(compressed: &[u8]) -> Result<Vec<Record>, StoreError> {
        /// How the name of the variant begins a record: a text of three bytes.
        const GAP: &[u8] = b"\xa3Gap";
        Self::having(compressed, &[GAP], |record| matches!(record, Record::Gap { .. }))
    }

    /// The starts and ends of streams among the records, found the same way.
    pub(crate) fn streams(compressed: &[u8]) -> Result<Vec<Record>, StoreError> {
        /// Texts of eleven and of nine bytes.
        const NAMES: [&[u8]; 2] = [b"\xabStreamStart", b"\xa9StreamEnd"];
        let is_stream =
            |what: &Happening| matches!(what, Happening::StreamStart | Happening::StreamEnd);
        Self::having(
            compressed,
            &NAMES,
            |record| matches!(record, Record::Event { event, .. } if is_stream(&event.what)),
        )
    }

    /// The wanted records of a block that has one of these texts at all.
    fn having(
        compressed: &[u8],
        texts: &[&[u8]],
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<Vec<Record>, StoreError> {
        let bytes = unpack(compressed)?;
        if !texts.iter().any(|text| bytes.windows(text.len()).any(|it| it == *text)) {
            return Ok(Vec::new());
        }
        let mut records: Vec<Record> = decode(&bytes)?;
        records.retain(wanted);
        Ok(records)
    }
}

/// Appends the blocks of a commit to the log.
pub(crate) fn append(transaction: &WriteTransaction, blocks: &[Block]) -> Result<(), StoreError> {
    let Some(last) = blocks.last() else { return Ok(()) };
    let mut log = transaction.open_table(LOG)?;
    for block in blocks {
        log.insert(block.first, block.row())?;
    }
    let mut meta = transaction.open_table(META)?;
    meta.insert("next-record", last.first + u64::from(last.records))?;
    // The engine's time never runs backwards, so the last block has the newest record.
    meta.insert("newest", last.last_at)?;
    Ok(())
}

/// A value as the store keeps those that have no columns of their own.
pub(crate) fn encode<V: Serialize>(value: &V) -> Result<Vec<u8>, StoreError> {
    rmp_serde::to_vec_named(value).map_err(damaged)
}

/// What [`encode`] made, compressed.
pub(crate) fn pack(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::compress(bytes, LEVEL).map_err(damaged)
}

/// The most that a byte of a zstd frame unfolds to: a block of 128 KiB takes four.
const MOST_FOR_A_BYTE: usize = (128 << 10) / 4;

pub(crate) fn unpack(compressed: &[u8]) -> Result<Vec<u8>, StoreError> {
    // What a damaged frame claims is no reason to ask for so much memory.
    let size = zstd::bulk::Decompressor::upper_bound(compressed)
        .unwrap_or(LARGEST_BLOCK)
        .min(LARGEST_BLOCK)
        .min(compressed.len().saturating_mul(MOST_FOR_A_BYTE));
    zstd::bulk::decompress(compressed, size).map_err(damaged)
}

pub(crate) fn decode<'a, V: Deserialize<'a>>(bytes: &'a [u8]) -> Result<V, StoreError> {
    rmp_serde::from_slice(bytes).map_err(damaged)
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { what: "record", problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Event, MqttMessage};

    /// Records of texts that do not repeat.
    fn records(count: u64) -> Vec<Record> {
        let mut dice = 7_u64;
        let mut text = || {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            format!("{dice:016x}")
        };
        let event = |now| {
            let payload = format!("{} says {}", text(), text()).into_bytes();
            let message = MqttMessage { topic: "deck/fave".to_owned(), payload, retained: false };
            let (id, channel) = (text(), "seaside".to_owned());
            let event = Event { id, channel, at: now, what: Happening::Mqtt(message) };
            Record::Event { now, event: Box::new(event) }
        };
        (0..count).map(event).collect()
    }

    #[test]
    fn many_records_are_blocks_that_fill_their_pages_and_few_are_one() -> Result<(), StoreError> {
        let (records, mut encoder) = (records(20_000), LogEncoder::new()?);
        // The first time tells how well they compress.
        encoder.encode(0, &records)?;
        let blocks = encoder.encode(5, &records)?;
        assert!(blocks.len() > 3, "{}", blocks.len());
        for block in &blocks[..blocks.len() - 1] {
            let size = block.compressed.len();
            assert!(size <= PAGES && size > PAGES / 100 * 85, "{size}");
        }
        let (mut first, mut read) = (5, Vec::new());
        for block in &blocks {
            assert_eq!(block.first, first);
            first += u64::from(block.records);
            let here = Block::decode(&block.compressed)?;
            assert_eq!(here.first().map(Record::at), Some(block.first_at));
            assert_eq!(here.last().map(Record::at), Some(block.last_at));
            read.extend(here);
        }
        assert_eq!(read, records);
        assert_eq!(encoder.encode(0, &records[..10])?.len(), 1);
        assert!(encoder.encode(0, &[])?.is_empty());
        Ok(())
    }
}
