//! What a login to Twitch costs and how surely it hears: sessions that move and heatds that are killed under a stream of notifications, the time from a login to
//! its first event, what an idle account takes, and how often Twitch is asked which streams are live. The whole Twitch is scripted.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use heat_tests::figures::Figure;
use heat_tests::logins::{CLIENT, Logins};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use heat_tests::twitch_api::TwitchApi;
use serde_json::{Value, json};

use crate::setup::{Setup, progress};
use crate::stage::{CHANNEL, Stage, seaside};
use crate::usage::{cpu_ms, memory};

/// Notifications a second.
const RATE: u64 = 1_000;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    moves_and_kills(setup)?;
    first_event(setup)?;
    idle(setup)?;
    live_state(setup)
}

/// heatd with an account, and its Twitch.
struct Account<'a> {
    stage: Stage<'a>,
    logins: Logins,
    api: Arc<TwitchApi>,
    tokens: (String, String),
    rules: String,
}

impl<'a> Account<'a> {
    fn new(setup: &'a Setup) -> Result<Self> {
        let logins = Logins::start(&[(CHANNEL, "11")])?;
        let api = Arc::new(TwitchApi::start(&logins)?);
        let tokens = logins.hand_out(CHANNEL, &["moderator:read:followers"]);
        let stage = Stage::new(setup)?;
        let decay = setup.rule("decay").context("the rule decay is not built")?;
        let rules = format!(
            "[[rule]]\nfile = {decay:?}\nsettings.half_life = \"0s\"\nsettings.events = {{ follow = 1 }}\n"
        );
        Ok(Self { stage, logins, api, tokens, rules })
    }

    /// Starts heatd, with the tokens in its environment if it shall be logged in.
    fn heatd(&self, channels: &[String], is_logged_in: bool) -> Result<Program> {
        let twitch = format!(
            "id_server = \"{}\"\n{}client_id = \"{CLIENT}\"\n[[twitch.account]]\nchannel = {CHANNEL:?}\nfeatures = [\"follows\"]\n",
            self.logins.address(),
            self.api.settings()
        );
        let mut command = self.stage.heatd_command_with(channels, &twitch, &self.rules)?;
        if is_logged_in {
            command.env("TWITCH_USER_ACCESS_TOKEN", &self.tokens.0);
            command.env("TWITCH_REFRESH_TOKEN", &self.tokens.1);
        }
        self.stage.ready(Program::start(command)?, channels)
    }
}

fn follow(number: u64) -> Value {
    json!({
        "user_id": format!("{}", 1_000 + number), "user_login": format!("f{number}"), "user_name": format!("F{number}"), "broadcaster_user_id": "11",
        "broadcaster_user_login": CHANNEL, "broadcaster_user_name": CHANNEL, "followed_at": "2026-11-30T20:00:00Z",
    })
}

/// The id of a notification of a stream.
fn id(round: u64, number: u64) -> String {
    format!("n{round}-{number}")
}

