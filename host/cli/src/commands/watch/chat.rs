//! Reads one channel's Twitch chat without a login and without heatd, and comes back when the connection is lost.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use twitch_irc::message::IRCMessage;

use super::entry::{Entry, What};
use super::irc::entries;
use super::news::{News, NoListener, tell};
use crate::backoff::{Backoff, LASTING};

const CONNECT: Duration = Duration::from_secs(15);

/// Silence after which the server is asked for a sign of life; as long again ends the connection.
const SILENCE: Duration = Duration::from_secs(60);

/// The longest line that is read: tags of 8,191 bytes and a message of 512, and some.
const LONGEST_LINE: usize = 16 << 10;

/// Where chat is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Server {
    host: String,
    port: u16,
    pub(crate) tls: bool,
}

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        let (host, port) = parts.ok_or("write a host and a port, such as localhost:6667")?;
        let port = port.parse().map_err(|_| format!("{port:?} is no port"))?;
        Ok(Self { host: host.to_owned(), port, tls: true })
    }
}

/// Why a connection has ended.
enum Ended {
    /// Twitch asks for it (dev.twitch.tv/docs/chat/irc, RECONNECT).
    Asked,
    Failed(io::Error),
    Unheard,
}

impl From<NoListener> for Ended {
    fn from(_: NoListener) -> Self {
        Self::Unheard
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

trait Socket: Read + Write {}
impl<S: Read + Write> Socket for S {}

/// Until nobody listens, or once.
pub(crate) fn run(server: &Server, channel: &str, once: bool, news: &SyncSender<News>) {
    let hello = What::Hello { version: String::new(), channels: vec![channel.to_owned()] };
    let hello = Entry { channel: String::new(), what: hello };
    if tell(news, entry(&hello)).is_err() {
        return;
    }
    let mut backoff = Backoff::up_to(Duration::from_secs(60));
    loop {
        let (start, mut up) = (Instant::now(), false);
        let ended = match talk(server, channel, news, &mut up) {
            Ok(never) => match never {},
            Err(ended) => ended,
        };
        let lasted = start.elapsed() >= LASTING;
        if lasted {
            backoff.reset();
        }
        let (reason, wait) = match ended {
            Ended::Unheard => return,
            Ended::Asked if lasted => ("chat asks to reconnect".to_owned(), Duration::ZERO),
            Ended::Asked => ("chat asks to reconnect".to_owned(), backoff.next()),
            Ended::Failed(error) => (format!("no connection to chat: {error}"), backoff.next()),
        };
        if once {
            // Nobody listens any more, or will.
            let _ = news.send(if up { News::Note(reason) } else { News::Failed(reason) });
            return;
        }
        let words = format!("{reason}; the next attempt is in {:.1} s", wait.as_secs_f64());
        if tell(news, News::Down).and_then(|()| tell(news, News::Note(words))).is_err() {
            return;
        }
        sleep(wait);
    }
}

fn entry(entry: &Entry) -> News {
    // Entries are strings and numbers, which always become JSON.
    News::Entry(serde_json::to_string(entry).unwrap_or_default())
}

fn talk(
    server: &Server,
    channel: &str,
    news: &SyncSender<News>,
    up: &mut bool,
) -> Result<std::convert::Infallible, Ended> {
    let mut socket = connect(server)?;
    // Any justinfan with digits reads without a password.
    let nick = fastrand::u32(10_000..100_000_000);
    let login = "CAP REQ :twitch.tv/tags twitch.tv/commands\r\nNICK justinfan";
    send(&mut *socket, &format!("{login}{nick}\r\n"))?;
    let mut lines = Lines::default();
    let mut asked = false;
    loop {
        let Some(line) = lines.next(&mut *socket)? else {
            if asked {
                let silent = "the server no longer answers";
                return Err(io::Error::new(ErrorKind::TimedOut, silent).into());
            }
            asked = true;
            send(&mut *socket, "PING :heat\r\n")?;
            continue;
        };
        asked = false;
        let Ok(message) = IRCMessage::parse(&line) else { continue };
        match message.command.as_str() {
            "PING" => {
                let word = message.params.first().map_or("tmi.twitch.tv", String::as_str);
                send(&mut *socket, &format!("PONG :{word}\r\n"))?;
            }
            "001" => send(&mut *socket, &format!("JOIN #{channel}\r\n"))?,
            // The end of the names in the channel, which come right after the join: it is done.
            "366" => {
                *up = true;
                tell(news, News::Up)?;
                tell(news, News::Note(format!("reading the chat of #{channel}")))?;
            }
            "RECONNECT" => return Err(Ended::Asked),
            "NOTICE" => {
                let words = message.params.get(1).map_or("", String::as_str);
                tell(news, News::Note(format!("chat says: {words}")))?;
            }
            _ => {
                for it in entries(&message) {
                    tell(news, entry(&it))?;
                }
            }
        }
        tell(news, News::Alive)?;
    }
}

fn connect(server: &Server) -> io::Result<Box<dyn Socket>> {
    encrypt(server, heat_dial::blocking::connect(&server.host, server.port, CONNECT)?)
}

fn encrypt(server: &Server, stream: TcpStream) -> io::Result<Box<dyn Socket>> {
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(CONNECT))?;
    if !server.tls {
        return Ok(Box::new(stream));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(io::Error::other(
            "this system has no certificate authorities; install ca-certificates",
        ));
    }
    // The provider is named, so that two in one program cannot make rustls panic.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(server.host.clone()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Ok(Box::new(StreamOwned::new(connection, stream)))
}

fn send(socket: &mut dyn Socket, text: &str) -> io::Result<()> {
    socket.write_all(text.as_bytes())?;
    socket.flush()
}

/// Gathers bytes until a line is whole, whatever the bytes.
#[derive(Default)]
struct Lines {
    buffer: Vec<u8>,
    /// The line began too long ago; its rest is thrown away.
    skipping: bool,
}

impl Lines {
    /// The next line without its end; none when nothing came for long.
    fn next(&mut self, source: &mut dyn Socket) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                if !std::mem::take(&mut self.skipping) {
                    let line = String::from_utf8_lossy(&line);
                    return Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()));
                }
                continue;
            }
            if self.buffer.len() > LONGEST_LINE {
                self.skipping = true;
                self.buffer.clear();
            }
            let mut piece = [0; 4096];
            match source.read(&mut piece) {
                Ok(0) => {
                    let closed = "the server closed the connection";
                    return Err(io::Error::new(ErrorKind::UnexpectedEof, closed));
                }
                Ok(read) => self.buffer.extend_from_slice(&piece[..read]),
                // Windows and Unix name the end of patience differently.
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return Ok(None);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    #[test]
    fn lines_come_whole_and_too_long_ones_cost_only_themselves() {
        let long = vec![b'x'; 3 * LONGEST_LINE];
        let bytes = [b"eins\r\nzw\xFFei \xF0\x9F\x98\x82\n".to_vec(), long, b"\nnext\n".to_vec()];
        let mut source = VecDeque::from(bytes.concat());
        let mut lines = Lines::default();
        let mut next = || lines.next(&mut source).unwrap().unwrap();
        assert_eq!([next(), next(), next()], ["eins", "zw\u{FFFD}ei 😂", "next"]);
        let end = lines.next(&mut source).map_err(|error| error.kind());
        assert_eq!(end, Err(ErrorKind::UnexpectedEof));
    }

    #[test]
    fn a_server_is_a_host_and_a_port() {
        let server = Server { host: "localhost".to_owned(), port: 6667, tls: true };
        assert_eq!("localhost:6667".parse(), Ok(server));
        for odd in ["localhost", ":1", "x:y", "x:70000"] {
            assert!(odd.parse::<Server>().is_err(), "{odd}");
        }
    }
}
