//! How heatd connects to a broker: the last will, the limits, and the session.

use std::pin::Pin;
use std::sync::Arc;

use rumqttc::{
    AckMode, Broker, ConnectionError, Error, LastWill, MqttOptions, PersistedAckMode,
    PersistedSession, QoS, SessionStore, SessionStoreError, SessionStoreKey, StateError,
    TlsConfiguration, Transport,
};
use tokio::io::DuplexStream;
use tokio_rustls::rustls::ClientConfig;

/// The largest packet that is taken in, in bytes. The broker is told, and keeps larger ones to itself.
const LARGEST_PACKET: u32 = 64 << 10;

/// How much lower the limit is after a larger packet has ended a connection. mosquitto's comparison is off by one byte, so it
/// sends a packet that is exactly one byte too large, again on each connection. With the lower limit mosquitto does not send it; and a
/// packet one byte above the lower limit is within the real one.
const LESS: u32 = 16;

/// The packet size limit of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Size {
    #[default]
    Usual,
    Less,
}

impl Size {
    /// The limit for the next connection.
    pub(super) fn after(self, lost: &ConnectionError) -> Self {
        let is_too_large = matches!(
            lost,
            ConnectionError::MqttState(StateError::Deserialization(
                Error::PayloadSizeLimitExceeded { .. }
            ))
        );
        if is_too_large && self == Self::Usual { Self::Less } else { Self::Usual }
    }

    fn bytes(self) -> u32 {
        match self {
            Self::Usual => LARGEST_PACKET,
            Self::Less => LARGEST_PACKET - LESS,
        }
    }
}

/// How many messages with QoS 1 may wait for their acknowledgement: a group of events can be as large.
pub(super) const RECEIVE_MAXIMUM: u16 = 512;

/// How long a broker keeps the session while heatd is away, in seconds.
const SESSION_SECONDS: u32 = 86_400;

/// Makes a connection to heatd's own broker, in this process.
pub(crate) type Entrance = Arc<dyn Fn() -> DuplexStream + Send + Sync>;

/// Where and as whom.
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Option<(String, String)>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// The way into heatd's own broker, which needs no socket. None: the broker is elsewhere.
    pub(crate) entrance: Option<Entrance>,
    pub(crate) client_id: String,
    /// After how many seconds of silence heatd sends a ping. If no answer comes for as long again, the connection
    /// is closed. So a dead connection is noticed after twice this time at most.
    pub(crate) keep_alive: u16,
}

/// The options of one connection, with the topic that says whether heatd is there.
pub(super) fn options(address: &Address, status_topic: &str, size: Size) -> MqttOptions {
    let mut options = MqttOptions::new(
        address.client_id.clone(),
        Broker::tcp(address.host.clone(), address.port),
    );
    options.set_keep_alive(address.keep_alive);
    options.set_clean_start(false);
    options.set_session_expiry_interval(Some(SESSION_SECONDS));
    options.set_session_store(NothingUnderWay);
    options.set_receive_maximum(Some(RECEIVE_MAXIMUM));
    options.set_max_packet_size(Some(size.bytes()));
    options.set_ack_mode(AckMode::Manual);
    // The client still checks a certificate for the name. Nothing waits in the socket: otherwise an output that follows an
    // acknowledgement would wait until the broker's system has confirmed that, some 40 ms.
    let (host, port) = (address.host.clone(), address.port);
    match address.entrance.clone() {
        Some(entrance) => {
            options.set_socket_connector(move |_, _| std::future::ready(Ok(entrance())))
        }
        None => options.set_socket_connector(move |_, _| {
            let host = host.clone();
            async move { heat_dial::connect(&host, port).await }
        }),
    };
    options.set_last_will(LastWill::new(status_topic, "offline", QoS::AtLeastOnce, true, None));
    if let Some((user, password)) = &address.login {
        options.set_credentials(user.clone(), password.clone());
    }
    if let Some(tls) = &address.tls {
        options
            .set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(tls))));
    }
    options
}

/// Tells a new client that the session has no unfinished messages of ours. That is true: what has to be repeated is
/// repeated from the store. So any connection can take up the broker's session, also after a restart.
#[derive(Debug)]
struct NothingUnderWay;

/// What the trait's functions return.
type StoreFuture<'a, V> = Pin<Box<dyn Future<Output = Result<V, SessionStoreError>> + Send + 'a>>;

/// rumqttc's version of the model below.
const SESSION_FORMAT: u16 = 1;

impl SessionStore for NothingUnderWay {
    fn load<'a>(&'a self, key: &'a SessionStoreKey) -> StoreFuture<'a, Option<PersistedSession>> {
        let client_id = key.client_id().to_owned();
        Box::pin(async move {
            Ok(Some(PersistedSession {
                format_version: SESSION_FORMAT,
                client_id,
                clean_start: false,
                session_expiry_interval: Some(SESSION_SECONDS),
                outgoing_inflight_upper_limit: None,
                ack_mode: PersistedAckMode::Manual,
                last_pkid: 0,
                last_puback: 0,
                replay: Vec::new(),
                incoming_qos2: Vec::new(),
            }))
        })
    }

    fn save<'a>(
        &'a self,
        _key: &'a SessionStoreKey,
        _session: &'a PersistedSession,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn clear<'a>(&'a self, _key: &'a SessionStoreKey) -> StoreFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_takes_up_the_session_acknowledges_by_hand_and_dials_by_itself() {
        let address = Address {
            host: "localhost".to_owned(),
            port: 1883,
            login: None,
            tls: None,
            entrance: None,
            client_id: "heatd".to_owned(),
            keep_alive: 20,
        };
        let options = options(&address, "heat/v1/status", Size::Usual);
        assert!(!options.clean_start());
        assert_eq!(options.ack_mode(), AckMode::Manual);
        assert_eq!(options.receive_maximum(), Some(RECEIVE_MAXIMUM));
        assert!(options.has_socket_connector());
    }

    #[test]
    fn a_packet_that_is_too_large_for_one_connection_is_for_the_next() {
        let error = Error::PayloadSizeLimitExceeded { pkt_size: 65_537, max: LARGEST_PACKET };
        let too_large = ConnectionError::MqttState(StateError::Deserialization(error));
        let less = Size::default().after(&too_large);
        assert!(less.bytes() < Size::default().bytes());
        assert_eq!(less.after(&too_large), Size::Usual);
        assert_eq!(less.after(&ConnectionError::RequestsDone), Size::Usual);
        assert_eq!(Size::Usual.after(&ConnectionError::RequestsDone), Size::Usual);
    }
}
