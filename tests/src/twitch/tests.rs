//! The scripted server, as a client on a plain socket sees it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result};

use super::*;
use crate::patience::patience;

fn owned((number, channel): (usize, &str)) -> (usize, String) {
    (number, channel.to_owned())
}

struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    fn connect(server: &Server) -> Result<Self> {
        let stream = TcpStream::connect(server.addr())?;
        stream.set_read_timeout(Some(patience()))?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    fn in_channel(server: &Server, channel: &str) -> Result<Self> {
        let mut client = Self::connect(server)?;
        client.write("CAP REQ :twitch.tv/tags twitch.tv/commands\r\nNICK justinfan7\r\n")?;
        client.write(&format!("JOIN #{channel}\r\n"))?;
        client.line_with(" 366 ")?;
        server.wait_joined(channel)?;
        Ok(client)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        Ok(self.reader.get_mut().write_all(text.as_bytes())?)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line)?;
        (read > 0).then(|| line.trim_end().to_owned()).context("the server closed the connection")
    }

    fn line_with(&mut self, part: &str) -> Result<String> {
        loop {
            let line = self.line()?;
            if line.contains(part) {
                return Ok(line);
            }
        }
    }

    fn rest(&mut self) -> Result<String> {
        let mut rest = String::new();
        self.reader.read_to_string(&mut rest)?;
        Ok(rest)
    }
}

#[test]
fn what_is_said_reaches_who_joined_the_channel() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::in_channel(&server, "pie")?;
    assert_eq!(server.say("tea", "ann", "nobody here").heard_by, 0);
    let said = server.say("#pie", "ann", "?fave pie");
    assert_eq!(said.heard_by, 1);
    let line = client.line()?;
    assert!(line.contains(&said.id) && line.ends_with("PRIVMSG #pie :?fave pie"), "{line}");
    Ok(())
}

#[test]
fn every_line_of_a_client_is_kept_with_its_connection() -> Result<()> {
    let server = Server::start()?;
    let _first = Client::in_channel(&server, "pie")?;
    let mut second = Client::in_channel(&server, "tea")?;
    server.wait_connected(2)?;
    second.write("JOIN #cake,#ale\r\n")?;
    server.wait_joined("ale")?;
    let joins: Vec<_> =
        server.joins().into_iter().map(|join| (join.connection, join.channel)).collect();
    assert_eq!(joins, [(1, "pie"), (2, "tea"), (2, "cake"), (2, "ale")].map(owned));
    assert_eq!(server.wait_for(|received| received.line.starts_with("NICK"))?.connection, 1);
    server.require_count("CAP", 2)
}

#[test]
fn a_client_must_answer_a_ping() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::in_channel(&server, "pie")?;
    thread::scope(|scope| {
        let asked = scope.spawn(|| server.ping());
        assert_eq!(client.line()?, "PING :tmi.twitch.tv");
        client.write("PONG :tmi.twitch.tv\r\n")?;
        asked.join().ok().context("the thread panicked")?
    })
}

#[test]
fn a_hung_server_answers_no_ping_but_goes_on_reading() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::in_channel(&server, "pie")?;
    server.behave(|behaviour| behaviour.answers_pings = false);
    client.write("PING :one\r\n")?;
    server.wait_for(|received| received.line == "PING :one")?;
    server.behave(|behaviour| behaviour.answers_pings = true);
    client.write("PING :two\r\n")?;
    assert_eq!(client.line()?, ":tmi.twitch.tv PONG tmi.twitch.tv :two");
    Ok(())
}

#[test]
fn a_silent_server_keeps_old_sockets_and_serves_new_ones() -> Result<()> {
    let server = Server::start()?;
    let mut old = Client::in_channel(&server, "pie")?;
    server.fall_silent();
    old.write("PING :one\r\n")?;
    let mut new = Client::in_channel(&server, "pie")?;
    assert_eq!(server.connections(), 2);
    assert_eq!(server.say("pie", "ann", "hi").heard_by, 1);
    assert!(new.line()?.ends_with(":hi"));
    server.require_count("PING", 0)?;
    server.close_abruptly();
    assert_eq!(old.rest()?, "");
    Ok(())
}

#[test]
fn a_reconnect_is_announced_before_the_end() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::in_channel(&server, "pie")?;
    server.ask_to_reconnect();
    assert_eq!(client.rest()?, ":tmi.twitch.tv RECONNECT\r\n");
    assert_eq!(server.connections(), 0);
    let _again = Client::in_channel(&server, "pie")?;
    assert_eq!((server.connections(), server.connections_made()), (1, 2));
    Ok(())
}

#[test]
fn a_closed_port_refuses_and_opens_again() -> Result<()> {
    let server = Server::start()?;
    let mut present = Client::in_channel(&server, "pie")?;
    server.refuse_connections();
    assert!(TcpStream::connect(server.addr()).is_err());
    server.say("pie", "ann", "still here");
    assert!(present.line()?.ends_with(":still here"));
    server.accept_connections()?;
    let _new = Client::in_channel(&server, "tea")?;
    Ok(())
}

#[test]
fn lines_cut_into_single_bytes_arrive_whole() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::in_channel(&server, "pie")?;
    server.behave(|behaviour| behaviour.segments = Segments::Every(1));
    server.say("pie", "ann", "Kappa 😂 é");
    assert!(client.line()?.ends_with(":Kappa 😂 é"));
    Ok(())
}

#[test]
fn a_refused_login_is_told_and_ended() -> Result<()> {
    let server = Server::start()?;
    server.behave(|behaviour| behaviour.accepts_logins = false);
    let mut client = Client::connect(&server)?;
    client.write("PASS oauth:old\r\nNICK ann\r\n")?;
    assert_eq!(client.rest()?, ":tmi.twitch.tv NOTICE * :Login authentication failed\r\n");
    server.wait_disconnected()
}

#[test]
fn a_recording_goes_to_its_channels_in_order() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::in_channel(&server, "pie")?;
    let line = |channel, time, text| Line::chat(channel, "ann", text).at(time).to_string();
    // The second line is late, as recorded lines are now and then; it must not make the third wait for an age.
    let lines = [
        line("pie", 1_000, "one"),
        line("pie", 400, "two"),
        line("tea", 1_010, "x"),
        line("pie", 1_020, "three"),
    ];
    for pace in [Pace::Real, Pace::Times(4.0), Pace::AsFastAsPossible] {
        assert_eq!(server.replay(&lines, pace), Replayed { sent: 3, unheard: 1 });
        for text in ["one", "two", "three"] {
            assert!(client.line()?.ends_with(text));
        }
    }
    Ok(())
}

#[test]
fn a_client_that_never_reads_does_not_hold_up_the_end() -> Result<()> {
    let server = Arc::new(Server::start()?);
    let _client = Client::in_channel(&server, "pie")?;
    let sender = Arc::clone(&server);
    let line = Line::chat("pie", "ann", &"x".repeat(400)).to_string();
    let replay = thread::spawn(move || {
        sender.replay(std::iter::repeat_n(line, 100_000), Pace::AsFastAsPossible)
    });
    server.wait_connected(1)?;
    server.close_abruptly();
    let replayed = replay.join().ok().context("the thread panicked")?;
    assert!(replayed.unheard > 0, "{replayed:?}");
    Ok(())
}
