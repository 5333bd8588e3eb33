//! Passwords and tokens are where they belong, and nowhere else: not in a log at its most talkative, an answer, a command line or a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use heat_tests::mosquitto::{Mosquitto, Options};
use heat_tests::patience::patience;
use heat_tests::processes::{Program, binaries};

use crate::town::{Broker, Town};

/// What is planted. No other text has them.
const OF_WRITER: &str = "planted-password-of-the-writer";
const OF_DECK: &str = "planted-password-of-the-deck";
const OF_BROKER: &str = "planted-password-of-the-broker";
const WRONG: &str = "planted-password-that-is-wrong";

/// Texts that were found, each with where it is from.
#[derive(Default)]
struct Findings(Vec<(String, Vec<u8>)>);

impl Findings {
    fn add(&mut self, from: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.0.push((from.into(), text.into()));
    }

    fn add_program(&mut self, program: &Program, name: &str) -> Result<()> {
        self.add(format!("what {name} prints"), program.lines().join("\n"));
        #[cfg(target_os = "linux")]
        for file in ["cmdline", "environ"] {
            let file = format!("/proc/{}/{file}", program.id());
            self.add(format!("{file} of {name}"), fs::read(&file)?);
        }
        Ok(())
    }

    /// Every file below a folder, but for these.
    fn add_files(&mut self, folder: &Path, but: &[PathBuf]) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.add_files(&path, but)?;
            } else if !but.contains(&path) {
                self.add(path.display().to_string(), fs::read(&path)?);
            }
        }
        Ok(())
    }

    /// Where a secret stands, apart from these places.
    fn check(&self, secret: &str, allowed: &[&str]) -> Result<()> {
        for (from, text) in &self.0 {
            let found = text.windows(secret.len()).any(|window| window == secret.as_bytes());
            if found && !allowed.iter().any(|place| from.ends_with(place)) {
                bail!("{secret} stands in {from}");
            }
        }
        Ok(())
    }
}

fn heat(town: &Town, arguments: &[&str], token: Option<&Path>) -> Result<Vec<u8>> {
    let mut command = Command::new(binaries()?.heat);
    command.args(arguments).current_dir(town.folder.path());
    for name in ["HEAT_URL", "HEAT_TOKEN_FILE", "HEAT_DATA"] {
        command.env_remove(name);
    }
    if let Some(token) = token {
        command.env("HEAT_TOKEN_FILE", token);
        command.env("HEAT_URL", format!("http://127.0.0.1:{}", town.http));
    }
    let output = command.output()?;
    Ok([output.stdout, output.stderr].concat())
}

