//! `heat undo`: takes back what a person, one event or one version of a rule has brought.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::outputs::OutputChange;
use crate::api::{self, Payload};
use crate::target::{PreviewArgs, ProgressArgs};
use crate::terminal::{agrees, clean, note, print};
use crate::when;

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat undo --user troll --since 10m
  heat undo --event d25f1c0e-6a1b-4a53-9d1e-0c5b7a7e3f42 --preview
  heat undo --digest 0123456789ab     a version of a rule that is not live any more

It shows what would change and asks, unless --yes says that it is meant.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    which: UndoTarget,
    /// Since when: 10m, 2h or 1d ago, 18:30, '2026-11-20 18:30', or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = when::parse, requires = "user")]
    since: Option<u64>,
    #[command(flatten)]
    first: PreviewArgs,
    #[command(flatten)]
    answer: ProgressArgs,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct UndoTarget {
    /// What this person wrote under any login, by login or id; --since says since when.
    #[arg(long, value_name = "LOGIN", requires = "since")]
    user: Option<String>,
    /// One event, by its whole id; heat why names them.
    #[arg(long, value_name = "ID")]
    event: Option<String>,
    /// What this version of a rule did, by the beginning of its digest; heat rules audit names them.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    digest: Option<String>,
}

/// How taking back went, or would go.
#[derive(Debug, Deserialize)]
struct UndoOutcome {
    message: String,
    #[serde(default)]
    preview: bool,
    #[serde(default)]
    outputs: BTreeMap<String, OutputChange>,
    corrected: Option<String>,
    log_begins: Option<u64>,
}

pub(crate) fn run(options: &UndoArgs) -> Result<()> {
    let api = options.answer.at.api()?;
    let channel = options.answer.at.one(&api)?;
    let mut wish = options.wish();
    let mut ask = |preview: bool| -> Result<Value> {
        wish["preview"] = preview.into();
        let path = format!("/channels/{channel}/undo");
        api.start("POST", &path, &[], &Payload::Json(wish.clone()))?.follow(options.answer.json)
    };
    if options.first.must_ask(options.answer.json)? {
        let outcome: UndoOutcome = api::read(ask(true)?, "what would change")?;
        print(&outcome.page())?;
        if !agrees("take it back?")? {
            note("nothing was changed");
            return Ok(());
        }
    }
    let told = ask(options.first.preview)?;
    if !options.answer.json {
        print(&api::read::<UndoOutcome>(told, "what has changed")?.page())?;
    }
    Ok(())
}

impl UndoArgs {
    fn wish(&self) -> Value {
        let UndoTarget { user, event, digest } = &self.which;
        match (user, event, digest) {
            (Some(user), _, _) => {
                let login = user.trim_start_matches('@').to_lowercase();
                json!({ "user": login, "since": self.since })
            }
            (_, Some(event), _) => json!({ "event": event }),
            (_, _, digest) => json!({ "digest": digest }),
        }
    }
}

/// A digest, or its beginning.
fn digest(typed: &str) -> Result<String, String> {
    let typed = typed.to_lowercase();
    match typed.len() {
        4..=64 if typed.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(typed),
        _ => {
            Err("heat rules audit shows digests; write at least the first four characters"
                .to_owned())
        }
    }
}

impl UndoOutcome {
    fn page(&self) -> String {
        let mut lines = vec![self.message.clone()];
        let shows = if self.preview { "would show" } else { "shows" };
        for (name, change) in &self.outputs {
            lines.push(format!("  {name} {shows} {}", change.words()));
        }
        if let Some(begins) = self.log_begins {
            lines.push(format!("the log begins {}", when::show(begins)));
        }
        if self.corrected.as_deref() == Some("counts") {
            lines.push(
                "only the counts of faves can be corrected: the heat itself stays as it is; a moderator may set it with ?heat set N"
                    .to_owned(),
            );
        }
        lines.iter().map(|line| clean::text(line) + "\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(told: Value) -> String {
        api::read::<UndoOutcome>(told, "it").unwrap().page()
    }

    #[test]
    fn a_preview_says_what_would_change() {
        let told = json!({
            "message": "4 faves would be taken back\u{1b}[2J", "preview": true, "events": 12, "faves": 4, "weight": 5.5,
            "outputs": { "heat": { "before": "48", "after": "40" } }, "corrected": "all", "log_begins": null,
        });
        let expected =
            "4 faves would be taken back\u{FFFD}[2J\n  heat would show \"40\" instead of \"48\"\n";
        assert_eq!(page(told), expected);
    }

    #[test]
    fn it_is_said_plainly_when_only_counts_are_corrected() {
        let told = json!({ "message": "x", "outputs": {}, "corrected": "counts", "log_begins": 0 });
        let page = page(told);
        assert!(page.contains("only the counts of faves can be corrected"), "{page}");
        assert!(page.contains("the log begins 19"), "{page}");
    }

    #[test]
    fn the_beginning_of_a_digest_will_do() {
        assert_eq!(digest("ABCD12"), Ok("abcd12".to_owned()));
        for odd in ["", "abc", "wxyz", &"a".repeat(65)] {
            assert!(digest(odd).unwrap_err().contains("heat rules audit"), "{odd}");
        }
    }
}
