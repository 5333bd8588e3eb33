//! A strict Twitch client by other people: what it accepts, Twitch might have sent.
//!
//! The client is an npm package. It is installed once for each build folder, never into the project.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::processes::{self, Program, build_folder};

const FILES: [(&str, &str); 3] = [
    ("package.json", include_str!("../peers/dank-twitch-irc/package.json")),
    ("package-lock.json", include_str!("../peers/dank-twitch-irc/package-lock.json")),
    ("check.mjs", include_str!("../peers/dank-twitch-irc/check.mjs")),
];

/// The running client. It ends when this is dropped. After a line that it cannot read it closes its connection and makes
/// a new one, so do not wait for more than the complaint then.
pub struct Peer {
    program: Program,
}

impl Peer {
    /// Connects without an account, and returns when the client is content that it has joined the channel.
    pub fn anonymous(server: SocketAddr, channel: &str) -> Result<Self> {
        Self::start(server, channel, &[])
    }

    /// The same with an account; the scripted server takes any.
    pub fn with_account(server: SocketAddr, channel: &str, login: &str) -> Result<Self> {
        Self::start(server, channel, &[login, "oauth:made-up"])
    }

    fn start(server: SocketAddr, channel: &str, account: &[&str]) -> Result<Self> {
        let mut node = Command::new("node");
        node.arg(installed("dank-twitch-irc", &FILES)?.join("check.mjs"));
        node.args([&server.ip().to_string(), &server.port().to_string(), channel]).args(account);
        let peer = Self { program: Program::start(node)? };
        peer.wait_for(|seen| seen["event"] == "joined")?;
        Ok(peer)
    }

    /// What the client saw so far: `event` is `message` (with the client's own `type`, such as `PrivmsgMessage`, and
    /// its `message`), `joined`, `error` or `close`.
    pub fn seen(&self) -> Vec<Value> {
        self.program.lines().iter().map(|line| seen(line)).collect()
    }

    /// The messages of one of the client's types, such as `PrivmsgMessage`, with the client's own fields.
    pub fn messages(&self, kind: &str) -> Vec<Value> {
        let all = self.seen().into_iter();
        all.filter(|seen| seen["type"] == kind).map(|mut seen| seen["message"].take()).collect()
    }

    /// What the client complained about: lines that it could not read, and lost connections.
    pub fn complaints(&self) -> Vec<Value> {
        let is_complaint = |seen: &Value| seen["event"] == "error" || seen["event"] == "close";
        self.seen().into_iter().filter(is_complaint).collect()
    }

    /// Waits until the client has seen something; what came before counts too.
    pub fn wait_for(&self, is_it: impl Fn(&Value) -> bool) -> Result<Value> {
        let line = self.program.wait_for_line(|line| is_it(&seen(line)))?;
        Ok(seen(&line))
    }
}

/// A printed line. What is none of the script's own is a complaint: nothing that the client says may get lost.
fn seen(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|_| json!({ "event": "error", "text": line }))
}

/// The folder of an installed client. Its name changes with its files, so that an old one is never used.
pub(crate) fn installed(name: &str, files: &[(&str, &str)]) -> Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    let peers = build_folder()?.join("peers");
    let folder = peers.join(format!("{name}-{:016x}", hasher.finish()));
    if !folder.is_dir() {
        fs::create_dir_all(&peers)?;
        install(&peers, &folder, files).with_context(|| {
            format!("failed to install {name}, which judges the scripted server")
        })?;
    }
    Ok(folder)
}

/// Installs beside and renames, so that a broken-off installation is not taken for a whole one.
fn install(peers: &Path, folder: &Path, files: &[(&str, &str)]) -> Result<()> {
    let unfinished = tempfile::tempdir_in(peers)?;
    for (name, text) in files {
        fs::write(unfinished.path().join(name), text)?;
    }
    let is_python = files.iter().any(|(name, _)| *name == "requirements.txt");
    let mut install = if is_python {
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--no-deps",
            "--target",
            ".",
            "--requirement",
        ]);
        pip.arg("requirements.txt");
        pip
    } else {
        let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        npm
    };
    install.current_dir(unfinished.path());
    processes::run(install, &[])?;
    match fs::rename(unfinished.path(), folder) {
        // Another test program was faster.
        Err(_) if folder.is_dir() => Ok(()),
        result => Ok(result?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Generator;
    use crate::twitch::{Line, Pace, Segments, Server};

    #[test]
    fn the_strict_client_accepts_every_kind_of_line() -> Result<()> {
        let server = Server::start()?;
        let peer = Peer::anonymous(server.addr(), "pie")?;
        server.behave(|behaviour| behaviour.segments = Segments::Every(3));
        let chat = Line::chat("pie", "ann", "Kappa 😂 Kappa")
            .emote("25", "Kappa")
            .badge("subscriber/3")
            .badge("vip/1");
        for line in [
            chat.clone(),
            // The client cuts flagged words by another count than Twitch's, through the middle of the last character.
            Line::chat("pie", "cat", "forsen FeelsOkayMan 🖕").tag("flags", "20-20:P.6"),
            chat.action(),
            Line::chat("pie", "bob", "yes").reply_to("ann", "a-1", "Kappa; why?"),
            Line::subscription("pie", "bob", 3).text("three months"),
            Line::raid("pie", "cat", 42),
            Line::clear_message("pie", "ann", "a-1", "Kappa"),
            Line::clear_chat("pie", Some("ann")).tag("ban-duration", "600"),
            Line::clear_chat("pie", None),
        ] {
            server.send("pie", &line);
        }
        peer.wait_for(|seen| {
            seen["type"] == "ClearchatMessage" && seen["message"]["targetUsername"].is_null()
        })?;
        assert_eq!(peer.complaints(), [Value::Null; 0]);
        let names = |message: &Value| {
            message["emotes"]
                .as_array()
                .map(|emotes| emotes.iter().map(|emote| emote["code"].clone()).collect::<Vec<_>>())
        };
        assert_eq!(
            peer.messages("PrivmsgMessage").first().and_then(names),
            Some(vec!["Kappa".into(), "Kappa".into()])
        );
        let counts = [
            "PrivmsgMessage",
            "UsernoticeMessage",
            "RoomstateMessage",
            "JoinMessage",
            "ClearmsgMessage",
        ];
        assert_eq!(counts.map(|kind| peer.messages(kind).len()), [4, 2, 1, 1, 1]);
        Ok(())
    }

    #[test]
    fn the_strict_client_accepts_the_login_with_an_account_and_a_ping() -> Result<()> {
        let server = Server::start()?;
        let peer = Peer::with_account(server.addr(), "pie", "heatbot")?;
        server.ping()?;
        assert_eq!(peer.messages("GlobaluserstateMessage").len(), 1);
        assert_eq!(peer.messages("UserstateMessage").len(), 1);
        assert_eq!(peer.complaints(), [Value::Null; 0]);
        Ok(())
    }

    #[test]
    fn the_strict_client_accepts_made_up_chat() -> Result<()> {
        let server = Server::start()?;
        let peer = Peer::anonymous(server.addr(), "pie")?;
        let mut generator = Generator::new(3, "pie");
        let lines = generator.lines(500);
        assert_eq!(server.replay(&lines, Pace::AsFastAsPossible).sent, 500);
        server.send("pie", &Line::chat("pie", "ann", "the end"));
        peer.wait_for(|seen| seen["message"]["messageText"] == "the end")?;
        assert_eq!(peer.messages("PrivmsgMessage").len(), 501);
        assert_eq!(peer.complaints(), [Value::Null; 0]);
        Ok(())
    }
}
