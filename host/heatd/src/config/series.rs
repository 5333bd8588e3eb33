//! The part of the configuration that is about what is counted over time: how long bins are kept, by their width.

use heat_engine::{Resolution, parse_duration};

use super::section::Section;

/// For ever, as it is written.
const FOREVER: &str = "forever";

/// The shortest time: until the hour that a bin belongs to is stored, a start needs the finest ones.
const LEAST: u64 = 2 * 3_600_000;

/// The longest that is not for ever.
const MOST: u64 = 3_650 * 86_400_000;

/// How long bins are kept, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retention([u64; Resolution::ALL.len()]);

impl Default for Retention {
    fn default() -> Self {
        Self(Resolution::ALL.map(Resolution::kept))
    }
}

impl Retention {
    /// Of one width; `u64::MAX` for ever.
    pub(crate) fn of(&self, resolution: Resolution) -> u64 {
        self.0[resolution as usize]
    }

    pub(super) fn read(section: Option<Section<'_>>) -> Self {
        let Some(mut section) = section else { return Self::default() };
        let kept = section.section("kept").map(|kept| Self::of_table(kept));
        section.end();
        kept.unwrap_or_default()
    }

    fn of_table(mut section: Section<'_>) -> Self {
        let mut told = [None; Resolution::ALL.len()];
        let mut finer: Option<(Resolution, String, u64)> = None;
        for resolution in Resolution::ALL {
            let name = resolution.name();
            let Some((text, span)) = section.text(name) else { continue };
            let Some(time) = time_of(&text) else {
                let problem =
                    format!("`{name}` must be from \"2h\" to \"3650d\", or \"{FOREVER}\"");
                let hint = format!("write {name} = \"30d\"");
                section.mistakes().add_with_hint(&span, problem, hint);
                continue;
            };
            if let Some((other, longer, _)) = finer.as_ref().filter(|finer| finer.2 > time) {
                let problem = format!(
                    "bins of {name} would be kept for less long ({text:?}) than the finer ones of {other} ({longer:?})"
                );
                let hint = format!("write {name} = {longer:?} or longer, or less for {other}");
                section.mistakes().add_with_hint(&span, problem, hint);
                continue;
            }
            told[resolution as usize] = Some(time);
            finer = Some((resolution, text, time));
        }
        section.end();
        Self::filled(told)
    }

    /// What is not told is as it is by default, but no longer than what is wider, and no shorter than what is finer.
    fn filled(told: [Option<u64>; Resolution::ALL.len()]) -> Self {
        let kept = |resolution: Resolution| {
            let place = resolution as usize;
            let finer = told[..place].iter().flatten().max().copied().unwrap_or_default();
            let wider = told[place + 1..].iter().flatten().min().copied().unwrap_or(u64::MAX);
            told[place].unwrap_or_else(|| resolution.kept().max(finer).min(wider))
        };
        Self(Resolution::ALL.map(kept))
    }
}

fn time_of(text: &str) -> Option<u64> {
    if text == FOREVER {
        return Some(u64::MAX);
    }
    parse_duration(text).ok().filter(|time| (LEAST..=MOST).contains(time))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use toml::de::DeTable;

    use super::super::Mistakes;
    use super::*;

    const HOUR: u64 = 3_600_000;
    const DAY: u64 = 24 * HOUR;

    /// What is read, and what is wrong with it.
    fn read(text: &str) -> (Retention, String) {
        let mistakes = Mistakes::new(Path::new("heatd.toml"), text);
        let (table, _) = DeTable::parse_recoverable(text);
        let mut root = Section::new("", table.get_ref(), 0..0, &mistakes);
        let kept = Retention::read(root.section("series"));
        root.end();
        (kept, mistakes.to_string())
    }

    fn right(text: &str) -> [u64; 6] {
        let (kept, mistakes) = read(text);
        assert_eq!(mistakes, "");
        kept.0
    }

    #[test]
    fn the_reference_has_the_defaults() {
        let reference = include_str!("../../heatd.toml");
        let start = reference.find("[series.kept]").expect("the reference has them");
        let end = start + reference[start..].find("\n\n").expect("something follows");
        let table = &reference[start..end];
        assert_eq!(table.lines().filter(|line| line.contains(" = ")).count(), 6, "{table}");
        assert_eq!(right(table), Retention::default().0);
        assert_eq!(right(""), Retention::default().0);
        assert_eq!(right("[series]"), Retention::default().0);
    }

    #[test]
    fn what_is_not_told_gives_way_to_what_is() {
        let all = "kept = { 1s = \"2h\", 5s = \"2h\", 30s = \"1d\", 1m = \"2d\", 5m = \"3d\", 1h = \"4d\" }";
        let times = [2 * HOUR, 2 * HOUR, DAY, 2 * DAY, 3 * DAY, 4 * DAY];
        assert_eq!(right(&format!("[series]\n{all}")), times);
        let week = [DAY, 3 * DAY, 7 * DAY, 7 * DAY, 7 * DAY, 7 * DAY];
        assert_eq!(right("[series.kept]\n1h = \"7d\""), week);
        let fine = [60 * DAY, 60 * DAY, 60 * DAY, 60 * DAY, 365 * DAY, u64::MAX];
        assert_eq!(right("[series.kept]\n1s = \"60d\""), fine);
        assert_eq!(right("[series.kept]\n1s = \"forever\""), [u64::MAX; 6]);
    }

    #[test]
    fn nonsense_is_refused_with_what_to_write() {
        for (text, expected) in [
            (
                "[series.kept]\n1s = \"1h\"",
                "2: `1s` must be from \"2h\" to \"3650d\", or \"forever\"",
            ),
            ("[series.kept]\n1h = \"0s\"", "write 1h = \"30d\""),
            ("[series.kept]\n5m = \"for ever\"", "2: `5m` must be from"),
            ("[series.kept]\n1m = 30", "`1m` must be a text in quotes"),
            (
                "[series.kept]\n1s = \"3d\"\n5m = \"2d\"",
                "3: bins of 5m would be kept for less long (\"2d\") than the finer ones of 1s (\"3d\")",
            ),
            (
                "[series.kept]\n1s = \"3d\"\n5m = \"2d\"",
                "write 5m = \"3d\" or longer, or less for 1s",
            ),
            (
                "[series.kept]\n30s = \"forever\"\n1m = \"3650d\"",
                "write 1m = \"forever\" or longer",
            ),
            ("[series.kept]\n2s = \"3d\"", "unknown key `2s` in [series.kept]"),
            ("[series]\nkeep = \"3d\"", "unknown key `keep` in [series]"),
            ("[series]\nkept = \"3d\"", "`kept` must be a table"),
        ] {
            let (_, mistakes) = read(text);
            assert!(mistakes.contains(expected), "{text:?}: {mistakes}");
        }
    }
}
