//! Connections that say nothing, say it slowly, or are too many.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use heat_tests::patience::{eventually, patience};
use heat_tests::processes::Program;

use super::asked::{begin, new_token, of_owner, read_until};
use crate::town::Town;

/// heatd's own numbers.
const CONNECTIONS: usize = 384;
const VIEWERS: usize = 128;

fn start(town: &Town, request_timeout: &str) -> Result<Program> {
    let configuration = super::configuration(town, &["seaside"])?;
    let with = format!("[http]\nrequest_timeout = \"{request_timeout}\"\n");
    let heatd = town.heatd(&configuration.replace("[http]\n", &with))?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    Ok(heatd)
}

fn connect(town: &Town) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", town.http))?;
    stream.set_read_timeout(Some(patience()))?;
    Ok(stream)
}

const HEAD: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";

#[test]
fn who_says_nothing_or_says_it_slowly_is_let_go() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, "300ms")?;
    let mut silent = connect(&town)?;
    let mut slow = connect(&town)?;
    slow.write_all(HEAD.as_bytes())?;
    // One byte after the other: the head never ends.
    eventually("the slow one to be let go", || match slow.write(b"x") {
        Ok(_) => Err("it goes on"),
        Err(_) => Ok(()),
    })?;
    let mut rest = Vec::new();
    ensure!(silent.read_to_end(&mut rest).is_ok() && rest.is_empty(), "{rest:?}");

    // A body that stops, of somebody who may send one.
    let token = of_owner(&town)?;
    let mut half = connect(&town)?;
    write!(
        half,
        "POST /api/v1/channels/seaside/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n{{"
    )?;
    let mut answer = String::new();
    let _ = half.read_to_string(&mut answer);
    ensure!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("too slowly"), "{answer}");
    assert_eq!(town.page("/healthz")?.0, 200);
    Ok(())
}

#[test]
fn one_connection_too_many_waits_until_another_ends() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, "5m")?;
    let mut taken: Vec<TcpStream> =
        (0..CONNECTIONS).map(|_| connect(&town)).collect::<Result<_>>()?;
    for stream in &mut taken {
        stream.write_all(HEAD.as_bytes())?;
    }
    let mut waiting = connect(&town)?;
    waiting.write_all(HEAD.as_bytes())?;
    waiting.write_all(b"\r\n")?;
    // heatd serves who is there, and whoever waits is not answered meanwhile.
    let last = taken.last_mut().context("none")?;
    last.write_all(b"\r\n")?;
    let mut some = [0; 16];
    last.read_exact(&mut some)?;
    ensure!(some.starts_with(b"HTTP/1.1 200"));
    waiting.set_nonblocking(true)?;
    let early = waiting.read(&mut some);
    ensure!(early.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "it was served");
    waiting.set_nonblocking(false)?;
    taken.pop();
    waiting.read_exact(&mut some)?;
    ensure!(some.starts_with(b"HTTP/1.1 200"));
    Ok(())
}

#[test]
fn many_watchers_of_one_role_leave_room_for_the_others() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, "10s")?;
    let (viewer, owner) = (new_token(&town, &["--role", "viewer"])?, of_owner(&town)?);
    let watch = |token: &str| begin(&town, "GET /api/v1/watch", token, "");
    // Faster than a viewer may ask: so it waits for a permit now and then.
    let seat = || {
        eventually("a seat", || match watch(&viewer) {
            Ok((429, _)) => Err("too fast".to_owned()),
            other => Ok(other),
        })?
    };
    let mut seats = Vec::new();
    for _ in 0..VIEWERS {
        let (status, mut answer) = seat()?;
        assert_eq!(status, 200);
        read_until(&mut answer, &["hello"])?;
        seats.push(answer);
    }
    let (status, mut answer) = seat()?;
    let mut problem = String::new();
    answer.read_to_string(&mut problem)?;
    ensure!(status == 503 && problem.contains("with the role viewer"), "{status} {problem}");
    assert_eq!(watch(&owner)?.0, 200);
    seats.pop();
    eventually("the free seat", || match watch(&viewer) {
        Ok((200, _)) => Ok(()),
        other => Err(format!("{other:?}")),
    })
}
