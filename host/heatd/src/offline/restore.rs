//! `heatd restore`: puts a backup into the place of the store, and keeps what was there. `heat restore` runs it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use heat_engine::{Contents, Store, StoreError};
use serde_json::{Map, Value, json};

use crate::clock::now;
use crate::config::BackupPlan;
use crate::data::backups::{self, BackupEntry, utc};
use crate::data::{self, STORE};

#[derive(Args)]
pub(crate) struct RestoreOptions {
    /// The backup. Without it, the backups that there are are listed.
    file: Option<PathBuf>,
    /// heatd's data folder. It is made if there is none.
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// Where backups are listed from; by default the folder `backups` in the data folder.
    #[arg(long, value_name = "FOLDER", conflicts_with = "file")]
    from: Option<PathBuf>,
    /// Answers with JSON.
    #[arg(long)]
    json: bool,
}

/// What was done.
struct Restored {
    from: PathBuf,
    store: PathBuf,
    contents: Contents,
    before: Option<Before>,
}

/// The store that was there.
struct Before {
    kept: PathBuf,
    /// None: it cannot be read.
    contents: Option<Contents>,
}

pub(crate) fn run(options: &RestoreOptions) -> Result<String> {
    match &options.file {
        Some(file) => {
            let restored = restore(file, &options.data)?;
            Ok(if options.json { restored.json() } else { restored.words() })
        }
        None => {
            let folder = options.from.clone();
            let folder = folder.unwrap_or_else(|| BackupPlan::of(&options.data).folder);
            let found = backups::list(&folder)?;
            Ok(match options.json {
                true => listed_json(&found),
                false => listed(&found, &folder, &options.data),
            })
        }
    }
}

fn restore(file: &Path, data: &Path) -> Result<Restored> {
    ensure!(
        file.is_file(),
        "there is no file {}; `heat restore --data {}` lists the backups",
        file.display(),
        data.display()
    );
    let missing: Vec<&Path> = data.ancestors().take_while(|folder| is_missing(folder)).collect();
    put(file, data).inspect_err(|_| {
        // Folders made for this go again, the innermost first. One that has anything in it stays.
        missing.iter().for_each(|folder| drop(fs::remove_dir(folder)));
    })
}

/// Whether there is no such folder yet. The empty path is the present folder.
fn is_missing(folder: &Path) -> bool {
    !folder.as_os_str().is_empty() && !folder.exists()
}

fn put(file: &Path, data: &Path) -> Result<Restored> {
    data::prepare(data)?;
    let store = data.join(STORE);
    let present = look(&store)?;
    let new = data.join("heat.redb.restored");
    let contents = match take(file, &new) {
        Ok(contents) => contents,
        Err(error) => {
            // The next try writes it again.
            let _ = fs::remove_file(&new);
            return Err(error);
        }
    };
    let before = present.map(|contents| keep_aside(&store, contents)).transpose()?;
    backups::finish(&new, &store)
        .with_context(|| format!("failed to put the backup at {}", store.display()))?;
    Ok(Restored { from: file.to_owned(), store, contents, before })
}

/// The contents of the current store, if there is one that can be read. A store that is in use is an error.
fn look(store: &Path) -> Result<Option<Option<Contents>>> {
    if !store.exists() {
        return Ok(None);
    }
    match Store::open(store).and_then(|store| store.snapshot()?.contents()) {
        Ok(contents) => Ok(Some(Some(contents))),
        Err(StoreError::InUse) => bail!(
            "a heatd has the store {} open; stop it first (sudo systemctl stop heatd, or Ctrl-C where it runs)",
            store.display()
        ),
        Err(_) => Ok(Some(None)),
    }
}

/// Copies the backup beside the store, and verifies the copy: the backup itself is not touched.
fn take(file: &Path, new: &Path) -> Result<Contents> {
    match fs::remove_file(new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("failed to write {}", new.display()));
        }
        _ => {}
    }
    backups::copy(file, new)
        .with_context(|| format!("failed to copy {} to {}", file.display(), new.display()))?;
    let contents = Store::open(new).and_then(|store| store.snapshot()?.contents());
    let contents = contents.map_err(|error| {
        anyhow::anyhow!("{} is no sound backup: {error}. Nothing was changed", file.display())
    })?;
    give_to_owner(new)?;
    Ok(contents)
}

