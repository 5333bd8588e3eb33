//! What is sent to the broker: outputs as retained messages, and the outbox. Level-triggered: on every change and on every
//! connection heatd publishes the difference between the wanted outputs and those that this connection has published.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use heat_engine::Outputs;
use heat_engine::wit::{Delivery, Message};
use rumqttc::{AsyncClient, ClientError, PublishNotice, PublishOptions};
use tokio::sync::{mpsc, oneshot};

use crate::queue::Input;

/// How many bytes of the outbox are in memory at most, but for one message: the rest is read from the store when it is its turn.
const HELD: usize = 1 << 20;

/// Messages as the store has them.
type Rows = Vec<(u64, String, Vec<u8>)>;

/// What the broker has been told on this connection, and what it still has to be told.
pub(crate) struct Outgoing {
    prefix: String,
    shown: Arc<Outputs>,
    /// The first messages that no broker has acknowledged, in order; `true`: handed to this connection.
    outbox: BTreeMap<u64, (Message, bool)>,
    /// How many bytes these have.
    bytes: usize,
    /// The number after those that were read.
    next: u64,
    /// The store may have more of them.
    more: bool,
    /// What is being read.
    asked: Option<oneshot::Receiver<Rows>>,
    /// Acknowledged messages that the engine has not been told of.
    settled: VecDeque<u64>,
}

impl Outgoing {
    /// Starts with what an earlier run of the daemon did not get acknowledged: it is read from the store.
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            shown: Arc::default(),
            outbox: BTreeMap::new(),
            bytes: 0,
            next: 0,
            more: true,
            asked: None,
            settled: VecDeque::new(),
        }
    }

    /// A new connection knows nothing.
    pub(crate) fn reconnected(&mut self) {
        self.shown = Arc::default();
        self.outbox.values_mut().for_each(|(_, handed)| *handed = false);
    }

    /// Takes messages that are in the store by now. What does not fit is read from there later.
    pub(crate) fn add(&mut self, messages: Vec<(u64, Message)>) {
        for (number, message) in messages {
            if self.more || self.asked.is_some() || self.bytes >= HELD {
                self.more = true;
            } else {
                self.hold(number, message);
            }
        }
    }

    fn hold(&mut self, number: u64, message: Message) {
        // It may have been read from the store already.
        if number >= self.next {
            self.next = number + 1;
            self.bytes += size(&message);
            self.outbox.insert(number, (message, false));
        }
    }

    /// Asks the engine's thread for what follows in the store, if there is room for it.
    pub(crate) async fn ask(&mut self, inputs: &mpsc::WeakSender<Input>) {
        if !self.more || self.asked.is_some() || self.bytes > HELD / 2 {
            return;
        }
        let Some(inputs) = inputs.upgrade() else { return };
        let (answer, asked) = oneshot::channel();
        let from = self.next;
        let read = Input::task("outbox.read", move |desk| {
            let rows = desk.engine.snapshot()?.outbox_from(from, HELD as u64 / 2)?;
            // The connection ends with the engine, and may be gone.
            let _ = answer.send(rows);
            Ok(())
        });
        if inputs.send(read).await.is_ok() {
            // What is added from now on may be in the answer, or not.
            (self.asked, self.more) = (Some(asked), false);
        }
    }

    /// Waits for what was asked for; for ever if nothing was. Cancelling loses nothing.
    pub(crate) async fn answered(&mut self) {
        let Some(asked) = &mut self.asked else { return std::future::pending().await };
        let rows = asked.await.unwrap_or_default();
        self.asked = None;
        // There may be as many again.
        self.more |= !rows.is_empty();
        for (number, topic, payload) in rows {
            self.hold(number, Message { topic, payload, delivery: Delivery::AtLeastOnce });
        }
    }

    /// The broker has acknowledged a message. The engine gets to know it by `settle`.
    pub(crate) fn acknowledged(&mut self, number: u64) {
        if let Some((message, _)) = self.outbox.remove(&number) {
            self.bytes -= size(&message);
            self.settled.push_back(number);
        }
    }

    /// Reports acknowledged messages to the engine. Cancel-safe: a number is removed once the engine has it.
    pub(crate) async fn settle(&mut self, inputs: &mpsc::WeakSender<Input>) {
        while let (Some(number), Some(inputs)) = (self.settled.front(), inputs.upgrade()) {
            if inputs.send(Input::sent(*number)).await.is_err() {
                return;
            }
            self.settled.pop_front();
        }
    }

    /// The outputs that differ from what this connection has published, as topic and text.
    fn difference(&self, wanted: &Outputs) -> Vec<(String, String)> {
        let new = wanted.iter().filter(|(name, text)| self.shown.get(name) != Some(text));
        new.map(|((channel, name), text)| {
            (format!("{}/{channel}/{name}", self.prefix), text.clone().unwrap_or_default())
        })
        .collect()
    }

    /// Publishes the difference, and returns how many outputs that were. An empty retained message deletes an output at the broker.
    pub(crate) async fn reconcile(
        &mut self,
        client: &AsyncClient,
        wanted: &Arc<Outputs>,
    ) -> Result<usize, ClientError> {
        if Arc::ptr_eq(&self.shown, wanted) {
            return Ok(0);
        }
        let difference = self.difference(wanted);
        let outputs = difference.len();
        for (topic, text) in difference {
            client.publish(topic, text, PublishOptions::at_least_once().retained()).await?;
        }
        // After an error the connection has ended, and the next one knows nothing.
        self.shown = Arc::clone(wanted);
        Ok(outputs)
    }

    /// Sends the messages of the outbox, and returns futures of their acknowledgements.
    pub(crate) async fn send(
        &mut self,
        client: &AsyncClient,
    ) -> Result<Vec<(u64, PublishNotice)>, ClientError> {
        let mut notices = Vec::new();
        for (number, (message, handed)) in self.outbox.iter_mut().filter(|(_, (_, handed))| !handed)
        {
            let (topic, payload) = (message.topic.clone(), message.payload.clone());
            notices.push((
                *number,
                client.publish_tracked(topic, payload, PublishOptions::at_least_once()).await?,
            ));
            *handed = true;
        }
        Ok(notices)
    }
}

