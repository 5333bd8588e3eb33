//! What the pages about running Heat Level tell people to enter, where it can be tried.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use heat_tests::processes::{self, Program};

use crate::town::Town;
use crate::{deploy, replace};

fn page(name: &str) -> Result<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    std::fs::read_to_string(&file).with_context(|| file.display().to_string())
}

#[test]
fn mosquitto_takes_the_configuration_that_the_page_makes_for_the_pi() -> Result<()> {
    let (town, page) = (Town::new()?, page("pi.md")?);
    let line = page.lines().find_map(|line| line.strip_prefix("$ sed -E '")).context("no sed")?;
    let (script, rest) = line.split_once('\'').context("no script")?;
    let conf = rest.split_whitespace().next().context("sed of nothing")?;
    let mut sed = Command::new("sed");
    sed.arg("-E").arg(script).arg(deploy("..").join(conf));
    let made = String::from_utf8(processes::run(sed, &[])?.stdout)?;
    let here = town.folder.path().display().to_string();
    let made = replace(&made, "password_file /etc/mosquitto/", &format!("password_file {here}/"))?;
    let made = replace(&made, "acl_file /etc/mosquitto/", &format!("acl_file {here}/"))?;
    let made = replace(&made, "location /var/lib/mosquitto/", &format!("location {here}/"))?;
    let made = replace(&made, "listener 1883", &format!("listener {} 127.0.0.1", town.mqtt))?;
    std::fs::write(town.path("mosquitto.conf"), made + "user root\n")?;
    std::fs::copy(deploy("mosquitto/acl"), town.path("acl"))?;
    let mut passwd = Command::new("mosquitto_passwd");
    passwd.args(["-c", "-b"]).arg(town.path("passwords")).args(["heatd", "secret"]);
    processes::run(passwd, &[])?;
    let mut mosquitto = Command::new("mosquitto");
    mosquitto.arg("-c").arg(town.path("mosquitto.conf")).current_dir("/");
    let mosquitto = Program::start(mosquitto)?;
    mosquitto.wait_for_line(|line| line.ends_with("running")).map(|_| ())
}

#[test]
fn the_pages_name_files_that_are_there_and_archives_of_this_version() -> Result<()> {
    let version = concat!("heat-level-", env!("CARGO_PKG_VERSION"), "-");
    for name in ["pi.md", "k3s.md", "backup.md"] {
        let page = page(name)?;
        let words = page.split(|c: char| c.is_whitespace() || "`()[]".contains(c));
        let mut files = 0;
        for word in words {
            if word.starts_with("heat-level-") {
                ensure!(word.starts_with(version), "{name}: {word}");
            }
            if let Some(file) = word.strip_prefix("deploy/") {
                ensure!(deploy(file).exists(), "{name}: {word}");
                files += 1;
            }
        }
        ensure!(files > 2, "{name} names no files");
    }
    Ok(())
}

#[test]
fn every_promise_names_a_test_that_is_there() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = page("promises.md")?;
    let mut tests = 0;
    for named in page.split('`').filter(|it| it.contains(".rs::")) {
        let (file, test) = named.split_once("::").context("no test")?;
        let file = match file.starts_with("host/") {
            true => root.join(file),
            false => root.join("tests/tests").join(file),
        };
        let code = std::fs::read_to_string(&file).with_context(|| named.to_owned())?;
        let is_test = code.split("#[test]").chain(code.split("#[tokio::test]")).any(|rest| {
            let name = rest.split_once("fn ").and_then(|(_, rest)| rest.split_once('('));
            name.is_some_and(|(name, _)| name == test)
        });
        ensure!(is_test, "{named} is no test");
        tests += 1;
    }
    ensure!(tests > 50, "the page names {tests} tests");
    Ok(())
}
