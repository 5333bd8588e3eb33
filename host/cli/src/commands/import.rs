//! `heat import`: adds the counts of a file to those of heatd.
//!
//! The file is read and checked whole before anything is sent: [`lines`] reads what `heat export` writes, [`mongo`] the original's
//! database, both into [`counts`]. Then heatd is asked what would be added, and only then it is, in groups.

mod counts;
mod lines;
mod mongo;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::json;

use counts::ImportFile;

use crate::api::{self, Api, Failure};
use crate::target::{ChannelArgs, channel_name};
use crate::terminal::bar::Bar;
use crate::terminal::words::many;
use crate::terminal::{clean, note, print};

/// How many counts are sent at once: heatd does nothing else while it takes them in.
const GROUP: usize = 250;

/// How many bad lines are named.
const NAMED: usize = 20;

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat import heat.jsonl --dry-run
  heat import heat.jsonl --channel oldname=newname
  heat import --mongo saved_songs.json --channel seasidefm --without duke_ferdinand --without seasidefm

Nothing is counted twice, however often the same file is imported; where it was interrupted, it goes on. An import cannot be
taken back: make a backup before. docs/export.md has the format.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ImportArgs {
    /// What `heat export` wrote, or `mongoexport` with --mongo.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file is the original's collection saved_songs, as mongoexport writes it: a document a line, or with --jsonArray.
    #[arg(long)]
    mongo: bool,
    /// Leaves the counts of this person out, by login. Can be said several times.
    #[arg(long, value_name = "LOGIN")]
    without: Vec<String>,
    /// Only shows what would be added.
    #[arg(long)]
    dry_run: bool,
    /// Takes what is right, although some lines are not.
    #[arg(long)]
    skip_bad: bool,
    /// Prints what was added as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: ChannelArgs,
}

/// What heatd has added, or would add.
#[derive(Debug, Default, Deserialize)]
struct ImportSummary {
    counts: u64,
    unchanged: u64,
    faves: u64,
    weight: f64,
}

pub(crate) fn run(options: &ImportArgs) -> Result<()> {
    let api = options.at.api()?;
    let without: BTreeSet<String> =
        options.without.iter().map(|it| it.trim_start_matches('@').to_lowercase()).collect();
    let channels = options.at.channel.as_deref().map(channels).transpose()?;
    let mut found = match options.mongo {
        true => mongo::read(&options.file, &options.at.one(&api)?)?,
        false => lines::read(&options.file)?,
    };
    if let Some((from, to)) = channels {
        let taken = found.take_into(from.as_deref(), &to).map_err(anyhow::Error::msg)?;
        if taken != to {
            note(&format!("the counts of #{taken} in the file are for #{to}"));
        }
    }
    let had = found.counts.len();
    found.counts.retain(|count| !without.contains(&count.person.login.to_lowercase()));
    found.left_out = (had - found.counts.len()) as u64;
    complain(&found.bad, options.skip_bad)?;
    let file = options.file.display();
    if found.counts.is_empty() {
        bail!("{file} has no counts to import");
    }
    let would = send(&api, &found, None)?;
    if options.dry_run {
        return tell(options, &found, &would, true);
    }
    // What is not new needs no entry in the history.
    let note = (would.counts > 0).then(|| {
        let from = if options.mongo { "the original's database" } else { "an export" };
        format!("{} from {from} ({})", many(would.faves, "fave"), found.source)
    });
    let added = send(&api, &found, Some(note))?;
    tell(options, &found, &added, false)
}

/// Reads `NAME`, or `OLD=NAME` where the file has another name for the channel.
fn channels(typed: &str) -> Result<(Option<String>, String)> {
    Ok(match typed.split_once('=') {
        Some((from, to)) => (Some(channel_name(from)?), channel_name(to)?),
        None => (None, channel_name(typed)?),
    })
}

/// Names what is wrong with the file. Nothing of it is taken then, unless that is wanted.
fn complain(bad: &[(String, String)], skip: bool) -> Result<()> {
    for (place, problem) in bad.iter().take(NAMED) {
        note(&format!("{place}: {problem}"));
    }
    if bad.len() > NAMED {
        note(&format!("and {} more", bad.len() - NAMED));
    }
    match (bad.len() as u64, skip) {
        (0, _) => Ok(()),
        (bad, true) => {
            note(&format!("{} left out", many(bad, "bad line")));
            Ok(())
        }
        (bad, false) => bail!(
            "{}, so nothing was imported; mend the file, or take the rest with --skip-bad",
            many(bad, "bad line")
        ),
    }
}

/// Sends all counts. `real` has the note for the history; without it, heatd only says what it would add.
fn send(api: &Api, found: &ImportFile, real: Option<Option<String>>) -> Result<ImportSummary> {
    let what = if real.is_some() { "importing" } else { "comparing" };
    let mut progress = Bar::new(what, found.counts.len() as u64);
    let mut sum = ImportSummary::default();
    let dry_run = real.is_none();
    let mut note = real.flatten();
    let mut sent = 0;
    // A group is of one channel.
    for of_channel in found.counts.chunk_by(|one, other| one.channel == other.channel) {
        for group in of_channel.chunks(GROUP) {
            let wish = json!({
                "source": found.source, "includes": found.includes, "counts": group, "dry_run": dry_run, "note": note.take(),
            });
            let path = format!("/channels/{}/import", group[0].channel);
            let told = api.post(&path, &wish).map_err(|failure| {
                progress.end();
                broken_off(&failure, sent, dry_run)
            })?;
            let added: ImportSummary = api::read(told, "what was added")?;
            sum.counts += added.counts;
            sum.unchanged += added.unchanged;
            sum.faves += added.faves;
            sum.weight += added.weight;
            sent += group.len() as u64;
            progress.at(sent);
        }
    }
    progress.end();
    Ok(sum)
}

fn broken_off(failure: &Failure, sent: u64, dry_run: bool) -> anyhow::Error {
    match (dry_run, sent) {
        (true, _) | (_, 0) => anyhow::anyhow!("nothing was imported: {failure}"),
        _ => anyhow::anyhow!(
            "{failure}; {} of the file were taken; the same command goes on, and counts nothing twice",
            many(sent, "count")
        ),
    }
}

fn tell(
    options: &ImportArgs,
    found: &ImportFile,
    added: &ImportSummary,
    dry_run: bool,
) -> Result<()> {
    if options.json {
        let told = json!({
            "dry_run": dry_run, "counts": added.counts, "unchanged": added.unchanged, "faves": added.faves, "weight": added.weight,
            "left_out": found.left_out, "bad": found.bad.len(),
        });
        print(&format!("{told}\n"))?;
        return Ok(());
    }
    let verb = if dry_run { "would be added" } else { "added" };
    let mut lines = vec![format!("{} (weight {}) {verb}", many(added.faves, "fave"), added.weight)];
    if added.unchanged > 0 {
        lines.push(format!("{} were here already", many(added.unchanged, "count")));
    }
    if found.left_out > 0 {
        lines.push(format!("{} left out as asked", many(found.left_out, "count")));
    }
    let page: String = lines.iter().map(|line| clean::text(line) + "\n").collect();
    print(&page)?;
    Ok(())
}
