//! The wiring: every task, every channel, and the shutdown, on one page.
//!
//! Shutdown flows with the data. Sources stop and drop their ends of the engine's queue; the engine drains it, commits, and drops
//! its outlets; the broker's connection shows the last outputs, says that heatd is gone, and leaves.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use heat_engine::{Chain, Engine, Sandbox, Store, role_name};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::broker::{self, Address, Link, Routes};
use crate::chat::{self, Chat};
use crate::config::{Broker, Config, Mistakes};
use crate::decider::{self, Agenda, Mailbox, Outlets};
use crate::metrics::Metrics;
use crate::{chains, clock, embedded, http, shutdown, tls};

/// How many events may wait for the engine. Sources wait when it is full; nothing is dropped.
const QUEUE: usize = 2048;

/// How long the shutdown may take, from the last source to the last word.
const GRACE: Duration = Duration::from_secs(20);

/// A configuration whose every part has been checked, rules included. No socket is open, and no store.
pub(crate) struct Prepared {
    config: Config,
    sandbox: Arc<Sandbox>,
    chains: Vec<Chain>,
}

impl Prepared {
    pub(crate) fn new(config: Config, mistakes: &Mistakes) -> Result<Self> {
        let sandbox = Arc::new(Sandbox::new(Some(&config.data.join("cache")))?);
        let chains = chains::load(&config, &sandbox, mistakes);
        Ok(Self { config, sandbox, chains })
    }

    /// What would run, for people.
    pub(crate) fn summary(&self) -> String {
        let mut summary = "the configuration is right\n".to_owned();
        for chain in &self.chains {
            let rule = |(slot, rule): &(String, heat_engine::Rule)| {
                format!(
                    "{slot} ({} {})",
                    role_name(rule.description().role),
                    rule.description().version
                )
            };
            let rules: Vec<String> = chain.rules.iter().map(rule).collect();
            // Writing into a string does not fail.
            let _ = writeln!(summary, "  #{}: {}", chain.channel, rules.join(", "));
        }
        summary
    }
}

/// Runs until Ctrl-C or SIGTERM, or until a part fails.
pub(crate) fn run(prepared: Prepared) -> Result<()> {
    info!(version = env!("CARGO_PKG_VERSION"), data = %prepared.config.data.display(), "heatd starts");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start")?;
    runtime.block_on(wire(prepared))
}

async fn wire(prepared: Prepared) -> Result<()> {
    let Prepared { config, sandbox, chains } = prepared;
    let mut signal = Box::pin(shutdown::asked_for()?);
    let store = open_store(&config.data)?;
    let newest = store.snapshot()?.newest()?;
    tokio::select! {
        () = clock::catch_up(newest) => {}
        () = &mut signal => return Ok(()),
    }
    let mut engine = Engine::open(sandbox, store, chains)?;
    engine.expire_log(clock::now().saturating_sub(config.keep_log))?;
    let routes = Routes::new(engine.topics(), clock::now());
    let outbox = engine.snapshot()?.outbox()?;

    let metrics = Metrics::new(chat::connections(&config.twitch));
    let (inputs, queue) = mpsc::channel(QUEUE);
    let (outputs_in, outputs) = watch::channel(Arc::new(engine.outputs().clone()));
    let (agenda_in, agenda) = watch::channel(Agenda::default());
    let (trigger, shutdown) = shutdown::channel();
    let mailbox = Arc::new(Mailbox::default());

    let listener = TcpListener::bind(config.http).await;
    let listener =
        listener.with_context(|| format!("failed to listen on {} for HTTP", config.http))?;
    info!(address = %listener.local_addr()?, "http listens");
    let (address, broker_task) = broker_address(&config).await?;

    let outlets = Outlets {
        outputs: outputs_in,
        agenda: agenda_in,
        mailbox: mailbox.clone(),
        metrics: metrics.clone(),
        flush: config.flush,
    };
    let (engine_in, engine_ended) = oneshot::channel();
    let engine_thread = thread::Builder::new().name("engine".to_owned()).spawn(move || {
        // Nobody listens any more only when the daemon is gone already.
        let _ = engine_in.send(decider::run(engine, queue, outlets));
    })?;

    let mut sources = JoinSet::new();
    let tls = if config.twitch.tls { Some(Arc::new(tls::client(None)?)) } else { None };
    let chat = Chat {
        twitch: Arc::new(config.twitch),
        tls,
        inputs: inputs.clone(),
        metrics: metrics.clone(),
    };
    sources.spawn(chat::run(chat, shutdown.clone()));
    sources.spawn(clock::run(agenda, inputs.clone(), shutdown.clone()));
    let http = tokio::spawn(http::run(listener, metrics.clone(), shutdown.clone()));
    // The queue ends with its sources; the broker's connection outlives them, and holds only a weak end of it.
    let weak_inputs = inputs.downgrade();
    drop(inputs);
    let link = Link {
        address,
        prefix: config.mqtt.prefix,
        routes,
        outbox,
        outputs,
        mailbox,
        inputs: weak_inputs,
        metrics: metrics.clone(),
    };
    let broker = tokio::spawn(broker::run(link, shutdown));

    let mut engine_ended = Box::pin(engine_ended);
    let cause = tokio::select! {
        () = &mut signal => Ok(()),
        ended = &mut engine_ended => Err(engine_error(ended)),
        Some(ended) = sources.join_next() => Err(anyhow!("a source of events ended unexpectedly: {ended:?}")),
        ended = broker_ended(broker_task) => Err(ended),
    };
    info!("heatd stops");
    metrics.stopping();
    trigger.pull();
    let last = async {
        while sources.join_next().await.is_some() {}
        if cause.is_ok() {
            (&mut engine_ended).await.map_err(|_| anyhow!("the engine's thread panicked"))??;
        }
        broker.await.context("the broker's connection panicked")?;
        http.await.context("the HTTP server panicked")?.context("the HTTP server failed")
    };
    let stopped = timeout(GRACE, last)
        .await
        .unwrap_or_else(|_| Err(anyhow!("the shutdown took longer than {GRACE:?}")));
    if stopped.is_ok() && engine_thread.join().is_err() {
        return Err(anyhow!("the engine's thread panicked"));
    }
    cause.and(stopped)
}

