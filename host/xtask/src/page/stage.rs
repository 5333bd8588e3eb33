//! A heatd for a browser to look at: one channel that was talked in for half an hour, one of recorded chat where there is some, one whose
//! people try to break the page, and one without a word.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use heat_tests::chat::Generator;
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, free_port};
use heat_tests::recordings::{Recordings, channels, lines_of_channel};
use heat_tests::twitch::{Line, Pace, Server};

use crate::shell::{say, target};

const LIVELY: &str = "seaside";
const OTHER: &str = "harbour";
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
pub(super) struct Stage {
    heatd: Program,
    url: String,
    token: String,
    stop: Arc<AtomicBool>,
    player: Option<JoinHandle<()>>,
}

impl Stage {
    pub(super) fn start(rules: &Path) -> Result<Self> {
        let folder = target().join("page-stage");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("failed to empty {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder)?;
        let (chat, http, mqtt) = (Server::start()?, free_port()?, free_port()?);
        let (recorded, other) = recorded()?;
        let configuration = folder.join("heatd.toml");
        std::fs::write(&configuration, settings(&chat, http, mqtt, rules, &recorded))?;
        let mut heatd = Command::new(target().join("debug").join("heatd"));
        heatd.args(["run", "--log-format", "json", "--config"]).arg(&configuration);
        let heatd = Program::start(heatd)?;
        heatd.wait_for_line(|line| line.contains("broker connected"))?;
        for channel in [LIVELY, &recorded, HOSTILE, SILENT] {
            chat.wait_joined(channel)?;
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
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let player = thread::spawn(move || play(&chat, other, &stopped));
        let (url, token) = (format!("http://127.0.0.1:{http}"), token.trim().to_owned());
        Ok(Self { heatd, url, token, stop, player: Some(player) })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn token(&self) -> &str {
        &self.token
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

/// Lines of another channel, with its name: recorded ones, or made-up ones.
fn recorded() -> Result<(String, Vec<Vec<u8>>)> {
    if let Some(recordings) = Recordings::find("the page on recorded chat") {
        for name in recordings.irc_names()? {
            let lines = recordings.irc(&name)?;
            // One that is long enough for as long as anybody looks.
            if let Some((channel, count)) = channels(&lines).into_iter().next()
                && count > 1_000
            {
                let mine = lines_of_channel(&lines, &channel);
                return Ok((channel.clone(), mine.into_iter().map(<[u8]>::to_vec).collect()));
            }
        }
    }
    let lines = Generator::new(3, OTHER).lines(10_000).into_iter().map(String::into_bytes);
    Ok((OTHER.to_owned(), lines.collect()))
}

/// Speaks until it is stopped.
fn play(chat: &Server, other: Vec<Vec<u8>>, stop: &AtomicBool) {
    let mut lively = Generator::new(2, LIVELY).starting_at(now()).peekable();
    let mut other = other.into_iter();
    for beat in 0_usize.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        while let Some(line) = lively.next_if(|line| time_of(line) <= now()) {
            chat.send(LIVELY, &line);
        }
        chat.replay(other.next(), Pace::AsFastAsPossible);
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

fn settings(chat: &Server, http: u16, mqtt: u16, rules: &Path, recorded: &str) -> String {
    let [fave, multiplier, decay] =
        ["fave", "multiplier", "decay"].map(|rule| rules.join(format!("{rule}.wasm")));
    format!(
        r#"# Written by `cargo xtask page`.
log = "info"
[twitch]
channels = ["{LIVELY}", "{recorded}", "{HOSTILE}", "{SILENT}"]
server = "{}"
tls = false
[emotes]
providers = []
[http]
listen = "127.0.0.1:{http}"
[mqtt.embedded]
listen = "127.0.0.1:{mqtt}"
[[rule]]
file = {fave:?}
[[rule]]
file = {multiplier:?}
[[rule]]
file = {decay:?}
settings.half_life = "20s"
settings.levels = {{ "warm" = 4, "hot" = 10, "on fire" = 20 }}
"#,
        chat.addr()
    )
}
