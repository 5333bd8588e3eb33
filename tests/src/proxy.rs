//! A network that misbehaves: a proxy on loopback that delays, trickles, or swallows what goes through it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::patience::Watched;

/// What becomes of the bytes, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Pieces of so many bytes, with a pause before each.
    Slow(usize, Duration),
    /// Taken, and passed on to nobody, while both ends think that they are connected.
    Swallow,
}

/// Listens for as long as it lives.
pub struct Proxy {
    port: u16,
    way: Arc<Watched<Way>>,
}

impl Proxy {
    /// A proxy for a port of this machine.
    pub fn start(to: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let way = Arc::new(Watched::new(Way::Open));
        let held = Arc::downgrade(&way);
        thread::spawn(move || {
            for from in listener.incoming().flatten() {
                let Some(way) = held.upgrade() else { return };
                // A server that is not there closes the connection, as it would without a proxy.
                if let Ok(to) = TcpStream::connect(("127.0.0.1", to)) {
                    let _ = join(from, to, &way);
                }
            }
        });
        Ok(Self { port, way })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on, for the connections that there are and for new ones.
    pub fn set(&self, way: Way) {
        self.way.change(|it| *it = way);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Way::Open);
        // Wakes the listener, which sees that nobody needs it.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn join(from: TcpStream, to: TcpStream, way: &Arc<Watched<Way>>) -> Result<()> {
    for stream in [&from, &to] {
        stream.set_nodelay(true)?;
    }
    for (source, target) in [(from.try_clone()?, to.try_clone()?), (to, from)] {
        let way = Arc::clone(way);
        thread::spawn(move || {
            let _ = pass(&source, &target, &way);
            // The other end learns of it at once.
            let _ = source.shutdown(Shutdown::Both);
            let _ = target.shutdown(Shutdown::Both);
        });
    }
    Ok(())
}

fn pass(mut source: &TcpStream, mut target: &TcpStream, way: &Watched<Way>) -> Result<()> {
    let mut buffer = [0; 16 << 10];
    loop {
        let count = source.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let current = *way.read();
        match current {
            Way::Open => target.write_all(&buffer[..count])?,
            Way::Slow(bytes, pause) => {
                for piece in buffer[..count].chunks(bytes) {
                    thread::sleep(pause);
                    target.write_all(piece)?;
                }
            }
            Way::Swallow => {}
        }
    }
}
