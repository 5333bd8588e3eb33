//! Logging heatd in to Twitch: with a code, in a browser, and what becomes of a login later. The server for logins is scripted.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use heat_tests::logins::{CLIENT, CLIENT_SECRET, CONFIDENTIAL, Logins};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, binary};
use heat_tests::prometheus;
use heat_tests::twitch_api::TwitchApi;
use serde_json::Value;

use crate::town::{Broker, Town};

const FILE: &str = "heat-data/twitch.logins";

/// heatd with an account of #seaside, and the server that it logs in at.
struct Stage {
    town: Town,
    logins: Logins,
    /// The rest of Twitch.
    _api: TwitchApi,
    heatd: Program,
    configuration: String,
}

impl Stage {
    fn new(of_twitch: &str) -> Result<Self> {
        Self::with(of_twitch, Logins::start(&[("seaside", "11"), ("bob", "22"), ("seabot", "33")])?)
    }

    fn with(of_twitch: &str, logins: Logins) -> Result<Self> {
        let town = Town::new()?;
        let head = town.head(&["seaside"], &Broker::Embedded(town.mqtt));
        let api = TwitchApi::start(&logins)?;
        let server = format!("id_server = \"{}\"\n{}{of_twitch}", logins.address(), api.settings());
        let head = head.replacen("[emotes]", &format!("{server}[emotes]"), 1);
        let configuration = head + &Town::rules("LUL")?;
        let heatd = town.heatd(&configuration)?;
        let stage = Self { town, logins, _api: api, heatd, configuration };
        stage.ready()?;
        Ok(stage)
    }

