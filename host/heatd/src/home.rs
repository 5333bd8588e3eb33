//! Where the broker is: elsewhere, or in this process, where it is started first.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use tokio::task::JoinHandle;
use tracing::warn;

use crate::broker::{Address, is_far};
use crate::config::{Broker, Embedded, External, KEEP_ALIVE, OWN_NAME};
use crate::embedded::Inlet;
use crate::{embedded, tls};

/// An address, and the embedded broker if that is where it leads.
pub(crate) struct Home {
    pub(crate) address: Address,
    embedded: Option<JoinHandle<Result<()>>>,
}

impl Home {
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
        Ok(Self { address, embedded: None })
    }

    async fn here(embedded: &Embedded, inlet: Inlet) -> Result<Self> {
        let running = embedded::start(embedded, inlet).await?;
        let address = Address {
            // It is not asked for: heatd has a way in of its own.
            host: "localhost".to_owned(),
            port: embedded.listen.port(),
            login: None,
            tls: None,
            entrance: Some(running.entrance),
            client_id: OWN_NAME.to_owned(),
            keep_alive: KEEP_ALIVE,
        };
        Ok(Self { address, embedded: Some(running.task) })
    }

    /// Whether the broker is in this process, and passes on by itself what rules take.
    pub(crate) fn is_here(&self) -> bool {
        self.embedded.is_some()
    }

    /// Takes out what waits for the end of the embedded broker: for ever if there is none.
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
