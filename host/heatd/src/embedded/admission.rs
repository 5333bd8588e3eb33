//! How a client is let in, or why not.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::{
    ConnAck, ConnAckProperties, Connect, ConnectAuth, ConnectProperties, ConnectReturnCode as Code,
    LastWill, Packet,
};

use super::access::Client;
use super::bounds::{LARGEST_PACKET, LONGEST_ID, LONGEST_SESSION, MOST_ALIASES, RECEIVE_MAXIMUM};
use super::core::Core;
use super::hub::{Asked, Entered, Key};
use super::message::Message;
use super::packets::Greeting;
use super::text;
use super::version::Version;
use crate::metrics::Refused;

/// A client that is let in.
pub(super) struct Admitted {
    pub(super) entered: Entered,
    pub(super) will: Option<(Message, Duration)>,
    pub(super) answer: Packet,
    /// The largest packet that it takes.
    pub(super) largest: u32,
    /// How long it may be silent. None: for ever.
    pub(super) silence: Option<Duration>,
}

impl Core {
    /// Lets a client in that has said who it is. `own`: it is heatd itself.
    pub(super) fn admit(&self, greeting: Greeting, own: bool) -> Result<Admitted, Code> {
        let Greeting { version, connect, will, auth } = greeting;
        let properties = connect.properties.clone().unwrap_or_else(ConnectProperties::new);
        if properties.authentication_method.is_some() {
            return Err(Code::BadAuthenticationMethod);
        }
        if properties.max_packet_size == Some(0) {
            return Err(Code::ProtocolError);
        }
        let who = self.who(&auth, own)?;
        let id = self.client_id(&connect, version, &who)?;
        let will = will.map(|will| self.will(&will, &who)).transpose()?;
        let key: Key = (who, id);
        let wanted = match version {
            Version::Three if connect.clean_start => Duration::ZERO,
            Version::Three => LONGEST_SESSION,
            Version::Five => {
                let seconds = properties.session_expiry_interval.unwrap_or_default();
                Duration::from_secs(seconds.into())
            }
        };
        let asked = Asked {
            clean: connect.clean_start,
            expiry: wanted,
            receive_maximum: properties.receive_maximum,
        };
        let is_nameless = connect.client_id.is_empty();
        let id = is_nameless.then(|| key.1.to_string());
        let entered = self.hub.enter(key, &asked)?;
        let granted = (entered.expiry != wanted).then_some(entered.expiry);
        let answer = Packet::ConnAck(ConnAck {
            session_present: entered.is_back,
            code: Code::Success,
            properties: Some(ConnAckProperties {
                session_expiry_interval: granted
                    .map(|time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX)),
                receive_max: Some(RECEIVE_MAXIMUM),
                max_packet_size: Some(LARGEST_PACKET),
                assigned_client_identifier: id,
                topic_alias_max: Some(MOST_ALIASES),
                shared_subscription_available: Some(0),
                ..no_properties()
            }),
        });
        let keep_alive = u64::from(connect.keep_alive);
        Ok(Admitted {
            entered,
            will,
            answer,
            largest: properties.max_packet_size.unwrap_or(u32::MAX).min(LARGEST_PACKET * 2),
            silence: (keep_alive > 0).then(|| Duration::from_millis(keep_alive * 1500)),
        })
    }

    fn who(&self, auth: &ConnectAuth, own: bool) -> Result<Client, Code> {
        if own {
            return Ok(Client::Own);
        }
        self.hub.access.log_in(auth).ok_or_else(|| {
            let user = match auth {
                ConnectAuth::Username { username }
                | ConnectAuth::UsernamePassword { username, .. } => username,
                ConnectAuth::None | ConnectAuth::Password { .. } => "",
            };
            self.hub.refusals.note(Refused::Login, user, "its password");
            Code::BadUserNamePassword
        })
    }

    fn client_id(
        &self,
        connect: &Connect,
        version: Version,
        who: &Client,
    ) -> Result<Arc<str>, Code> {
        let id = &connect.client_id;
        if id.is_empty() {
            if version == Version::Three && !connect.clean_start {
                return Err(Code::ClientIdentifierNotValid);
            }
            return Ok(format!("nameless-{:016x}", fastrand::u64(..)).into());
        }
        if id.len() > LONGEST_ID || !text::is_clean(id) {
            self.hub.refusals.note(Refused::ClientId, who, id);
            return Err(Code::ClientIdentifierNotValid);
        }
        Ok(id.as_str().into())
    }

    fn will(&self, will: &LastWill, who: &Client) -> Result<(Message, Duration), Code> {
        let (message, delay) = Message::will(will).ok_or(Code::TopicNameInvalid)?;
        if text::topic(&message.topic).is_err() {
            self.hub.refusals.note(Refused::Topic, who, &message.topic);
            return Err(Code::TopicNameInvalid);
        }
        if !self.hub.access.may_write(who, &message.topic) {
            self.hub.refusals.note(Refused::LastWill, who, &message.topic);
            return Err(Code::NotAuthorized);
        }
        Ok((message, delay))
    }
}

/// What a client is told that is not let in.
pub(super) fn refusal(code: Code) -> Packet {
    Packet::ConnAck(ConnAck { session_present: false, code, properties: None })
}

fn no_properties() -> ConnAckProperties {
    ConnAckProperties {
        session_expiry_interval: None,
        receive_max: None,
        max_qos: None,
        retain_available: None,
        max_packet_size: None,
        assigned_client_identifier: None,
        topic_alias_max: None,
        reason_string: None,
        user_properties: Vec::new(),
        wildcard_subscription_available: None,
        subscription_identifiers_available: None,
        shared_subscription_available: None,
        server_keep_alive: None,
        response_information: None,
        server_reference: None,
        authentication_method: None,
        authentication_data: None,
    }
}
