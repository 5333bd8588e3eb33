//! The rule's own state, kept by the engine: keys and values, read as they stand after the event before this one.

use crate::Entry;
use crate::bindings::heat::rules::state;

/// A value that can be kept: it becomes bytes, and bytes of the right shape become it again.
pub trait Stored: Sized {
    /// The bytes that are kept.
    fn to_bytes(&self) -> Vec<u8>;

    /// The value of these bytes, or none when they are not what `to_bytes` makes.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

macro_rules! stored_number {
    ($($number:ty),*) => {$(
        impl Stored for $number {
            fn to_bytes(&self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                Some(Self::from_le_bytes(bytes.try_into().ok()?))
            }
        }
    )*};
}

stored_number!(u32, u64, i64, f64);

impl Stored for String {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok()
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn to_bytes(&self) -> Vec<u8> {
        let first = self.0.to_bytes();
        let length = u32::try_from(first.len()).unwrap_or(u32::MAX);
        [length.to_le_bytes().to_vec(), first, self.1.to_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_at_checked(4)?;
        let (first, second) = rest.split_at_checked(u32::from_bytes(length)? as usize)?;
        Some((A::from_bytes(first)?, B::from_bytes(second)?))
    }
}

impl<V: Stored> Stored for Vec<V> {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for value in self {
            let value = value.to_bytes();
            bytes.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend(value);
        }
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut values = Self::new();
        while !bytes.is_empty() {
            let (length, rest) = bytes.split_at_checked(4)?;
            let (value, rest) = rest.split_at_checked(u32::from_bytes(length)? as usize)?;
            values.push(V::from_bytes(value)?);
            bytes = rest;
        }
        Some(values)
    }
}

/// The value of a key. None when it was never put, or was put as another type.
pub fn get<V: Stored>(key: &str) -> Option<V> {
    state::get(key).and_then(|bytes| V::from_bytes(&bytes))
}

/// The keys that start with `prefix`, in byte order: at most `limit`, after `after` if given.
pub fn scan(prefix: &str, after: Option<&str>, limit: u32) -> Vec<Entry> {
    state::scan(prefix, after, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_kept_whole_or_not_at_all() {
        let list = vec![("ann".to_owned(), 1u64), (String::new(), u64::MAX)];
        let bytes = list.to_bytes();
        assert_eq!(Vec::from_bytes(&bytes), Some(list));
        assert_eq!(Vec::<u64>::from_bytes(&[]), Some(Vec::new()));
        for length in 1..bytes.len() {
            let cut = Vec::<(String, u64)>::from_bytes(&bytes[..length]);
            assert!(cut.is_none_or(|cut| cut.len() == 1), "{length}");
        }
        assert_eq!(Vec::<u64>::from_bytes(&[255, 255, 255, 255, 0]), None);
    }
}