/// Gives the store to the owner of the data folder: heatd may run as another user than the one that restores.
fn give_to_owner(file: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, chown};
        let folder = fs::metadata(file.parent().unwrap_or(Path::new(".")))?;
        let own = fs::metadata(file)?;
        if (folder.uid(), folder.gid()) != (own.uid(), own.gid()) {
            chown(file, Some(folder.uid()), Some(folder.gid())).with_context(|| {
                format!(
                    "failed to give {} to the owner of its folder; restore as that user or as root",
                    file.display()
                )
            })?;
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Renames the current store. If the disk supports hard links, it keeps both names until the backup takes its place.
fn keep_aside(store: &Path, contents: Option<Contents>) -> Result<Before> {
    let name = backups::asked_name(now()).replacen("heat-", "heat-replaced-", 1);
    let kept = store.with_file_name(name);
    fs::hard_link(store, &kept)
        .or_else(|_| fs::rename(store, &kept))
        .with_context(|| format!("failed to keep the present store as {}", kept.display()))?;
    Ok(Before { kept, contents })
}

impl Restored {
    fn words(&self) -> String {
        let mut words = format!("{} is restored.\n", self.from.display());
        // Writing into a string does not fail.
        let _ = writeln!(words, "{}", said(&self.contents));
        let _ = writeln!(words, "What happened after that is lost.");
        if let Some(before) = &self.before {
            let was = match &before.contents {
                Some(contents) => format!("It had: {}", said(contents)),
                None => "It could not be read.".to_owned(),
            };
            let _ = writeln!(
                words,
                "The store that was there is kept as {}. {was}\nDelete it when nobody needs it.",
                before.kept.display()
            );
        }
        words + "Start heatd again.\n"
    }

    fn json(&self) -> String {
        let mut told = json!({
            "restored": self.from.display().to_string(),
            "store": self.store.display().to_string(),
            "newest": self.contents.newest,
            "faves": faves(&self.contents),
        });
        if let Some(before) = &self.before {
            told["replaced"] = json!({
                "kept": before.kept.display().to_string(),
                "newest": before.contents.as_ref().map(|it| it.newest),
                "faves": before.contents.as_ref().map(faves),
            });
        }
        format!("{told}\n")
    }
}

fn faves(contents: &Contents) -> Map<String, Value> {
    contents.faves.iter().map(|(name, faves)| (name.clone(), (*faves).into())).collect()
}

/// `newest record 2026-11-21 18:00 UTC; 12 faves of #seaside.`
fn said(contents: &Contents) -> String {
    let newest = match contents.newest {
        Some(at) => format!("newest record {}", utc(at)),
        None => "no record yet".to_owned(),
    };
    let faves = contents.faves.iter().map(|(name, faves)| format!("{faves} faves of #{name}"));
    let faves: Vec<String> = faves.collect();
    match faves.as_slice() {
        [] => format!("{newest}; no faves."),
        faves => format!("{newest}; {}.", faves.join(", ")),
    }
}

fn listed(found: &[BackupEntry], folder: &Path, data: &Path) -> String {
    if found.is_empty() {
        return format!(
            "there is no backup in {}; --from names another folder\n",
            folder.display()
        );
    }
    let mut words = String::new();
    for BackupEntry { file, bytes, at } in found {
        // Writing into a string does not fail.
        let megabytes = *bytes as f64 / 1e6;
        let _ = writeln!(words, "{}  {megabytes:>8.1} MB  {}", utc(*at), file.display());
    }
    let _ = writeln!(words, "heat restore FILE --data {} restores one of them", data.display());
    words
}

fn listed_json(found: &[BackupEntry]) -> String {
    let rows = found
        .iter()
        .map(|it| json!({ "file": it.file.display().to_string(), "bytes": it.bytes, "at": it.at }));
    format!("{}\n", json!({ "backups": rows.collect::<Vec<_>>() }))
}
