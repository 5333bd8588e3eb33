//! `heat export`: counts and log as lines of JSON, into a file or onto the standard output.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::target::ChannelArgs;
use crate::terminal::bar::Bar;
use crate::terminal::words::many;
use crate::terminal::{clean, note};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat export --output heat.jsonl
  heat export --what counts | jq -r 'select(.of == \"item\") | [.faves, .item] | @tsv'

It is one moment of the store, whatever happens meanwhile. docs/export.md says what each line has. The components of
rules and what rules keep for themselves are not in it: heatd's backups have those.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ExportArgs {
    /// The file, which must not be there yet; without one, the standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What is exported.
    #[arg(long, value_enum, default_value = "all")]
    what: ExportPart,
    #[command(flatten)]
    at: ChannelArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum ExportPart {
    Counts,
    Log,
    All,
}

pub(crate) fn run(options: &ExportArgs) -> Result<()> {
    let what = match options.what {
        ExportPart::Counts => "counts",
        ExportPart::Log => "log",
        ExportPart::All => "all",
    };
    let mut query = options.at.query()?;
    query.push(("what", what.to_owned()));
    if let Some(file) = options.output.as_deref().filter(|file| file.exists()) {
        bail!("{} is there already; name another file", file.display());
    }
    let source = options.at.api()?.body("/export", &query)?;
    let lines = match &options.output {
        Some(file) => into_file(source, file)?,
        None => into_stdout(source)?,
    };
    if let (Some(lines), Some(file)) = (lines, &options.output) {
        note(&format!("{} written to {}", many(lines, "line"), file.display()));
    }
    Ok(())
}

/// Through a file beside it, so that half an export never has the name of a whole one.
fn into_file(source: impl Read, file: &Path) -> Result<Option<u64>> {
    let failed = || format!("failed to write {}", file.display());
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // It is for its owner alone: it says who wrote what.
    let part = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    let mut out = BufWriter::new(part);
    let lines = copy(source, |line| out.write_all(line))?;
    let part = out.into_inner().map_err(|error| error.into_error()).with_context(failed)?;
    part.as_file().sync_all().with_context(failed)?;
    let kept: File =
        part.persist_noclobber(file).map_err(|error| error.error).with_context(failed)?;
    drop(kept);
    Ok(lines)
}

fn into_stdout(source: impl Read) -> Result<Option<u64>> {
    let mut out = BufWriter::new(stdout().lock());
    let lines = copy(source, |line| out.write_all(line))?;
    match out.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(lines),
    }
}

/// Copies every line, and says how many they were. None: the reader wants no more.
fn copy(source: impl Read, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> Result<Option<u64>> {
    let mut source = BufReader::with_capacity(64 << 10, source);
    let mut progress = Bar::new("exporting", 0);
    let (mut line, mut lines, mut is_whole) = (Vec::new(), 0_u64, false);
    loop {
        line.clear();
        let read = source.read_until(b'\n', &mut line);
        if !matches!(read, Ok(read) if read > 0) {
            break;
        }
        if lines == 0 {
            let header: Value = serde_json::from_slice(&line).unwrap_or_default();
            let of = |name: &str| header[name].as_u64().unwrap_or(0);
            progress.of("exporting", of("rows") + of("next_record"));
        }
        lines += 1;
        progress.at(lines);
        // Cheap, and surely only the last line: what else a line has, does not begin so.
        is_whole = line.ends_with(b"}\n") && is_end(&line);
        // The same JSON without what plays with a terminal: a file may be shown in one later.
        let text = String::from_utf8_lossy(&line);
        match write(clean::json(&text).as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                progress.end();
                return Ok(None);
            }
            done => done.context("failed to write")?,
        }
    }
    progress.end();
    if !is_whole {
        bail!(
            "the connection to heatd broke off after {}: the export is not whole; its log may say why",
            many(lines, "line")
        );
    }
    Ok(Some(lines))
}

fn is_end(line: &[u8]) -> bool {
    line.len() < 200 && serde_json::from_slice::<Value>(line).is_ok_and(|it| it["line"] == "end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_without_its_end_is_no_export() {
        let header = "{\"line\":\"header\",\"rows\":1}\n";
        let copied = |text: String| {
            let mut out = Vec::new();
            copy(Box::new(io::Cursor::new(text.into_bytes())), |line| out.write_all(line))
                .map(|lines| (lines, out.len()))
        };
        let end = "{\"counts\":0,\"line\":\"end\",\"records\":0}\n";
        let whole = format!("{header}{end}");
        assert_eq!(copied(whole.clone()).unwrap(), (Some(2), whole.len()));
        for cut in [header.to_owned(), String::new(), whole[..whole.len() - 3].to_owned()] {
            let error = copied(cut).unwrap_err().to_string();
            assert!(error.contains("not whole"), "{error}");
        }
    }
}