/// A stream of notifications, each with an id of its own. What no session hears is not counted: Twitch does not keep it.
struct Notifier {
    heard: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Notifier {
    /// `round` is part of the ids: another stream tells other things.
    fn start(api: &Arc<TwitchApi>, round: u64) -> Self {
        let (heard, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (api, counted, ends) = (Arc::clone(api), Arc::clone(&heard), Arc::clone(&over));
        let thread = thread::spawn(move || {
            let begun = Instant::now();
            for number in 0.. {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let sessions = api.notify_as(&id(round, number), "channel.follow", &follow(number));
                counted.fetch_add(u64::from(sessions > 0), Ordering::Relaxed);
                // What was told shortly before is told again now and then: Twitch promises to tell it at least once.
                if number % 50 == 49 {
                    api.notify_as(&id(round, number - 20), "channel.follow", &follow(number - 20));
                }
                let due = Duration::from_millis((number + 1) * 1_000 / RATE);
                thread::sleep(due.saturating_sub(begun.elapsed()));
            }
        });
        Self { heard, over, thread: Some(thread) }
    }

    /// Ends it. Returns how many were told to a session.
    fn end(mut self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().map(thread::JoinHandle::join);
        self.heard.load(Ordering::Relaxed)
    }
}

fn moves_and_kills(setup: &Setup) -> Result<()> {
    let account = Account::new(setup)?;
    let heat = account.stage.heat()?;
    let mut heatd = account.heatd(&seaside(), true)?;
    account.api.wait_for_subscription("channel.follow")?;
    let notifier = Notifier::start(&account.api, 0);
    let moves = setup.pick(10, 200);
    for number in 0..moves {
        let before = account.api.change(|desk| desk.open_connections());
        ensure!(before <= 2, "{before} connections");
        account.api.ask_to_move();
        thread::sleep(Duration::from_millis(if number % 10 == 0 { 1_000 } else { 250 }));
    }
    let told = notifier.end();
    heat.wait_for(told)?;
    thread::sleep(Duration::from_secs(1));
    let (shown, name) = (
        heat.count(),
        format!("notifications at {RATE}/s through {moves} moves to another connection"),
    );
    Figure::new("account", &format!("{name}: told"), "", told as f64).print()?;
    Figure::new("account", &format!("{name}: lost"), "", told as f64 - shown.min(told) as f64)
        .at_most(0.0)
        .print()?;
    Figure::new("account", &format!("{name}: doubled"), "", shown.saturating_sub(told) as f64)
        .at_most(0.0)
        .print()?;
    progress("kills");
    let kills = setup.pick(3, 50);
    let (mut lost, mut shown) = (0, heat.count());
    for round in 1..=kills {
        let notifier = Notifier::start(&account.api, round);
        thread::sleep(Duration::from_millis(400));
        heatd.kill()?;
        let told = notifier.end();
        heatd = account.heatd(&seaside(), true)?;
        account.api.wait_for_subscription("channel.follow")?;
        // Twitch may tell again what it has told shortly before.
        for number in told.saturating_sub(100)..told {
            account.api.notify_as(&id(round, number), "channel.follow", &follow(number));
        }
        thread::sleep(Duration::from_millis(700));
        let counted = heat.count() - shown;
        ensure!(counted <= told, "{counted} of {told} are counted");
        lost += told - counted;
        shown += counted;
    }
    Figure::new("account", &format!("{kills} kills of heatd in such a stream: doubled"), "", 0.0)
        .at_most(0.0)
        .print()?;
    let name = "notifications that a kill loses, the last hundred told again";
    Figure::new("account", name, "", lost as f64 / kills as f64).print()?;
    ensure!(heatd.terminate()?.success(), "heatd ended with an error");
    Ok(())
}

/// From somebody's agreement to the first event that moves the heat.
fn first_event(setup: &Setup) -> Result<()> {
    let account = Account::new(setup)?;
    let heat = account.stage.heat()?;
    let _heatd = account.heatd(&seaside(), false)?;
    let (port, token) = account.stage.api()?;
    let begun: Value = serde_json::from_str(&begin_login(port, &token)?)?;
    let code = begun["code"].as_str().context("no code")?.to_owned();
    let agreed = Instant::now();
    account.logins.agree(&code, CHANNEL)?;
    let mut number = 0;
    while heat.count() == 0 {
        number += 1;
        account.api.notify("channel.follow", &follow(number));
        thread::sleep(Duration::from_millis(5));
        ensure!(agreed.elapsed() < Duration::from_secs(30), "nothing is heard");
    }
    let took = agreed.elapsed().as_secs_f64();
    Figure::new("account", "from a login to the first event that moves the heat; Twitch is asked each second whether somebody has agreed", "s", took)
        .at_most(2.0)
        .print()
}

/// Has heatd begin a login, and returns its answer.
fn begin_login(port: u16, token: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        stream,
        "POST /api/v1/accounts/{CHANNEL}/login HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
    Ok(body.to_owned())
}

/// What one idle account takes, beside a heatd without one.
fn idle(setup: &Setup) -> Result<()> {
    let seconds = setup.pick(8, 30);
    let look = |heatd: &Program| -> Result<(f64, f64)> {
        thread::sleep(setup.pick(Duration::from_secs(3), Duration::from_secs(8)));
        let before = cpu_ms(heatd.id())?;
        thread::sleep(Duration::from_secs(seconds));
        let share = (cpu_ms(heatd.id())? - before) / (seconds as f64 * 1e3) * 100.0;
        Ok((share, memory(heatd.id())?.resident))
    };
    let account = Account::new(setup)?;
    // Both find the rules compiled, and trust no authority: the floor has no account, and so no use for TLS.
    let mut first = account.heatd(&seaside(), true)?;
    account.api.wait_for_subscription("channel.follow")?;
    ensure!(first.terminate()?.success());
    let bare = account.stage.ready(
        Program::start(account.stage.heatd_command(&seaside(), &account.rules)?)?,
        &seaside(),
    )?;
    let without = look(&bare)?;
    drop(bare);
    let heatd = account.heatd(&seaside(), true)?;
    account.api.wait_for_subscription("channel.follow")?;
    let with = look(&heatd)?;
    let what = "heatd with one account, idle";
    Figure::new("account", &format!("{what}: share of a core"), "%", with.0)
        .floor("without", without.0)
        .at_most(0.1)
        .print()?;
    Figure::new("account", &format!("{what}: memory that it takes more"), "MB", with.1 - without.1)
        .floor("all of heatd without", without.1)
        .at_most(4.0)
        .print()
}

/// How often Twitch is asked which of 25 channels are live.
fn live_state(setup: &Setup) -> Result<()> {
    let account = Account::new(setup)?;
    let mut channels = seaside();
    channels.extend((1..25).map(|number| format!("channel{number}")));
    let _heatd = account.heatd(&channels, true)?;
    eventually("the first question", || account.api.count("GET", "streams") > 0)?;
    let minutes = setup.pick(1, 3);
    thread::sleep(Duration::from_secs(60 * minutes));
    let asked = account.api.count("GET", "streams") - 1;
    Figure::new(
        "account",
        "questions to Twitch about which of 25 channels are live",
        "/min",
        asked as f64 / minutes as f64,
    )
    .at_most(1.0)
    .print()
}
