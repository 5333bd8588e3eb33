//! Turns what goes wrong with the broker into a sentence that says what to do.

use std::io;

use rumqttc::{
    ConnectReturnCode, ConnectionError, DisconnectReasonCode, Error as PacketError, StateError,
    SubscribeReasonCode, TlsError,
};

use crate::connection::Connection;

/// Why there is no connection.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) text: String,
    /// Trying again soon does not help: a person must change something first.
    pub(crate) needs_a_person: bool,
}

/// Trouble that may end by itself.
pub(crate) fn passing(text: impl Into<String>) -> Trouble {
    Trouble { text: text.into(), needs_a_person: false }
}

/// Trouble that a person must end.
fn lasting(text: impl Into<String>) -> Trouble {
    Trouble { text: text.into(), needs_a_person: true }
}

/// `worked`: there was a connection before, so address, port and encryption are right.
pub(crate) fn explain(error: &ConnectionError, connection: &Connection, worked: bool) -> Trouble {
    let broker = &connection.endpoint;
    if worked && (is_closed(error) || io_error(error).is_some_and(is_end)) {
        return passing(format!("the connection to {broker} has ended"));
    }
    match error {
        ConnectionError::ConnectionRefused(code) => refused(*code, connection),
        ConnectionError::Io(error) => unreachable_at(&broker.to_string(), error),
        ConnectionError::Timeout(_) => passing(format!(
            "no answer from {broker}: is it switched on, and is the address right?"
        )),
        ConnectionError::Tls(error) => tls(&broker.to_string(), error),
        ConnectionError::MqttState(error) => lost(error, connection),
        other => passing(format!("no connection to {broker}: {other}")),
    }
}

/// Whether a broker has closed the connection without a word.
pub(crate) fn is_closed(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::MqttState(StateError::ConnectionAborted))
}

/// Trouble with a broker that closes the connection instead of answering: those for MQTT 3.1.1 alone do so.
pub(crate) fn not_let_in(connection: &Connection) -> Trouble {
    let broker = &connection.endpoint;
    passing(format!(
        "{broker} closes the connection before it lets heat-writer in: does it speak MQTT 5? (mosquitto 1.6 or later does)"
    ))
}

fn refused(code: ConnectReturnCode, connection: &Connection) -> Trouble {
    use ConnectReturnCode as Code;
    let broker = &connection.endpoint;
    match code {
        // mosquitto says "not authorised" for a wrong password too.
        Code::BadUserNamePassword | Code::NotAuthorized => lasting(match &connection.login {
            Some(login) => format!(
                "{broker} refuses user {}: the user name or the password is wrong, or the user may not connect",
                login.user
            ),
            None => format!("{broker} wants a user and a password: set --user and --password-file"),
        }),
        Code::ClientIdentifierNotValid | Code::BadClientId => lasting(format!(
            "{broker} refuses the client id {}: set another one with --client-id",
            connection.client_id
        )),
        Code::UnsupportedProtocolVersion | Code::RefusedProtocolVersion => lasting(format!(
            "{broker} does not speak MQTT 5: update it (mosquitto 1.6 or later does)"
        )),
        Code::Banned => lasting(format!("{broker} has banned this client")),
        other => passing(format!("{broker} refuses the connection: {other:?}")),
    }
}

/// What the network says went wrong, if that is it.
fn io_error(error: &ConnectionError) -> Option<&io::Error> {
    match error {
        ConnectionError::Io(error)
        | ConnectionError::MqttState(
            StateError::Io(error) | StateError::Deserialization(PacketError::Io(error)),
        ) => Some(error),
        _ => None,
    }
}

/// Whether the broker has closed the connection.
fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof)
}

fn unreachable_at(broker: &str, error: &io::Error) -> Trouble {
    passing(match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("nothing answers at {broker}: is the broker running, and is the port right?")
        }
        _ if is_end(error) => format!("{broker} closed the connection: does this port want tls?"),
        _ => format!("cannot reach {broker}: {error}"),
    })
}

fn tls(broker: &str, error: &TlsError) -> Trouble {
    let text = error.to_string();
    if text.contains("certificate") {
        lasting(format!(
            "the certificate of {broker} is not accepted ({text}): is the name right, and is its authority set with --ca?"
        ))
    } else {
        passing(format!("no encrypted connection to {broker} ({text}): does this port speak tls?"))
    }
}

