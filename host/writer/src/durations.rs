//! Durations in the settings: `1s`, `500ms`, `2m`. Pure.

use std::str::FromStr;
use std::time::Duration;

const SHORTEST_EVERY: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(3600);

/// The least time between two writes of one file; zero writes every value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Every(pub(crate) Duration);

/// How long the broker may be away before the offline text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OfflineAfter(pub(crate) Duration);

impl Default for Every {
    /// OBS looks at a file once a second, so faster writes are mostly unseen.
    fn default() -> Self {
        Self(Duration::from_secs(1))
    }
}

impl Default for OfflineAfter {
    fn default() -> Self {
        Self(Duration::from_secs(10))
    }
}

impl FromStr for Every {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        let every = duration(raw)?;
        if !every.is_zero() && every < SHORTEST_EVERY {
            return Err(format!(
                "`{raw}` is too fast; write `100ms` or more, or `0s` to write every single value"
            ));
        }
        Ok(Self(every))
    }
}

impl FromStr for OfflineAfter {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        duration(raw).map(Self)
    }
}

fn duration(raw: &str) -> Result<Duration, String> {
    let wrong = || {
        format!("`{raw}` is no duration; write a number and a unit, such as `1s`, `500ms` or `2m`")
    };
    let digits = raw.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let (number, unit) = raw.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit.trim() {
        "ms" => number / 1000.0,
        "s" => number,
        "m" => number * 60.0,
        _ => return Err(wrong()),
    };
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration <= LONGEST => Ok(duration),
        _ => Err(format!("`{raw}` is too long; write `60m` or less")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        assert_eq!("1s".parse(), Ok(Every(Duration::from_secs(1))));
        assert_eq!("0s".parse(), Ok(Every(Duration::ZERO)));
        assert_eq!("250ms".parse(), Ok(Every(Duration::from_millis(250))));
        assert_eq!("1.5 s".parse(), Ok(Every(Duration::from_millis(1500))));
        assert_eq!("2m".parse(), Ok(OfflineAfter(Duration::from_secs(120))));
    }

    #[test]
    fn wrong_durations_are_refused_with_a_suggestion() {
        for wrong in ["", "1", "s", "1h", "-1s", "1..2s", "1 sec", "∞s"] {
            let error = wrong.parse::<Every>().unwrap_err();
            assert!(error.contains("`500ms`"), "{wrong}: {error}");
        }
        assert!("99ms".parse::<Every>().unwrap_err().contains("100ms"));
        assert!("61m".parse::<Every>().unwrap_err().contains("60m"));
        assert!("99999999999999999999m".parse::<OfflineAfter>().unwrap_err().contains("60m"));
    }
}