/// Everything that the API answers to an owner.
fn ask_everything(town: &Town, token: &str, findings: &mut Findings) -> Result<()> {
    use std::io::{Read, Write};
    let page = include_str!("../../../docs/api.md");
    // These two answer as long as somebody listens.
    let ends = |line: &&str| !line.contains("/watch") && !line.contains("/devlog");
    for line in page.lines().filter(|line| line.starts_with("| `")).filter(ends) {
        let request = line.split('`').nth(1).unwrap_or_default();
        let request = request.split(['?', '[']).next().unwrap_or_default();
        let request = request.replace("CHANNEL", "seaside").replace("SLOT", "decay");
        let (method, path) = request.split_once(' ').context("no method")?;
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", town.http))?;
        stream.set_read_timeout(Some(patience()))?;
        write!(
            stream,
            "{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).with_context(|| format!("{request} does not end"))?;
        ensure!(answer.starts_with(b"HTTP/1.1 "), "{request}");
        findings.add(format!("the answer to {request}"), answer);
    }
    for path in ["/", "/metrics", "/readyz", "/healthz"] {
        findings.add(path, town.page(path)?.1);
    }
    Ok(())
}

#[test]
fn secrets_of_the_api_and_of_the_embedded_broker_stay_where_they_belong() -> Result<()> {
    let town = Town::new()?;
    fs::write(town.path("writer.password"), OF_WRITER)?;
    fs::write(town.path("deck.password"), format!("{OF_DECK}\n"))?;
    let user = |name: &str| {
        format!("[[mqtt.embedded.user]]\nname = {name:?}\npassword_file = \"{name}.password\"\n")
    };
    let head = town.head(&["seaside"], &Broker::Embedded(town.mqtt));
    let head = head.replace("log = \"info,heatd=debug\"", "log = \"trace\"");
    let configuration = head + &user("writer") + &user("deck") + &Town::rules("LUL")?;
    let mut heatd = town.heatd(&configuration)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    town.chat.wait_joined("seaside")?;

    let mut findings = Findings::default();
    // One password from the environment, one from a file, and a wrong one.
    let mut command = Command::new(binaries()?.writer);
    let broker = format!("127.0.0.1:{}", town.mqtt);
    let file = town.path("heat.txt");
    command.args(["--broker", &broker, "--every", "0s", "--user", "writer", "--file"]).arg(&file);
    command.env("HEAT_PASSWORD", OF_WRITER);
    let writer = Program::start(command)?;
    writer.wait_for_line(|line| line.contains("connected to"))?;
    let password = town.path("deck.password").display().to_string();
    let deck = ["--user", "deck", "--password-file", &password];
    let deck = town.writer(town.mqtt, &town.path("deck.txt"), &deck)?;
    deck.wait_for_line(|line| line.contains("connected to"))?;
    fs::write(town.path("wrong.password"), WRONG)?;
    let password = town.path("wrong.password").display().to_string();
    let wrong = ["--user", "deck", "--password-file", &password];
    let wrong = town.writer(town.mqtt, &town.path("wrong.txt"), &wrong)?;
    wrong.wait_for_line(|line| line.contains("refuses user deck"))?;
    heatd.wait_for_line(|line| line.contains("unknown user or wrong password"))?;

    let owner = fs::read_to_string(town.path("heat-data/api.token"))?.trim().to_owned();
    let made =
        heat(&town, &["token", "new", "--role", "moderator", "--name", "ann", "--json"], None)?;
    let made: serde_json::Value = serde_json::from_slice(&made)?;
    let moderator = made["token"].as_str().context("no token")?.to_owned();
    fs::write(town.path("ann.token"), &moderator)?;
    let wrong_token = "0123456789abcdef".repeat(4);
    fs::write(town.path("wrong.token"), &wrong_token)?;
    town.chat.say("seaside", "ann", "?fave pie");
    town.wait_for_text(&file, "🔥 HEAT LEVEL: 1")?;
    ask_everything(&town, &owner, &mut findings)?;
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["rules", "list"],
        &["rules", "history"],
        &["config", "diff"],
        &["config", "export"],
        &["token", "list"],
        &["command", "?heat set 5"],
    ] {
        findings.add(format!("heat {arguments:?}"), heat(&town, arguments, None)?);
        let files: &[&str] =
            if arguments[0] == "status" { &["ann.token", "wrong.token"] } else { &[] };
        for file in files {
            let output = heat(&town, arguments, Some(&town.path(file)))?;
            findings.add(format!("heat {arguments:?} with {file}"), output);
        }
    }
    for (program, name) in
        [(&heatd, "heatd"), (&writer, "writer"), (&deck, "deck"), (&wrong, "wrong")]
    {
        findings.add_program(program, name)?;
    }
    ensure!(heatd.terminate()?.success());
    ensure!(heatd.lines().iter().any(|line| line.contains("DEBUG")), "it is not talkative");
    findings.add("the last words of heatd", heatd.lines().join("\n"));
    let data = town.path("heat-data");
    findings.add_files(&data, &[data.join("api.token")])?;
    findings.add_files(town.folder.path(), &[])?;

    findings.check(OF_WRITER, &["writer.password", "environ of writer"])?;
    findings.check(OF_DECK, &["deck.password"])?;
    findings.check(WRONG, &["wrong.password"])?;
    findings.check(&owner, &["api.token"])?;
    findings.check(&moderator, &["ann.token"])?;
    findings.check(&wrong_token, &["wrong.token"])?;
    // The search would find them.
    ensure!(findings.check(&owner, &[]).is_err() && findings.check(OF_DECK, &[]).is_err());
    Ok(())
}

#[test]
fn the_password_of_a_broker_stays_in_its_file() -> Result<()> {
    let town = Town::new()?;
    let options = Options::default().user("heatd", OF_BROKER).acl("user heatd");
    let broker = Mosquitto::start_with(options.acl("topic readwrite #"))?;
    let head = town.head(&["seaside"], &Broker::At(broker.port()));
    let head = head.replace("log = \"info,heatd=debug\"", "log = \"trace\"");
    let login = "user = \"heatd\"\npassword_file = \"broker.password\"\n";
    let configuration = head + login + &Town::rules("LUL")?;
    let mut findings = Findings::default();
    for (password, says) in [(WRONG, "refuses user and password"), (OF_BROKER, "broker connected")]
    {
        fs::write(town.path("broker.password"), password)?;
        let mut heatd = town.heatd(&configuration)?;
        heatd.wait_for_line(|line| line.contains(says))?;
        findings.add_program(&heatd, "heatd")?;
        for path in ["/metrics", "/readyz"] {
            findings.add(path, town.page(path)?.1);
        }
        findings.add("heat status", heat(&town, &["status", "--json"], None)?);
        heatd.terminate()?;
        findings.add("the last words of heatd", heatd.lines().join("\n"));
    }
    let check = town.heatd_command("check", &configuration)?.output()?;
    findings.add("heatd check", [check.stdout, check.stderr].concat());
    // Where it does not belong it is refused, and not repeated.
    let inline = configuration
        .replace("password_file = \"broker.password\"", &format!("password = {OF_BROKER:?}"));
    let check = town.heatd_command("check", &inline)?.output()?;
    let words = [check.stdout, check.stderr].concat();
    ensure!(String::from_utf8_lossy(&words).contains("does not belong into the configuration"));
    findings.add("heatd check of a password", words);
    let sheet = format!(
        "broker = \"pi\"\nuser = \"heatd\"\npassword = {OF_BROKER:?}\n[[file]]\npath = \"x\"\n"
    );
    fs::write(town.path("writer.toml"), sheet)?;
    let mut writer = Command::new(binaries()?.writer);
    let refused = writer.arg("--config").arg(town.path("writer.toml")).output()?;
    ensure!(refused.status.code() == Some(64));
    findings.add("what heat-writer says", refused.stderr);
    for file in ["heatd.toml", "writer.toml"] {
        fs::remove_file(town.path(file))?;
    }
    findings.add_files(town.folder.path(), &[])?;
    findings.check(OF_BROKER, &["broker.password"])?;
    findings.check(WRONG, &[])
}
