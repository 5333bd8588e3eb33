//! Finds the broker: an external one, or the embedded one, which it starts.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use tokio::task::JoinHandle;
use tracing::warn;

use super::inlet::Inlet;
use super::{RunningBroker, start};
use crate::broker::{Address, is_far};
use crate::config::{Broker, Embedded, External, KEEP_ALIVE, OWN_NAME};
use crate::tls;

/// The address of the broker, and the embedded broker's task if that is the one.
pub(crate) struct BrokerHandle {
    /// Where the broker is, and how heatd logs in.
    pub(crate) address: Address,
    /// Whether the broker is in this process, and passes on by itself what rules take.
    pub(crate) is_here: bool,
    /// The task of the embedded broker, until `ended` takes it.
    embedded: Option<JoinHandle<Result<()>>>,
}

impl BrokerHandle {
    /// `inlet` is where the embedded broker passes on what rules take.
    pub(crate) async fn find(broker: &Broker, inlet: Inlet) -> Result<Self> {
        match broker {
            Broker::External(external) => Self::elsewhere(external).await,
            Broker::Embedded(embedded) => Self::here(embedded, inlet).await,
        }
    }

    async fn elsewhere(external: &External) -> Result<Self> {
        if external.login.is_some() && !external.tls && is_far(&external.host, external.port).await
        {
            warn!(
                host = external.host,
                "the password goes to the broker unencrypted, and perhaps through the internet: set `tls = true` in [mqtt.broker]"
            );
        }
        let tls = match external.tls {
            true => Some(Arc::new(tls::client(external.ca.as_deref())?)),
            false => None,
        };
        let address = Address {
            host: external.host.clone(),
            port: external.port,
            login: external.login.clone(),
            tls,
            entrance: None,
            client_id: external.client_id.clone(),
            keep_alive: external.keep_alive,
        };
        Ok(Self { address, is_here: false, embedded: None })
    }

    async fn here(embedded: &Embedded, inlet: Inlet) -> Result<Self> {
        let RunningBroker { task, entrance } = start(embedded, inlet).await?;
        let address = Address {
            // It is not asked for: heatd has a way in of its own.
            host: "localhost".to_owned(),
            port: embedded.listen.port(),
            login: None,
            tls: None,
            entrance: Some(Arc::new(move || entrance.connect())),
            client_id: OWN_NAME.to_owned(),
            keep_alive: KEEP_ALIVE,
        };
        Ok(Self { address, is_here: true, embedded: Some(task) })
    }

    /// A future that resolves when the embedded broker has ended; never if there is none. To be called once.
    pub(crate) fn ended(&mut self) -> impl Future<Output = anyhow::Error> + use<> {
        let task = self.embedded.take();
        async move {
            let Some(task) = task else { return std::future::pending().await };
            match task.await {
                Ok(Ok(())) => anyhow!("the embedded broker ended unexpectedly"),
                Ok(Err(error)) => error.context("the embedded broker failed"),
                Err(error) => anyhow!(error).context("the embedded broker panicked"),
            }
        }
    }
}