fn engine_error(
    ended: Result<Result<(), heat_engine::StoreError>, oneshot::error::RecvError>,
) -> anyhow::Error {
    match ended {
        Ok(Err(error)) => {
            anyhow!(error).context("the store must be opened again; start heatd again")
        }
        Ok(Ok(())) => anyhow!("the engine ended unexpectedly"),
        Err(_) => anyhow!("the engine's thread panicked"),
    }
}

/// Opens the store in the data folder, which only its owner may enter.
fn open_store(data: &Path) -> Result<Store> {
    std::fs::create_dir_all(data)
        .with_context(|| format!("failed to make the data folder {}", data.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if let Err(error) = std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700)) {
            warn!(%error, data = %data.display(), "the data folder stays open to others");
        }
    }
    let file = data.join("heat.redb");
    Store::open(&file).with_context(|| format!("failed to open {}", file.display()))
}

/// Where the broker is; the embedded one is started first.
async fn broker_address(
    config: &Config,
) -> Result<(Address, Option<tokio::task::JoinHandle<Result<()>>>)> {
    match &config.mqtt.broker {
        Broker::External(external) => {
            let tls = if external.tls {
                Some(Arc::new(tls::client(external.ca.as_deref())?))
            } else {
                None
            };
            let (host, login, client_id) =
                (external.host.clone(), external.login.clone(), external.client_id.clone());
            Ok((Address { host, port: external.port, login, tls, client_id }, None))
        }
        Broker::Embedded(embedded) => {
            // Known to nobody but this process, and new at each start.
            let secret = tls::secret()?;
            let own = ("heatd", secret.as_str());
            let running = embedded::start(embedded, own).await?;
            let login = (!embedded.users.is_empty()).then(|| (own.0.to_owned(), secret.clone()));
            let ip = running.address.ip();
            let host = if ip.is_unspecified() { "127.0.0.1".to_owned() } else { ip.to_string() };
            let address = Address {
                host,
                port: running.address.port(),
                login,
                tls: None,
                client_id: "heatd".to_owned(),
            };
            Ok((address, Some(running.task)))
        }
    }
}

/// Waits for the end of the embedded broker, for ever if there is none.
async fn broker_ended(task: Option<tokio::task::JoinHandle<Result<()>>>) -> anyhow::Error {
    match task {
        Some(task) => match task.await {
            Ok(Ok(())) => anyhow!("the embedded broker ended unexpectedly"),
            Ok(Err(error)) => error.context("the embedded broker failed"),
            Err(error) => anyhow!(error).context("the embedded broker panicked"),
        },
        None => std::future::pending().await,
    }
}
