//! What a client sends, packet by packet.

use std::sync::Arc;

use rumqttc::{
    DisconnectReasonCode as Reason, Packet, PubComp, PubRecReason, PubRel, Publish, QoS, SubAck,
    Subscribe, SubscribeReasonCode, UnsubAck, UnsubAckReason, Unsubscribe,
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::access::Client;
use super::bounds::{MOST_ALIASES, RECEIVE_MAXIMUM};
use super::client::{ClientConnection, End};
use super::inlet::Passed;
use super::message::Message;
use super::pending::{Pending, Reply};
use super::text::{self, Flaw};
use super::version::Version;
use crate::metrics::Refused;

const MALFORMED: End = End::Cut(Reason::MalformedPacket);
const WRONG: End = End::Cut(Reason::ProtocolError);

impl<S: AsyncRead + AsyncWrite> ClientConnection<S> {
    pub(super) async fn take(&mut self, packet: Packet) -> Result<(), End> {
        let visit = Arc::clone(&self.visit);
        let hub = Arc::clone(&self.core);
        let hub = &hub.hub;
        match packet {
            Packet::Publish(publish) => return self.publish(publish).await,
            // What is acknowledged and was never sent changes nothing; what was sent otherwise is a fault.
            Packet::PubAck(it) => {
                fits(hub.with(&visit, |session| session.acknowledged(it.pkid)))?;
            }
            Packet::PubRec(it) => {
                let is_refused = it.reason != PubRecReason::Success
                    && it.reason != PubRecReason::NoMatchingSubscribers;
                fits(hub.with(&visit, |session| session.has_arrived(it.pkid, is_refused)))?;
                if !is_refused {
                    self.send(Packet::PubRel(PubRel::new(it.pkid, None)));
                }
            }
            Packet::PubComp(it) => {
                fits(hub.with(&visit, |session| session.completed(it.pkid)))?;
            }
            Packet::PubRel(it) => {
                hub.with(&visit, |session| session.release(it.pkid));
                self.send(Packet::PubComp(PubComp::new(it.pkid, None)));
            }
            Packet::Subscribe(subscribe) => return self.subscribe(&subscribe),
            Packet::Unsubscribe(unsubscribe) => return self.unsubscribe(&unsubscribe),
            Packet::PingReq => drop(self.send(Packet::PingResp)),
            Packet::Disconnect(it) => return Err(self.goodbye(&it)),
            // A second greeting, and what only brokers send.
            _ => return Err(WRONG),
        }
        Ok(())
    }

    fn goodbye(&self, goodbye: &rumqttc::Disconnect) -> End {
        let expiry = goodbye.properties.as_ref().and_then(|it| it.session_expiry_interval);
        if let Some(seconds) = expiry {
            let is_wrong = self.core.hub.with(&self.visit, |session| {
                let is_wrong = session.expiry.is_zero() && seconds > 0;
                session.expiry = session.expiry.min(std::time::Duration::from_secs(seconds.into()));
                is_wrong
            });
            if is_wrong == Some(true) {
                return WRONG;
            }
        }
        match goodbye.reason_code {
            Reason::NormalDisconnection => End::Goodbye,
            _ => End::GoodbyeWithWill,
        }
    }

    async fn publish(&mut self, publish: Publish) -> Result<(), End> {
        let topic = self.topic(&publish)?;
        let properties = publish.properties.as_ref();
        if properties.is_some_and(|it| !it.subscription_identifiers.is_empty()) {
            return Err(WRONG);
        }
        let (packet, who) = (publish.pkid, self.visit.key.0.clone());
        let may = self.core.hub.access.may_write(&who, &topic);
        if !may {
            self.core.hub.refusals.note(Refused::Write, &who, &topic);
        }
        let reply = match publish.qos {
            QoS::AtMostOnce => Reply::Nothing,
            QoS::AtLeastOnce => Reply::Acknowledged(packet),
            QoS::ExactlyOnce => Reply::Received(packet),
        };
        let mut pending = Pending { message: None, reply, is_refused: !may, passed: Passed::Done };
        // Refused for good, a client of version 5 sends no release.
        let is_over = !may && self.version == Version::Five;
        let is_new = reply != Reply::Received(packet) || is_over || self.is_new(packet)?;
        if may && is_new {
            let message = Arc::new(Message::of(&publish, topic));
            if who != Client::Own {
                let passed =
                    self.core.inlet.pass(message.for_rules(), publish.qos != QoS::AtMostOnce);
                pending.passed = passed.await.map_err(|_| End::Ending)?;
            }
            pending.message = Some(message);
        }
        self.queue(pending);
        Ok(())
    }

    /// Whether a message of QoS 2 has not been sent before.
    fn is_new(&self, packet: u16) -> Result<bool, End> {
        let known = self.core.hub.with(&self.visit, |session| {
            let is_new = session.receive(packet);
            (is_new, session.unreleased() <= usize::from(RECEIVE_MAXIMUM))
        });
        match known {
            Some((is_new, true)) => Ok(is_new),
            Some((_, false)) => Err(End::Cut(Reason::ReceiveMaximumExceeded)),
            None => Err(End::Cut(Reason::SessionTakenOver)),
        }
    }

    /// The topic of a message, which may have been given a number before.
    fn topic(&mut self, publish: &Publish) -> Result<Arc<str>, End> {
        let name = std::str::from_utf8(&publish.topic).map_err(|_| MALFORMED)?;
        let alias = publish.properties.as_ref().and_then(|it| it.topic_alias);
        if alias.is_some_and(|alias| alias > MOST_ALIASES) {
            return Err(End::Cut(Reason::TopicAliasInvalid));
        }
        if let Some(alias) = alias.filter(|_| name.is_empty()) {
            return self.aliases.get(&alias).cloned().ok_or(WRONG);
        }
        match text::topic(name) {
            Ok(()) => {}
            Err(Flaw::Malformed) => return Err(MALFORMED),
            Err(Flaw::TooLong) => {
                self.core.hub.refusals.note(Refused::Topic, &self.visit.key.0, name);
                return Err(End::Cut(Reason::TopicNameInvalid));
            }
        }
        let topic: Arc<str> = name.into();
        if let Some(alias) = alias {
            self.aliases.insert(alias, Arc::clone(&topic));
        }
        Ok(topic)
    }

    fn subscribe(&mut self, subscribe: &Subscribe) -> Result<(), End> {
        let number = subscribe.properties.as_ref().and_then(|it| it.id);
        for filter in &subscribe.filters {
            let is_shared = filter.path.starts_with("$share/");
            if text::filter(&filter.path) == Err(Flaw::Malformed) {
                return Err(MALFORMED);
            }
            if is_shared && (!is_whole_share(&filter.path) || filter.nolocal) {
                return Err(WRONG);
            }
        }
        let return_codes: Vec<SubscribeReasonCode> = subscribe
            .filters
            .iter()
            .map(|filter| self.core.hub.subscribe(&self.visit, filter, number))
            .collect();
        let answer = SubAck { pkid: subscribe.pkid, return_codes, properties: None };
        self.send(Packet::SubAck(answer));
        Ok(())
    }

    fn unsubscribe(&mut self, unsubscribe: &Unsubscribe) -> Result<(), End> {
        if unsubscribe.filters.iter().any(|filter| text::filter(filter) == Err(Flaw::Malformed)) {
            return Err(MALFORMED);
        }
        let end = |filter: &String| match self
            .core
            .hub
            .with(&self.visit, |session| session.unsubscribe(filter))
        {
            Some(true) => UnsubAckReason::Success,
            _ => UnsubAckReason::NoSubscriptionExisted,
        };
        let reasons = unsubscribe.filters.iter().map(end).collect();
        self.send(Packet::UnsubAck(UnsubAck { pkid: unsubscribe.pkid, reasons, properties: None }));
        Ok(())
    }
}

/// An acknowledgement of the wrong kind ends the connection. None: another connection has the session.
fn fits(is_right: Option<bool>) -> Result<(), End> {
    if is_right == Some(false) { Err(WRONG) } else { Ok(()) }
}

/// Whether a shared subscription has a group and a filter.
fn is_whole_share(filter: &str) -> bool {
    let mut parts = filter.splitn(3, '/').skip(1);
    let is_there = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    is_there(parts.next()) && is_there(parts.next())
}
