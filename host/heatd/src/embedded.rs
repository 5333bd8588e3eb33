//! The broker inside heatd, so that nothing else need be installed: rmqtt as a library, on one listener, in memory.
//!
//! It keeps retained messages and sessions while the daemon runs; the outputs come back from the store at each start.
//! For the demo and for one machine. Every setting below is there because its default is wrong for us: rmqtt listens on every
//! address, retains nothing, cuts a replay of retained messages at 1,000, and lets messages expire after five minutes.

mod access;
pub(crate) mod home;
mod inlet;
mod retained;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rmqtt::context::ServerContext;
use rmqtt::hook::Type;
use rmqtt::net::Builder;
use rmqtt::server::MqttServer;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::config::{Anonymous, Embedded};
use access::{Access, Guard};
pub(crate) use inlet::Inlet;
use inlet::Taken;
use retained::Retained;

/// The largest message, in bytes.
const LARGEST_MESSAGE: u32 = 64 << 10;

/// How many messages may wait for one client: more than there can be retained ones, or a replay would be cut.
const QUEUE: usize = 10_000;

/// How many clients there may be at once. A client that has said goodbye keeps its place until it closes the socket.
const CLIENTS: usize = 128;

/// How long the messages of a client that is away are kept.
const SESSION: Duration = Duration::from_secs(86_400);

/// The running broker.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) task: JoinHandle<Result<()>>,
}

/// heatd itself at its own broker, where it may do everything.
pub(crate) struct Own<'a> {
    pub(crate) name: &'a str,
    pub(crate) password: &'a str,
    pub(crate) client_id: &'a str,
}

/// Binds the listener and starts to serve.
pub(crate) async fn start(config: &Embedded, own: Own<'_>, inlet: Inlet) -> Result<Running> {
    let context = ServerContext::new()
        .task_exec_workers(16)
        .task_exec_queue_max(1000)
        .busy_check_enable(false)
        .mqtt_max_sessions(CLIENTS as isize)
        .build()
        .await;
    *context.extends.retain_mut().await = Box::new(Retained::default());
    let access = Access::new(config, (own.name, own.password));
    let hooks = context.extends.hook_mgr().register();
    for kind in
        [Type::ClientAuthenticate, Type::ClientSubscribeCheckAcl, Type::MessagePublishCheckAcl]
    {
        hooks.add(kind, Box::new(Guard(access.clone()))).await;
    }
    let taken = Taken { access, inlet, own: own.client_id.to_owned() };
    hooks.add(Type::MessagePublish, Box::new(taken)).await;
    hooks.start().await;
    let listener = Builder::new()
        .name("embedded")
        .laddr(config.listen)
        .reuseaddr(Some(true))
        .nodelay(true)
        .allow_anonymous(config.is_open())
        .max_packet_size(LARGEST_MESSAGE)
        .max_connections(CLIENTS)
        .max_mqueue_len(QUEUE)
        .message_expiry_interval(Duration::ZERO)
        .session_expiry_interval(SESSION)
        .max_session_expiry_interval(SESSION)
        .bind()
        .and_then(|builder| builder.tcp())
        .map_err(|error| anyhow!("{error}"))
        .with_context(|| {
            format!("failed to listen on {} for MQTT; is another broker there?", config.listen)
        })?;
    let address = listener.local_addr().map_err(|error| anyhow!("{error}"))?;
    let users = config.users.len();
    info!(%address, users, "embedded broker listens");
    if let Some(Anonymous { read, write }) = &config.anonymous {
        let whom = match address.ip().is_loopback() {
            true => "every program on this machine",
            false => "every machine that reaches this address",
        };
        warn!(%address, whom, ?read, ?write, "the embedded broker is open without a password, for these topics");
    }
    // `run`, never `start`, which would end the process on an error.
    let server = MqttServer::new(context).listener(listener).build();
    let task = tokio::spawn(async move { server.run().await.map_err(|error| anyhow!("{error}")) });
    Ok(Running { address, task })
}
