//! The main job on this machine: simulated chat, heatd with its own broker, heat-writer, a file, and `heat watch` to see it all.

mod story;
mod town;

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, free_port};
use heat_tests::prometheus::Page;
use heat_tests::twitch::Server;

use crate::shell::{self, cargo, say, target};
use crate::{page, rules};
use story::Story;
use town::{OTHERS, Town};

/// The channel of the demo.
const CHANNEL: &str = "seaside";

/// What the page begins with: seconds, and two emotes.
const VIEW: &str =
    "channel=seaside&interval=1s&of=messages&of=emote:twitch:PogChamp&of=emote:twitch:LUL";

/// What makes faves and heat of it.
const RULES: [&str; 3] = ["fave", "multiplier", "decay"];

/// How often the story goes on.
const FRAME: Duration = Duration::from_millis(50);

#[derive(Args)]
pub(crate) struct Options {
    /// Ends by itself after so many seconds, with the final state.
    #[arg(long, value_name = "N")]
    pub(crate) seconds: Option<u64>,
    /// Lets Chromium open the link to the page, as somebody would, and ends when it has.
    #[arg(long)]
    pub(crate) browse: bool,
    /// The programs are built already.
    #[arg(skip)]
    pub(crate) is_built: bool,
}

/// Builds what is needed, runs everything, and ends all of it.
pub(crate) fn run(options: &Options) -> Result<()> {
    say("building; the first time this takes some minutes");
    let rules = rules::build_these(&RULES)?;
    page::build_if_possible()?;
    if !options.is_built {
        shell::run(&mut cargo(["build", "--locked", "--workspace", "--bins"]))?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&stop);
    ctrlc::set_handler(move || handler.store(true, Ordering::Relaxed))
        .context("failed to wait for Ctrl-C")?;
    let mut demo = Demo::start(&rules)?;
    let mut visitor = if options.browse { Some(page::visit(&demo.link)?) } else { None };
    demo.play(options.seconds.map(Duration::from_secs), &stop, &mut visitor)?;
    demo.end(options.seconds.is_none())?;
    visitor.map_or(Ok(()), |mut visitor| {
        let status = visitor.wait().context("failed to wait for the browser")?;
        ensure!(status.success(), "the page of the demo is not as it should be; see above");
        Ok(())
    })
}

/// Everything that runs.
struct Demo {
    chat: Server,
    heatd: Program,
    writer: Program,
    file: PathBuf,
    story: Story,
    town: Town,
    screen: Screen,
    http: u16,
    /// To the page, with the token.
    link: String,
}

/// `heat watch` on this terminal. It ends when heatd does, or when somebody leaves it.
struct Screen(Child);

impl Screen {
    fn start(data: &Path, link: &str) -> Result<Self> {
        let mut heat = Command::new(target().join("debug").join("heat"));
        heat.args(["watch", "--once", "--channel", CHANNEL, "--data"]).arg(data);
        // What was printed before is gone from a screen.
        heat.arg("--sign").arg(format!("the page {link}"));
        Ok(Self(heat.spawn().context("failed to start heat")?))
    }

