//! Two clients of EventSub by other people, twurple (npm) and twitchAPI (PyPI): what they understand, Twitch might have sent.

use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use crate::logins::{CLIENT, Logins};
use crate::peer::installed;
use crate::processes::Program;
use crate::twitch_api::TwitchApi;

const TWURPLE: [(&str, &str); 3] = [
    ("package.json", include_str!("../peers/twurple/package.json")),
    ("package-lock.json", include_str!("../peers/twurple/package-lock.json")),
    ("check.mjs", include_str!("../peers/twurple/check.mjs")),
];

const TWITCH_API: [(&str, &str); 2] = [
    ("requirements.txt", include_str!("../peers/twitchapi/requirements.txt")),
    ("check.py", include_str!("../peers/twitchapi/check.py")),
];

/// What both ask for.
const SCOPES: [&str; 6] = [
    "moderator:read:followers",
    "channel:read:subscriptions",
    "channel:read:redemptions",
    "channel:read:hype_train",
    "user:read:chat",
    "user:write:chat",
];

/// A running client. It ends when this is dropped.
pub struct EventPeer(Program);

impl EventPeer {
    /// twurple, as the account of this login and id.
    pub fn twurple(logins: &Logins, api: &TwitchApi, login: &str, id: &str) -> Result<Self> {
        let (token, _) = logins.hand_out(login, &SCOPES);
        let mut node = Command::new("node");
        node.arg(installed("twurple", &TWURPLE)?.join("check.mjs"));
        node.args([CLIENT, &token, id]).args(SCOPES);
        node.env("TWURPLE_MOCK_API_PORT", api.addr().port().to_string());
        Ok(Self(Program::start(node)?))
    }

    /// twitchAPI, likewise.
    pub fn twitch_api(logins: &Logins, api: &TwitchApi, login: &str, id: &str) -> Result<Self> {
        let (token, refresh) = logins.hand_out(login, &SCOPES);
        let folder = installed("twitchapi", &TWITCH_API)?;
        let server = logins.address();
        let server = server.trim_start_matches("http://").trim_end_matches("/oauth2");
        let mut python = Command::new("python3");
        python.arg(folder.join("check.py")).env("PYTHONPATH", &folder);
        python.args([&api.addr().to_string(), server, CLIENT, &token, &refresh, id]).args(SCOPES);
        Ok(Self(Program::start(python)?))
    }

    /// Everything that it has printed.
    pub fn seen(&self) -> Vec<Value> {
        let read = |line: &String| {
            serde_json::from_str(line)
                .unwrap_or_else(|_| serde_json::json!({ "event": "error", "text": line }))
        };
        self.0.lines().iter().map(read).collect()
    }

    /// What it was told of this type: by whom, and with what words.
    pub fn told(&self, kind: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let seen = self.seen().into_iter().filter(|it| it["event"] == "told" && it["type"] == kind);
        seen.map(|it| (text(&it["user"]), text(&it["text"]))).collect()
    }

    /// What it complains of.
    pub fn complaints(&self) -> Vec<Value> {
        let is_one = |it: &Value| it["event"] == "error" || it["event"] == "log";
        self.seen().into_iter().filter(is_one).collect()
    }
}
