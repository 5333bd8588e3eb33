//! Numbers as people say them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long something took, in its two largest units.
pub(crate) fn duration(time: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let seconds = time.as_secs();
    let first = UNITS.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(3);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, name) in UNITS.iter().skip(first).take(2) {
        let count = rest / unit;
        rest %= unit;
        if count > 0 || parts.is_empty() {
            parts.push(format!("{count} {name}"));
        }
    }
    parts.join(" ")
}

/// How long ago a time in milliseconds since 1970 is.
pub(crate) fn ago(since: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    duration(now.saturating_sub(Duration::from_millis(since)))
}

/// How many of something, with groups of three digits.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

/// A count and a noun. The plural of the noun ends in s.
pub(crate) fn many(number: u64, name: &str) -> String {
    format!("{} {name}{}", count(number), if number == 1 { "" } else { "s" })
}

/// How large something is.
pub(crate) fn bytes(number: u64) -> String {
    match number {
        0..1_000 => format!("{number} B"),
        1_000..1_000_000 => format!("{:.1} kB", number as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", number as f64 / 1e6),
        _ => format!("{:.1} GB", number as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_do() {
        let said = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!([said(0), said(59), said(61)], ["0 s", "59 s", "1 min 1 s"]);
        assert_eq!([said(3_600), said(7_385), said(90_061)], ["1 h", "2 h 3 min", "1 d 1 h"]);
        assert_eq!([count(0), count(999), count(1_234_567)], ["0", "999", "1,234,567"]);
        assert_eq!([many(1, "fave"), many(1_200, "fave")], ["1 fave", "1,200 faves"]);
        assert_eq!([bytes(12), bytes(1_500), bytes(2_340_000)], ["12 B", "1.5 kB", "2.3 MB"]);
    }
}
