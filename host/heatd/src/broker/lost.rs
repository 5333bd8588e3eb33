//! Why there is no connection to the broker, in words that say what to do.

use std::io::ErrorKind;
use std::time::Duration;

use rumqttc::{ConnectReturnCode, ConnectionError, DisconnectReasonCode, StateError};

use super::options::Address;
use crate::backoff::LASTING;

/// So many connections in a row that end soon after the broker has let heatd in are no chance.
const SUSPICIOUS: u32 = 2;

/// How the recent connections ended.
#[derive(Default)]
pub(super) struct Losses {
    /// How many in a row were let in and soon cut off without a word.
    cut_off: u32,
}

impl Losses {
    /// What went wrong, and what to do. `lasted`: how long the connection was up. None: the broker has not let heatd in.
    pub(super) fn explain(
        &mut self,
        error: &ConnectionError,
        address: &Address,
        lasted: Option<Duration>,
    ) -> String {
        let is_cut = is_closed(error);
        self.cut_off = match lasted {
            Some(time) if is_cut && time < LASTING => self.cut_off + 1,
            _ => 0,
        };
        match lasted {
            None if is_cut => format!(
                "the broker closes the connection before it lets heatd in ({error}); does it speak MQTT 5? Brokers for MQTT 3.1.1 alone do so, and heatd needs MQTT 5"
            ),
            Some(_) if is_taken_over(error) => taken_over(address),
            Some(_) if self.cut_off >= SUSPICIOUS => format!(
                "the broker lets heatd in and cuts it off again ({error}); perhaps {}",
                taken_over(address)
            ),
            _ => explained(error, address),
        }
    }
}

fn taken_over(Address { client_id, .. }: &Address) -> String {
    format!(
        "another program has the client id {client_id:?} at this broker, such as a second heatd; give each its own: `client_id` in [mqtt.broker]"
    )
}

/// The connection has ended without a reason.
fn is_closed(error: &ConnectionError) -> bool {
    match error {
        ConnectionError::MqttState(StateError::ConnectionAborted) => true,
        ConnectionError::Io(error) | ConnectionError::MqttState(StateError::Io(error)) => matches!(
            error.kind(),
            ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::UnexpectedEof
        ),
        _ => false,
    }
}

fn is_taken_over(error: &ConnectionError) -> bool {
    matches!(
        error,
        ConnectionError::MqttState(StateError::ServerDisconnect {
            reason_code: DisconnectReasonCode::SessionTakenOver,
            ..
        })
    )
}

fn explained(error: &ConnectionError, address: &Address) -> String {
    match error {
        ConnectionError::Tls(error) => {
            let (host, port, text) = (&address.host, address.port, error.to_string());
            match text.to_lowercase().contains("certificate") {
                true => format!(
                    "the certificate of {host}:{port} is not accepted ({text}); check `host`, and its authority in `ca` of [mqtt.broker]"
                ),
                false => format!("no encrypted connection to {host}:{port} ({text}); does this port speak tls?"),
            }
        }
        ConnectionError::ConnectionRefused(ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized) => {
            "the broker refuses user and password; check `user` and `password_file` in [mqtt.broker]".to_owned()
        }
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::RefusedProtocolVersion | ConnectReturnCode::UnsupportedProtocolVersion,
        ) => "the broker does not speak MQTT 5, which heatd needs: update it, or use another one".to_owned(),
        other => other.to_string(),
    }
}
