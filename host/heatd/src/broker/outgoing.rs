//! What is sent to the broker: outputs as retained messages, and the outbox. Level-triggered: on every change and on every
//! connection the difference between what is wanted and what this connection was told goes out.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use heat_engine::Outputs;
use heat_engine::wit::{Delivery, Message};
use rumqttc::{AsyncClient, ClientError, PublishNotice, PublishOptions};
use tokio::sync::mpsc;

use crate::queue::Input;

/// What the broker has been told on this connection, and what it still has to be told.
pub(crate) struct Outgoing {
    prefix: String,
    shown: HashMap<String, Option<String>>,
    /// Messages that no broker has acknowledged, in order; `true`: handed to this connection.
    outbox: BTreeMap<u64, (Message, bool)>,
    /// Acknowledged messages that the engine has not been told of.
    settled: VecDeque<u64>,
}

impl Outgoing {
    /// Starts with the messages that an earlier run of the daemon did not get acknowledged.
    pub(crate) fn new(prefix: &str, outbox: Vec<(u64, String, Vec<u8>)>) -> Self {
        let outbox = outbox.into_iter().map(|(number, topic, payload)| {
            (number, (Message { topic, payload, delivery: Delivery::AtLeastOnce }, false))
        });
        Self {
            prefix: prefix.to_owned(),
            shown: HashMap::new(),
            outbox: outbox.collect(),
            settled: VecDeque::new(),
        }
    }

    /// A new connection knows nothing.
    pub(crate) fn reconnected(&mut self) {
        self.shown.clear();
        self.outbox.values_mut().for_each(|(_, handed)| *handed = false);
    }

    pub(crate) fn add(&mut self, messages: Vec<(u64, Message)>) {
        self.outbox
            .extend(messages.into_iter().map(|(number, message)| (number, (message, false))));
    }

    /// The broker has acknowledged a message; the engine has to be told.
    pub(crate) fn acknowledged(&mut self, number: u64) {
        if self.outbox.remove(&number).is_some() {
            self.settled.push_back(number);
        }
    }

    /// Tells the engine what has been acknowledged. Cancelling loses nothing: a number goes when the engine has it.
    pub(crate) async fn settle(&mut self, inputs: &mpsc::WeakSender<Input>) {
        while let (Some(number), Some(inputs)) = (self.settled.front(), inputs.upgrade()) {
            if inputs.send(Input::sent(*number)).await.is_err() {
                return;
            }
            self.settled.pop_front();
        }
    }

    /// The outputs that this connection has not been told, as topic and text.
    fn difference(&self, wanted: &Outputs) -> Vec<(String, Option<String>)> {
        let named = wanted
            .iter()
            .map(|((channel, name), text)| (format!("{}/{channel}/{name}", self.prefix), text));
        named
            .filter(|(topic, text)| self.shown.get(topic) != Some(text))
            .map(|(topic, text)| (topic, text.clone()))
            .collect()
    }

    /// Publishes the difference, and says how many outputs that were. An output that was taken back is deleted at the broker by an empty retained message.
    pub(crate) async fn reconcile(
        &mut self,
        client: &AsyncClient,
        wanted: &Arc<Outputs>,
    ) -> Result<usize, ClientError> {
        let difference = self.difference(wanted);
        let outputs = difference.len();
        for (topic, text) in difference {
            let payload = text.clone().unwrap_or_default();
            client
                .publish(topic.clone(), payload, PublishOptions::at_least_once().retained())
                .await?;
            self.shown.insert(topic, text);
        }
        Ok(outputs)
    }

    /// Hands the messages of the outbox to the connection, and returns the notices of their acknowledgement.
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
        let mut outgoing = Outgoing::new("heat/v1", Vec::new());
        let wanted = outputs(&[("heat", Some("7")), ("gone", None)]);
        let all = vec![
            ("heat/v1/seaside/gone".to_owned(), None),
            ("heat/v1/seaside/heat".to_owned(), Some("7".to_owned())),
        ];
        assert_eq!(outgoing.difference(&wanted), all);
        outgoing.shown.extend(all.clone());
        assert!(outgoing.difference(&wanted).is_empty());
        assert_eq!(outgoing.difference(&outputs(&[("heat", Some("8"))])).len(), 1);
        outgoing.reconnected();
        assert_eq!(outgoing.difference(&wanted), all);
    }
}
