//! Recorded chat, where there is some: the folder that `HEAT_RECORDINGS` names, with `irc/*.irc`, `vod/*.jsonl.xz` and
//! `tools/`. It belongs to other people and is never part of the project.

mod count;
mod vod;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

pub use count::{Count, Judge, channels, lines_of_channel, most_common_word, word_count};
pub use vod::{Stream, Vod};

use crate::irc::without_line_end;
use crate::notice;

const VARIABLE: &str = "HEAT_RECORDINGS";

/// The folder of recordings.
#[derive(Debug, Clone)]
pub struct Recordings {
    folder: PathBuf,
}

impl Recordings {
    /// The recordings, or None where there are none; then it says loudly what is not run for lack of them.
    pub fn find(for_what: &str) -> Option<Self> {
        let folder = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
        if folder.is_none() {
            notice::not_run(for_what, format!("{VARIABLE} does not name a folder of recordings"));
        }
        folder.map(|folder| Self { folder: folder.into() })
    }

    /// The names of all chat recordings, in the order of the alphabet: `xqcow.irc`. Having none is an error.
    pub fn irc_names(&self) -> Result<Vec<String>> {
        self.names("irc", ".irc")
    }

    /// The names of all recordings of whole streams: `neppienep.jsonl.xz`. Having none is an error.
    pub fn vod_names(&self) -> Result<Vec<String>> {
        self.names("vod", ".jsonl.xz")
    }

    /// The raw lines of a chat recording without their line ends. They need not be UTF-8. Empty ones are left out.
    pub fn irc(&self, name: &str) -> Result<Vec<Vec<u8>>> {
        let bytes =
            fs::read(self.file("irc", name)?).with_context(|| format!("failed to read {name}"))?;
        let lines = bytes.split(|byte| *byte == b'\n').map(without_line_end);
        Ok(lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
    }

    /// The streams of a recording, with their sizes.
    pub fn streams(&self, name: &str) -> Result<Vec<Stream>> {
        vod::streams(&self.file("vod", name)?)
    }

    /// One stream of a recording, as chat lines and with independent counts of its emotes. `stream` is its name or the
    /// beginning of it.
    pub fn vod(&self, name: &str, stream: &str) -> Result<Vod> {
        vod::read(&self.file("vod", name)?, &self.file("tools", "vod2irc.py")?, stream)
    }

    /// A file of the recordings. When the folder is there, a missing file is a mistake and no reason to skip a test.
    pub fn file(&self, folder: &str, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(folder).join(name);
        ensure!(path.is_file(), "{VARIABLE} is set, but there is no file {}", path.display());
        Ok(path)
    }

    fn names(&self, folder: &str, ending: &str) -> Result<Vec<String>> {
        let path = self.folder.join(folder);
        let entries = fs::read_dir(&path)
            .with_context(|| format!("{VARIABLE} is set, but failed to list {}", path.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| name.ends_with(ending));
        names.sort();
        ensure!(
            !names.is_empty(),
            "{VARIABLE} is set, but {} has no file *{ending}",
            path.display()
        );
        Ok(names)
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_hold_what_their_page_says() -> Result<()> {
        let Some(recordings) = Recordings::find("reading the recordings") else {
            return Ok(());
        };
        let names = recordings.irc_names()?;
        assert!(names.iter().any(|name| name.contains("xqcow")), "{names:?}");
        for name in names {
            let lines = recordings.irc(&name)?;
            let judge = Judge::of(&lines);
            let (word, count) = judge.most_common_word();
            assert!(
                count.messages + count.without_id > 1 && count.users <= count.messages,
                "{name}: {word} {count:?}"
            );
            assert!(
                channels(&lines).iter().all(|(channel, number)| !channel.is_empty() && *number > 0)
            );
        }
        Ok(())
    }

    #[test]
    fn a_stream_has_the_same_emotes_in_its_lines_and_in_its_fragments() -> Result<()> {
        let Some(recordings) = Recordings::find("reading a recorded stream") else {
            return Ok(());
        };
        let name = recordings.vod_names()?.swap_remove(0);
        let stream = recordings.streams(&name)?.into_iter().min_by_key(|stream| stream.messages);
        let stream = stream.context("a recording without streams")?;
        let vod = recordings.vod(&name, &stream.name)?;
        assert!(!vod.emotes.is_empty() && vod.lines.len() <= stream.messages);
        let judge = Judge::of(&vod.lines);
        assert_eq!(judge.messages(), vod.lines.len());
        for (emote, count) in &vod.emotes {
            assert_eq!(judge.emote(emote), *count, "{emote}");
        }
        Ok(())
    }

    #[test]
    fn a_missing_file_is_an_error_where_recordings_are_expected() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let recordings = Recordings { folder: folder.path().to_owned() };
        assert!(recordings.irc("x.irc").is_err());
        fs::create_dir(folder.path().join("irc"))?;
        assert!(recordings.irc_names().is_err());
        fs::write(folder.path().join("irc").join("x.irc"), b"one\r\n\ntw\xe9\nthree")?;
        assert_eq!(recordings.irc("x.irc")?, [&b"one"[..], b"tw\xe9", b"three"]);
        Ok(())
    }
}
