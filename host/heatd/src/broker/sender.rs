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
use super::shared::{GOODBYE, Shared};
use crate::metrics::{Metrics, Published};
use crate::queue::{Input, Mail, Mailbox, Topics};

/// How many filters go into one request: it must not be larger than a broker takes.
const FILTERS_PER_REQUEST: usize = 32;

/// Lives over all connections.
pub(super) struct Sender {
    pub(super) outputs: watch::Receiver<Arc<Outputs>>,
    pub(super) mailbox: Arc<Mailbox>,
    /// Tells the engine what the broker has acknowledged.
    pub(super) inputs: mpsc::WeakSender<Input>,
    pub(super) topics: watch::Receiver<Arc<Topics>>,
    pub(super) status: String,
    /// How surely messages shall come.
    pub(super) qos: QoS,
    pub(super) metrics: Metrics,
}

/// The acknowledgements that are awaited, each with the number of its message.
type Notices = JoinSet<(u64, Result<PublishResult, PublishNoticeError>)>;

/// What the sending side does next.
enum Step {
    /// An output has changed.
    Outputs,
    /// Another rule takes other topics.
    Topics,
    Mail(Mail),
    Acknowledged(u64, Result<PublishResult, PublishNoticeError>),
    EngineEnded,
}

impl Sender {
    /// Sends until the engine has ended and everything is said. On a lost connection it waits to be dropped: the polling side
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
        let mut notices = Notices::new();
        loop {
            self.subscribe(client, &mut subscribed).await?;
            outgoing.settle(&self.inputs).await;
            let wanted = Arc::clone(&self.outputs.borrow_and_update());
            let outputs = outgoing.reconcile(client, &wanted).await?;
            let sent = outgoing.send(client).await?;
            self.metrics.published(Published::Outputs, outputs);
            self.metrics.published(Published::Messages, sent.len());
            watch_notices(&mut notices, sent);
            match self.next(&mut notices).await {
                Step::Outputs | Step::Topics => {}
                Step::Mail(mail) => self.take_mail(mail, client, shared, outgoing).await?,
                Step::Acknowledged(number, result) => {
                    acknowledged(number, &result, outgoing);
                }
                Step::EngineEnded => return self.leave(client, shared, outgoing).await,
            }
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
    async fn next(&mut self, notices: &mut Notices) -> Step {
        tokio::select! {
            Ok(()) = self.topics.changed() => Step::Topics,
            changed = self.outputs.changed() => if changed.is_ok() { Step::Outputs } else { Step::EngineEnded },
            mail = self.mailbox.take() => Step::Mail(mail),
            Some(Ok((number, result))) = notices.join_next() => Step::Acknowledged(number, result),
        }
    }

    /// The engine has ended: what it left is sent, and the broker is told that heatd is gone.
    async fn leave(
        &mut self,
        client: &AsyncClient,
        shared: &Shared<'_>,
        outgoing: &mut Outgoing,
    ) -> Result<(), ClientError> {
        // Messages stay in the store for the next start: what is acknowledged now could no longer be noted.
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
        mail: Mail,
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
        for receipt in mail.receipts {
            if let Some(ack) = shared.release(receipt) {
                client.manual_ack(ack).await?;
            }
        }
        Ok(())
    }
}

/// Forgets a message that has arrived. One that the broker refuses is forgotten too, and the log says so.
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

/// heatd's own messages are not for heatd: a rule that publishes what another takes would feed itself.
fn subscription(filter: &str, qos: QoS) -> SubscribeFilter {
    SubscribeFilter { nolocal: true, ..SubscribeFilter::new(filter, qos) }
}

fn watch_notices(notices: &mut Notices, sent: Vec<(u64, PublishNotice)>) {
    for (number, notice) in sent {
        notices.spawn(async move { (number, notice.wait_async().await) });
    }
}
