//! The floor of reading chat: a bare tokio loop that reads the lines of some channels off a socket, and takes them apart with
//! twitch-irc. `cargo xtask bench` runs it beside heatd, on the same lines.
//!
//! `lines ADDRESS CHANNEL...`: says `N lines` for each message with the text `?count`, N being the messages before it.

use std::io::Write;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use twitch_irc::message::IRCMessage;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    // Started by `cargo bench` it has nothing to do.
    let Some(address) = arguments.next() else { return Ok(()) };
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut login =
        "CAP REQ :twitch.tv/tags twitch.tv/commands\r\nNICK justinfan12345\r\n".to_owned();
    for channel in arguments {
        login += &format!("JOIN #{channel}\r\n");
    }
    write.write_all(login.as_bytes()).await?;
    let mut lines = BufReader::new(read).lines();
    let mut messages = 0_u64;
    while let Some(line) = lines.next_line().await? {
        let message = IRCMessage::parse(&line)?;
        match message.command.as_str() {
            "PING" => write.write_all(b"PONG :tmi.twitch.tv\r\n").await?,
            "PRIVMSG" if message.params.get(1).is_some_and(|text| text == "?count") => {
                writeln!(std::io::stdout(), "{messages} lines")?;
            }
            "PRIVMSG" => messages += 1,
            _ => {}
        }
    }
    Ok(())
}
