//! One request to the API, and its answer with all of its headers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use heat_tests::patience::patience;
use serde_json::Value;

pub(super) const JSON: &str = "application/json";
pub(super) const WASM: &str = "application/wasm";

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: &'static str,
    /// Below the API, or from the root where it starts with a slash; with its query.
    pub(super) path: String,
    /// None: nobody's.
    pub(super) token: Option<String>,
    pub(super) is_anonymous: bool,
    pub(super) kind: &'static str,
    pub(super) body: Vec<u8>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Call {
    pub(super) fn get(path: &str) -> Self {
        Self {
            method: "GET",
            path: path.to_owned(),
            token: None,
            is_anonymous: false,
            kind: JSON,
            body: Vec::new(),
            headers: Vec::new(),
        }
    }

    pub(super) fn post(path: &str, body: &Value) -> Self {
        Self { method: "POST", body: body.to_string().into_bytes(), ..Self::get(path) }
    }

    pub(super) fn send(method: &'static str, path: &str, kind: &'static str, body: &[u8]) -> Self {
        Self { method, kind, body: body.to_vec(), ..Self::get(path) }
    }

    pub(super) fn without_token(mut self) -> Self {
        self.is_anonymous = true;
        self
    }

    /// With the token of somebody who is not the owner.
    pub(super) fn by(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub(super) fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.push((header, value.to_owned()));
        self
    }

    /// The path without the query, as the document has paths.
    pub(super) fn place(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("/{}", path.trim_start_matches('/'))
    }

    /// Sends it, and reads the head of the answer. The body is what is read next.
    pub(super) fn begin(&self, port: u16, owner: &str) -> Result<(Answer, BufReader<TcpStream>)> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(patience()))?;
        let base = if self.path.starts_with('/') { "" } else { "/api/v1/" };
        let (method, path, length) = (self.method, &self.path, self.body.len());
        let mut head = format!(
            "{method} {base}{path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {length}\r\n",
            self.kind
        );
        if !self.is_anonymous {
            let token = self.token.as_deref().unwrap_or(owner);
            head += &format!("Authorization: Bearer {token}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        // heatd may answer before it has read all of it.
        let _ = stream.write_all(&self.body);
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.with_context(|| format!("{method} {path}: {first:?} is no answer"))?;
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            ensure!(reader.read_line(&mut line)? > 0, "{method} {path}: half an answer");
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        Ok((Answer { status, headers, body: Vec::new() }, reader))
    }

    /// Sends it, and reads the whole answer.
    pub(super) fn ask(&self, port: u16, owner: &str) -> Result<Answer> {
        let (mut answer, mut rest) = self.begin(port, owner)?;
        // A connection that heatd closes while something was still being sent ends with an error, after the answer.
        let read = rest.read_to_end(&mut answer.body);
        ensure!(read.is_ok() || !answer.body.is_empty(), "{self:?}: {read:?}");
        Ok(answer)
    }
}

/// What heatd has answered.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// By their names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The content type without its parameters.
    pub(super) fn kind(&self) -> &str {
        self.header("content-type").split(';').next().unwrap_or_default()
    }

    pub(super) fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.body).context("no text")
    }

    /// The body of a good answer.
    pub(super) fn json(&self) -> Result<Value> {
        let text = self.text()?;
        ensure!(self.status == 200, "{} {text}", self.status);
        serde_json::from_str(text).with_context(|| text.to_owned())
    }

    /// What says that it is done: the answer, or its last line.
    pub(super) fn done(&self) -> Result<Value> {
        let last: Value = match self.kind() {
            "application/x-ndjson" => {
                serde_json::from_str(self.text()?.lines().last().context("no line")?)?
            }
            _ => self.json()?,
        };
        ensure!(last["message"].is_string(), "{last}");
        Ok(last)
    }

    /// The sentence of a problem.
    pub(super) fn problem(&self, status: u16) -> Result<String> {
        let text = self.text()?;
        ensure!(self.status == status, "{} instead of {status}: {text}", self.status);
        ensure!(self.kind() == "application/problem+json", "{self:?}");
        let problem: Value = serde_json::from_str(text)?;
        ensure!(problem["status"] == status, "{problem}");
        Ok(problem["detail"].as_str().context("no sentence")?.to_owned())
    }
}
