//! The wiring: every task, every channel, and the shutdown, on one page.
//!
//! Shutdown flows with the data. Sources stop and drop their ends of the engine's queue; the engine drains it, commits, and drops
//! its outlets; the broker's connection shows the last outputs, says that heatd is gone, and leaves.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use heat_engine::{Chain, Engine, OpenError, Sandbox, StoreError, role_name};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tracing::info;

use crate::backup::{self, Backups};
use crate::broker::{self, Link, Routes};
use crate::chains::ConfiguredSlots;
use crate::channels::{self, Channels};
use crate::chat::{self, Chat, Wants};
use crate::config::{Config, Mistakes};
use crate::decider::{self, Agenda, Mailbox, Outlets};
use crate::embedded::Inlet;
use crate::feed::{Feed, States};
use crate::folder::Folder;
use crate::home::Home;
use crate::http::{AnswerLimits, Api, ApiAccess};
use crate::live::{Live, Shadows, Speed};
use crate::metrics::Metrics;
use crate::moderation::Moderation;
use crate::roster::Roster;
use crate::streams::Streams;
use crate::tokens::Tokens;
use crate::{chains, clock, data, emotes, gaps, http, shutdown, tls};

/// How many events may wait for the engine. Sources wait when it is full; nothing is dropped.
const QUEUE: usize = 1024;

/// How long the shutdown may take, from the last source to the last word.
const GRACE: Duration = Duration::from_secs(20);

/// A configuration whose every part has been checked, rules included. No socket is open, and no store.
pub(crate) struct Prepared {
    config: Config,
    sandbox: Arc<Sandbox>,
    chains: Vec<Chain>,
}

