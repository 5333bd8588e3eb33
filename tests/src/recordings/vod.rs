//! Recorded streams: chat lines made from them, and counts from their fragments, which the lines do not have.
//!
//! Unpacking and making lines is done with Python, which every Debian has and which the recordings' own tool needs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Count;
use crate::processes;

/// Prints the header lines of a packed recording, and the lines of the streams whose names begin so. The second
/// argument is `-` for headers alone.
const UNPACK: &str = r#"
import json, lzma, sys
wanted = False
with lzma.open(sys.argv[1], "rt", encoding="utf8") as lines:
    for line in lines:
        if line.startswith('{"vod"'):
            wanted = json.loads(line)["vod"].startswith(sys.argv[2])
        if wanted or line.startswith('{"vod"'):
            sys.stdout.buffer.write(line.encode("utf8"))
"#;

/// One stream of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    pub name: String,
    pub channel: String,
    pub messages: usize,
}

/// A recorded stream as the scripted server can send it.
#[derive(Debug, Clone)]
pub struct Vod {
    pub channel: String,
    /// Tagged chat lines, each with an id.
    pub lines: Vec<Vec<u8>>,
    /// Twitch's emotes by their names, counted from the fragments.
    pub emotes: BTreeMap<String, Count>,
}

pub(super) fn streams(file: &Path) -> Result<Vec<Stream>> {
    let mut streams = Vec::new();
    for header in unpacked(file, "-")? {
        streams.push(stream(&header).context("a header without a name")?);
    }
    Ok(streams)
}

pub(super) fn read(file: &Path, tool: &Path, name: &str) -> Result<Vod> {
    let mut python = Command::new("python3");
    python.arg(tool).arg(file).args(["--vod", name]).env("PYTHONIOENCODING", "utf8");
    let output =
        processes::run(python, &[]).context("failed to make chat lines of a recorded stream")?;
    let lines: Vec<Vec<u8>> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    ensure!(!lines.is_empty(), "{} has no stream {name}", file.display());
    let (headers, messages): (Vec<_>, Vec<_>) =
        unpacked(file, name)?.into_iter().partition(|record| record.get("vod").is_some());
    let wanted: Vec<Stream> =
        headers.iter().filter_map(stream).filter(|stream| stream.name.starts_with(name)).collect();
    ensure!(
        wanted.len() == 1,
        "{} has {} streams that begin with {name}",
        file.display(),
        wanted.len()
    );
    Ok(Vod { channel: wanted[0].channel.clone(), lines, emotes: emotes(&messages) })
}

fn unpacked(file: &Path, name: &str) -> Result<Vec<Value>> {
    let mut python = Command::new("python3");
    python.args(["-c", UNPACK]).arg(file).arg(name);
    let output = processes::run(python, &[]).context("failed to unpack a recorded stream")?;
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).context("failed to read a recorded line"))
        .collect()
}

fn stream(header: &Value) -> Option<Stream> {
    let text = |key: &str| header[key].as_str().map(str::to_owned);
    let messages = header["n"].as_u64().unwrap_or_default() as usize;
    Some(Stream { name: text("vod")?, channel: text("channel")?, messages })
}

/// Counts the fragments that are emotes: those of two elements. Messages that cannot be lines are left out.
fn emotes(messages: &[Value]) -> BTreeMap<String, Count> {
    let mut counts: BTreeMap<String, (Count, BTreeSet<&str>)> = BTreeMap::new();
    for message in messages.iter().filter(|message| can_be_said(message)) {
        let names: Vec<&str> = fragments(message)
            .filter(|fragment| fragment.len() == 2)
            .filter_map(|fragment| first(fragment))
            .collect();
        for name in names.iter().copied().collect::<BTreeSet<_>>() {
            let (count, users) = counts.entry(name.to_owned()).or_default();
            count.uses += names.iter().filter(|other| **other == name).count();
            count.messages += 1;
            users.extend(message["uid"].as_str());
        }
    }
    counts
        .into_iter()
        .map(|(name, (count, users))| (name, Count { users: users.len(), ..count }))
        .collect()
}

fn can_be_said(message: &Value) -> bool {
    let has_login = message["login"].as_str().is_some_and(|login| !login.is_empty());
    has_login
        && fragments(message)
            .filter_map(|fragment| first(fragment))
            .any(|text| !text.trim_matches([' ', '\r', '\n']).is_empty())
}

fn fragments(message: &Value) -> impl Iterator<Item = &Vec<Value>> {
    message["f"].as_array().into_iter().flatten().filter_map(Value::as_array)
}

fn first(fragment: &[Value]) -> Option<&str> {
    fragment.first()?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_of_two_elements_are_emotes() -> Result<()> {
        let lines = [
            r#"{"uid":"1","login":"ann","f":[["Kappa","25"],[" and "],["Kappa","25"]]}"#,
            r#"{"uid":"1","login":"ann","f":[["Kappa","25"]]}"#,
            r#"{"uid":"2","login":"bob","f":[["Kappa"],[" "],["LUL","425618"]]}"#,
            r#"{"uid":"3","login":"","f":[["LUL","425618"]]}"#,
        ];
        let messages =
            lines.iter().map(|line| serde_json::from_str(line)).collect::<Result<Vec<_>, _>>()?;
        let counts = emotes(&messages);
        assert_eq!(counts["Kappa"], Count { uses: 3, messages: 2, users: 1, without_id: 0 });
        assert_eq!(counts["LUL"], Count { uses: 1, messages: 1, users: 1, without_id: 0 });
        Ok(())
    }
}