/// Trouble on a connection that was, or nearly was, there.
fn lost(error: &StateError, connection: &Connection) -> Trouble {
    let broker = &connection.endpoint;
    match error {
        StateError::Io(error) | StateError::Deserialization(PacketError::Io(error)) => {
            unreachable_at(&broker.to_string(), error)
        }
        StateError::ConnectionAborted => passing(format!("{broker} closed the connection")),
        StateError::AwaitPingResp => passing(format!("{broker} has stopped answering")),
        StateError::ServerDisconnect { reason_code, .. } => dismissed(*reason_code, connection),
        StateError::Deserialization(PacketError::PayloadSizeLimitExceeded { .. }) => {
            passing(format!(
                "{broker} sent a message that is larger than it may be; remove it at the broker"
            ))
        }
        other => passing(format!("the connection to {broker} broke: {other}")),
    }
}

fn dismissed(code: DisconnectReasonCode, connection: &Connection) -> Trouble {
    let broker = &connection.endpoint;
    match code {
        DisconnectReasonCode::SessionTakenOver => lasting(format!(
            "another program connected to {broker} with the client id {}: is heat-writer running twice?",
            connection.client_id
        )),
        DisconnectReasonCode::ServerShuttingDown => passing(format!("{broker} is shutting down")),
        DisconnectReasonCode::NotAuthorized => {
            lasting(format!("{broker} no longer lets this user in"))
        }
        other => passing(format!("{broker} ended the connection: {other:?}")),
    }
}

/// Why a subscription was refused; `None` when it was not.
pub(crate) fn unsubscribed(filter: &str, code: SubscribeReasonCode) -> Option<String> {
    match code {
        SubscribeReasonCode::Success(_) => None,
        SubscribeReasonCode::NotAuthorized => Some(format!(
            "the broker does not let this user read {filter}: allow it in the broker's access list"
        )),
        SubscribeReasonCode::WildcardSubscriptionsNotSupported => {
            Some(format!("the broker does not support {filter}: choose a channel with --channel"))
        }
        other => Some(format!("the broker refuses to send {filter}: {other:?}")),
    }
}

/// The broker refused every topic that matters.
pub(crate) fn nothing_to_read(connection: &Connection) -> Trouble {
    lasting(format!("{} sends nothing that was asked for", connection.endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Login;

    fn connection(user: Option<&str>) -> Connection {
        let address: crate::address::Address = "pi".parse().unwrap();
        Connection {
            endpoint: address.with_port(false),
            login: user.map(|user| Login { user: user.to_owned(), password: "secret".to_owned() }),
            tls: None,
            client_id: "writer-1".to_owned(),
        }
    }

    #[track_caller]
    fn check(error: ConnectionError, user: Option<&str>, expected: &str, needs_a_person: bool) {
        let trouble = explain(&error, &connection(user), false);
        assert!(trouble.text.contains(expected), "{}", trouble.text);
        assert!(!trouble.text.contains("secret"));
        assert_eq!(trouble.needs_a_person, needs_a_person);
    }

    #[test]
    fn refused_login_names_the_user_and_waits_for_a_person() {
        for code in [ConnectReturnCode::BadUserNamePassword, ConnectReturnCode::NotAuthorized] {
            let error = || ConnectionError::ConnectionRefused(code);
            check(error(), Some("ann"), "pi:1883 refuses user ann", true);
            check(error(), None, "set --user", true);
        }
    }

    #[test]
    fn broker_that_is_not_there_is_tried_again_soon() {
        let io = |kind: io::ErrorKind| ConnectionError::Io(kind.into());
        check(io(io::ErrorKind::ConnectionRefused), None, "nothing answers at pi:1883", false);
        check(io(io::ErrorKind::ConnectionReset), None, "want tls?", false);
        check(io(io::ErrorKind::HostUnreachable), None, "cannot reach pi:1883", false);
    }

    #[test]
    fn a_connection_that_worked_and_ended_asks_nothing() {
        for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof] {
            let errors: [ConnectionError; 2] =
                [io::Error::from(kind).into(), StateError::Io(kind.into()).into()];
            for error in errors {
                let trouble = explain(&error, &connection(None), true);
                assert_eq!(trouble.text, "the connection to pi:1883 has ended");
                assert!(!trouble.needs_a_person);
            }
        }
    }

    #[test]
    fn second_program_with_the_same_id_is_named() {
        let error = StateError::ServerDisconnect {
            reason_code: DisconnectReasonCode::SessionTakenOver,
            reason_string: None,
        };
        check(error.into(), None, "client id writer-1", true);
    }

    #[test]
    fn refused_subscription_is_explained() {
        let granted = SubscribeReasonCode::Success(rumqttc::QoS::AtLeastOnce);
        assert_eq!(unsubscribed("a/b", granted), None);
        let text = unsubscribed("a/b", SubscribeReasonCode::NotAuthorized).unwrap();
        assert!(text.contains("a/b") && text.contains("access list"));
    }
}
