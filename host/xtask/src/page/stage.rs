//! A heatd for a browser to look at: one channel that was talked in for half an hour, three of recorded chat where there is some, one whose
//! people try to break the page, and one without a word.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use heat_tests::chat::Generator;
use heat_tests::emotes::Providers;
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, free_port};
use heat_tests::twitch::{Line, Pace, Server};

use super::played::Played;
use crate::shell::{say, target};

const LIVELY: &str = "seaside";
const HOSTILE: &str = "hostile";
const SILENT: &str = "quiet";

/// How much was said in the lively channel before anybody looks, in milliseconds.
const PAST: u64 = 1_800_000;

/// How often somebody speaks.
const BEAT: Duration = Duration::from_millis(100);

/// What people call themselves, their emotes and what they fave, to break pages.
const NAMES: [&str; 8] = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(2)</script>",
    "\"><b onclick='alert(3)'>bold</b>",
    "a/b\\c",
    "100%25%00%zz",
    "\u{202e}drawkcab\u{202c}",
    "javascript:alert(4)",
    "&lt;i&gt;&amp;",
];

/// Everything that runs. It ends when this is dropped.
pub(crate) struct Stage {
    heatd: Program,
    url: String,
    token: String,
    played: PathBuf,
    stop: Arc<AtomicBool>,
    player: Option<JoinHandle<()>>,
}

impl Stage {
    /// `programs`: the folder with heatd.
    pub(crate) fn start(rules: &Path, programs: &Path) -> Result<Self> {
        let folder = target().join("page-stage");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("failed to empty {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder)?;
        let (chat, http, mqtt) = (Server::start()?, free_port()?, free_port()?);
        let (providers, shown) = (Providers::start()?, folder.join("played"));
        let mut played = Played::choose(&shown, now())?;
        played.prepare(&chat, &providers)?;
        let mut names: Vec<&str> = vec![LIVELY, HOSTILE, SILENT];
        names.extend(played.channels.iter().map(|channel| &*channel.name));
        let configuration = folder.join("heatd.toml");
        let head = head(&chat, &providers, http, mqtt, &names);
        std::fs::write(&configuration, head + &chain(rules))?;
        let mut heatd = Command::new(programs.join("heatd"));
        heatd.args(["run", "--log-format", "json", "--config"]).arg(&configuration);
        let heatd = Program::start(heatd)?;
        heatd.wait_for_line(|line| line.contains("broker connected"))?;
        for channel in &names {
            chat.wait_joined(channel)?;
        }
        for channel in &played.channels {
            heatd.wait_for_line(|line| {
                let is_its = line.contains(&format!("\"{}\"", channel.name));
                is_its && line.contains("emotes changed") && line.contains("\"7tv\"")
            })?;
        }
        let token = eventually("the token of heatd", || {
            std::fs::read_to_string(folder.join("heat-data/api.token"))
        })?;
        say("half an hour of chat is told at once");
        let past = Generator::new(1, LIVELY).starting_at(now() - PAST);
        let past = past.take_while(|line| time_of(line) < now()).map(|line| line.to_string());
        // Half an hour of faves at once would be a heat that nothing else is seen beside.
        let past = past.filter(|line| !line.contains("?fave"));
        chat.replay(past, Pace::AsFastAsPossible);
        played.tell(&chat, now());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        // The emotes are there for as long as chat is.
        let player = thread::spawn(move || {
            play(&chat, played, &stopped);
            drop(providers);
        });
        let (url, token) = (format!("http://127.0.0.1:{http}"), token.trim().to_owned());
        Ok(Self { heatd, url, token, played: shown, stop, player: Some(player) })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The folder with what is said in the channels of recorded chat.
    pub(crate) fn played(&self) -> &Path {
        &self.played
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(player) = self.player.take() {
            // A player that has failed has said so.
            let _ = player.join();
        }
        // Killed if it does not end by itself.
        let _ = self.heatd.terminate();
    }
}

/// Speaks until it is stopped.
fn play(chat: &Server, mut played: Played, stop: &AtomicBool) {
    let mut lively = Generator::new(2, LIVELY).starting_at(now()).peekable();
    for beat in 0_usize.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        while let Some(line) = lively.next_if(|line| time_of(line) <= now()) {
            chat.send(LIVELY, &line);
        }
        played.tell(chat, now());
        if beat % 5 == 0 {
            for line in hostile(beat / 5) {
                chat.send(HOSTILE, &line);
            }
        }
        thread::sleep(BEAT);
    }
}

/// Somebody with a hostile name uses an emote of such a name, and faves it.
fn hostile(number: usize) -> [Line; 2] {
    let name = NAMES[number % NAMES.len()];
    let login = format!("hostile_{}", number % NAMES.len());
    let end = name.chars().count() - 1;
    let emote = Line::chat(HOSTILE, &login, name).name(name).emotes(&format!("{number}:0-{end}"));
    let fave = Line::chat(HOSTILE, &login, &format!("?fave {name}")).name(name);
    [emote, fave]
}

fn time_of(line: &Line) -> u64 {
    line.get("tmi-sent-ts").parse().unwrap_or(0)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn head(chat: &Server, providers: &Providers, http: u16, mqtt: u16, channels: &[&str]) -> String {
    format!(
        r#"# Written by `cargo xtask page`.
log = "info"
[twitch]
channels = {channels:?}
server = "{}"
tls = false
{}
[http]
listen = "127.0.0.1:{http}"
[mqtt.embedded]
listen = "127.0.0.1:{mqtt}"
"#,
        chat.addr(),
        providers.table("1d"),
    )
}

fn chain(rules: &Path) -> String {
    let [fave, multiplier, decay] =
        ["fave", "multiplier", "decay"].map(|rule| rules.join(format!("{rule}.wasm")));
    format!(
        r#"[[rule]]
file = {fave:?}
[[rule]]
file = {multiplier:?}
[[rule]]
file = {decay:?}
settings.half_life = "20s"
settings.levels = {{ "warm" = 4, "hot" = 10, "on fire" = 20 }}
"#
    )
}
