//! A strict Twitch client by other people judges the scripted server, so that it speaks Twitch's dialect and not ours.

use anyhow::{Result, ensure};
use heat_tests::peer::Peer;
use heat_tests::twitch::{Line, Server};

#[test]
fn a_strict_client_accepts_what_the_scripted_server_says() -> Result<()> {
    let server = Server::start()?;
    let peer = Peer::anonymous(server.addr(), "seaside")?;
    server.wait_joined("seaside")?;
    server.send("seaside", &Line::chat("seaside", "ann", "?fave pie").badge("moderator/1"));
    server.send("seaside", &Line::chat("seaside", "bob", "the end"));
    peer.wait_for(|seen| seen.to_string().contains("the end"))?;
    ensure!(peer.complaints().is_empty(), "{:?}", peer.complaints());
    let said = peer.messages("PrivmsgMessage");
    ensure!(said.len() == 2 && said[0].to_string().contains("?fave pie"), "{said:?}");
    Ok(())
}
