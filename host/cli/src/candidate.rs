//! What is held against a rule that is live: another rule from a file, or the same with other settings.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::api::{COMPONENT, JSON, Payload};
use crate::target::SlotChoice;
use crate::{rule_file, values};

#[derive(Args)]
pub(crate) struct Candidate {
    /// The rule: a WebAssembly component, the module that a compiler made, or the folder of a rule. Without one: what is live, with other settings.
    #[arg(value_name = "FILE or FOLDER", required_unless_present_any = ["set", "unset"])]
    file: Option<PathBuf>,
    /// A setting, its value as in the configuration; a bare word is a text.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// A setting that goes back to its default.
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// The slot; not needed when the file is named as the rule in it is, or when only one rule has the settings.
    #[arg(long, value_name = "SLOT")]
    slot: Option<String>,
}

/// What was read of it.
pub(crate) enum CandidateFile {
    /// A rule, and what is set of it beside what is set already.
    Rule {
        component: Vec<u8>,
        stem: String,
        settings: Option<(&'static str, String)>,
    },
    Settings(Value),
}

impl Candidate {
    pub(crate) fn read(&self) -> Result<CandidateFile> {
        Ok(match &self.file {
            Some(file) => CandidateFile::Rule {
                component: rule_file::read(file)?,
                stem: rule_file::stem(file),
                settings: values::query(&self.set, &self.unset)?,
            },
            None => CandidateFile::Settings(values::wish(&self.set, &self.unset)?),
        })
    }

    /// The slot that it is for.
    pub(crate) fn wanted<'a>(&'a self, read: &'a CandidateFile) -> SlotChoice<'a> {
        match (&self.slot, read) {
            (Some(slot), _) => SlotChoice::Slot(slot),
            (None, CandidateFile::Rule { stem, .. }) => SlotChoice::File(stem),
            (None, CandidateFile::Settings(_)) => {
                SlotChoice::Settings(values::keys(&self.set, &self.unset))
            }
        }
    }
}

impl CandidateFile {
    /// What the query says of it.
    pub(crate) fn query(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Rule { settings, .. } => settings.clone(),
            Self::Settings(_) => None,
        }
    }

    pub(crate) fn load(&self) -> Payload<'_> {
        match self {
            Self::Rule { component, .. } => Payload::Component(component),
            Self::Settings(wish) => Payload::Json(wish.clone()),
        }
    }

    /// The same with a recording of chat before it.
    pub(crate) fn load_after(&self, mut recording: Vec<u8>) -> Payload<'static> {
        let kind = match self {
            Self::Rule { component, .. } => {
                recording.extend_from_slice(component);
                COMPONENT
            }
            Self::Settings(wish) => {
                recording.extend_from_slice(wish.to_string().as_bytes());
                JSON
            }
        };
        Payload::Recorded(recording, kind)
    }
}

/// Reads a recording of chat. At least one of its lines must say when it was sent.
pub(crate) fn recording(file: &Path) -> Result<Vec<u8>> {
    const TIME: &[u8] = b"tmi-sent-ts=";
    let shown = file.display();
    let bytes = std::fs::read(file).with_context(|| format!("failed to read {shown}"))?;
    let mut lines = bytes.split(|byte| *byte == b'\n');
    if !lines
        .any(|line| line.starts_with(b"@") && line.windows(TIME.len()).any(|part| part == TIME))
    {
        bail!(
            "no line of {shown} says when it was sent; a recording has raw lines of Twitch chat with their tags, of which tmi-sent-ts is the time"
        );
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_says_when_its_lines_were_sent() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let write = |text: &[u8]| std::fs::write(file.path(), text).unwrap();
        write(b"PING\n@id=1;tmi-sent-ts=1700000000000 :a!a@a PRIVMSG #x :\xFFhi\n");
        assert!(recording(file.path()).is_ok());
        write(b":a!a@a PRIVMSG #x :tmi-sent-ts=1\n");
        assert!(recording(file.path()).unwrap_err().to_string().contains("tmi-sent-ts"));
    }
}
