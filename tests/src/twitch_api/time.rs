//! Times as Twitch writes them.

use std::time::{SystemTime, UNIX_EPOCH};

/// A time in milliseconds since 1970, by RFC 3339 with nanoseconds.
pub fn rfc3339(at: u64) -> String {
    let (seconds, millis) = (at / 1_000, at % 1_000);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days to a date: "Euclidean affine functions and their application to calendar algorithms" (Neri and Schneider), in its simplest form.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}000000Z")
}

/// Now, in milliseconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_twitch_does() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(rfc3339(1_796_068_800_500), "2026-11-30T20:00:00.500000000Z");
        assert_eq!(rfc3339(1_709_164_799_999), "2024-02-28T23:59:59.999000000Z");
        assert_eq!(rfc3339(1_709_164_800_000), "2024-02-29T00:00:00.000000000Z");
    }
}
