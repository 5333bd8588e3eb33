//! `heat backup`: has heatd make a backup, and keeps it there or brings it here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write, stderr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::api::{Api, Payload};
use crate::find::Place;
use crate::terminal::words::bytes;
use crate::terminal::{clean, note, print};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat backup                        in heatd's folder for backups, on heatd's machine
  heat backup --output heat.redb     here, also from another machine

heatd goes on meanwhile. A backup of each day it makes by itself; `heat restore` brings one back.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct BackupArgs {
    /// Writes the backup into this file, and keeps none on heatd's side. The file must not be there.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Answers with JSON: one object a line. The last one says how it went.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) fn run(options: &BackupArgs) -> Result<()> {
    let api = Api::at(&options.place)?;
    match &options.output {
        Some(file) => bring(&api, file, options.json),
        None => make(&api, options.json),
    }
}

fn make(api: &Api, json: bool) -> Result<()> {
    let made = api.start("POST", "/backup", &[], &Payload::Json(json!({})))?.follow(json)?;
    if !json {
        print(&page(&made))?;
    }
    Ok(())
}

/// What was made, and what was not.
fn page(made: &Value) -> String {
    let text = |name: &str| made[name].as_str().map(clean::text);
    let size = bytes(made["bytes"].as_u64().unwrap_or_default());
    let mut page = format!("{} ({size})\n", text("message").unwrap_or_default());
    if let Some(also) = text("also") {
        page.push_str(&format!("so is a second one, {also}\n"));
    }
    if let Some(problem) = text("also_failed") {
        page.push_str(&format!("the second one failed: {problem}\n"));
    }
    page
}

fn bring(api: &Api, file: &Path, json: bool) -> Result<()> {
    ensure!(!file.exists(), "{} is there already; give the backup another name", file.display());
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let size = receive(api, &part, !json).and_then(|size| {
        fs::rename(&part, file)?;
        Ok(size)
    });
    if size.is_err() {
        // Half a backup is none.
        let _ = fs::remove_file(&part);
    }
    let size = size.with_context(|| format!("failed to write {}", file.display()))?;
    let shown = file.display().to_string();
    match json {
        true => print(&format!(
            "{}\n",
            json!({ "message": "the backup is here", "file": shown, "bytes": size })
        ))?,
        false => print(&format!("the backup {shown} is made ({})\n", bytes(size)))?,
    }
    Ok(())
}

/// Writes what heatd sends, for this user alone, and says how long it is.
fn receive(api: &Api, part: &Path, tell: bool) -> Result<u64> {
    let (wanted, mut source) = api.download("/backup")?;
    let mut target = new_file(part)?;
    let bar = bar(wanted, tell);
    let (mut received, mut piece) = (0, vec![0; 64 << 10]);
    loop {
        let length = match source.read(&mut piece) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).context("the connection to heatd broke off"),
        };
        if length == 0 {
            break;
        }
        target.write_all(&piece[..length])?;
        received += length as u64;
        bar.set_position(received);
    }
    bar.finish_and_clear();
    ensure!(received == wanted, "heatd sent {received} of {wanted} bytes; its log says why");
    target.sync_all()?;
    Ok(received)
}

fn new_file(part: &Path) -> io::Result<File> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(part)
}

/// A bar at a terminal; elsewhere a line, since it may take a while.
fn bar(wanted: u64, tell: bool) -> ProgressBar {
    if !tell || !stderr().is_terminal() {
        if tell {
            note(&format!("heatd has made the backup; receiving {}", bytes(wanted)));
        }
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(wanted), ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template("{bar:30} {percent:>3}% {bytes} of {total_bytes}")
    {
        bar.set_style(style.progress_chars("█▌░"));
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_said_beside_what_was_made() {
        let made = json!({ "message": "it is made", "bytes": 1_590_000, "also_failed": "no\u{1b}[2J folder" });
        let expected = "it is made (1.6 MB)\nthe second one failed: no\u{fffd}[2J folder\n";
        assert_eq!(page(&made), expected);
    }
}
