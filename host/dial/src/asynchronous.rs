//! Connecting with tokio.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::failures::Failures;
use crate::{ATTEMPT_DELAY, order};

/// Connects to a name or an address, without brackets if it is one of IPv6. There is no time limit in here: callers have one for
/// all that it takes until the other side has answered.
///
/// # Errors
/// When the name is not known, or none of its addresses answers.
pub async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    // Both families are asked for at once, and answered together: the system's own resolver knows no other way.
    let addresses = lookup_host((host, port)).await?;
    connect_to(order(addresses)).await
}

/// Connects to the first of these addresses that answers. They are tried in their order.
///
/// # Errors
/// When none of them answers.
pub async fn connect_to(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    // What is not connected yet when another one wins ends with the set.
    let mut attempts = JoinSet::new();
    let mut failures = Failures::default();
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(async move { (address, TcpStream::connect(address).await) });
        }
        // An attempt that fails makes room for the next address at once, one that hangs does after a while.
        tokio::select! {
            done = attempts.join_next() => match done {
                Some(Ok((_, Ok(stream)))) => {
                    // Everything that is sent here waits for an answer.
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Some(Ok((address, Err(error)))) => failures.add(address, error),
                Some(Err(ended)) => return Err(io::Error::other(ended)),
                None => return Err(failures.into_error()),
            },
            () = sleep(ATTEMPT_DELAY), if waiting.len() > 0 => {}
        }
    }
}
