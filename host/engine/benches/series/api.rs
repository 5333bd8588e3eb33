//! The same graphs as a page gets them: from heatd itself, by HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use heat_engine::Resolution;
use heat_tests::figures::{Figure, Samples};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, binary, free_port};

use crate::chat::{CHANNELS, channel};
use crate::month::DAY;
use crate::{Setup, progress};

/// Starts heatd over this store, which nobody has open, and asks for the day before `end` at every interval.
pub(crate) fn run(setup: &Setup, store: &Path, end: u64) -> Result<()> {
    let folder = tempfile::tempdir_in(&setup.scratch)?;
    let data = folder.path().join("heat-data");
    std::fs::create_dir(&data)?;
    std::fs::rename(store, data.join("heat.redb"))?;
    let port = free_port()?;
    std::fs::write(folder.path().join("heatd.toml"), configuration(port)?)?;
    let mut command = Command::new(binary("heatd")?);
    command.args(["run", "--config", "heatd.toml"]).current_dir(folder.path());
    let _heatd = Program::start(command)?;
    progress("heatd starts over this store");
    let token = eventually("heatd to answer", || -> Result<String> {
        let token = std::fs::read_to_string(data.join("api.token"))?;
        ensure!(ask(port, &token, 0, Resolution::Hour, end)?.0 == 200, "heatd is starting");
        Ok(token)
    })?;
    for resolution in Resolution::ALL {
        let mut took = Samples::default();
        let mut bytes = 0;
        for round in 0..setup.pick(3, 50) {
            let started = Instant::now();
            let (status, answer) = ask(port, &token, round % CHANNELS, resolution, end)?;
            took.push(started.elapsed().as_secs_f64() * 1e3);
            ensure!(status == 200 && answer.contains("\"points\":[["), "{status}: {answer:.500}");
            bytes = answer.len();
        }
        let name = format!(
            "a day of one emote in bins of {resolution} by HTTP, connection and {} kB included",
            bytes.div_ceil(1_000)
        );
        Figure::median("series", &name, "ms", &took).at_most(20.0).print()?;
    }
    Ok(())
}

/// There is no chat and nobody who hears the outputs; all channels are there.
fn configuration(port: u16) -> Result<String> {
    let program = std::env::current_exe()?;
    let target =
        program.ancestors().nth(3).context("the bench does not run from a target folder")?;
    let channels: Vec<String> = (0..CHANNELS).map(|it| format!("{:?}", channel(it))).collect();
    Ok(format!(
        "[http]\nlisten = \"127.0.0.1:{port}\"\n[backup]\nkeep = 0\n[emotes]\nproviders = []\n\
         [twitch]\nchannels = [{}]\nserver = \"127.0.0.1:{}\"\ntls = false\n\
         [mqtt.embedded]\nlisten = \"127.0.0.1:{}\"\n[[rule]]\nfile = {:?}\n",
        channels.join(", "),
        free_port()?,
        free_port()?,
        target.join("rules").join("fave.wasm"),
    ))
}

fn ask(
    port: u16,
    token: &str,
    number: usize,
    resolution: Resolution,
    end: u64,
) -> Result<(u16, String)> {
    let (channel, from) = (channel(number), end - DAY);
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        stream,
        "GET /api/v1/channels/{channel}/series?of=emote:7tv:emote{number}x0&interval={resolution}&from={from}&to={end} HTTP/1.1\r\n\
         Host: localhost\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        token.trim(),
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, answer))
}
