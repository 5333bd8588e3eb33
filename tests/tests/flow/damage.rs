//! A store that cannot be used: damaged, in use, on a disk that is full or takes no writing. heatd says what, where, and what helps.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use heat_tests::mosquitto::Mosquitto;
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, binaries};

use crate::backups::{answer, configuration};
use crate::town::{Broker, Town};

/// A heatd that cannot start: its exit code, and what it says.
fn refused(town: &Town, configuration: &str) -> Result<String> {
    let mut heatd = Program::start(town.heatd_command("run", configuration)?)?;
    heatd.wait_for_line(|line| line.contains("heatd ends") || line.contains("failed to make"))?;
    let status = heatd.wait()?;
    let words = heatd.lines().join("\n");
    ensure!(status.code() == Some(1), "{status}: {words}");
    ensure!(!words.contains("panicked"), "{words}");
    Ok(words)
}

/// A heatd that was there, with one fave and a backup of it.
fn before(town: &Town, configuration: &str) -> Result<()> {
    let mut heatd = town.heatd(configuration)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave pie");
    town.wait_for_figure("heatd_faves_total", 1)?;
    answer(town, &["backup"])?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}

/// The store with a byte changed in every page that has anything in it: one that is in use is among them.
pub(crate) fn flipped(store: &[u8]) -> Vec<u8> {
    let mut flipped = store.to_vec();
    for page in flipped.chunks_mut(4096).skip(1) {
        if let Some(byte) = page.iter_mut().rev().find(|byte| **byte != 0) {
            *byte ^= 4;
        }
    }
    flipped
}

#[test]
fn a_damaged_store_is_refused_with_the_command_that_restores_the_newest_backup() -> Result<()> {
    let town = Town::new()?;
    let configuration = configuration(&town, &Broker::Embedded(town.mqtt), "keep = 0")?;
    before(&town, &configuration)?;
    let file = town.path("heat-data/heat.redb");
    let store = fs::read(&file)?;
    let damaged =
        [store[..store.len() / 2].to_vec(), flipped(&store), Vec::new(), b"hello".to_vec()];
    for content in damaged {
        fs::write(&file, &content)?;
        let words = refused(&town, &configuration)?;
        let said = format!("failed to open {}: the store is damaged: ", file.display());
        ensure!(words.contains(&said), "{words}");
        let command = words.split("Restore the newest backup: ").nth(1).context("no command")?;
        let command = command.trim().trim_end_matches('"');
        ensure!(command.starts_with("heat restore /") && !command.contains('\n'), "{words}");
        let arguments: Vec<&str> = command.split(' ').skip(1).collect();
        let told = answer(&town, &arguments)?;
        ensure!(
            told.contains("1 faves of #seaside.") && told.contains("could not be read"),
            "{told}"
        );
    }
    let _heatd = town.heatd(&configuration)?;
    let heat = || -> Result<bool> { Ok(answer(&town, &["status"])?.contains("shows \"1\"")) };
    eventually("the heat of the backup", || heat().unwrap_or(false))
}

#[test]
fn without_a_backup_that_is_said_too() -> Result<()> {
    let town = Town::new()?;
    let configuration = configuration(&town, &Broker::Embedded(town.mqtt), "keep = 0")?;
    fs::create_dir(town.path("heat-data"))?;
    fs::write(town.path("heat-data/heat.redb"), "hello")?;
    let words = refused(&town, &configuration)?;
    ensure!(
        words.contains("There is no backup in ") && words.contains("move the store away"),
        "{words}"
    );
    Ok(())
}

#[test]
fn a_store_that_is_gone_beside_backups_is_no_silent_beginning() -> Result<()> {
    let town = Town::new()?;
    let configuration = configuration(&town, &Broker::Embedded(town.mqtt), "keep = 0")?;
    before(&town, &configuration)?;
    fs::remove_file(town.path("heat-data/heat.redb"))?;
    let heatd = town.heatd(&configuration)?;
    let warning =
        heatd.wait_for_line(|line| line.contains("there is no store, and there are backups"))?;
    ensure!(warning.contains("heat restore "), "{warning}");
    Ok(())
}

