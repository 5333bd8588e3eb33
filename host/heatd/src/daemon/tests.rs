//! heatd inside a test: real sockets on loopback, and a stop that the test decides on.

use std::fs;
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::prometheus::get;
use heat_tests::twitch::Server;
use tokio::sync::oneshot;

use super::{Prepared, wire};
use crate::config::{Config, Mistakes};

/// A configuration whose only rule is left out: what runs is heatd itself, on ports that the system chooses.
fn prepared(folder: &Path, twitch: &Server) -> Result<Prepared> {
    let text = format!(
        "data = \"data\"\nskip_broken_rules = true\n\
         [http]\nlisten = \"127.0.0.1:0\"\n\
         [mqtt.embedded]\nlisten = \"127.0.0.1:0\"\n\
         [twitch]\nchannels = [\"seaside\"]\nserver = \"{}\"\ntls = false\n\
         [[rule]]\nfile = \"none.wasm\"\n",
        twitch.addr()
    );
    let file = folder.join("heatd.toml");
    let mistakes = Mistakes::new(&file, &text);
    let config = Config::read(&text, &file, &mistakes);
    crate::data::prepare(&config.data)?;
    let prepared = Prepared::new(config, &mistakes, true)?;
    ensure!(mistakes.is_empty(), "{mistakes}");
    Ok(prepared)
}

/// Runs heatd on a thread of its own until the sender is used or dropped.
fn start(prepared: Prepared) -> Result<(oneshot::Sender<()>, thread::JoinHandle<Result<()>>)> {
    let (stop, stopped) = oneshot::channel();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(wire(prepared, async { drop(stopped.await) }))
    };
    Ok((stop, thread::Builder::new().spawn(work)?))
}

fn port(folder: &Path) -> Option<u16> {
    let url = fs::read_to_string(folder.join("data").join("api.url")).ok()?;
    url.trim().rsplit(':').next()?.parse().ok()
}

#[test]
fn heatd_runs_in_a_test_gets_ready_and_ends_when_it_is_asked_to() -> Result<()> {
    let (folder, twitch) = (tempfile::tempdir()?, Server::start()?);
    let (stop, heatd) = start(prepared(folder.path(), &twitch)?)?;
    let port = eventually("heatd listens", || port(folder.path()))?;
    let ready = eventually("heatd is ready", || {
        get(port, "/readyz", "*/*").ok().filter(|(status, ..)| *status == 200)
    })?;
    assert_eq!(ready.2, "ready\n");
    stop.send(()).ok().context("heatd ended by itself")?;
    let ended = heatd.join().map_err(|_| anyhow::anyhow!("heatd panicked"))?;
    ended.context("a stop that was asked for is no failure")?;
    // The store is free for the next one, which finds the same channel.
    let (stop, heatd) = start(prepared(folder.path(), &twitch)?)?;
    drop(stop);
    heatd.join().map_err(|_| anyhow::anyhow!("heatd panicked"))?
}
