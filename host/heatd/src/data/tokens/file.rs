//! The file of the tokens: name, role, times and SHA-256 of each. It is replaced as a whole, so no reader sees it half written.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::data;
use crate::data::role::Role;

/// How far the last use in the file may be behind, in milliseconds: a write for each request would wear out an SD card.
pub(super) const USE: u64 = 3_600_000;

/// What the file holds, and where it is.
pub(super) struct TokenFile {
    file: PathBuf,
    pub(super) tokens: Vec<Token>,
}

/// A token, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) name: String,
    pub(super) role: Role,
    #[serde(with = "hexadecimal")]
    pub(super) sha256: [u8; 32],
    /// Milliseconds since 1970, like the others.
    pub(super) made: u64,
    pub(super) expires: Option<u64>,
    pub(super) used: Option<u64>,
    /// The last use as it stands in the file.
    #[serde(skip)]
    pub(super) noted: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Page {
    tokens: Vec<Token>,
}

impl TokenFile {
    /// Without a file there are no tokens.
    pub(super) fn open(file: &Path) -> Result<Self> {
        let shown = file.display();
        let mut tokens = match fs::read_to_string(file) {
            Ok(text) => {
                let page: Page = serde_json::from_str(&text).with_context(|| {
                    format!("{shown} is no list of tokens; mend it, or delete it, which revokes them all")
                })?;
                page.tokens
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(|| format!("failed to read {shown}")),
        };
        for place in 1..tokens.len() {
            let (before, rest) = tokens.split_at(place);
            let name = &rest[0].name;
            ensure!(
                before.iter().all(|it| it.name != *name),
                "{shown} has two tokens of the name {name:?}"
            );
        }
        tokens.iter_mut().for_each(|token| token.noted = token.used);
        Ok(Self { file: file.to_owned(), tokens })
    }

    pub(super) fn write(&mut self) -> Result<()> {
        let text = serde_json::to_string(&Page { tokens: self.tokens.clone() })?;
        data::replace(&self.file, &text, 0o600)?;
        self.tokens.iter_mut().for_each(|token| token.noted = token.used);
        Ok(())
    }

    /// Whether times of last use in the file are old enough to be written again.
    pub(super) fn is_behind(&self) -> bool {
        self.tokens.iter().any(|it| it.used.unwrap_or(0) > it.noted.unwrap_or(0) + USE)
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.tokens.iter().position(|token| token.name == name)
    }

    /// The name of a role, with a number where that is taken.
    pub(super) fn free_name(&self, role: Role) -> String {
        let name = |number: usize| match (role, number) {
            // `owner` is whoever has the token of the data folder.
            (Role::Owner, _) => format!("owner-{}", number + 1),
            (role, 1) => role.name().to_owned(),
            (role, number) => format!("{}-{number}", role.name()),
        };
        // One of so many is free.
        (1..=self.tokens.len() + 1)
            .map(name)
            .find(|name| self.find(name).is_none())
            .unwrap_or_default()
    }
}

/// Writes 32 bytes as hexadecimal text.
mod hexadecimal {
    use heat_engine::Digest;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Digest(*bytes))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(from)?;
        let odd = || D::Error::custom("a SHA-256 has 64 hexadecimal digits");
        let byte = |place: usize| {
            let digits = text.get(2 * place..2 * place + 2).ok_or_else(odd)?;
            u8::from_str_radix(digits, 16).map_err(|_| odd())
        };
        if text.len() != 64 {
            return Err(odd());
        }
        let mut bytes = [0; 32];
        for (place, slot) in bytes.iter_mut().enumerate() {
            *slot = byte(place)?;
        }
        Ok(bytes)
    }
}
