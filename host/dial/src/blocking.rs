//! Connecting without tokio: a thread for each attempt, which ends by itself.

use std::io::{self, Error, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failures::Failures;
use crate::{ATTEMPT_DELAY, order};

/// Connects to a name or an address, without brackets if it is one of IPv6. `limit` is for all addresses together.
///
/// # Errors
/// When the name is not known, or none of its addresses answers in time.
pub fn connect(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    connect_to(&order((host, port).to_socket_addrs()?), limit)
}

/// Connects to the first of these addresses that answers. They are tried in their order.
///
/// # Errors
/// When none of them answers in time.
pub fn connect_to(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let end = Instant::now() + limit;
    let (sender, attempts) = mpsc::sync_channel(addresses.len());
    let mut waiting = addresses.iter().copied();
    let mut failures = Failures::default();
    let mut under_way = 0;
    loop {
        if let Some(address) = waiting.next() {
            let (sender, limit) = (sender.clone(), end.saturating_duration_since(Instant::now()));
            // A connection that comes about after another one has won is closed: nobody receives it.
            thread::Builder::new().name("dial".to_owned()).spawn(move || {
                let _ = sender.send((address, TcpStream::connect_timeout(&address, limit)));
            })?;
            under_way += 1;
        }
        if under_way == 0 {
            return Err(failures.into_error());
        }
        let rest = end.saturating_duration_since(Instant::now());
        let patience = if waiting.len() > 0 { rest.min(ATTEMPT_DELAY) } else { rest };
        match attempts.recv_timeout(patience) {
            Ok((_, Ok(stream))) => {
                // Everything that is sent here waits for an answer.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok((address, Err(error))) => {
                under_way -= 1;
                failures.add(address, error);
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() >= end => {
                return Err(Error::new(ErrorKind::TimedOut, "no address answers in time"));
            }
            Err(_) => {}
        }
    }
}
