//! How much is logged. What would make heatd log nothing by mistake is refused.

use std::ops::Range;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::mistakes::Mistakes;

const HINT: &str = "write one of \"error\", \"warn\", \"info\", \"debug\", \"trace\" and \"off\"; \"info,heatd=debug\" has a level of its own for a part";

/// Checks the value of `log`.
pub(super) fn check(log: &str, span: &Range<usize>, mistakes: &Mistakes) {
    let problem = match EnvFilter::try_new(log) {
        Err(error) => Some(format!("`log` cannot be used: {error}")),
        Ok(_) => no_level(log).map(|word| format!("`log`: {word:?} is no level")),
    };
    if let Some(problem) = problem {
        mistakes.add_with_hint(span, problem, HINT);
    }
}

/// A bare word that is no level. The filter takes it for the name of a part, and lets nothing else through.
fn no_level(log: &str) -> Option<&str> {
    let bare = |word: &&str| word.chars().all(|c| c.is_alphanumeric() || "_:-".contains(c));
    let words = log.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.filter(bare).find(|word| word.parse::<LevelFilter>().is_err())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_bare_word_must_be_a_level() {
        for (log, expected) in [
            ("loud", Some("\"loud\" is no level")),
            ("infp", Some("\"infp\" is no level")),
            ("info, heatd", Some("\"heatd\" is no level")),
            ("info,heatd=deubg", Some("`log` cannot be used")),
            ("info,heatd=debug", None),
            ("heatd=debug", None),
            ("INFO", None),
            ("off", None),
        ] {
            let mistakes = Mistakes::new(Path::new("heatd.toml"), "");
            check(log, &(0..0), &mistakes);
            let said = mistakes.sentences();
            assert_eq!(mistakes.is_empty(), expected.is_none(), "{log}: {said}");
            assert!(said.contains(expected.unwrap_or_default()), "{log}: {said}");
        }
    }
}