#[test]
fn a_second_heatd_on_the_same_store_ends_and_the_first_goes_on() -> Result<()> {
    let town = Town::new()?;
    let configuration = configuration(&town, &Broker::Embedded(town.mqtt), "keep = 0")?;
    let mut heatd = town.heatd(&configuration)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    let words = refused(&town, &configuration)?;
    ensure!(words.contains("the store is in use by another heatd; stop that one first"), "{words}");
    ensure!(words.contains("heat.redb"), "{words}");
    ensure!(heatd.is_running());
    Ok(())
}

#[test]
fn a_data_folder_that_cannot_be_made_or_written_is_no_mistake_of_the_configuration() -> Result<()> {
    let town = Town::new()?;
    let configuration = configuration(&town, &Broker::Embedded(town.mqtt), "keep = 0")?;
    // Below a file there is no folder, whoever asks.
    let elsewhere = format!("data = \"heatd.toml/data\"\n{configuration}");
    let words = refused(&town, &elsewhere)?;
    ensure!(
        words.contains("failed to make the data folder") && words.contains("heatd.toml/data"),
        "{words}"
    );
    // A store in whose place there is a folder cannot be opened either.
    fs::create_dir_all(town.path("heat-data/heat.redb"))?;
    let words = refused(&town, &configuration)?;
    ensure!(words.contains("failed to open ") && words.contains("heat-data/heat.redb"), "{words}");
    Ok(())
}

/// heatd whose files may become no larger than this, as on a disk that is full.
#[cfg(unix)]
fn confined(town: &Town, bytes: u64) -> Result<Program> {
    let mut shell = Command::new("sh");
    // The signal that comes with it would end heatd without a word; a full disk sends none. A unit has 512 bytes in some shells.
    let script = "trap '' XFSZ; ulimit -f \"$1\"; exec \"$2\" run --config \"$3\"";
    shell.args(["-c", script, "sh", &(bytes / 512).to_string()]);
    shell.arg(binaries()?.heatd).arg(town.path("heatd.toml")).current_dir(town.folder.path());
    Program::start(shell)
}

#[cfg(unix)]
#[test]
fn a_disk_that_becomes_full_ends_heatd_and_nothing_shown_is_lost() -> Result<()> {
    let mut broker = Mosquitto::start()?;
    let town = Town::new()?;
    let configuration = configuration(&town, &Broker::At(broker.port()), "keep = 0")?;
    before(&town, &configuration)?;
    let watch = broker.subscribe("heat/v1/#")?;
    let joins = town.chat.joins().len();
    let mut heatd = confined(&town, length(&town.path("heat-data/heat.redb"))? + 100_000)?;
    town.wait_for_joins("seaside", joins + 1)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    let mut faves = 0;
    while heatd.is_running() && faves < 50_000 {
        faves += 1;
        // What does not compress fills a disk sooner.
        let noise: String = (0..200).map(|_| fastrand::alphanumeric()).collect();
        town.chat.say("seaside", &format!("person{faves}"), &format!("?fave {noise}"));
    }
    heatd.wait_for_line(|line| line.contains("heatd ends"))?;
    let code = heatd.wait()?.code();
    let words = heatd.lines().join("\n");
    ensure!(code == Some(1), "{code:?}: {words}");
    let reason = words.lines().find(|line| line.contains("heatd ends")).context("no reason")?;
    for part in ["there is no room for the store", "make room", "heat.redb"] {
        ensure!(reason.contains(part), "{reason}");
    }
    ensure!(!words.contains("panicked"), "{words}");
    let shown = watch.last("heat/v1/seaside/heat").and_then(|heat| heat.parse::<u64>().ok());
    let shown = shown.context("nothing was shown")?;

    // Whoever supervises heatd starts it again; once there is room, everything is there.
    let _heatd = town.heatd(&configuration)?;
    eventually("the heat after the restart", || -> Result<()> {
        let status: serde_json::Value =
            serde_json::from_str(&answer(&town, &["status", "--json"])?)?;
        let heat = status["channels"][0]["outputs"]["heat"].as_str().context("no heat")?;
        let heat: u64 = heat.parse()?;
        ensure!(heat >= shown, "{shown} was shown, and {heat} is there");
        Ok(())
    })
}

#[cfg(unix)]
fn length(file: &Path) -> Result<u64> {
    Ok(fs::metadata(file)?.len())
}