impl Prepared {
    /// `keep`: compiled rules may be kept in the data folder. A mere check writes nothing.
    pub(crate) fn new(config: Config, mistakes: &Mistakes, keep: bool) -> Result<Self> {
        let cache = config.data.join("cache");
        let sandbox =
            Arc::new(Sandbox::new(keep.then_some(cache.as_path()))?.with_clock(clock::elapsed));
        let chains = chains::load(&config, &config.twitch.channels, &sandbox, mistakes);
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
    let (config, (trigger, shutdown)) = (Arc::new(config), shutdown::channel());

    let keeper = data::Keeper::new(&config);
    let store = keeper.open()?;
    let newest = store.snapshot()?.newest()?;
    let changed = store.snapshot()?.memberships()?;
    let chains = channels::settle(&config, &sandbox, chains, &changed)?;
    let metrics = Metrics::new(chat::connections(chains.len()), chains.len());
    // The pages come early: they tell what the start waits for.
    let listener = TcpListener::bind(config.http.listen).await;
    let listener =
        listener.with_context(|| {
        let address = config.http.listen;
        format!("failed to listen on {address} for HTTP; is another heatd running? `listen` in [http] changes it")
    })?;
    let address = listener.local_addr()?;
    info!(%address, "http listens");
    let tokens = Arc::new(Tokens::open(&config.data, &data::token(&config.data)?)?);
    let access = ApiAccess::new(Arc::clone(&tokens), address, &config.http);
    data::note_address(&config.data, address)?;
    let (inputs, queue) = mpsc::channel(QUEUE);
    let (outputs_in, outputs) = watch::channel(Arc::default());
    let (states_in, states) = watch::channel(Arc::new(States::default()));
    let roster = Roster::new(&chains, channels::removed(&changed, &chains), &metrics);
    let (feed, roster) = (Feed::default(), Arc::new(roster));
    let shadows = Arc::new(Shadows::default());
    let configured = ConfiguredSlots::new(&config, &chains);
    let live = Live {
        inputs: inputs.downgrade(),
        sandbox: Arc::clone(&sandbox),
        shadows: Arc::clone(&shadows),
        speed: Arc::new(Speed::new(&config.data.join("cache"))),
        metrics: metrics.clone(),
        configured: configured.clone(),
        undoing: Arc::default(),
        undo_command: config.undo_command.as_str().into(),
    };
    let statistics = Arc::new(OnceLock::new());
    let encrypted = config.twitch.tls || config.emotes.is_encrypted();
    let tls = if encrypted { Some(Arc::new(tls::client(None)?)) } else { None };
    let folder = config.data.join("cache").join("emotes");
    let (sources_of_emotes, weak) = (config.emotes.clone(), inputs.downgrade());
    let emotes = emotes::open(sources_of_emotes, &roster.names(), tls.clone(), folder, weak);
    let (emotes, upkeep) = emotes.map(|(emotes, upkeep)| (Arc::new(emotes), upkeep)).unzip();
    let last_run = gaps::last_run(&store.snapshot()?, &chains, &changed)?;
    let since = |chain: &Chain| (chain.channel.clone(), last_run.get(&chain.channel).cloned());
    let (wants, wanted) = Wants::new(chains.iter().map(since).collect());
    let channels = Channels {
        config: Arc::clone(&config),
        live: live.clone(),
        roster: Arc::clone(&roster),
        wants,
        emotes: emotes.clone(),
        changing: Mutex::default(),
    };
    let backups =
        Arc::new(Backups::new(config.backup.clone(), config.data.join(data::STORE), live.clone()));
    let api = Api {
        statistics: Arc::clone(&statistics),
        shelves: emotes.as_ref().map(|emotes| emotes.shelves()),
        metrics: metrics.clone(),
        roster: roster.clone(),
        feed: feed.clone(),
        outputs: outputs.clone(),
        states,
        // The queue ends with its sources.
        inputs: inputs.downgrade(),
        store: config.data.join(data::STORE),
        started: Instant::now(),
        shutdown: shutdown.clone(),
        live: live.clone(),
        channels: Arc::new(channels),
        tokens,
        limits: AnswerLimits::default(),
        kept: config.series.clone(),
        backups: Arc::clone(&backups),
    };
    let mut outward = JoinSet::new();
    outward.spawn(http::run(listener, api, access));

    tokio::select! {
        () = clock::catch_up(newest, clock::PATIENCE, metrics.health()) => {}
        () = &mut signal => return Ok(()),
    }
    let engine = Engine::open(sandbox, store, chains, clock::now());
    let mut engine = engine.map_err(|error| match error {
        OpenError::Store(error) => keeper.explain("failed to go on with", error),
        error => error.into(),
    })?;
    engine.settle_members(&config.twitch.channels)?;
    gaps::look_back(&roster, engine.snapshot()?);
    if let Some(counted) = engine.statistics() {
        // Nobody else sets it.
        let _ = statistics.set(counted);
    }
    let names = roster.names();
    let channels: Vec<String> = names.iter().map(ToString::to_string).collect();
    let streams = Streams::new(config.stream.clone(), &channels, clock::now());
    let mut known = engine.topics();
    known.extend(streams.topics(&names));
    known.sort();
    let (topics_in, topics) = watch::channel(Arc::new(known));
    let routes = Routes::new(topics, clock::now());
    let inlet = Inlet {
        routes: routes.clone(),
        inputs: inputs.downgrade(),
        metrics: metrics.clone(),
        shutdown: shutdown.clone(),
    };
    let mut home = Home::find(&config.mqtt.broker, inlet).await?;
    let only_retained = home.is_here();
    let mut embedded_ended = Box::pin(home.ended());
    metrics.stand(&engine.standings());
    roster.stand(engine.standings());
    outputs_in.send_replace(Arc::new(engine.outputs().clone()));
    states_in.send_replace(Arc::new(roster.states(&engine)));
    let (agenda_in, agenda) = watch::channel(Agenda::default());
    let (engine_in, mut engine_ended) = oneshot::channel();
    let mailbox = Arc::new(Mailbox::default());

    let mut sources = JoinSet::new();
    if let Some(upkeep) = upkeep {
        sources.spawn(upkeep.run(shutdown.clone()));
    }
    let chat = Chat {
        tls: tls.filter(|_| config.twitch.tls),
        config: Arc::clone(&config),
        inputs: inputs.clone(),
        metrics: metrics.clone(),
        emotes,
    };
    sources.spawn(chat::run(chat, wanted, shutdown.clone()));
    sources.spawn(Folder::new(live.clone()).run(shutdown.clone()));
    sources.spawn(backup::run(backups, shutdown.clone()));
    sources.spawn(clock::run(agenda, inputs.clone(), shutdown.clone()));

    let link = Link {
        address: home.address,
        prefix: config.mqtt.prefix.clone(),
        routes,
        outbox: engine.snapshot()?.outbox()?,
        outputs,
        mailbox: mailbox.clone(),
        // As above: the broker's connection outlives the sources.
        inputs: inputs.downgrade(),
        metrics: metrics.clone(),
        only_retained,
    };
    outward.spawn(broker::run(link, shutdown));
    drop(inputs);

    let outlets = Outlets {
        outputs: outputs_in,
        agenda: agenda_in,
        states: states_in,
        mailbox,
        metrics: metrics.clone(),
        roster,
        moderation: Moderation { live, feed: feed.clone(), command: config.undo_command.clone() },
        feed,
        topics: topics_in,
        shadows,
        streams,
        flush: Duration::from_millis(config.flush),
        gather: Duration::from_millis(config.gather),
        keep_log: config.keep_log,
        kept: config.series.clone(),
    };
    thread::Builder::new().name("engine".to_owned()).spawn(move || {
        // Nobody listens any more only when the daemon is gone already.
        let _ = engine_in.send(decider::run(engine, queue, outlets));
    })?;

    let cause = tokio::select! {
        () = &mut signal => Ok(()),
        ended = &mut engine_ended => Err(engine_error(&keeper, ended)),
        Some(ended) = sources.join_next() => Err(unexpected(&keeper, "a source of events", &ended, &mut engine_ended).await),
        Some(ended) = outward.join_next() => Err(unexpected(&keeper, "a connection", &ended, &mut engine_ended).await),
        ended = &mut embedded_ended => Err(ended),
    };
    info!("heatd stops");
    metrics.health().stopping();
    trigger.pull();
    let last = async {
        while let Some(ended) = sources.join_next().await {
            ended.context("a source of events panicked")??;
        }
        if cause.is_ok() {
            (&mut engine_ended).await.context("the engine's thread panicked")??;
        }
        while let Some(ended) = outward.join_next().await {
            ended.context("a connection panicked")??;
        }
        Ok(())
    };
    let stopped = timeout(GRACE, last)
        .await
        .unwrap_or_else(|_| Err(anyhow!("the shutdown took longer than {GRACE:?}")));
    cause.and(stopped)
}

/// Why a part has ended that should not. A store that fails takes the queue with it, and then sources and connections end as
/// well: so the engine is asked first.
async fn unexpected(
    keeper: &data::Keeper,
    what: &str,
    ended: &Result<Result<()>, JoinError>,
    engine: &mut oneshot::Receiver<Result<(), StoreError>>,
) -> anyhow::Error {
    match timeout(Duration::from_secs(1), engine).await {
        Ok(result) => engine_error(keeper, result),
        Err(_) => anyhow!("{what} ended unexpectedly: {ended:?}"),
    }
}

fn engine_error(
    keeper: &data::Keeper,
    ended: Result<Result<(), StoreError>, oneshot::error::RecvError>,
) -> anyhow::Error {
    match ended {
        // Whoever supervises heatd starts it again, and then the store is verified.
        Ok(Err(error)) => keeper.explain("heatd must start again: failed to go on with", error),
        Ok(Ok(())) => anyhow!("the engine ended unexpectedly"),
        Err(_) => anyhow!("the engine's thread panicked"),
    }
}
