//! The sending side of a connection: subscribes, reconciles outputs, hands over the outbox, acknowledges what is committed.

use std::collections::BTreeSet;
use std::sync::Arc;

use heat_engine::Outputs;
use rumqttc::{
    AsyncClient, ClientError, PublishNotice, PublishNoticeError, PublishOptions, PublishResult,
    QoS, SubscribeFilter,
};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, error, warn};

use super::outgoing::Outgoing;
use super::prefixes::Prefixes;
use super::shared::{GOODBYE, Shared};
use crate::metrics::{Metrics, Published};
use crate::queue::{Input, Mailbox, ToSend, Topics};

/// How many filters go into one request: it must not be larger than a broker takes.
const FILTERS_PER_REQUEST: usize = 32;

/// Outlives connections.
pub(super) struct Sender {
    pub(super) outputs: watch::Receiver<Arc<Outputs>>,
    pub(super) mailbox: Arc<Mailbox>,
    /// Tells the engine what the broker has acknowledged.
    pub(super) inputs: mpsc::WeakSender<Input>,
    pub(super) topics: watch::Receiver<Arc<Topics>>,
    pub(super) status: String,
    /// The QoS of subscriptions.
    pub(super) qos: QoS,
    pub(super) metrics: Metrics,
    pub(super) prefixes: Prefixes,
}

/// What a broker has to acknowledge.
enum Awaited {
    /// The message of a rule that has this number.
    Message(u64),
    /// What takes back the last topic below an old prefix.
    OldPrefix,
}

/// The acknowledgements that are awaited.
type PendingAcks = JoinSet<(Awaited, Result<PublishResult, PublishNoticeError>)>;

/// What the sending side does next.
enum NextStep {
    /// An output has changed.
    Outputs,
    /// Another rule takes other topics.
    Topics,
    ToSend(ToSend),
    /// More of the outbox was read from the store.
    Read,
    Acknowledged(Awaited, Result<PublishResult, PublishNoticeError>),
    EngineEnded,
}

impl Sender {
    /// Sends until the engine has ended and everything is sent. After a lost connection it waits to be dropped: the polling side
    /// knows why.
    pub(super) async fn run(
        &mut self,
        client: &AsyncClient,
        shared: &Shared<'_>,
        outgoing: &mut Outgoing,
    ) {
        shared.connected.notified().await;
        self.mailbox.forget_passing();
        if let Err(error) = self.talk(client, shared, outgoing).await {
            debug!(%error, "nothing more can be sent on this connection");
            std::future::pending::<()>().await;
        }
    }

    async fn talk(
        &mut self,
        client: &AsyncClient,
        shared: &Shared<'_>,
        outgoing: &mut Outgoing,
    ) -> Result<(), ClientError> {
        client
            .publish(self.status.clone(), "online", PublishOptions::at_least_once().retained())
            .await?;
        let mut subscribed = BTreeSet::new();
        let mut notices = PendingAcks::new();
        self.clear(client, &mut notices).await?;
        loop {
            self.subscribe(client, &mut subscribed).await?;
            outgoing.settle(&self.inputs).await;
            outgoing.ask(&self.inputs).await;
            let wanted = Arc::clone(&self.outputs.borrow_and_update());
            let outputs = outgoing.reconcile(client, &wanted).await?;
            let sent = outgoing.send(client).await?;
            self.metrics.published(Published::Outputs, outputs);
            self.metrics.published(Published::Messages, sent.len());
            watch_notices(&mut notices, sent);
            match self.next(&mut notices, outgoing).await {
                NextStep::Outputs | NextStep::Topics | NextStep::Read => {}
                NextStep::ToSend(mail) => self.take_mail(mail, client, shared, outgoing).await?,
                NextStep::Acknowledged(Awaited::Message(number), result) => {
                    acknowledged(number, &result, outgoing);
                }
                NextStep::Acknowledged(Awaited::OldPrefix, result) => self.cleared(&result),
                NextStep::EngineEnded => return self.leave(client, shared, outgoing).await,
            }
        }
    }

    /// Takes back what is retained below old prefixes.
    async fn clear(
        &self,
        client: &AsyncClient,
        notices: &mut PendingAcks,
    ) -> Result<(), ClientError> {
        let topics = self.prefixes.topics(&self.outputs.borrow());
        let mut last = None;
        for topic in topics {
            let options = PublishOptions::at_least_once().retained();
            last = Some(client.publish_tracked(topic, "", options).await?);
        }
        if let Some(last) = last {
            // Brokers acknowledge in order.
            notices.spawn(async move { (Awaited::OldPrefix, last.wait_async().await) });
        }
        Ok(())
    }

