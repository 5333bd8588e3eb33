//! Both ways to connect, against real sockets on loopback.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::{blocking, connect, connect_to};

/// Far more than it takes, and far less than a dead address takes to be given up by the system (127 s on Linux).
const PATIENCE: Duration = Duration::from_secs(10);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// An address that swallows every packet, as a network without a way back does: a listener whose queue is full.
struct Hole {
    address: SocketAddr,
    _listener: tokio::net::TcpListener,
    _queue: Vec<TcpStream>,
}

impl Hole {
    async fn dig() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        let next = || timeout(Duration::from_millis(300), TcpStream::connect(address));
        while let Ok(stream) = next().await {
            queue.push(stream.unwrap());
            assert!(queue.len() < 100, "the queue of the listener is never full");
        }
        Self { address, _listener: listener, _queue: queue }
    }
}

/// An address at which nobody listens.
fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_dead_first_address_holds_up_nobody() {
    let runtime = runtime();
    let hole = runtime.block_on(Hole::dig());
    let good = TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = vec![hole.address, good.local_addr().unwrap()];
    let begin = Instant::now();
    let stream = runtime.block_on(connect_to(addresses.clone())).unwrap();
    assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
    assert!(stream.nodelay().unwrap());
    let stream = blocking::connect_to(&addresses, PATIENCE).unwrap();
    assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
    assert!(stream.nodelay().unwrap());
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
}

#[test]
fn addresses_that_refuse_are_passed_over_and_the_last_word_names_them() {
    let runtime = runtime();
    let good = TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = vec![closed(), closed(), good.local_addr().unwrap()];
    assert!(runtime.block_on(connect_to(addresses.clone())).is_ok());
    assert!(blocking::connect_to(&addresses, PATIENCE).is_ok());
    for error in [
        runtime.block_on(connect_to(vec![closed(), closed()])).unwrap_err(),
        blocking::connect_to(&[closed(), closed()], PATIENCE).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(error.to_string().matches("127.0.0.1: ").count(), 2, "{error}");
    }
}

#[test]
fn no_address_is_an_error_and_a_dead_one_is_given_up_in_time() {
    let runtime = runtime();
    assert_eq!(runtime.block_on(connect_to(Vec::new())).unwrap_err().kind(), ErrorKind::NotFound);
    let hole = runtime.block_on(Hole::dig());
    let error = blocking::connect_to(&[hole.address], Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
}

#[test]
fn names_and_addresses_are_both_taken() {
    let runtime = runtime();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["localhost", "127.0.0.1"] {
        assert!(runtime.block_on(connect(host, port)).is_ok(), "{host}");
        assert!(blocking::connect(host, port, PATIENCE).is_ok(), "{host}");
    }
}
