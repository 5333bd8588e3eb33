//! The first start: `heatd init` writes what heatd then runs, and prints the writer's command.

use std::process::{Command, Output};

use anyhow::{Result, ensure};
use heat_tests::processes::{Program, binaries};

use crate::town::{Broker, Town, component};

fn init(town: &Town, arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let rules = component("rules", "fave")?;
    let Output { status, stdout, stderr } = Command::new(binaries()?.heatd)
        .args(["init", "--rules"])
        .arg(rules.with_file_name(""))
        .args(arguments)
        .current_dir(town.folder.path())
        .output()?;
    Ok((status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()))
}

/// Points what init wrote at the test's chat and ports.
fn adapt(town: &Town) -> Result<()> {
    let file = town.path("heat/heatd.toml");
    let chat = format!("channels = [\"seaside\"]\nserver = \"{}\"\ntls = false", town.chat.addr());
    let text = std::fs::read_to_string(&file)?
        .replace(":1883", &format!(":{}", town.mqtt))
        .replace("channels = [\"seaside\"]", &chat)
        .replace("providers = [\"7tv\", \"bttv\", \"ffz\"]", "providers = []");
    ensure!(text.contains("providers = []"), "heatd would ask for emotes in the internet");
    std::fs::write(file, text + &format!("\n[http]\nlisten = \"127.0.0.1:{}\"\n", town.http))?;
    Ok(())
}

/// The writer's arguments, as they are printed.
fn writer_arguments(words: &str) -> Vec<String> {
    let line = words.lines().find_map(|line| line.trim().strip_prefix("heat-writer "));
    line.unwrap_or_default().split(' ').map(str::to_owned).collect()
}

#[test]
fn a_store_of_a_newer_heatd_is_refused_with_what_to_do() -> Result<()> {
    let town = Town::new()?;
    let newer = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("stores/schema-4.redb.zst");
    std::fs::create_dir(town.path("heat-data"))?;
    let store = town.path("heat-data/heat.redb");
    std::fs::write(&store, zstd::decode_all(&std::fs::read(newer)?[..])?)?;
    let before = std::fs::read(&store)?;
    let configuration = town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &Town::rules("x")?;
    let Output { status, stderr, .. } = town.heatd_command("run", &configuration)?.output()?;
    let words = String::from_utf8_lossy(&stderr).into_owned();
    ensure!(status.code() == Some(1), "{words}");
    for word in [
        "heat.redb",
        "schema version 4",
        "versions up to 3",
        "install version 9.8.7 of heatd or a later one",
    ] {
        ensure!(words.contains(word), "{word} is not said: {words}");
    }
    ensure!(std::fs::read(&store)? == before, "it was written to");
    Ok(())
}

#[test]
fn what_init_writes_runs_and_the_writer_comes_in_with_the_printed_command() -> Result<()> {
    let town = Town::new()?;
    let (code, words) = init(&town, &["--channel", "#Seaside", "--obs", "elsewhere"])?;
    ensure!(code == Some(0), "{words}");
    adapt(&town)?;
    let mut heatd = Command::new(binaries()?.heatd);
    heatd.args(["run", "--config", "heat/heatd.toml"]).current_dir(town.folder.path());
    let _heatd = Program::start(heatd)?;
    town.chat.wait_joined("seaside")?;

    let password =
        words.lines().map(str::trim).find(|line| line.len() == 32 && !line.contains(' '));
    std::fs::write(town.path("writer.password"), password.unwrap_or_default())?;
    let mut writer = Command::new(binaries()?.writer);
    let broker = format!("127.0.0.1:{}", town.mqtt);
    let mut arguments = writer_arguments(&words);
    let place = arguments.iter().position(|it| it == "--broker").unwrap_or_default() + 1;
    arguments[place] = broker;
    writer.args(&arguments).current_dir(town.folder.path());
    let _writer = Program::start(writer)?;
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_text(&town.path("heat.txt"), "🔥 HEAT LEVEL: 1")?;

    // Nothing is overwritten.
    let (code, words) = init(&town, &["--channel", "seaside", "--obs", "here"])?;
    ensure!(code == Some(64) && words.contains("is there already"), "{code:?} {words}");
    Ok(())
}

#[test]
fn init_says_what_it_cannot_do() -> Result<()> {
    let town = Town::new()?;
    for (arguments, expected) in [
        (vec!["--channel", "two words", "--obs", "here"], "is no channel"),
        (vec!["--channel", "seaside"], "give --obs here or --obs elsewhere"),
        (vec!["--channel", "seaside", "--obs", "nowhere"], "possible values: here, elsewhere"),
    ] {
        let (code, words) = init(&town, &arguments)?;
        ensure!(code == Some(64) && words.contains(expected), "{arguments:?}: {code:?} {words}");
    }
    ensure!(!town.path("heat").exists(), "a folder was made");
    Ok(())
}
