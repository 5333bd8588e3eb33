//! How wide bins are, how they are stored together, and how long they are kept.

use std::fmt;
use std::str::FromStr;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How much later than its bin has ended a line may come and still be told from those of the same person, in milliseconds. Twitch's own
/// times are out of order by up to half a second; what comes later than this comes from a connection that was away.
pub(super) const SLACK: u64 = 10_000;

/// How wide the bins of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// One second.
    Second,
    /// Five seconds.
    FiveSeconds,
    /// Thirty seconds.
    HalfMinute,
    /// One minute.
    Minute,
    /// Five minutes.
    FiveMinutes,
    /// One hour.
    Hour,
}

impl Resolution {
    /// All of them, the finest first.
    pub const ALL: [Self; 6] = [
        Self::Second,
        Self::FiveSeconds,
        Self::HalfMinute,
        Self::Minute,
        Self::FiveMinutes,
        Self::Hour,
    ];

    /// The width of a bin in milliseconds.
    pub fn width(self) -> u64 {
        match self {
            Self::Second => SECOND,
            Self::FiveSeconds => 5 * SECOND,
            Self::HalfMinute => 30 * SECOND,
            Self::Minute => MINUTE,
            Self::FiveMinutes => 5 * MINUTE,
            Self::Hour => HOUR,
        }
    }

    /// The name that people use: `1s`, `5s`, `30s`, `1m`, `5m` or `1h`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Second => "1s",
            Self::FiveSeconds => "5s",
            Self::HalfMinute => "30s",
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::Hour => "1h",
        }
    }

    /// How much time one stored block covers, in milliseconds: so much that a block is worth a row, and so little that what is
    /// in no block yet is in the log of the last hour.
    pub(crate) fn block(self) -> u64 {
        match self {
            Self::Second => MINUTE,
            Self::FiveSeconds => 5 * MINUTE,
            Self::HalfMinute => 30 * MINUTE,
            Self::Minute | Self::FiveMinutes | Self::Hour => HOUR,
        }
    }

    /// How long bins are kept unless it is configured, in milliseconds; `u64::MAX` for ever.
    pub fn kept(self) -> u64 {
        match self {
            Self::Second => DAY,
            Self::FiveSeconds => 3 * DAY,
            Self::HalfMinute => 14 * DAY,
            Self::Minute => 30 * DAY,
            Self::FiveMinutes => 365 * DAY,
            Self::Hour => u64::MAX,
        }
    }

    /// How it is written in the store.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// Where the bin that holds this time starts.
    pub fn bin(self, at: u64) -> u64 {
        at - at % self.width()
    }

    /// Where the block that holds this time starts.
    pub(crate) fn block_of(self, at: u64) -> u64 {
        at - at % self.block()
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Resolution {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|resolution| resolution.name() == name);
        found.ok_or_else(|| "there are 1s, 5s, 30s, 1m, 5m and 1h".to_owned())
    }
}

/// When the oldest block began that was not closed by then: blocks begin at whole multiples of their width.
pub(super) fn oldest(closed: u64) -> u64 {
    let widest = Resolution::ALL.into_iter().map(Resolution::block).max().unwrap_or_default();
    let ended = closed.checked_sub(widest + SLACK);
    ended.map_or(0, |ended| (ended / widest + 1) * widest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_fill_blocks_and_finer_ones_fill_coarser_ones() {
        for pair in Resolution::ALL.windows(2) {
            assert_eq!(pair[1].width() % pair[0].width(), 0);
            assert!(pair[0].kept() <= pair[1].kept());
        }
        for resolution in Resolution::ALL {
            assert_eq!(resolution.block() % resolution.width(), 0);
            assert_eq!(resolution.name().parse(), Ok(resolution));
            assert!(resolution.kept() >= DAY);
        }
        assert!("2s".parse::<Resolution>().is_err());
    }

    #[test]
    fn no_more_of_the_log_is_read_than_may_be_open() {
        const HOUR: u64 = 3_600_000;
        // The hour before is open until its last lines may have come.
        for (closed, expected) in [
            (0, 0),
            (HOUR + SLACK - 1, 0),
            (HOUR + SLACK, HOUR),
            (5 * HOUR + HOUR / 2, 5 * HOUR),
            (6 * HOUR + SLACK - 1, 5 * HOUR),
            (6 * HOUR + SLACK, 6 * HOUR),
        ] {
            assert_eq!(oldest(closed), expected, "{closed}");
        }
    }
}
