//! The settings of the texts: which files show what, and how.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::file;
use crate::meter::Look;
use crate::settings::Mistake;
use crate::sheet::{Common, FileSheet};
use crate::text::Line;
use crate::topic::{Level, Source, Topic};

/// What becomes of the messages.
pub(crate) struct Texts {
    pub(crate) prefix: Topic,
    pub(crate) outputs: Vec<Output>,
    /// How long the broker may be away before it counts as lost.
    pub(crate) patience: Duration,
    pub(crate) print: bool,
}

impl Texts {
    pub(crate) fn check(sheet: &Common, base: &Path) -> Result<Self, Mistake> {
        let prefix = sheet.prefix.clone().unwrap_or_else(Topic::default_prefix);
        let mut outputs = Vec::new();
        for (number, file) in sheet.file.iter().enumerate() {
            let output =
                Output::check(file, &prefix, base).map_err(|mistake| mistake.in_file(number))?;
            outputs.push(output);
        }
        one_writer_per_file(&outputs)?;
        if outputs.is_empty() {
            let text = "no text file is named; add `[[file]]` and a `path`";
            return Err(Mistake::new("file", text));
        }
        Ok(Self {
            prefix,
            outputs,
            patience: sheet.offline_after.unwrap_or_default().0,
            print: false,
        })
    }

    /// What to subscribe: the daemon's status, then each source once.
    pub(crate) fn filters(&self) -> Vec<String> {
        let mut filters = vec![self.prefix.status()];
        for output in &self.outputs {
            let filter = output.source.filter();
            if !filters.contains(&filter) {
                filters.push(filter);
            }
        }
        filters
    }
}

/// One text file and what it shows.
pub(crate) struct Output {
    pub(crate) path: PathBuf,
    pub(crate) source: Source,
    pub(crate) look: Look,
    pub(crate) every: Duration,
}

impl Output {
    fn check(sheet: &FileSheet, prefix: &Topic, base: &Path) -> Result<Self, Mistake> {
        let path = sheet.path.as_ref().ok_or_else(|| {
            let text = "this file has no path; add one, for example: path = 'C:\\stream\\heat.txt'";
            Mistake::new("path", text)
        })?;
        Ok(Self {
            path: target(path, base).map_err(|text| Mistake::new("path", text))?,
            source: source(sheet, prefix)?,
            look: look(sheet)?,
            every: sheet.every.unwrap_or_default().0,
        })
    }
}

/// The file must be one that may be replaced; its folder may appear later.
fn target(path: &Path, base: &Path) -> Result<PathBuf, String> {
    let shown = path.to_string_lossy();
    if shown.contains(char::is_control) {
        return Err(format!(
            "{shown:?} has control characters; write Windows paths in single quotes: 'C:\\stream\\heat.txt'"
        ));
    }
    if path.file_name().is_none() || shown.ends_with(['/', std::path::MAIN_SEPARATOR]) {
        return Err(format!("`{shown}` names no file; add a name such as heat.txt"));
    }
    let path =
        std::path::absolute(base.join(path)).map_err(|error| format!("`{shown}`: {error}"))?;
    match fs::metadata(&path) {
        Ok(found) if found.is_dir() => {
            Err(format!("`{shown}` is a folder; add a file name such as heat.txt"))
        }
        Ok(found) if !found.is_file() || found.len() > file::MAX_BYTES => Err(format!(
            "`{shown}` holds something else than a line of text and would be lost; choose another name"
        )),
        _ => Ok(path),
    }
}

fn source(sheet: &FileSheet, prefix: &Topic) -> Result<Source, Mistake> {
    match &sheet.topic {
        Some(_) if sheet.channel.is_some() || sheet.output.is_some() => {
            let text = "a topic stands for itself; leave out `channel` and `output`, or the topic";
            Err(Mistake::new("topic", text))
        }
        Some(topic) => Ok(Source::topic(topic.clone())),
        None => {
            let output = sheet.output.clone().unwrap_or_else(Level::main_output);
            Ok(Source::output(prefix, sheet.channel.clone(), output))
        }
    }
}

fn look(sheet: &FileSheet) -> Result<Look, Mistake> {
    let template = match &sheet.text {
        Some(template) => template.clone(),
        None => {
            "🔥 HEAT LEVEL: {value}".parse().map_err(|text: String| Mistake::new("text", text))?
        }
    };
    let zero: Line = match &sheet.zero_text {
        Some(line) => line.clone(),
        None => "🔥 HEAT LEVEL RISING"
            .parse()
            .map_err(|text: String| Mistake::new("zero-text", text))?,
    };
    Ok(Look {
        template,
        value: sheet.value.clone().unwrap_or_default(),
        default: sheet.default.clone().unwrap_or_else(|| zero.clone()),
        zero,
        offline: sheet.offline_text.clone(),
    })
}

fn one_writer_per_file(outputs: &[Output]) -> Result<(), Mistake> {
    let mut seen = HashSet::new();
    for (number, output) in outputs.iter().enumerate() {
        // Windows and macOS take two spellings for one file.
        if !seen.insert(output.path.to_string_lossy().to_lowercase()) {
            let text = "two outputs write this file; give each its own";
            return Err(Mistake::new("path", text).in_file(number));
        }
    }
    Ok(())
}
