//! A heatd that answers what a test says, and remembers what it was asked.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Method and target, such as `GET /api/v1/rules`.
    pub(crate) line: String,
    pub(crate) kind: String,
    pub(crate) token: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What is answered.
pub(crate) struct Answer {
    status: u16,
    kind: &'static str,
    body: String,
    /// Whether the connection ends before the body does.
    cut: bool,
}

impl Answer {
    pub(crate) fn json(value: &Value) -> Self {
        Self { status: 200, kind: "application/json", body: value.to_string(), cut: false }
    }

    pub(crate) fn steps(lines: &[Value]) -> Self {
        let body = lines.iter().map(|line| format!("{line}\n")).collect();
        Self { status: 200, kind: "application/x-ndjson", body, cut: false }
    }

    pub(crate) fn toml(text: &str) -> Self {
        Self { status: 200, kind: "application/toml", body: text.to_owned(), cut: false }
    }

    pub(crate) fn problem(status: u16, detail: &str) -> Self {
        let body = json!({ "title": "No", "status": status, "detail": detail }).to_string();
        Self { status, kind: "application/problem+json", body, cut: false }
    }

    /// The same, with an end that comes too early.
    pub(crate) fn cut(self) -> Self {
        Self { cut: true, ..self }
    }
}

/// Answers until the test is over.
pub(crate) struct Fake {
    folder: TempDir,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Fake {
    /// Rules are answered by itself, everything else by the test.
    pub(crate) fn new(answer: impl Fn(&Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("api.token"), "secret").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        fs::write(folder.path().join("api.url"), url).unwrap();
        let asked: Arc<Mutex<Vec<Request>>> = Arc::default();
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let request = read(&stream);
                heard.lock().unwrap().push(request.clone());
                write(&stream, &by_itself(&request).unwrap_or_else(|| answer(&request)));
            }
        });
        Self { folder, asked }
    }

    /// `heat` with these arguments: exit code, what it answers, and what it says beside.
    pub(crate) fn heat(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heat"));
        command.args(arguments).arg("--data").arg(self.folder.path());
        command.current_dir(self.folder.path()).stdin(Stdio::null()).env("TZ", "UTC");
        for name in ["HEAT_URL", "HEAT_TOKEN_FILE", "HEAT_DATA"] {
            command.env_remove(name);
        }
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }

    /// What was asked beside the rules.
    pub(crate) fn asked(&self) -> Vec<Request> {
        let asked = self.asked.lock().unwrap();
        assert!(asked.iter().all(|request| request.token == "Bearer secret"), "{asked:?}");
        asked.iter().filter(|request| by_itself(request).is_none()).cloned().collect()
    }

    /// A file with these bytes in the folder of the test.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let file = self.path(name);
        fs::write(&file, bytes).unwrap();
        file
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}

fn by_itself(request: &Request) -> Option<Answer> {
    let rule = |slot: &str, settings: Value| {
        json!({
            "channel": "seaside", "slot": slot, "state": "live", "name": slot, "version": "1.0.0", "role": "formula",
            "digest": format!("{slot:0<64}").replace(|c: char| !c.is_ascii_hexdigit(), "0"), "since": 0, "changed": false,
            "settings": settings, "declared": [], "calls": 1, "failures": 0,
        })
    };
    (request.line == "GET /api/v1/rules").then(|| {
        let rules = [rule("fave", json!({})), rule("decay", json!({ "half_life": "6s" }))];
        Answer::json(&json!({ "rules": rules }))
    })
}

fn read(stream: &TcpStream) -> Request {
    let mut source = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        source.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let found = lines.iter().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    source.read_exact(&mut body).unwrap();
    let line = lines.first().map(|line| line.trim_end_matches(" HTTP/1.1").to_owned());
    Request {
        line: line.unwrap_or_default(),
        kind: header("content-type"),
        token: header("authorization"),
        body,
    }
}

fn write(mut stream: &TcpStream, answer: &Answer) {
    let Answer { status, kind, body, cut } = answer;
    let length = body.len() + if *cut { 100 } else { 0 };
    // Who has heard enough may have left.
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}
