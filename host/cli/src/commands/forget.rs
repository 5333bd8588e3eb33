//! `heat forget`: removes a person, as if they had never been there.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::outputs::OutputChange;
use crate::api::status::Status;
use crate::api::{self, Api, Payload};
use crate::target::{PreviewArgs, ProgressArgs};
use crate::terminal::words::{count, many};
use crate::terminal::{agrees, clean, note, print};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat forget somebody
  heat forget 12345678 --channel seaside --yes

It shows what would go and asks, unless --yes says that it is meant. What other people wrote stays, also where it names
somebody. It cannot be undone; backups still hold what was forgotten.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ForgetArgs {
    /// Who: an id, a login or a name.
    #[arg(value_name = "USER")]
    user: String,
    #[command(flatten)]
    first: PreviewArgs,
    #[command(flatten)]
    answer: ProgressArgs,
}

/// How forgetting went, or would go.
#[derive(Debug, Deserialize)]
struct ForgetOutcome {
    message: String,
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    logins: Vec<String>,
    #[serde(default)]
    dead_letters: u64,
    #[serde(default)]
    audit_entries: u64,
    #[serde(default)]
    quoted: u64,
    before: Tally,
    after: Tally,
    #[serde(default)]
    preview: bool,
    state: Option<String>,
    #[serde(default)]
    outputs: BTreeMap<String, OutputChange>,
    #[serde(default)]
    mentions: Vec<Mention>,
    #[serde(default)]
    copies: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Tally {
    faves: u64,
    weight: f64,
    people: u64,
}

#[derive(Debug, Deserialize)]
struct Mention {
    what: String,
    place: String,
    count: u64,
}

pub(crate) fn run(options: &ForgetArgs) -> Result<()> {
    let api = options.answer.at.api()?;
    let channels = match options.answer.at.named()? {
        Some(channel) => vec![channel],
        None => {
            let status = Status::read(api.status()?)?;
            status.channels.into_iter().map(|channel| channel.name).collect()
        }
    };
    let must_ask = options.first.must_ask(options.answer.json)?;
    let mut known = Vec::new();
    let mut unknown = None;
    for channel in channels {
        if options.first.yes {
            known.push(channel);
            continue;
        }
        match ask(options, &api, &channel, true) {
            Ok(told) => {
                show(options, told)?;
                known.push(channel);
            }
            Err(error) => unknown = Some(error),
        }
    }
    if let (true, Some(error)) = (known.is_empty(), unknown.take()) {
        return Err(error);
    }
    if options.first.preview {
        return Ok(());
    }
    if must_ask && !agrees("forget this person?")? {
        note("nothing was changed");
        return Ok(());
    }
    let mut done = 0;
    for channel in &known {
        match ask(options, &api, channel, false) {
            Ok(told) => {
                show(options, told)?;
                done += 1;
            }
            Err(error) if known.len() == 1 => return Err(error),
            Err(error) => {
                note(&format!("#{channel}: {error:#}"));
                unknown = Some(error);
            }
        }
    }
    match unknown {
        Some(error) if done == 0 => Err(error),
        _ => Ok(()),
    }
}

fn ask(options: &ForgetArgs, api: &Api, channel: &str, preview: bool) -> Result<Value> {
    let wish = json!({ "user": options.user, "preview": preview });
    let path = format!("/channels/{channel}/forget");
    api.start("POST", &path, &[], &Payload::Json(wish))?.follow(options.answer.json)
}

fn show(options: &ForgetArgs, told: Value) -> Result<()> {
    if !options.answer.json {
        print(&api::read::<ForgetOutcome>(told, "what is forgotten")?.page())?;
    }
    Ok(())
}

impl ForgetOutcome {
    fn page(&self) -> String {
        let mut lines = vec![self.message.clone()];
        let (ids, logins) = (self.ids.join(", "), self.logins.join(", "));
        lines.push(format!("  known as {logins} ({ids})"));
        let tally = |it: &Tally| {
            format!("{} (weight {}) of {}", many(it.faves, "fave"), it.weight, people(it.people))
        };
        lines.push(format!(
            "  the channel has {} before, {} after",
            tally(&self.before),
            tally(&self.after)
        ));
        for (number, what) in [
            (self.dead_letters, "failed calls for them"),
            (self.audit_entries, "entries of the audit log that name them"),
        ] {
            if number > 0 {
                lines.push(format!("  {what}: {}", count(number)));
            }
        }
        let shows = if self.preview { "would show" } else { "shows" };
        for (name, change) in &self.outputs {
            lines.push(format!("  {name} {shows} {}", change.words()));
        }
        if self.state.as_deref() == Some("keys") {
            lines.push("the log does not go back far enough to run the rules without them: only what rules keep under their name goes".to_owned());
        }
        let names = if self.preview { "names them now" } else { "still names them" };
        for it in &self.mentions {
            lines.push(format!("{} {} {names}, {}", it.what, it.place, many(it.count, "time")));
        }
        if self.quoted > 0 {
            lines.push(format!(
                "{} of other people that name them stay",
                many(self.quoted, "message")
            ));
        }
        if !self.copies.is_empty() {
            lines.push("these files are not changed, and may hold it all:".to_owned());
            lines.extend(self.copies.iter().map(|file| format!("  {file}")));
        }
        lines.iter().map(|line| clean::text(line) + "\n").collect()
    }
}

fn people(number: u64) -> String {
    if number == 1 { "1 person".to_owned() } else { format!("{} people", count(number)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_what_goes_and_what_stays() {
        let told = json!({
            "message": "one person would be forgotten", "preview": true, "ids": ["7", "ann\u{1b}[2J"], "logins": ["ann"],
            "dead_letters": 2, "audit_entries": 0, "quoted": 3, "state": "keys",
            "before": { "faves": 1200, "weight": 1200.5, "people": 3 }, "after": { "faves": 1, "weight": 1.0, "people": 1 },
            "outputs": { "heat": { "before": "48", "after": "1" } },
            "mentions": [{ "what": "state", "place": "combo", "count": 1 }], "copies": ["/data/old.redb"],
        });
        let page = api::read::<ForgetOutcome>(told, "it").unwrap().page();
        let expected = "\
one person would be forgotten
  known as ann (7, ann\u{FFFD}[2J)
  the channel has 1,200 faves (weight 1200.5) of 3 people before, 1 fave (weight 1) of 1 person after
  failed calls for them: 2
  heat would show \"1\" instead of \"48\"
the log does not go back far enough to run the rules without them: only what rules keep under their name goes
state combo names them now, 1 time
3 messages of other people that name them stay
these files are not changed, and may hold it all:
  /data/old.redb
";
        assert_eq!(page, expected);
    }
}
