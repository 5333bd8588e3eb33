//! The settings of the texts: which files show what, and how.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::file;
use crate::meter::Look;
use crate::mistake::Mistake;
use crate::sheet::{Common, FileSheet};
use crate::text::Line;
use crate::topic::{Level, Source, Topic};

/// How long a disk may take to say what a file is, before the program goes on without knowing.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// What becomes of the messages.
pub(crate) struct Texts {
    pub(crate) prefix: Topic,
    pub(crate) outputs: Vec<Output>,
    /// How long the broker may be away before it counts as lost.
    pub(crate) offline_after: Duration,
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
            offline_after: sheet.offline_after.unwrap_or_default().0,
            print: false,
        })
    }

    /// What to subscribe: the daemon's status, then each source once.
    pub(crate) fn filters(&self) -> Vec<String> {
        let mut filters = vec![self.prefix.status()];
        for (_, source) in self.outputs.iter().flat_map(|output| &output.sources) {
            let filter = source.filter();
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
    /// Each with the name that the text calls it by. The first one is the value.
    pub(crate) sources: Vec<(String, Source)>,
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
            sources: sources(sheet, prefix)?,
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
    match look_at(&path) {
        Some(found) if found.is_dir() => {
            Err(format!("`{shown}` is a folder; add a file name such as heat.txt"))
        }
        Some(found) if !found.is_file() || found.len() > file::MAX_BYTES => Err(format!(
            "`{shown}` holds something else than a line of text and would be lost; choose another name"
        )),
        _ => Ok(path),
    }
}

/// What is there already. A share that does not answer has nothing, as far as is known; the thread that writes the file will report it.
fn look_at(path: &Path) -> Option<Metadata> {
    let (sender, answer) = mpsc::sync_channel(1);
    let path = path.to_owned();
    thread::spawn(move || {
        // Where nobody waits any more, the answer is of no use.
        let _ = sender.send(fs::metadata(path));
    });
    answer.recv_timeout(ANSWERS_WITHIN).ok()?.ok()
}

fn sources(sheet: &FileSheet, prefix: &Topic) -> Result<Vec<(String, Source)>, Mistake> {
    match &sheet.topic {
        Some(_) if sheet.channel.is_some() || sheet.output.is_some() => {
            let text = "a topic stands for itself; leave out `channel` and `output`, or the topic";
            Err(Mistake::new("topic", text))
        }
        Some(topic) => Ok(vec![("value".to_owned(), Source::topic(topic.clone()))]),
        None => {
            let outputs = sheet.output.clone().unwrap_or_default();
            for unnamed in outputs.iter().skip(1).map(Level::as_str) {
                if !sheet.text.as_ref().is_some_and(|text| text.names(unnamed)) {
                    let text = format!(
                        "the text does not show `{unnamed}`, one of its outputs; write {{{unnamed}}} where it belongs"
                    );
                    return Err(Mistake::new("text", text));
                }
            }
            let source = |output: &Level| {
                (output.as_str().to_owned(), Source::output(prefix, sheet.channel.as_ref(), output))
            };
            Ok(outputs.iter().map(source).collect())
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
