//! Fuzz target of times as people type them.

use heat_tests::fuzz::Target;
use jiff::Zoned;

use super::{parse_at, show_at};

const TIMES: Target = Target {
    name: "cli_times",
    run: times,
    seeds: &[
        b"now",
        b"10m",
        b"1d 2h ago",
        b"18:30",
        b"2026-11-20 18:30",
        b"2026-11-21T16:00:00+01:00",
        b"2026-03-29 02:30",
        b"1900-01-01",
        b"9999-12-31",
    ],
    words: &[
        "ago",
        "d",
        "h",
        "min",
        "sec",
        ":",
        "-",
        "T",
        "Z",
        "[Europe/Berlin]",
        "+25:00",
        "24:00",
        "60",
        " ",
    ],
    recorded: &[],
    inputs: 20_000,
};

fn times(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let now: Zoned = "2026-11-21T18:00:00+02:00[+02:00]".parse().expect("a time");
    match parse_at(&text, &now) {
        Ok(at) => {
            assert_eq!(parse_at(&format!(" {text} "), &now), Ok(at));
            // What is shown, but for milliseconds, is read as the same time; what is still to come today would be read as yesterday's.
            if i128::from(at) > i128::from(now.timestamp().as_millisecond()) {
                return;
            }
            let shown = show_at(at, &now);
            let again = parse_at(&shown, &now);
            assert_eq!(again.map(|it| it / 1000), Ok(at / 1000), "{text:?} is shown as {shown:?}");
        }
        Err(problem) => assert!(problem.contains("10m, 2h, 1d"), "{problem}"),
    }
}

#[test]
fn times_are_understood_or_answered_with_what_would_do() {
    TIMES.check();
}