    fn cleared(&mut self, result: &Result<PublishResult, PublishNoticeError>) {
        match result {
            Ok(_) => self.prefixes.cleared(),
            Err(PublishNoticeError::V5PubAck(reason)) => {
                error!(
                    ?reason,
                    "the broker keeps what was shown below another prefix; clear it there, or check its access list"
                );
                self.prefixes.cleared();
            }
            // Lost with the connection: the next one does it once more.
            Err(_) => {}
        }
    }

    /// Subscribes to what is new. What nobody takes any more comes until the connection ends, and is acknowledged.
    async fn subscribe(
        &mut self,
        client: &AsyncClient,
        subscribed: &mut BTreeSet<String>,
    ) -> Result<(), ClientError> {
        let topics = Arc::clone(&self.topics.borrow_and_update());
        let filters: BTreeSet<&String> = topics.iter().map(|(_, filter)| filter).collect();
        let new: Vec<String> =
            filters.into_iter().filter(|filter| !subscribed.contains(*filter)).cloned().collect();
        for filters in new.chunks(FILTERS_PER_REQUEST) {
            client
                .subscribe_many(filters.iter().map(|filter| subscription(filter, self.qos)))
                .await?;
        }
        subscribed.extend(new);
        Ok(())
    }

    /// Waits for the next thing to do.
    async fn next(&mut self, notices: &mut PendingAcks, outgoing: &mut Outgoing) -> NextStep {
        tokio::select! {
            Ok(()) = self.topics.changed() => NextStep::Topics,
            changed = self.outputs.changed() => if changed.is_ok() { NextStep::Outputs } else { NextStep::EngineEnded },
            mail = self.mailbox.take() => NextStep::ToSend(mail),
            () = outgoing.answered() => NextStep::Read,
            Some(Ok((what, result))) = notices.join_next() => NextStep::Acknowledged(what, result),
        }
    }

    /// The engine has ended: sends what it has left, and publishes that heatd is gone.
    async fn leave(
        &mut self,
        client: &AsyncClient,
        shared: &Shared<'_>,
        outgoing: &mut Outgoing,
    ) -> Result<(), ClientError> {
        // Messages of the outbox are left for the next start: the engine is gone and could not note their acknowledgement.
        if let Some(mail) = self.mailbox.take_now() {
            self.take_mail(mail, client, shared, outgoing).await?;
        }
        let wanted = Arc::clone(&self.outputs.borrow_and_update());
        let outputs = outgoing.reconcile(client, &wanted).await?;
        self.metrics.published(Published::Outputs, outputs);
        let options = PublishOptions::at_least_once().retained();
        let offline = client.publish_tracked(self.status.clone(), "offline", options).await?;
        // Messages are sent in order, so that all before this one have arrived when it has.
        if timeout(GOODBYE, offline.wait_async()).await.is_err() {
            warn!(
                "the broker did not acknowledge the last messages; they are repeated at the next start"
            );
        }
        client.disconnect().await
    }

    async fn take_mail(
        &self,
        mail: ToSend,
        client: &AsyncClient,
        shared: &Shared<'_>,
        outgoing: &mut Outgoing,
    ) -> Result<(), ClientError> {
        outgoing.add(mail.messages);
        let passing = mail.passing.len();
        for message in mail.passing {
            client.publish(message.topic, message.payload, PublishOptions::at_most_once()).await?;
        }
        self.metrics.published(Published::Passing, passing);
        for ack_token in mail.ack_tokens {
            if let Some(ack) = shared.release(ack_token) {
                client.manual_ack(ack).await?;
            }
        }
        Ok(())
    }
}

/// Handles the acknowledgement of a message. A refused message is not sent again; the log names it.
fn acknowledged(
    number: u64,
    result: &Result<PublishResult, PublishNoticeError>,
    outgoing: &mut Outgoing,
) {
    match result {
        Ok(_) => outgoing.acknowledged(number),
        Err(PublishNoticeError::V5PubAck(reason)) => {
            error!(?reason, "the broker refuses a message of a rule; it is given up");
            outgoing.acknowledged(number);
        }
        // Lost with the connection: the next one repeats it.
        Err(_) => {}
    }
}

/// Subscribes without getting heatd's own messages: a rule must not feed itself by MQTT.
fn subscription(filter: &str, qos: QoS) -> SubscribeFilter {
    SubscribeFilter { nolocal: true, ..SubscribeFilter::new(filter, qos) }
}

fn watch_notices(notices: &mut PendingAcks, sent: Vec<(u64, PublishNotice)>) {
    for (number, notice) in sent {
        notices.spawn(async move { (Awaited::Message(number), notice.wait_async().await) });
    }
}
