//! A client of heatd's API that shows every byte of what it sends and gets.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use heat_tests::patience::eventually;
use serde_json::Value;

use crate::town::Town;

pub(super) const JSON: &str = "application/json";
pub(super) const WASM: &str = "application/wasm";

/// Asks one heatd, with its token.
pub(crate) struct Api {
    port: u16,
    pub(super) token: String,
}

/// What heatd has answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(super) code: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Api {
    /// Waits until there is a token to ask with.
    pub(crate) fn new(town: &Town) -> Result<Self> {
        let file = town.path("heat-data/api.token");
        let token = eventually("the API's token", || std::fs::read_to_string(&file))?;
        Ok(Self { port: town.http, token: token.trim().to_owned() })
    }

    pub(crate) fn get(&self, path: &str) -> Result<Answer> {
        self.ask("GET", path, JSON, b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.ask("POST", path, JSON, body.to_string().as_bytes())
    }

    /// Does something to a slot: `decay/settings`.
    pub(super) fn slot(&self, path: &str, body: &Value) -> Result<Answer> {
        self.post(&format!("channels/seaside/rules/{path}"), body)
    }

    pub(super) fn deploy(&self, slot: &str, component: &[u8]) -> Result<Answer> {
        self.ask("PUT", &format!("channels/seaside/rules/{slot}"), WASM, component)
    }

    pub(super) fn shadow(&self, slot: &str, component: &[u8]) -> Result<Answer> {
        self.ask("POST", &format!("channels/seaside/rules/{slot}/shadow"), WASM, component)
    }

    /// One request, as any client may send it. Version 1.0 of HTTP, so that the answer is as it is.
    pub(super) fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Answer> {
        let mut stream = self.begin(method, path, kind, body.len())?;
        // heatd may answer before it has read all of it.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        ensure!(read.is_ok() || !answer.is_empty(), "{method} {path}: {read:?}");
        let answer = String::from_utf8(answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
        let code =
            head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status")?;
        Ok(Answer { code, head: head.to_lowercase(), body: body.to_owned() })
    }

    /// The head of a request that announces so many bytes.
    pub(super) fn begin(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        length: usize,
    ) -> Result<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        let token = &self.token;
        write!(
            stream,
            "{method} /api/v1/{path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        )?;
        Ok(stream)
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Result<Value> {
        ensure!(self.code == 200, "{self:?}");
        serde_json::from_str(&self.body).with_context(|| self.body.clone())
    }

    /// The lines of what takes time.
    pub(super) fn steps(&self) -> Result<Vec<Value>> {
        ensure!(self.code == 200 && self.head.contains("application/x-ndjson"), "{self:?}");
        self.body
            .lines()
            .map(|line| serde_json::from_str(line).context("a line of no JSON"))
            .collect()
    }

    /// The last line, which says that it is done.
    pub(super) fn done(&self) -> Result<Value> {
        let last = match self.head.contains("application/x-ndjson") {
            true => self.steps()?.pop().context("no line")?,
            false => self.json()?,
        };
        ensure!(last["message"].is_string(), "{last}");
        Ok(last)
    }

    /// Why it is refused: in the last line, or as a problem.
    pub(super) fn refused(&self) -> Result<String> {
        let last = self.steps()?.pop().context("no line")?;
        Ok(last["refused"].as_str().with_context(|| last.to_string())?.to_owned())
    }

    /// The sentence of a problem with this status.
    pub(crate) fn problem(&self, code: u16) -> Result<String> {
        ensure!(self.code == code && self.head.contains("application/problem+json"), "{self:?}");
        let problem: Value = serde_json::from_str(&self.body)?;
        ensure!(problem["status"] == code && problem["title"].is_string(), "{problem}");
        Ok(problem["detail"].as_str().context("no sentence")?.to_owned())
    }
}
