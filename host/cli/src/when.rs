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
pub(crate) fn length(text: &str) -> Option<i64> {
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

/// 18:30 is the last time that it was half past six. A time that came twice, when summer ended, is the later one, unless that
/// is still ahead.
fn of_today(text: &str, now: &Zoned) -> Option<Timestamp> {
    if !text.contains(':') || text.contains(|c: char| !c.is_ascii_digit() && c != ':') {
        return None;
    }
    let time: Time = text.parse().ok()?;
    let days = [Some(now.date()), now.date().checked_sub(1.day()).ok()];
    let meant = days.into_iter().flatten().flat_map(|day| {
        let told = now.time_zone().to_ambiguous_zoned(day.to_datetime(time));
        match told.is_ambiguous() && told.clone().compatible().is_ok_and(|it| it.time() == time) {
            true => vec![told.clone().later().ok(), told.earlier().ok()],
            false => vec![told.compatible().ok()],
        }
    });
    meant.flatten().find(|meant| meant <= now).map(|meant| meant.timestamp())
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

/// A time in milliseconds since 1970 for programs, in UTC.
pub(crate) fn rfc3339(at: u64) -> String {
    let time = i64::try_from(at).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    time.map_or_else(|| at.to_string(), |time| time.to_string())
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

    /// Berlin, without asking the system for its table of zones.
    fn berlin(now: &str) -> Zoned {
        let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        now.parse::<Timestamp>().unwrap().to_zoned(zone)
    }

    #[test]
    fn times_around_the_changes_of_the_clock_are_the_last_that_were() {
        for (now, text, expected) in [
            // Summer begins: at 2:00 it is 3:00.
            ("2026-03-29T01:30:00Z", "01:30", "2026-03-29T00:30:00Z"),
            ("2026-03-29T01:30:00Z", "03:15", "2026-03-29T01:15:00Z"),
            ("2026-03-29T01:30:00Z", "18:00", "2026-03-28T17:00:00Z"),
            ("2026-03-29T01:30:00Z", "1h", "2026-03-29T00:30:00Z"),
            ("2026-03-29T22:30:00Z", "2026-03-29 01:30", "2026-03-29T00:30:00Z"),
            ("2026-03-29T22:30:00Z", "2026-03-29", "2026-03-28T23:00:00Z"),
            // Half past two never was on that day; an hour later was.
            ("2026-03-29T12:00:00Z", "02:30", "2026-03-29T01:30:00Z"),
            // Summer ends: at 3:00 it is 2:00 again.
            ("2026-10-25T00:45:00Z", "02:30", "2026-10-25T00:30:00Z"),
            ("2026-10-25T01:15:00Z", "02:30", "2026-10-25T00:30:00Z"),
            ("2026-10-25T01:45:00Z", "02:30", "2026-10-25T01:30:00Z"),
            ("2026-10-25T12:00:00Z", "02:30", "2026-10-25T01:30:00Z"),
            ("2026-10-25T12:00:00Z", "01:30", "2026-10-24T23:30:00Z"),
            ("2026-10-25T12:00:00Z", "1d", "2026-10-24T12:00:00Z"),
            ("2026-10-25T12:00:00Z", "14:30", "2026-10-24T12:30:00Z"),
        ] {
            let expected: Timestamp = expected.parse().unwrap();
            let expected = u64::try_from(expected.as_millisecond()).unwrap();
            assert_eq!(parse_at(text, &berlin(now)), Ok(expected), "{text} at {now}");
        }
        let (first, second) = (1_792_888_200_000, 1_792_891_800_000);
        let evening = berlin("2026-10-25T18:00:00Z");
        assert_eq!(show_at(first, &evening), "02:30:00");
        assert_eq!(show_at(second, &evening), "02:30:00");
    }
}
