//! Finds the broker: an external one, or the embedded one, which it starts.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use tokio::task::JoinHandle;
use tracing::warn;

use super::inlet::Inlet;
use super::{Own, start};
use crate::broker::{Address, is_far};
use crate::config::{Broker, Embedded, External, KEEP_ALIVE, OWN_NAME};
use crate::tls;

/// The address of the broker, and the embedded broker's task if that is the one.
pub(crate) struct Home {
    /// Where the broker is, and how heatd logs in.
    pub(crate) address: Address,
    /// Whether the broker is in this process, and passes on by itself what rules take.
    pub(crate) is_here: bool,
    /// The task of the embedded broker, until `ended` takes it.
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
            client_id: external.client_id.clone(),
            keep_alive: external.keep_alive,
        };
        Ok(Self { address, is_here: false, embedded: None })
    }

    async fn here(embedded: &Embedded, inlet: Inlet) -> Result<Self> {
        // Known only to this process, and new at each start. It is part of the client id, too: another client with the same id
        // would take over heatd's session and subscriptions.
        let secret = tls::secret()?;
        let client_id = format!("{OWN_NAME}-{}", &secret[..16]);
        let own = Own { name: OWN_NAME, password: &secret, client_id: &client_id };
        let running = start(embedded, own, inlet).await?;
        let ip = running.address.ip();
        let host = if ip.is_unspecified() { "127.0.0.1".to_owned() } else { ip.to_string() };
        let login = (!embedded.is_open()).then(|| (OWN_NAME.to_owned(), secret.clone()));
        let (port, keep_alive) = (running.address.port(), KEEP_ALIVE);
        let address = Address { host, port, login, tls: None, client_id, keep_alive };
        Ok(Self { address, is_here: true, embedded: Some(running.task) })
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
