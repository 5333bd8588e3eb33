//! A block as bytes: for each series its bins, as small as they come.
//!
//! Everything is a variable-length number (LEB128). A series is its number, less the one before; the length of its bins in bytes, so that
//! others are skipped; then for each bin how many bins after the one before it stands, its count (zigzag), and its people.

use std::collections::BTreeMap;

use crate::error::StoreError;

/// One bin: how often, and by how many people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bin {
    /// Which of the block's bins it is, from 0.
    pub(crate) place: u32,
    pub(crate) count: i64,
    pub(crate) people: u32,
}

/// The bins of a block by series, each in order.
pub(crate) type Bins = BTreeMap<u32, Vec<Bin>>;

pub(super) fn encode(bins: &Bins) -> Vec<u8> {
    let (mut bytes, mut before, mut body) = (Vec::new(), 0, Vec::new());
    for (&series, bins) in bins {
        body.clear();
        let mut place = 0;
        for bin in bins {
            write(&mut body, u64::from(bin.place - place));
            write(&mut body, zigzag(bin.count));
            write(&mut body, u64::from(bin.people));
            place = bin.place;
        }
        write(&mut bytes, u64::from(series - before));
        write(&mut bytes, body.len() as u64);
        bytes.extend_from_slice(&body);
        before = series;
    }
    bytes
}

/// Calls this for each wanted bin, in order of series and time.
pub(super) fn read(
    bytes: &[u8],
    wanted: impl Fn(u32) -> bool,
    mut each: impl FnMut(u32, Bin),
) -> Result<(), StoreError> {
    let (mut rest, mut series) = (bytes, 0_u64);
    while !rest.is_empty() {
        series = series.checked_add(next(&mut rest)?).ok_or_else(damaged)?;
        let length = usize::try_from(next(&mut rest)?).map_err(|_| damaged())?;
        let (mut body, behind) = rest.split_at_checked(length).ok_or_else(damaged)?;
        rest = behind;
        let number = u32::try_from(series).map_err(|_| damaged())?;
        if !wanted(number) {
            continue;
        }
        let mut place = 0_u64;
        while !body.is_empty() {
            place = place.checked_add(next(&mut body)?).ok_or_else(damaged)?;
            let count = unzigzag(next(&mut body)?);
            let people = u32::try_from(next(&mut body)?).map_err(|_| damaged())?;
            let place = u32::try_from(place).map_err(|_| damaged())?;
            each(number, Bin { place, count, people });
        }
    }
    Ok(())
}

pub(super) fn decode(bytes: &[u8]) -> Result<Bins, StoreError> {
    let mut bins = Bins::new();
    read(bytes, |_| true, |series, bin| bins.entry(series).or_default().push(bin))?;
    Ok(bins)
}

fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn next(bytes: &mut &[u8]) -> Result<u64, StoreError> {
    let mut number = 0_u64;
    for place in 0..10 {
        let (&byte, rest) = bytes.split_first().ok_or_else(damaged)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(damaged())
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn damaged() -> StoreError {
    StoreError::Damaged { what: "block of a series", problem: "it ends too early".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_comes_back_as_it_was_and_one_series_alone_too() -> Result<(), StoreError> {
        let bin = |place, count, people| Bin { place, count, people };
        let bins = Bins::from([
            (0, vec![bin(0, 3, 2), bin(59, 1, 1)]),
            (9, vec![bin(7, -1500, 0)]),
            (70_000, vec![bin(1, i64::MAX, u32::MAX), bin(2, i64::MIN, 0)]),
        ]);
        let bytes = encode(&bins);
        assert_eq!(decode(&bytes)?, bins);
        let mut found = Vec::new();
        read(&bytes, |series| series == 9, |series, bin| found.push((series, bin)))?;
        assert_eq!(found, [(9, bin(7, -1500, 0))]);
        assert_eq!(decode(&[])?, Bins::new());
        Ok(())
    }

    #[test]
    fn bytes_that_are_no_block_are_an_error_and_nothing_worse() {
        let mut random = fastrand::Rng::with_seed(3);
        for length in 0..200 {
            let bytes: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
            let _ = decode(&bytes);
        }
        assert!(decode(&[0x80]).is_err());
        assert!(decode(&[1, 5, 0]).is_err());
        assert!(decode(&[0xff; 11]).is_err());
    }
}
