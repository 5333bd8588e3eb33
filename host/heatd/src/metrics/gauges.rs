//! Numbers as gauges take them.

/// A count as the value of a gauge.
pub(super) fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