fn size(message: &Message) -> usize {
    message.topic.len() + message.payload.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(list: &[(&str, Option<&str>)]) -> Outputs {
        list.iter()
            .map(|(name, text)| {
                ((Arc::from("seaside"), (*name).to_owned()), text.map(str::to_owned))
            })
            .collect()
    }

    #[test]
    fn only_what_the_connection_was_not_told_differs() {
        let mut outgoing = Outgoing::new("heat/v1");
        let wanted = outputs(&[("heat", Some("7")), ("gone", None)]);
        let all = vec![
            // Empty: it is deleted at the broker.
            ("heat/v1/seaside/gone".to_owned(), String::new()),
            ("heat/v1/seaside/heat".to_owned(), "7".to_owned()),
        ];
        assert_eq!(outgoing.difference(&wanted), all);
        outgoing.shown = Arc::new(wanted.clone());
        assert!(outgoing.difference(&wanted).is_empty());
        assert_eq!(outgoing.difference(&outputs(&[("heat", Some("8"))])).len(), 1);
        outgoing.reconnected();
        assert_eq!(outgoing.difference(&wanted), all);
    }

    fn message(bytes: usize) -> Message {
        let (topic, payload) = ("lights/x".to_owned(), vec![b'x'; bytes]);
        Message { topic, payload, delivery: Delivery::AtLeastOnce }
    }

    /// Answers as the store does that has these messages.
    async fn read(outgoing: &mut Outgoing, rows: Rows) {
        let (answer, asked) = oneshot::channel();
        (outgoing.asked, outgoing.more) = (Some(asked), false);
        answer.send(rows).expect("it is waited for");
        outgoing.answered().await;
    }

    fn row(number: u64, bytes: usize) -> (u64, String, Vec<u8>) {
        let Message { topic, payload, .. } = message(bytes);
        (number, topic, payload)
    }

    #[tokio::test]
    async fn what_does_not_fit_stays_in_the_store_until_it_is_its_turn() {
        let mut outgoing = Outgoing::new("heat/v1");
        read(&mut outgoing, Vec::new()).await;
        assert!(!outgoing.more, "the store has nothing");
        outgoing.add((0..100).map(|number| (number, message(60_000))).collect());
        assert!(outgoing.more && outgoing.bytes < HELD + 70_000, "{}", outgoing.bytes);
        let held = outgoing.outbox.len() as u64;
        // What comes now is behind what is in the store.
        outgoing.add(vec![(100, message(1))]);
        assert_eq!(outgoing.outbox.len() as u64, held);
        (0..held).for_each(|number| outgoing.acknowledged(number));
        assert_eq!((outgoing.bytes, outgoing.next), (0, held));
        read(&mut outgoing, vec![row(held, 10), row(held + 1, 10)]).await;
        assert!(outgoing.more && outgoing.outbox.contains_key(&(held + 1)));
        read(&mut outgoing, (held + 2..=100).map(|number| row(number, 10)).collect()).await;
        read(&mut outgoing, Vec::new()).await;
        assert!(!outgoing.more);
        // It was read already.
        outgoing.add(vec![(100, message(1)), (101, message(1))]);
        assert_eq!(outgoing.outbox.keys().next_back(), Some(&101));
        assert_eq!(outgoing.outbox.len() as u64, 102 - held);
    }

    #[tokio::test]
    async fn what_is_added_while_the_store_is_read_is_not_lost() {
        let mut outgoing = Outgoing::new("heat/v1");
        let (answer, asked) = oneshot::channel();
        (outgoing.asked, outgoing.more) = (Some(asked), false);
        outgoing.add(vec![(0, message(1))]);
        answer.send(Vec::new()).expect("it is waited for");
        outgoing.answered().await;
        assert!(outgoing.more, "the store has to be read once more");
    }
}
