//! One WebSocket to EventSub: opened, welcomed, and read until it ends. Nothing is ever sent but pongs: Twitch closes a connection that sends.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use hyper::Uri;
use tokio::time::{Instant, timeout};
use tokio_rustls::rustls::ClientConfig;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::frame::{Frame, WelcomedSession, read};
use crate::web::AGENT;
use crate::web::dial::{Socket, dial};

/// How long connecting and the welcome may take.
const WELCOME: Duration = Duration::from_secs(20);

/// The largest frame, in bytes. Twitch's have a few thousand.
const LARGEST: usize = 1 << 20;

/// A connection that was welcomed.
pub(super) struct EventSocket {
    stream: WebSocketStream<Box<dyn Socket>>,
    keepalive: Duration,
    heard: Instant,
}

/// What came of reading.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Text(String),
    /// The server has closed the connection, with this code.
    Closed(Option<u16>),
    /// It broke.
    Broken(String),
}

impl EventSocket {
    /// Connects, and waits for the welcome.
    pub(super) async fn open(
        address: Uri,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<(Self, WelcomedSession), String> {
        match timeout(WELCOME, Self::open_now(&address, tls.as_ref())).await {
            Ok(opened) => opened,
            Err(_) => Err("the server does not answer".to_owned()),
        }
    }

    async fn open_now(
        address: &Uri,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<(Self, WelcomedSession), String> {
        let socket = dial(address, tls).await.map_err(|error| error.to_string())?;
        let request = ClientRequestBuilder::new(address.clone()).with_header("User-Agent", AGENT);
        let config = WebSocketConfig::default()
            .max_message_size(Some(LARGEST))
            .max_frame_size(Some(LARGEST));
        let made = client_async_with_config(request, socket, Some(config)).await;
        let (stream, _) = made.map_err(|error| error.to_string())?;
        let mut opened = Self { stream, keepalive: WELCOME, heard: Instant::now() };
        match opened.next().await {
            Heard::Text(text) => match read(&text) {
                Frame::Welcome(session) => {
                    opened.keepalive = session.keepalive;
                    Ok((opened, session))
                }
                other => Err(format!("the server does not say welcome, but {other:?}")),
            },
            Heard::Closed(code) => Err(super::close::answer(code).0.to_owned()),
            Heard::Broken(why) => Err(why),
        }
    }

    /// The next text, or the end. Cancel-safe.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    self.heard = Instant::now();
                    return Heard::Text(text.as_str().to_owned());
                }
                Some(Ok(Message::Close(frame))) => {
                    return Heard::Closed(frame.map(|it| it.code.into()));
                }
                None => return Heard::Closed(None),
                // The library answers a ping by itself.
                Some(Ok(_)) => self.heard = Instant::now(),
                Some(Err(error)) => return Heard::Broken(error.to_string()),
            }
        }
    }

    /// When the server counts as silent: a fifth later than it has promised, and a moment.
    pub(super) fn silent_at(&self) -> Instant {
        self.heard + self.keepalive.mul_f64(1.2) + Duration::from_millis(500)
    }
}
