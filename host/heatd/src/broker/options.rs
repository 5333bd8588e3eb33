//! How heatd connects to a broker: the last will, the limits, and the session.

use std::pin::Pin;
use std::sync::Arc;

use rumqttc::{
    AckMode, Broker, LastWill, MqttOptions, NetworkOptions, PersistedAckMode, PersistedSession,
    QoS, SessionStore, SessionStoreError, SessionStoreKey, TlsConfiguration, Transport,
};
use tokio_rustls::rustls::ClientConfig;

/// The largest message that is taken in, in bytes. The broker is told, and keeps larger ones to itself.
const LARGEST_MESSAGE: u32 = 64 << 10;

/// How many messages with QoS 1 may wait for their acknowledgement: a group of events can be as large.
pub(super) const RECEIVE_MAXIMUM: u16 = 512;

/// How long a broker keeps messages for a daemon that is away, in seconds.
const SESSION_SECONDS: u32 = 86_400;

/// Where and as whom.
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Option<(String, String)>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) client_id: String,
    /// After how many seconds without a word the broker is asked for one. When as many pass again without an answer, the connection
    /// is given up: a dead one looks alive for twice as long at most.
    pub(crate) keep_alive: u16,
}

/// The options of one connection, with the topic that says whether heatd is there.
pub(crate) fn options(address: &Address, status_topic: &str) -> MqttOptions {
    let mut options = MqttOptions::new(
        address.client_id.clone(),
        Broker::tcp(address.host.clone(), address.port),
    );
    options.set_keep_alive(address.keep_alive);
    options.set_clean_start(false);
    options.set_session_expiry_interval(Some(SESSION_SECONDS));
    options.set_session_store(NothingUnderWay);
    options.set_receive_maximum(Some(RECEIVE_MAXIMUM));
    options.set_max_packet_size(Some(LARGEST_MESSAGE));
    options.set_ack_mode(AckMode::Manual);
    // Otherwise an output that follows an acknowledgement waits until the broker's system has confirmed that, some 40 ms.
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
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

/// Tells a new client that nothing of ours is under way in the broker's session, which is true: what has to be repeated is
/// in the store, and repeated from there. So the broker's session can be taken up by any connection, also after a restart.
#[derive(Debug)]
struct NothingUnderWay;

/// What the trait's functions return.
type Answer<'a, V> = Pin<Box<dyn Future<Output = Result<V, SessionStoreError>> + Send + 'a>>;

/// rumqttc's version of the model below.
const SESSION_FORMAT: u16 = 1;

impl SessionStore for NothingUnderWay {
    fn load<'a>(&'a self, key: &'a SessionStoreKey) -> Answer<'a, Option<PersistedSession>> {
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
    ) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn clear<'a>(&'a self, _key: &'a SessionStoreKey) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_takes_up_the_session_acknowledges_by_hand_and_never_waits_for_tcp() {
        let address = Address {
            host: "localhost".to_owned(),
            port: 1883,
            login: None,
            tls: None,
            client_id: "heatd".to_owned(),
            keep_alive: 20,
        };
        let options = options(&address, "heat/v1/status");
        assert!(!options.clean_start());
        assert_eq!(options.ack_mode(), AckMode::Manual);
        assert_eq!(options.receive_maximum(), Some(RECEIVE_MAXIMUM));
        let network = format!("{:?}", options.network_options());
        assert!(network.contains("tcp_nodelay: true"), "{network}");
    }
}
