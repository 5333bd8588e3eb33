//! The API as a program asks it that is not `heat`: whole requests, whole answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use heat_tests::patience::patience;
use serde_json::Value;

use super::answer;
use crate::town::Town;

/// Makes a token, and returns the secret.
pub(super) fn new_token(town: &Town, arguments: &[&str]) -> Result<String> {
    let told = answer(town, &[&["token", "new", "--json"], arguments].concat())?;
    let told: Value = serde_json::from_str(&told)?;
    Ok(told["token"].as_str().context("no token")?.to_owned())
}

/// The owner's token.
pub(super) fn of_owner(town: &Town) -> Result<String> {
    Ok(std::fs::read_to_string(town.path("heat-data/api.token"))?.trim().to_owned())
}

/// Sends a request, and reads the status; the rest of the answer is what is read next.
pub(super) fn begin(
    town: &Town,
    request: &str,
    token: &str,
    body: &str,
) -> Result<(u16, BufReader<TcpStream>)> {
    let mut stream = TcpStream::connect(("127.0.0.1", town.http))?;
    stream.set_read_timeout(Some(patience()))?;
    let (length, kind) = (body.len(), "Content-Type: application/json");
    let head = format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{kind}");
    write!(
        stream,
        "{head}\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.with_context(|| format!("{request}: {line:?} is no answer"))?, answer))
}

/// Sends a request, and reads the whole answer.
pub(crate) fn ask(town: &Town, request: &str, token: &str, body: &str) -> Result<(u16, String)> {
    let (status, mut rest) = begin(town, request, token, body)?;
    let mut text = String::new();
    rest.read_to_string(&mut text)?;
    Ok((status, text))
}

/// Reads a watch up to a line that has all of these, and returns everything that came.
pub(super) fn read_until(watch: &mut BufReader<TcpStream>, parts: &[&str]) -> Result<String> {
    let mut seen = String::new();
    loop {
        let mut line = String::new();
        ensure!(watch.read_line(&mut line)? > 0, "the watch has ended: {seen}");
        seen.push_str(&line);
        if parts.iter().all(|part| line.contains(part)) {
            return Ok(seen);
        }
    }
}
