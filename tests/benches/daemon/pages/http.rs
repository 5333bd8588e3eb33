//! As much of HTTP as a page needs: questions one after the other on a connection that stays, and a stream of events.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A connection that is used again until heatd closes it.
pub(super) struct Connection {
    port: u16,
    token: String,
    open: Option<BufReader<TcpStream>>,
}

/// The head of an answer.
struct Head {
    status: u16,
    length: Option<usize>,
    retry: Option<u64>,
}

impl Connection {
    pub(super) fn new(port: u16, token: &str) -> Self {
        Self { port, token: token.to_owned(), open: None }
    }

    /// Asks, with the patience that heatd asks for. A role that is not enough is an answer too.
    pub(super) fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        loop {
            let (head, body) = match self.once(path) {
                Ok(answer) => answer,
                // heatd has closed it, as it does with connections that rest.
                Err(_) => {
                    self.open = None;
                    self.once(path)?
                }
            };
            match (head.status, head.retry) {
                (200 | 403, _) => return Ok(body),
                (429, Some(seconds)) => thread::sleep(Duration::from_secs(seconds)),
                (status, _) => {
                    anyhow::bail!("{path}: {status}: {}", String::from_utf8_lossy(&body))
                }
            }
        }
    }

    fn once(&mut self, path: &str) -> Result<(Head, Vec<u8>)> {
        let stream = match self.open.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(("127.0.0.1", self.port))?),
        };
        let stream = self.open.insert(stream);
        write!(
            stream.get_mut(),
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip, deflate, br\r\nAuthorization: Bearer {}\r\n\r\n",
            self.token
        )?;
        let head = head(stream)?;
        let mut body = Vec::new();
        match head.length {
            Some(length) => {
                body.resize(length, 0);
                stream.read_exact(&mut body)?;
            }
            None => while chunk(stream, &mut body)? {},
        }
        Ok((head, body))
    }
}

/// One question with a body, and its JSON.
pub(super) fn ask(port: u16, token: &str, method: &str, path: &str, body: &str) -> Result<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        stream,
        "{method} /api/v1/{path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").context("half an answer")?.1;
    serde_json::from_str(body).with_context(|| answer.clone())
}

/// Follows a stream of events; each is passed on until that says no.
pub(super) fn events(
    port: u16,
    token: &str,
    path: &str,
    mut each: impl FnMut(&str) -> bool,
) -> Result<()> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    // There is a sign of life now and then.
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut stream = BufReader::new(stream);
    write!(
        stream.get_mut(),
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    )?;
    let head = head(&mut stream)?;
    ensure!(head.status == 200, "{path}: {}", head.status);
    let mut rest = Vec::new();
    while chunk(&mut stream, &mut rest)? {
        // Events are sent whole.
        let text = String::from_utf8_lossy(&rest).into_owned();
        rest.clear();
        for line in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
            if !each(line) {
                return Ok(());
            }
        }
    }
    anyhow::bail!("the stream has ended: {path}")
}

fn head(stream: &mut impl BufRead) -> Result<Head> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        ensure!(stream.read_line(&mut line)? > 0, "the connection was closed");
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_lowercase());
    }
    let value = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let status = lines.first().and_then(|line| line.split(' ').nth(1)).context("no status")?;
    Ok(Head {
        status: status.parse()?,
        length: value("content-length:").and_then(|length| length.parse().ok()),
        retry: value("retry-after:").and_then(|seconds| seconds.parse().ok()),
    })
}

/// Reads one chunk of a body. False when it was the last one.
fn chunk(stream: &mut impl BufRead, body: &mut Vec<u8>) -> Result<bool> {
    let mut size = String::new();
    ensure!(stream.read_line(&mut size)? > 0, "the connection was closed");
    let length = usize::from_str_radix(size.trim(), 16).context("no chunk")?;
    let begin = body.len();
    body.resize(begin + length + 2, 0);
    stream.read_exact(&mut body[begin..])?;
    body.truncate(begin + length);
    Ok(length > 0)
}
