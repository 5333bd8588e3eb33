//! heatd while it runs: the tasks that bring events in, the tasks that show what came of them, and the engine's thread between them.

use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use heat_engine::{Engine, StoreError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::parts::{Parts, Readers};
use crate::account::Keeper;
use crate::backup::daily;
use crate::broker::{self, Link, Prefixes, Routes};
use crate::chat::{self, ChannelsReceiver, Chat};
use crate::clock;
use crate::control::folder::Folder;
use crate::control::logins::LoginNotices;
use crate::control::moderation::Moderation;
use crate::data::DataDir;
use crate::decider::{self, EngineOutputs};
use crate::embedded::Inlet;
use crate::embedded::locate::BrokerHandle;
use crate::emotes::Upkeep;
use crate::eventsub::{self, Ear, Teller};
use crate::live_status::LiveStatus;
use crate::metrics::Metrics;
use crate::names::{self, Names, Unnamed};
use crate::queue::streams::Streams;
use crate::queue::{Agenda, Input, Mailbox, Topics, ticks};
use crate::voice::Mouth;

/// The tasks and the thread of a heatd that runs.
pub(super) struct Running {
    /// Knows what helps when the store fails.
    pub(super) data_dir: DataDir,
    /// Says on the pages for machines that heatd stops.
    pub(super) metrics: Metrics,
    /// What brings events in, or keeps what it reads in order. Each holds an end of the queue, or none.
    pub(super) sources: JoinSet<Result<()>>,
    /// What outlives the sources: HTTP and the connection to the broker.
    pub(super) outward: JoinSet<Result<()>>,
    /// Resolves when the engine's thread has ended, with the error of the store if that was why.
    pub(super) engine: oneshot::Receiver<Result<(), StoreError>>,
    /// Resolves when the embedded broker has ended; never where there is none.
    pub(super) embedded: Pin<Box<dyn Future<Output = anyhow::Error>>>,
}

impl Running {
    /// Starts everything that is not running yet. The embedded broker comes first: where it cannot listen, nothing is started.
    pub(super) async fn start(
        parts: Parts,
        readers: Readers,
        (engine, data_dir): (Engine, DataDir),
        mut outward: JoinSet<Result<()>>,
    ) -> Result<Self> {
        let names = parts.registry.names();
        let channels: Vec<String> = names.iter().map(ToString::to_string).collect();
        let streams = Streams::new(parts.config.stream.clone(), &channels, clock::now());
        let topics = watch::Sender::new(Arc::new(streams.with_topics(engine.topics(), &names)));
        let routes = Routes::new(topics.subscribe(), clock::now(), parts.raw_log.clone());
        let mut home =
            BrokerHandle::find(&parts.config.mqtt.broker, inlet(&parts, &routes)).await?;
        let embedded = Box::pin(home.ended());
        parts.show(&engine)?;
        let mailbox = Arc::new(Mailbox::default());
        let link = link(&parts, home, routes, &mailbox);
        outward.spawn(broker::run(link, parts.shutdown.clone()));
        let agenda = watch::Sender::default();
        let mut sources = start_sources(&parts, readers.wanted, readers.upkeep, agenda.subscribe());
        let (unnamed, names) = mpsc::channel(names::MOST);
        start_accounts(&parts, readers.mouth, names, &mut sources);
        let outlets = outlets(&parts, streams, topics, (mailbox, unnamed), agenda)?;
        let metrics = parts.metrics.clone();
        // From here on only the sources have ends of the queue: when they are gone, the engine ends.
        drop(parts);
        let engine = start_engine(engine, readers.queue, outlets)?;
        Ok(Self { data_dir, metrics, sources, outward, engine, embedded })
    }
}

/// Where the embedded broker passes on what rules take.
fn inlet(parts: &Parts, routes: &Routes) -> Inlet {
    Inlet {
        routes: routes.clone(),
        inputs: parts.inputs.downgrade(),
        metrics: parts.metrics.clone(),
        shutdown: parts.shutdown.clone(),
    }
}

/// What the connection to the broker is made of. It outlives the sources, so it holds the queue weakly.
fn link(parts: &Parts, home: BrokerHandle, routes: Routes, mailbox: &Arc<Mailbox>) -> Link {
    let (config, keeps) = (&parts.config, !home.is_here);
    Link {
        prefixes: Prefixes::open(&config.data, &config.mqtt.prefix, keeps),
        only_retained: home.is_here,
        address: home.address,
        prefix: parts.config.mqtt.prefix.clone(),
        routes,
        outputs: parts.outputs.subscribe(),
        mailbox: Arc::clone(mailbox),
        inputs: parts.inputs.downgrade(),
        metrics: parts.metrics.clone(),
    }
}

/// Starts what brings events in, and what keeps in order what that reads.
fn start_sources(
    parts: &Parts,
    wanted: ChannelsReceiver,
    upkeep: Option<Upkeep>,
    agenda: watch::Receiver<Agenda>,
) -> JoinSet<Result<()>> {
    let (config, shutdown) = (&parts.config, || parts.shutdown.clone());
    let mut sources = JoinSet::new();
    if let Some(upkeep) = upkeep {
        sources.spawn(upkeep.run(shutdown()));
    }
    let chat = Chat {
        tls: parts.tls.clone().filter(|_| config.twitch.tls),
        config: Arc::clone(config),
        inputs: parts.inputs.clone(),
        metrics: parts.metrics.clone(),
        emotes: parts.emotes.clone(),
        facts: Arc::clone(&parts.facts),
        removals: Arc::clone(&parts.removals),
        colours: Arc::clone(&parts.feed.colours),
        raw_log: parts.raw_log.clone(),
    };
    sources.spawn(chat::run(chat, wanted, shutdown()));
    sources.spawn(Folder::new(parts.live.clone()).run(shutdown()));
    sources.spawn(daily::run(Arc::clone(&parts.backups), shutdown()));
    sources.spawn(ticks::run(agenda, parts.inputs.clone(), shutdown()));
    sources
}

/// Starts what the Twitch accounts of the configuration are for; without any, lines that are to be said are told of all the same.
fn start_accounts(
    parts: &Parts,
    mouth: Mouth,
    unnamed: mpsc::Receiver<Unnamed>,
    sources: &mut JoinSet<Result<()>>,
) {
    let (settings, shutdown) = (&parts.config.twitch.accounts, || parts.shutdown.clone());
    sources.spawn(mouth.run(shutdown()));
    if settings.wanted.is_empty() {
        return;
    }
    let notices = LoginNotices {
        accounts: Arc::clone(&parts.accounts),
        registry: Arc::clone(&parts.registry),
        inputs: parts.inputs.downgrade(),
        metrics: parts.metrics.clone(),
    };
    sources.spawn(notices.run(shutdown()));
    sources.spawn(Keeper::new(Arc::clone(&parts.accounts)).run(shutdown()));
    let teller = Teller {
        inputs: parts.inputs.clone(),
        facts: Arc::clone(&parts.facts),
        words: Arc::clone(&parts.words),
        removals: Arc::clone(&parts.removals),
        emotes: parts.emotes.clone(),
        metrics: parts.metrics.clone(),
        raw_log: parts.raw_log.clone(),
    };
    let ear = Ear::new(
        Arc::clone(&parts.helix),
        Arc::clone(&parts.registry),
        Arc::clone(&parts.hearing),
        (settings.eventsub.clone(), parts.tls.clone()),
        &parts.config.data,
        teller,
    );
    sources.spawn(eventsub::run(ear, shutdown()));
    let live_status = LiveStatus {
        helix: Arc::clone(&parts.helix),
        registry: Arc::clone(&parts.registry),
        states: parts.states.subscribe(),
        words: Arc::clone(&parts.words),
        inputs: parts.inputs.clone(),
        every: Duration::from_millis(settings.live_every),
    };
    sources.spawn(live_status.run(shutdown()));
    let (helix, inputs) = (Arc::clone(&parts.helix), parts.inputs.clone());
    sources.spawn(Names { helix, unnamed, inputs }.run(shutdown()));
}

/// The writing ends of all that the engine's thread shows.
fn outlets(
    parts: &Parts,
    streams: Streams,
    topics: watch::Sender<Arc<Topics>>,
    (mailbox, unnamed): (Arc<Mailbox>, mpsc::Sender<Unnamed>),
    agenda: watch::Sender<Agenda>,
) -> Result<EngineOutputs> {
    let (config, live, feed) = (&parts.config, &parts.live, &parts.feed);
    Ok(EngineOutputs {
        outputs: parts.outputs.clone(),
        agenda,
        mailbox,
        says: parts.says.clone(),
        unnamed,
        states: parts.states.clone(),
        metrics: parts.metrics.clone(),
        registry: Arc::clone(&parts.registry),
        feed: feed.clone(),
        raw_log: parts.raw_log.clone(),
        streams,
        moderation: Moderation::new(live, feed, &config.undo_command)?,
        topics,
        shadows: Arc::clone(&live.shadows),
        flush: Duration::from_millis(config.flush),
        gather: Duration::from_millis(config.gather),
        keep_log: config.keep_log,
        kept: config.series.clone(),
    })
}

fn start_engine(
    engine: Engine,
    queue: mpsc::Receiver<Input>,
    outlets: EngineOutputs,
) -> Result<oneshot::Receiver<Result<(), StoreError>>> {
    let (ended_in, ended) = oneshot::channel();
    thread::Builder::new().name("engine".to_owned()).spawn(move || {
        // Nobody listens any more only when the daemon is gone already.
        let _ = ended_in.send(decider::run(engine, queue, outlets));
    })?;
    Ok(ended)
}
