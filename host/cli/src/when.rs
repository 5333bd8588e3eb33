//! Times as people type and read them, in the zone of this machine.

#[cfg(test)]
mod fuzz;

use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan, Zoned};

/// What can be typed.
const FORMS: &str = "write how long ago (10m, 2h, 1d), a time of today (18:30), a day and a time (2026-11-20 18:30), or RFC 3339";

/// A time as it was typed: how long ago, or when.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    parse_at(text, &Zoned::now())
}

fn parse_at(text: &str, now: &Zoned) -> Result<u64, String> {
    let text = text.trim();
    let time = if text == "now" {
        Some(now.timestamp())
    } else {
        let before =
            || now.timestamp().checked_sub(jiff::SignedDuration::from_millis(length(text)?)).ok();
        before()
            .or_else(|| of_today(text, now))
            .or_else(|| of_a_day(text, now))
            .or_else(|| text.parse().ok())
    };
    let time: Timestamp = time.ok_or_else(|| format!("{text:?} is no time; {FORMS}"))?;
    u64::try_from(time.as_millisecond()).map_err(|_| format!("{text:?} is before 1970; {FORMS}"))
}

/// A length of time such as 1h30m, in milliseconds, with or without "ago".
fn length(text: &str) -> Option<i64> {
    let text = text.strip_suffix("ago").unwrap_or(text).trim();
    let mut rest = text;
    let mut total = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let after = rest[digits..].trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let unit = match &after[..end] {
            "s" | "sec" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = after[end..].trim_start();
    }
    (!text.is_empty()).then_some(total)
}

/// 18:30 is the last time that it was half past six.
fn of_today(text: &str, now: &Zoned) -> Option<Timestamp> {
    if !text.contains(':') || text.contains(|c: char| !c.is_ascii_digit() && c != ':') {
        return None;
    }
    let time: Time = text.parse().ok()?;
    let today = now.with().time(time).build().ok()?;
    let meant = if today > *now { today.checked_sub(1.day()).ok()? } else { today };
    Some(meant.timestamp())
}

fn of_a_day(text: &str, now: &Zoned) -> Option<Timestamp> {
    // A time with an offset is one of RFC 3339, and no local one.
    if text.parse::<Timestamp>().is_ok() {
        return None;
    }
    let day: DateTime = match text.parse::<DateTime>() {
        Ok(day) => day,
        Err(_) => text.parse::<Date>().ok()?.into(),
    };
    Some(day.to_zoned(now.time_zone().clone()).ok()?.timestamp())
}

/// A time in milliseconds since 1970 for people: of today without the day.
pub(crate) fn show(at: u64) -> String {
    show_at(at, &Zoned::now())
}

fn show_at(at: u64, now: &Zoned) -> String {
    match zoned(at, now) {
        Some(time) if time.date() == now.date() => time.strftime("%H:%M:%S").to_string(),
        Some(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        None => format!("{at} ms"),
    }
}

/// The time below an axis that is so long, in milliseconds.
pub(crate) fn tick(at: u64, long: u64) -> String {
    let format = match long {
        0..600_000 => "%H:%M:%S",
        600_000..86_400_000 => "%H:%M",
        _ => "%m-%d %H:%M",
    };
    zoned(at, &Zoned::now()).map(|time| time.strftime(format).to_string()).unwrap_or_default()
}

fn zoned(at: u64, now: &Zoned) -> Option<Zoned> {
    let time = Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?;
    Some(time.to_zoned(now.time_zone().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine two hours east of Greenwich, at 18:00.
    fn now() -> Zoned {
        "2026-11-21T18:00:00+02:00[+02:00]".parse().unwrap()
    }

    fn ago(minutes: i64) -> u64 {
        u64::try_from(now().timestamp().as_millisecond() - minutes * 60_000).unwrap()
    }

    #[test]
    fn times_are_understood_in_every_form() {
        let forms = [
            ("now", 0),
            ("10m", 10),
            ("10m ago", 10),
            ("2h", 120),
            ("1h30m ago", 90),
            ("1d 2h", 1560),
            ("17:30", 30),
            // It was half past six yesterday.
            ("18:30", 23 * 60 + 30),
            ("2026-11-21 17:00", 60),
            ("2026-11-21T17:00:00", 60),
            ("2026-11-21", 18 * 60),
            ("2026-11-21T15:00:00Z", 60),
            ("2026-11-21T16:00:00+01:00", 60),
        ];
        for (text, minutes) in forms {
            assert_eq!(parse_at(text, &now()), Ok(ago(minutes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_answered_with_what_would_do() {
        for odd in
            ["", "soon", "25:00", "10", "10x", "ago", "-5m", "2026-13-01", "99999999999999999999d"]
        {
            let problem = parse_at(odd, &now()).unwrap_err();
            assert!(problem.contains("10m, 2h, 1d"), "{odd}: {problem}");
        }
    }

    #[test]
    fn today_needs_no_day() {
        assert_eq!(show_at(ago(30), &now()), "17:30:00");
        assert_eq!(show_at(ago(24 * 60), &now()), "2026-11-20 18:00:00");
    }
}
