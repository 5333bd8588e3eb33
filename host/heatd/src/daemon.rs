//! The wiring: what is opened, started and stopped, in order.
//!
//! Shutdown flows with the data. Sources stop and drop their ends of the engine's queue; the engine drains it, commits, and drops
//! what it writes to; the broker's connection shows the last outputs, says that heatd is gone, and leaves.

mod ended;
mod opening;
mod parts;
mod prepared;
mod running;
mod stop;
mod stored;
#[cfg(test)]
mod tests;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};
use tracing::info;

use crate::compiler::Compiler;
use crate::config::Config;
use crate::{clock, data, http, shutdown};
use opening::Opening;
use parts::Parts;
pub(crate) use prepared::Prepared;
use running::Running;

/// Runs until Ctrl-C or SIGTERM, or until a part fails.
pub(crate) fn run(prepared: Prepared) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start")?;
    runtime.block_on(async {
        let asked_to_stop = shutdown::asked_for()?;
        wire(prepared, asked_to_stop).await
    })
}

/// Runs until it is asked to stop, or until a part fails.
async fn wire(prepared: Prepared, asked_to_stop: impl Future<Output = ()>) -> Result<()> {
    info!(version = env!("CARGO_PKG_VERSION"), data = %prepared.data().display(), "heatd starts");
    let mut asked_to_stop = pin!(asked_to_stop);
    let (trigger, shutdown) = shutdown::channel();
    let (compiler, config) = (Arc::clone(&prepared.compiler), Arc::clone(prepared.config()));
    let mut opening = Opening::begin(prepared)?;
    let at_once = unless_stopped(opening.at_once(), &mut asked_to_stop, &compiler).await?;
    let Some(at_once) = at_once else { return Ok(()) };
    // Before a large store is verified, and before the engine: the pages tell what the start waits for.
    let listener = listen(&config).await?;
    let address = listener.local_addr()?;
    data::note_address(&config.data, address)?;
    let site = http::site(address, &config.http, opening.verification());
    let timeout = Duration::from_millis(config.http.request_timeout);
    let mut outward = JoinSet::new();
    outward.spawn(http::run(listener, site.clone(), timeout, shutdown.clone()));
    let stored = match at_once {
        Some(stored) => Some(stored),
        None => unless_stopped(opening.done(), &mut asked_to_stop, &compiler).await?,
    };
    let Some(stored) = stored else { return Ok(()) };
    let (parts, readers) = Parts::new(&stored, shutdown)?;
    http::complete(&site, parts.api(address), parts.access(address));
    tokio::select! {
        () = clock::wait_for_system(stored.newest, clock::LONGEST_WAIT, parts.metrics.health()) => {}
        () = &mut asked_to_stop => return Ok(()),
    }
    let engine = spawn_blocking(move || stored.open_engine());
    let engine = async { engine.await.context("a step of the start panicked")? };
    let Some(engine) = unless_stopped(engine, &mut asked_to_stop, &compiler).await? else {
        return Ok(());
    };
    let mut running = Running::start(parts, readers, engine, outward).await?;
    let cause = running.first_end(&mut asked_to_stop).await;
    compiler.stop();
    running.stop(trigger, cause).await
}

/// Waits for a step of the start. It may have to compile rules, for which nobody waits who wants heatd to stop: then there is no result.
async fn unless_stopped<V>(
    step: impl Future<Output = Result<V>>,
    asked_to_stop: &mut Pin<&mut impl Future<Output = ()>>,
    compiler: &Compiler,
) -> Result<Option<V>> {
    tokio::select! {
        done = step => done.map(Some),
        () = asked_to_stop => {
            compiler.stop();
            Ok(None)
        }
    }
}

async fn listen(config: &Config) -> Result<TcpListener> {
    let address = config.http.listen;
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("failed to listen on {address} for HTTP; is another heatd running? `listen` in [http] changes it")
    })?;
    info!(address = %listener.local_addr()?, "http listens");
    Ok(listener)
}