    fn ready(&self) -> Result<()> {
        eventually("heatd", || match self.town.page("/readyz") {
            Ok((200, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        })
    }

    fn restart(&mut self) -> Result<()> {
        self.heatd.terminate()?;
        self.heatd = self.town.heatd(&self.configuration)?;
        self.ready()
    }

    fn heat(&self, arguments: &[&str]) -> Result<Command> {
        let mut heat = Command::new(binary("heat")?);
        heat.args(arguments).arg("--data").arg(self.town.path("heat-data"));
        Ok(heat)
    }

    /// What heat says: whether it is content, and its words.
    fn says(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let done = self.heat(arguments)?.output()?;
        let words = [done.stdout, done.stderr].concat();
        Ok((done.status.success(), String::from_utf8_lossy(&words).into_owned()))
    }

    /// The first account, as the API has it.
    fn account(&self) -> Result<Value> {
        let (_, words) = self.says(&["login", "status", "--json"])?;
        let told: Value = serde_json::from_str(&words).with_context(|| words.clone())?;
        Ok(told["accounts"][0].clone())
    }

    fn wait_for_state(&self, state: &str) -> Result<Value> {
        eventually(format!("the state {state}"), || match self.account() {
            Ok(account) if account["state"] == state => Ok(account),
            other => Err(format!("{other:?}")),
        })
    }

    fn file(&self) -> PathBuf {
        self.town.path(FILE)
    }

    /// Begins a login; somebody agrees as this account. Returns what heat says at the end.
    fn log_in(&self, arguments: &[&str], as_whom: &str) -> Result<(bool, String)> {
        let all = [&["login"], arguments].concat();
        let mut heat = Program::start(self.heat(&all)?)?;
        let line = heat.wait_for_line(|line| line.trim_start().starts_with("ABCD"))?;
        self.logins.agree(line.trim(), as_whom)?;
        let is_end = |line: &str| line.contains("is logged in as") || line.starts_with("heat: ");
        heat.wait_for_line(is_end)?;
        let ended = heat.wait()?;
        Ok((ended.success(), heat.lines().join("\n")))
    }

    /// No secret that the server has ever given out stands in the log, in an answer, or in what heat printed.
    fn has_told_no_secret(&self, printed: &[&str]) -> Result<()> {
        let log = self.heatd.lines().join("\n");
        let (_, status) = self.says(&["login", "status", "--json"])?;
        let (_, metrics) = self.town.page("/metrics")?;
        for secret in self.logins.secrets() {
            for text in [&log, &status, &metrics].map(String::as_str).iter().chain(printed) {
                ensure!(!text.contains(&secret), "{secret} is told: {text}");
            }
        }
        Ok(())
    }
}

/// The account of the channel, for these features.
fn account(features: &str) -> String {
    format!(
        "client_id = \"{CLIENT}\"\n[[twitch.account]]\nchannel = \"seaside\"\nfeatures = [{features}]\n"
    )
}

#[test]
fn a_login_with_a_code_is_kept_and_ended() -> Result<()> {
    let mut stage = Stage::new(&account("\"follows\", \"subscriptions\""))?;
    let logged_out = stage.account()?;
    ensure!(logged_out["state"] == "logged-out", "{logged_out}");
    ensure!(
        logged_out["problem"]
            .as_str()
            .is_some_and(|it| it.contains("heat login --channel seaside"))
    );
    let (is_done, words) = stage.log_in(&[], "seaside")?;
    ensure!(is_done && words.contains("heatd is logged in as seaside"), "{words}");
    // The person is told what for, in plain words.
    ensure!(words.contains("hears who follows the channel (follows)"), "{words}");
    ensure!(words.contains("https://www.twitch.tv/activate?device-code=ABCD"), "{words}");
    let known = stage.account()?;
    ensure!(known["state"] == "logged-in" && known["problem"].is_null(), "{known}");
    ensure!(known["features"][0]["covered"] == true, "{known}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(stage.file())?.permissions().mode();
        ensure!(mode & 0o777 == 0o600, "{mode:o}");
    }
    // It holds over a restart, and Twitch is asked about it then.
    let before = stage.logins.count("validate", "");
    stage.restart()?;
    stage.logins.wait_for("validate", "", before + 1)?;
    stage.wait_for_state("logged-in")?;
    stage.has_told_no_secret(&[&words])?;
    // A backup has nothing of it.
    let copy = stage.town.path("copy.redb");
    let (is_done, words) = stage.says(&["backup", "--output", &copy.display().to_string()])?;
    ensure!(is_done, "{words}");
    let copy = fs::read(&copy)?;
    for secret in stage.logins.secrets() {
        ensure!(!copy.windows(secret.len()).any(|part| part == secret.as_bytes()));
    }
    let (is_done, words) = stage.says(&["logout"])?;
    ensure!(is_done && words.contains("is logged out"), "{words}");
    ensure!(stage.logins.count("revoke", "") == 2, "both tokens are ended at Twitch");
    ensure!(stage.account()?["state"] == "logged-out");
    ensure!(!fs::read_to_string(stage.file())?.contains("refresh0secret"));
    let (is_done, words) = stage.says(&["logout"])?;
    ensure!(!is_done && words.contains("nobody is logged in as seaside"), "{words}");
    Ok(())
}

#[test]
fn another_account_than_the_channel_is_said_with_both_names_and_not_kept() -> Result<()> {
    let stage = Stage::new(&account("\"follows\""))?;
    let (is_done, words) = stage.log_in(&[], "bob")?;
    ensure!(!is_done, "{words}");
    ensure!(
        words.contains("you agreed as bob") && words.contains("the login of seaside"),
        "{words}"
    );
    ensure!(stage.logins.count("revoke", "") == 2, "what nobody wanted is ended at Twitch");
    ensure!(stage.account()?["state"] == "logged-out");
    // Somebody who refuses has refused, and may begin again.
    let mut heat = Program::start(stage.heat(&["login"])?)?;
    let line = heat.wait_for_line(|line| line.trim_start().starts_with("ABCD"))?;
    stage.logins.refuse(line.trim())?;
    ensure!(!heat.wait()?.success());
    let (is_done, words) = stage.log_in(&[], "seaside")?;
    ensure!(is_done, "{words}");
    Ok(())
}

#[test]
fn a_token_is_refreshed_before_it_ends_and_the_new_one_is_on_the_disk() -> Result<()> {
    let mut stage = Stage::new(&account("\"follows\""))?;
    stage.logins.set_lifetime(4);
    let (is_done, words) = stage.log_in(&[], "seaside")?;
    ensure!(is_done, "{words}");
    // It is refreshed after three quarters of its time, and again.
    stage.logins.wait_for("token", "refresh_token", 2)?;
    stage.logins.set_lifetime(14_400);
    let now = stage.logins.count("token", "refresh_token");
    stage.logins.wait_for("token", "refresh_token", now + 1)?;
    // One that is lost in between would end the login: after a kill the one on the disk is good.
    eventually("the new token on the disk", || {
        let secrets = stage.logins.secrets();
        let last = secrets.iter().rev().find(|it| it.starts_with("refresh0")).cloned();
        let kept = fs::read_to_string(stage.file()).map_err(|error| error.to_string())?;
        last.filter(|it| kept.contains(it.as_str())).map(|_| ()).ok_or("an older one".to_owned())
    })?;
    stage.heatd.kill()?;
    stage.heatd = stage.town.heatd(&stage.configuration)?;
    stage.ready()?;
    stage.wait_for_state("logged-in")?;
    stage.has_told_no_secret(&[])
}

#[test]
fn a_login_that_was_revoked_is_told_everywhere_with_the_command_that_mends_it() -> Result<()> {
    let mut stage = Stage::new(&account("\"follows\""))?;
    stage.log_in(&[], "seaside")?;
    // An access token that ends early costs nothing.
    stage.logins.end_access();
    let before = stage.logins.count("token", "refresh_token");
    stage.restart()?;
    stage.logins.wait_for("token", "refresh_token", before + 1)?;
    stage.wait_for_state("logged-in")?;
    stage.logins.disconnect("seaside");
    stage.restart()?;
    let lapsed = stage.wait_for_state("lapsed")?;
    let problem = lapsed["problem"].as_str().unwrap_or_default().to_owned();
    ensure!(
        problem.contains("Invalid refresh token") && problem.contains("heat login"),
        "{problem}"
    );
    let (_, status) = stage.says(&["status"])?;
    ensure!(status.contains(&problem), "{status}");
    stage
        .heatd
        .wait_for_line(|line| line.contains("is not good any more") && line.contains("seaside"))?;
    stage.town.wait_for_figure("heatd_account_up{account=\"seaside\"}", 0)?;
    // The channels are told after the figure.
    eventually("the notice of a channel", || {
        let (_, outputs) = stage.says(&["status", "--json"]).map_err(|error| error.to_string())?;
        let read = serde_json::from_str::<Value>(&outputs).map_err(|error| error.to_string())?;
        let is_told = read["channels"][0]["outputs"]["notice-login"] == problem.as_str();
        if is_told { Ok(()) } else { Err(outputs) }
    })?;
    // It is not asked again and again.
    let asked = stage.logins.asked().len();
    for _ in 0..20 {
        stage.account()?;
    }
    ensure!(stage.logins.asked().len() == asked, "{:?}", stage.logins.asked());
    // Chat goes on all the while.
    let (status, _) = stage.town.page("/readyz")?;
    ensure!(status == 200);
    let (is_done, words) = stage.log_in(&["--channel", "seaside"], "seaside")?;
    ensure!(is_done, "{words}");
    stage.town.wait_for_figure("heatd_account_up{account=\"seaside\"}", 1)?;
    eventually("no notice any more", || {
        let (_, status) = stage.says(&["status"]).map_err(|error| error.to_string())?;
        if status.contains("notice") || status.contains("Twitch no longer") {
            Err(status)
        } else {
            Ok(())
        }
    })
}

#[test]
fn while_twitch_is_ill_a_login_goes_on_and_nothing_is_lost() -> Result<()> {
    let mut stage = Stage::new(&account("\"follows\""))?;
    stage.log_in(&[], "seaside")?;
    for status in [500, 503, 302] {
        stage.logins.set_ill(Some(status));
        stage.restart()?;
        let before = stage.logins.count("validate", "");
        stage.logins.wait_for("validate", "", before.max(1))?;
        ensure!(stage.account()?["state"] == "logged-in", "{status}");
        stage.logins.set_ill(None);
    }
    stage.restart()?;
    stage.wait_for_state("logged-in")?;
    Ok(())
}

#[test]
fn a_feature_that_comes_later_says_which_login_it_wants() -> Result<()> {
    let mut stage = Stage::new(&account("\"follows\""))?;
    stage.log_in(&[], "seaside")?;
    stage.configuration =
        stage.configuration.replace("[\"follows\"]", "[\"follows\", \"rewards\"]");
    stage.restart()?;
    let known = stage.wait_for_state("logged-in")?;
    ensure!(
        known["features"][0]["covered"] == true && known["features"][1]["covered"] == false,
        "{known}"
    );
    let problem = known["problem"].as_str().unwrap_or_default();
    ensure!(
        problem.contains("does not cover rewards yet: heat login --channel seaside"),
        "{problem}"
    );
    let (is_done, words) = stage.log_in(&[], "seaside")?;
    ensure!(is_done && stage.account()?["problem"].is_null(), "{words}");
    Ok(())
}

#[test]
fn a_login_in_a_browser_wants_its_own_state_back_and_is_used_once() -> Result<()> {
    let secret = tempfile::NamedTempFile::new()?;
    fs::write(secret.path(), format!("{CLIENT_SECRET}\n"))?;
    let twitch = format!(
        "client_id = \"{CONFIDENTIAL}\"\nclient_secret_file = {:?}\n[[twitch.account]]\nbot = \"seabot\"\nfeatures = [\"say\"]\n",
        secret.path()
    );
    let stage = Stage::new(&twitch)?;
    let mut heat = Program::start(stage.heat(&["login", "--bot", "--browser"])?)?;
    let line = heat.wait_for_line(|line| line.contains("/authorize?"))?;
    let back = stage.logins.browse(line.trim(), "seabot")?;
    let path =
        back.split_once("/login").map(|(_, query)| format!("/login{query}")).unwrap_or_default();
    let get = |path: &str| -> Result<(u16, String)> {
        let (status, kind, body) = prometheus::get(stage.town.http, path, "text/html")?;
        ensure!(kind.starts_with("text/html"), "{kind}");
        Ok((status, body))
    };
    // A page of somebody else cannot log heatd in to their account.
    let forged = path
        .rsplit_once("state=")
        .map(|(before, _)| format!("{before}state=0123"))
        .unwrap_or_default();
    let (status, page) = get(&forged)?;
    ensure!(status == 400 && page.contains("nothing waits for this login"), "{status} {page}");
    let (status, page) = get(&path)?;
    ensure!(status == 200 && page.contains("heatd is logged in as seabot"), "{status} {page}");
    ensure!(heat.wait()?.success(), "{:#?}", heat.lines());
    let (status, _) = get(&path)?;
    ensure!(status == 400, "a second time");
    stage.has_told_no_secret(&[&heat.lines().join("\n"), &page])
}

#[test]
fn what_keeps_a_login_from_beginning_is_said() -> Result<()> {
    let stage =
        Stage::new("[[twitch.account]]\nchannel = \"seaside\"\nfeatures = [\"follows\"]\n")?;
    let (is_done, words) = stage.says(&["login"])?;
    ensure!(
        !is_done && words.contains("dev.twitch.tv/console") && words.contains("Public"),
        "{words}"
    );
    let (is_done, words) = stage.says(&["login", "--client-id", "someother"])?;
    ensure!(!is_done && words.contains("Twitch refuses the client id"), "{words}");
    let (is_done, words) = stage.says(&["login", "--bot"])?;
    ensure!(!is_done && words.contains("no such account; it has seaside"), "{words}");
    let (is_done, words) = stage.says(&["login", "--browser", "--client-id", CLIENT])?;
    ensure!(!is_done && words.contains("Confidential"), "{words}");
    // A client id that was typed once is known from then on.
    let (is_done, words) = stage.log_in(&["--client-id", CLIENT], "seaside")?;
    ensure!(is_done, "{words}");
    let (is_done, words) = stage.log_in(&[], "seaside")?;
    ensure!(is_done, "{words}");
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_file_of_logins_that_others_can_read_is_refused() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut stage = Stage::new(&account("\"follows\""))?;
    stage.log_in(&[], "seaside")?;
    stage.heatd.terminate()?;
    fs::set_permissions(stage.file(), fs::Permissions::from_mode(0o644))?;
    let refused = stage.town.heatd_command("run", &stage.configuration)?.output()?;
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    if refused.status.success() {
        bail!("it has run: {words}");
    }
    ensure!(words.contains("chmod 600") && words.contains("twitch.logins"), "{words}");
    Ok(())
}
