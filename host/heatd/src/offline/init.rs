//! `heatd init`: a folder from which heatd runs: a commented configuration, the rules, a broker user for the writer.
//!
//! It asks one question, writes new files only, and says what to type next on both machines.

use std::io::{BufRead, IsTerminal, Write};
use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::{terminal, tls};

const TEMPLATE: &str = include_str!("init/heatd.toml");

/// The rules that a new configuration names.
const RULES: [&str; 3] = ["fave.wasm", "multiplier.wasm", "decay.wasm"];

/// The writer's name at the embedded broker, and the file with its password.
const WRITER: &str = "writer";
const PASSWORD_FILE: &str = "writer.password";

/// How many characters of chance the writer's password has: 128 bits.
const PASSWORD_LENGTH: usize = 32;

#[derive(Args)]
pub(crate) struct InitOptions {
    /// The Twitch channel: the name at the end of its address
    #[arg(long, value_name = "NAME")]
    channel: String,
    /// The folder to make
    #[arg(long, value_name = "FOLDER", default_value = "heat")]
    folder: PathBuf,
    /// Where OBS runs: on this machine or on another one. Asked for when it is left out
    #[arg(long, value_enum)]
    obs: Option<Obs>,
    /// Where fave.wasm and the others are; by default they are looked for beside heatd
    #[arg(long, value_name = "FOLDER")]
    rules: Option<PathBuf>,
}

/// Where the stream is made.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Obs {
    /// On this machine
    Here,
    /// On another machine of the network
    Elsewhere,
}

/// Makes the folder, and returns what to do next.
pub(crate) fn run(options: &InitOptions) -> Result<String> {
    let channel = options.channel.trim_start_matches('#').to_lowercase();
    check_channel(&channel)?;
    let folder = &options.folder;
    let configuration = folder.join("heatd.toml");
    ensure!(
        !configuration.exists(),
        "{} is there already; it is not overwritten. Give another --folder",
        configuration.display()
    );
    let rules = find_rules(options.rules.as_deref())?;
    let obs = match options.obs {
        Some(obs) => obs,
        None => ask()?,
    };

    std::fs::create_dir_all(folder.join("rules"))
        .with_context(|| format!("failed to make {}", folder.display()))?;
    for rule in RULES {
        let to = folder.join("rules").join(rule);
        std::fs::copy(rules.join(rule), &to)
            .with_context(|| format!("failed to write {}", to.display()))?;
    }
    let password = tls::secret()?[..PASSWORD_LENGTH].to_owned();
    if obs == Obs::Elsewhere {
        write_secret(&folder.join(PASSWORD_FILE), &password)?;
    }
    let text = TEMPLATE.replace("{channel}", &channel).replace("{mqtt}", mqtt(obs));
    std::fs::write(&configuration, text)
        .with_context(|| format!("failed to write {}", configuration.display()))?;
    Ok(next_steps(obs, &configuration, &password))
}

/// The same rule as for `channels` in the configuration.
fn check_channel(channel: &str) -> Result<()> {
    let plain = channel.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    ensure!(
        !channel.is_empty() && channel.len() <= 25 && plain,
        "{channel:?} is no channel; give the name at the end of its address: --channel yourname"
    );
    Ok(())
}

/// The folder of the rules: beside heatd in an archive, beside its folder in a build.
fn find_rules(given: Option<&Path>) -> Result<PathBuf> {
    let program = std::env::current_exe().context("failed to find the running program")?;
    let candidates: Vec<PathBuf> = match given {
        Some(folder) => vec![folder.to_owned()],
        None => program.ancestors().skip(1).take(2).map(|folder| folder.join("rules")).collect(),
    };
    let has_all = |folder: &PathBuf| RULES.iter().all(|rule| folder.join(rule).is_file());
    if let Some(found) = candidates.iter().find(|folder| has_all(folder)) {
        return Ok(found.clone());
    }
    let looked: Vec<String> = candidates.iter().map(|it| it.display().to_string()).collect();
    bail!(
        "there is no folder with {}; looked in {}. `cargo xtask rules` builds them, and --rules says where they are",
        RULES.join(", "),
        looked.join(" and ")
    )
}

fn ask() -> Result<Obs> {
    let stdin = std::io::stdin();
    ensure!(
        stdin.is_terminal(),
        "nobody can be asked where OBS runs; give --obs here or --obs elsewhere"
    );
    loop {
        terminal::say("Does OBS run on another machine than this one? [y/n] ");
        let mut answer = String::new();
        ensure!(stdin.lock().read_line(&mut answer)? > 0, "no answer, so nothing is written");
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" | "elsewhere" => return Ok(Obs::Elsewhere),
            "n" | "no" | "here" => return Ok(Obs::Here),
            _ => {}
        }
    }
}

fn mqtt(obs: Obs) -> &'static str {
    match obs {
        Obs::Here => {
            "# The broker inside heatd. Without users it listens to this machine only.\n\
             [mqtt.embedded]\nlisten = \"127.0.0.1:1883\"\n"
        }
        Obs::Elsewhere => {
            "# The broker inside heatd, open to the network for those who have a password. It does not encrypt: for your own network only.\n\
             [mqtt.embedded]\nlisten = \"0.0.0.0:1883\"\n\n\
             # heat-writer on the streaming PC: may read what heatd shows, and write nothing.\n\
             [[mqtt.embedded.user]]\nname = \"writer\"\npassword_file = \"writer.password\"\n\
             read = [\"heat/#\"]\n"
        }
    }
}

/// Writes a file that only its owner may read.
fn write_secret(file: &Path, secret: &str) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut file| writeln!(file, "{secret}"));
    written.with_context(|| format!("failed to write {}", file.display()))
}

fn next_steps(obs: Obs, configuration: &Path, password: &str) -> String {
    let file = configuration.display();
    let data = configuration.with_file_name("heat-data");
    let data = data.display();
    let writer = match obs {
        Obs::Here => "and for the text that OBS shows:\n\n  \
             heat-writer --broker 127.0.0.1 --file heat.txt\n"
            .to_owned(),
        Obs::Elsewhere => {
            let address = own_address().map_or_else(
                || "ADDRESS-OF-THIS-MACHINE".to_owned(),
                |address| address.to_string(),
            );
            format!(
                "and on the streaming PC, with the one line\n\n  {password}\n\nin a file {PASSWORD_FILE}:\n\n  \
                 heat-writer --broker {address} --user {WRITER} --password-file {PASSWORD_FILE} --file heat.txt\n"
            )
        }
    };
    format!(
        "{file} is written. Start heatd:\n\n  heatd run --config {file}\n\n{writer}\n\
         The page, with graphs and settings: heat page --data {data} prints its link while heatd runs.\n\n\
         In OBS: add a text source, tick \"Read from file\", choose heat.txt.\n"
    )
}

/// The address of this machine in its network. Nothing is sent: connecting a UDP socket only chooses a route.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    // An address for documentation (RFC 5737), which is nobody's.
    socket.connect(("192.0.2.1", 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}
