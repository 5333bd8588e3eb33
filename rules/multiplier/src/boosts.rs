//! Boosts: factors that hold until a time. They are kept in the state, end and all, so nothing has to end them, and a restart
//! forgets none.
//!
//! There is one for each cause. Several at once do not pile up: the greatest counts.

use heat_rule::state::{self, Stored};
use heat_rule::{Call, Timestamp};

use crate::{MultiplierRule, ONE};

/// The key of the boosts that are on.
const BOOSTS: &str = "b";

/// What started a boost. The number is kept in the state.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Moderator = 0,
    Raid = 1,
    Gifts = 2,
    Subscription = 3,
    Cheer = 4,
}

/// One boost: the cause's number, the factor in thousandths, and when it ends.
struct Boost {
    cause: u64,
    factor: i64,
    until: Timestamp,
}

struct Boosts(Vec<Boost>);

/// The greatest factor that is on now. When all are over they are forgotten.
pub(crate) fn greatest(call: &mut Call<MultiplierRule>) -> i64 {
    let Some(Boosts(boosts)) = state::get(BOOSTS) else { return ONE };
    let on = boosts.iter().filter(|boost| boost.until > call.now());
    match on.map(|boost| boost.factor).max() {
        Some(factor) => factor,
        None => {
            call.delete(BOOSTS);
            ONE
        }
    }
}

/// Starts a boost. An earlier one of the same cause ends with it.
pub(crate) fn start(call: &mut Call<MultiplierRule>, cause: Cause, factor: i64, duration: u64) {
    let (now, cause) = (call.now(), cause as u64);
    let Boosts(mut boosts) = state::get(BOOSTS).unwrap_or(Boosts(Vec::new()));
    boosts.retain(|boost| boost.cause != cause && boost.until > now);
    boosts.push(Boost { cause, factor, until: now + duration });
    call.put(BOOSTS, Boosts(boosts));
}

/// Ends every boost.
pub(crate) fn stop(call: &mut Call<MultiplierRule>) {
    call.delete(BOOSTS);
}

impl Stored for Boosts {
    fn to_bytes(&self) -> Vec<u8> {
        let numbers = |boost: &Boost| [boost.cause, boost.factor.unsigned_abs(), boost.until];
        self.0.iter().flat_map(numbers).flat_map(u64::to_le_bytes).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let numbers: Vec<u64> = bytes.chunks_exact(8).filter_map(u64::from_bytes).collect();
        let boost = |boost: &[u64]| match boost {
            [cause, factor, until] => {
                Some(Boost { cause: *cause, factor: i64::try_from(*factor).ok()?, until: *until })
            }
            _ => None,
        };
        numbers.chunks(3).map(boost).collect::<Option<_>>().map(Boosts)
    }
}