    /// How it has ended, if it has.
    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.0.try_wait().context("failed to look after heat")
    }

    fn wait(&mut self) -> Result<ExitStatus> {
        eventually("the end of heat watch", || {
            self.0.try_wait().transpose().map(|status| status.context("failed to wait"))
        })?
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It has ended, unless something else has failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether the heatd of another demo answers in this folder.
fn runs_already(folder: &Path) -> bool {
    let url = std::fs::read_to_string(folder.join("heat-data/api.url")).unwrap_or_default();
    let address = url.trim().trim_start_matches("http://").parse();
    address.is_ok_and(|address| TcpStream::connect_timeout(&address, FRAME).is_ok())
}

impl Demo {
    fn start(rules: &Path) -> Result<Self> {
        let folder = target().join("demo");
        ensure!(
            !runs_already(&folder),
            "a demo runs in this folder already; end it with q or Ctrl-C in its terminal first"
        );
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("failed to empty {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder)?;
        let (chat, file) = (Server::start()?, folder.join("heat.txt"));
        let (http, mqtt) = (free_port()?, free_port()?);
        let configuration = folder.join("heatd.toml");
        std::fs::write(&configuration, settings(&chat, http, mqtt, rules))?;
        let (programs, data) = (target().join("debug"), folder.join("heat-data"));
        let mut heatd = Command::new(programs.join("heatd"));
        heatd.args(["run", "--log-format", "json", "--config"]).arg(&configuration);
        let heatd = start(heatd)?;
        let mut writer = Command::new(programs.join("heat-writer"));
        writer.args(["--broker", &format!("127.0.0.1:{mqtt}"), "--file"]).arg(&file);
        let writer = start(writer)?;
        heatd.wait_for_line(|line| line.contains("broker connected"))?;
        for channel in [&[CHANNEL][..], &OTHERS].concat() {
            chat.wait_joined(channel)?;
        }
        let town = Town::begin(&chat);
        eventually("the file of heat-writer", || file.is_file())?;
        say(&format!("configuration  {}", configuration.display()));
        say(&format!("the file       {}", file.display()));
        say(&format!("the broker     mosquitto_sub -p {mqtt} -v -t 'heat/v1/#'"));
        let token =
            std::fs::read_to_string(data.join("api.token")).context("heatd has no token")?;
        let link = format!("http://127.0.0.1:{http}/#token={}&{VIEW}", token.trim());
        say(&format!("the page       {link}"));
        say(&format!("health         http://127.0.0.1:{http}/readyz and /metrics"));
        say(&format!(
            "ask heatd      {} status --data {}",
            programs.join("heat").display(),
            data.display()
        ));
        say("q or Ctrl-C ends it\n");
        let mut screen = Screen::start(&data, &link)?;
        eventually("heat watch to be there", || {
            let watched = heatd.lines().iter().any(|line| line.contains("somebody watches"));
            // If it has failed, the play ends before it begins.
            watched || !matches!(screen.ended(), Ok(None))
        })?;
        let story = Story::new(CHANNEL);
        Ok(Self { chat, heatd, writer, file, story, town, screen, http, link })
    }

    /// Plays until the time is over and the visitor has left, or somebody stops it.
    fn play(
        &mut self,
        limit: Option<Duration>,
        stop: &AtomicBool,
        visitor: &mut Option<Child>,
    ) -> Result<()> {
        let start = Instant::now();
        let mut is_there = || match visitor {
            Some(visitor) => visitor.try_wait().map(|ended| ended.is_none()),
            None => Ok(false),
        };
        while !stop.load(Ordering::Relaxed)
            && (limit.is_none_or(|limit| start.elapsed() < limit) || is_there()?)
        {
            self.town.go_on(&self.chat);
            for line in self.story.due(start.elapsed()) {
                let heard = self.chat.send(CHANNEL, &line);
                ensure!(heard > 0, "nobody hears chat; lost is {line}");
            }
            ensure!(self.heatd.is_running(), "heatd has ended:\n{}", self.heatd.lines().join("\n"));
            ensure!(
                self.writer.is_running(),
                "heat-writer has ended:\n{}",
                self.writer.lines().join("\n")
            );
            if let Some(ended) = self.screen.ended()? {
                ensure!(
                    ended.success() || stop.load(Ordering::Relaxed),
                    "heat watch has failed ({ended})"
                );
                return Ok(());
            }
            thread::sleep(FRAME);
        }
        Ok(())
    }

    /// Waits for the last fave to be counted, shows the final state, and ends the programs in data order.
    fn end(mut self, is_open_ended: bool) -> Result<()> {
        let sent = self.story.faves();
        let counted = eventually("the last fave to be counted", || match faves(self.http) {
            Ok(counted) if counted >= sent => Ok(counted),
            Ok(counted) => Err(format!("{counted} of {sent}")),
            Err(error) => Err(error.to_string()),
        });
        let stopped = (self.heatd.terminate(), self.writer.terminate());
        // The terminal is its own until it has seen the end of heatd.
        let left = self.screen.wait();
        let (counted, _) = (counted?, left?);
        let shown = std::fs::read_to_string(&self.file).context("the file is gone")?;
        say(&format!(
            "\nchat lines sent {}, faves sent {sent}, faves counted {counted}",
            self.story.lines()
        ));
        say(&format!("{} says: {shown}", self.file.display()));
        // Somebody who tries things out may have added faves of their own.
        let is_right = counted == sent || (is_open_ended && counted > sent);
        ensure!(is_right, "heatd counted {counted} faves, and chat had {sent}");
        ensure!(
            stopped.0?.success(),
            "heatd ended with an error:\n{}",
            self.heatd.lines().join("\n")
        );
        ensure!(
            stopped.1?.success(),
            "heat-writer ended with an error:\n{}",
            self.writer.lines().join("\n")
        );
        Ok(())
    }
}

/// Starts a program that a Ctrl-C at the terminal does not reach: the demo ends its programs itself, in the order of the data.
fn start(mut command: Command) -> Result<Program> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    Program::start(command)
}

fn settings(chat: &Server, http: u16, mqtt: u16, rules: &Path) -> String {
    let [fave, multiplier, decay] = RULES.map(|rule| rules.join(format!("{rule}.wasm")));
    let channels = [&[CHANNEL][..], &OTHERS].concat();
    format!(
        r#"# Written by `cargo xtask demo`. The others than {CHANNEL} have no rules: what is said there is counted. The commented reference is host/heatd/heatd.toml.
log = "info,heatd=debug"
[twitch]
channels = {channels:?}
server = "{}"
tls = false
# Nobody is asked for emotes: the demo needs no internet.
[emotes]
providers = []
[http]
listen = "127.0.0.1:{http}"
[mqtt.embedded]
listen = "127.0.0.1:{mqtt}"
[[rule]]
channels = ["{CHANNEL}"]
file = {fave:?}
[[rule]]
channels = ["{CHANNEL}"]
file = {multiplier:?}
# All times are as short as the demo's story is.
settings.raid_duration = "8s"
settings.gift_duration = "6s"
[[rule]]
channels = ["{CHANNEL}"]
file = {decay:?}
settings.half_life = "6s"
settings.levels = {{ "warm" = 10, "hot" = 25, "on fire" = 45 }}
"#,
        chat.addr()
    )
}

/// How many faves heatd has counted, by its own page.
fn faves(http: u16) -> Result<u64> {
    Ok(Page::fetch(http)?.figure("heatd_faves_total")? as u64)
}
