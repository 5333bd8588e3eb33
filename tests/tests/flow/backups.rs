//! Backups: made while heatd runs, each day and when asked for, and restored, on the same machine and on another one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use heat_tests::mosquitto::Mosquitto;
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, binaries};
use serde_json::Value;

use crate::damage::flipped;
use crate::town::{Broker, Town};

/// The town's configuration with other words on backups.
pub(crate) fn configuration(town: &Town, broker: &Broker, backup: &str) -> Result<String> {
    let head = town.head(&["seaside"], broker);
    let (before, after) = head.split_once("keep = 0\n").context("the head has no backups")?;
    let told = format!("{before}{backup}\n{after}");
    Ok(told + &Town::rules("LUL")?)
}

/// Exit code, answer, and what is said beside it.
pub(crate) fn heat(town: &Town, arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
    let mut command = Command::new(binaries()?.heat);
    command.args(arguments).current_dir(town.folder.path());
    for name in ["HEAT_URL", "HEAT_TOKEN_FILE", "HEAT_DATA"] {
        command.env_remove(name);
    }
    let Output { status, stdout, stderr } = command.output()?;
    Ok((status.code(), String::from_utf8(stdout)?, String::from_utf8(stderr)?))
}

pub(crate) fn answer(town: &Town, arguments: &[&str]) -> Result<String> {
    let (code, answer, words) = heat(town, arguments)?;
    ensure!(code == Some(0), "{arguments:?} ended with {code:?}: {answer}{words}");
    Ok(answer)
}

fn status(town: &Town) -> Result<Value> {
    Ok(serde_json::from_str(&answer(town, &["status", "--json"])?)?)
}

/// Starts heatd, and waits until it hears chat and its broker.
fn start(town: &Town, configuration: &str) -> Result<Program> {
    let joins = town.chat.joins().len();
    let heatd = town.heatd(configuration)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    town.wait_for_joins("seaside", joins + 1)?;
    Ok(heatd)
}

/// Lets somebody fave so often, and waits until it is shown.
fn fave(town: &Town, times: usize, heat: &str) -> Result<()> {
    for _ in 0..times {
        town.chat.say("seaside", "ann", "?fave pie");
    }
    wait_for_heat(town, heat)
}

fn wait_for_heat(town: &Town, heat: &str) -> Result<()> {
    eventually(format!("the heat to be {heat}"), || {
        let found = status(town).map(|status| status["channels"][0]["outputs"]["heat"].clone());
        match found {
            Ok(found) if found == heat => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[cfg(unix)]
fn is_private(file: &Path) -> Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(file)?.permissions().mode() & 0o777 == 0o600)
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> Result<bool> {
    Ok(true)
}

#[test]
fn a_day_has_one_backup_and_only_daily_ones_are_deleted() -> Result<()> {
    let town = Town::new()?;
    let folder = town.path("heat-data/backups");
    fs::create_dir_all(&folder)?;
    for name in ["heat-2001-01-01.redb", "heat-2001-01-02.redb", "heat-2001-01-01-120000.redb"] {
        fs::write(folder.join(name), "old")?;
    }
    fs::write(folder.join("mine.redb"), "mine")?;
    fs::write(folder.join("heat-2001-01-01.redb.part"), "broken off")?;
    let configuration = configuration(&town, &Broker::Embedded(town.mqtt), "keep = 2")?;
    let mut heatd = start(&town, &configuration)?;
    heatd.wait_for_line(|line| line.contains("old backups deleted"))?;
    let left = names(&folder)?;
    let today = left.last().filter(|name| name.len() == "heat-2001-01-01.redb".len());
    let new = left.iter().find(|name| name.starts_with("heat-2") && !name.starts_with("heat-2001"));
    let new = new.context("there is no new one")?.clone();
    ensure!(today.is_none(), "{left:?}");
    let expected = ["heat-2001-01-01-120000.redb", "heat-2001-01-02.redb", &new, "mine.redb"];
    assert_eq!(left, expected);
    ensure!(is_private(&folder.join(&new))?);

    let told = status(&town)?["backup"].clone();
    let file = folder.join(&new).canonicalize()?;
    let named = PathBuf::from(told["file"].as_str().context("no file is named")?);
    ensure!(named.canonicalize()? == file && told["problem"].is_null(), "{told}");
    let at = told["at"].as_u64().context("no time is told")?;
    assert_eq!(town.figure("heatd_last_backup_timestamp_seconds")?, at / 1_000);
    ensure!(answer(&town, &["status"])?.contains(" ago: "));

    // The day has its backup, also after a restart.
    let made = fs::metadata(&file)?.modified()?;
    ensure!(heatd.terminate()?.success());
    let again = start(&town, &configuration)?;
    fave(&town, 1, "1")?;
    ensure!(!again.lines().iter().any(|line| line.contains("backup made")));
    ensure!(fs::metadata(&file)?.modified()? == made);
    Ok(())
}

#[test]
fn a_backup_is_made_when_asked_for_here_and_there() -> Result<()> {
    let town = Town::new()?;
    let configuration = configuration(&town, &Broker::Embedded(town.mqtt), "keep = 0")?;
    let mut heatd = start(&town, &configuration)?;
    fave(&town, 3, "3")?;
    let made = answer(&town, &["backup"])?;
    ensure!(made.contains(" is made and verified ("), "{made}");
    let lines = answer(&town, &["backup", "--json"])?;
    let last: Value = serde_json::from_str(lines.lines().last().context("no answer")?)?;
    assert_eq!(last["faves"]["seaside"], 3);
    let asked = PathBuf::from(last["file"].as_str().context("no file")?);
    ensure!(is_private(&asked)?);

    let brought = town.path("brought.redb");
    let told = answer(&town, &["backup", "--output", "brought.redb"])?;
    ensure!(told.contains("the backup brought.redb is made ("), "{told}");
    ensure!(is_private(&brought)?);
    let (code, _, words) = heat(&town, &["backup", "--output", "brought.redb"])?;
    ensure!(code == Some(1) && words.contains("is there already"), "{words}");
    // What was passed on is kept nowhere else.
    let kept = names(&town.path("heat-data/backups"))?;
    ensure!(kept.iter().all(|name| name.ends_with(".redb")) && kept.len() <= 2, "{kept:?}");

    // A heatd that runs keeps its store.
    let (code, _, words) = heat(&town, &["restore", "brought.redb"])?;
    ensure!(code == Some(1) && words.contains("a heatd has the store"), "{code:?} {words}");
    fave(&town, 2, "5")?;
    ensure!(heatd.terminate()?.success());
    let told = answer(&town, &["restore", "brought.redb", "--data", "heat-data"])?;
    ensure!(
        told.contains("3 faves of #seaside.") && told.contains("5 faves of #seaside."),
        "{told}"
    );
    ensure!(names(&town.path("heat-data"))?.iter().any(|name| name.starts_with("heat-replaced-")));
    let _heatd = start(&town, &configuration)?;
    wait_for_heat(&town, "3")
}

#[test]
fn a_second_folder_that_is_away_is_a_warning_and_gets_its_copy_later() -> Result<()> {
    let town = Town::new()?;
    let plan = "also = \"nas/heat\"";
    let configuration = configuration(&town, &Broker::Embedded(town.mqtt), plan)?;
    let mut heatd = start(&town, &configuration)?;
    let warning = heatd.wait_for_line(|line| line.contains("the second backup failed"))?;
    ensure!(warning.contains("WARN") && warning.contains("is it mounted?"), "{warning}");
    eventually("heatd to be ready", || town.page("/readyz").is_ok_and(|(code, _)| code == 200))?;
    let problem = status(&town)?["backup"]["problem"].clone();
    ensure!(problem.as_str().is_some_and(|it| it.contains("nas/heat")), "{problem}");
    let told = answer(&town, &["backup"])?;
    ensure!(told.contains("the second one failed: there is no folder"), "{told}");

    // Mounted, the folder gets what is asked for at once, and the day's with the next try: a start is one.
    fs::create_dir_all(town.path("nas/heat"))?;
    let told = answer(&town, &["backup"])?;
    ensure!(told.contains("so is a second one, "), "{told}");
    ensure!(heatd.terminate()?.success());
    let _heatd = start(&town, &configuration)?;
    eventually("the copy of the day's backup", || -> bool {
        let found = names(&town.path("nas/heat")).unwrap_or_default();
        found.len() == 2 && found.iter().all(|name| name.ends_with(".redb"))
    })?;
    eventually("the problem to be over", || {
        status(&town).is_ok_and(|status| status["backup"]["problem"].is_null())
    })
}

#[test]
fn what_is_no_sound_backup_is_not_restored() -> Result<()> {
    let town = Town::new()?;
    let configuration = configuration(&town, &Broker::Embedded(town.mqtt), "keep = 0")?;
    let mut heatd = start(&town, &configuration)?;
    fave(&town, 1, "1")?;
    answer(&town, &["backup", "--output", "good.redb"])?;
    ensure!(heatd.terminate()?.success());
    let good = fs::read(town.path("good.redb"))?;
    for (content, expected) in [
        (&good[..good.len() / 3], "the store is damaged"),
        (&flipped(&good), "the store is damaged"),
        (b"", "it is empty"),
        (b"hello", "the store is damaged"),
    ] {
        fs::write(town.path("bad.redb"), content)?;
        let (code, _, words) = heat(&town, &["restore", "bad.redb", "--data", "heat-data"])?;
        ensure!(code == Some(1) && words.contains("bad.redb is no sound backup"), "{words}");
        ensure!(words.contains(expected) && words.contains("Nothing was changed"), "{words}");
        ensure!(!words.contains("panicked"), "{words}");
    }
    let (code, ..) = heat(&town, &["restore", "bad.redb", "--data", "new/heat-data"])?;
    ensure!(code == Some(1) && !town.path("new").exists(), "a folder is left behind");
    let (code, _, words) = heat(&town, &["restore", "none.redb", "--data", "heat-data"])?;
    ensure!(code == Some(1) && words.contains("there is no file none.redb"), "{words}");
    let kept = names(&town.path("heat-data"))?;
    ensure!(
        !kept.iter().any(|name| name.contains("restored") || name.contains("replaced")),
        "{kept:?}"
    );
    let _heatd = start(&town, &configuration)?;
    wait_for_heat(&town, "1")
}

/// What docs/backup.md tells to do when a node dies, with two folders as the nodes, and a third for the network disk.
#[test]
fn what_a_node_kept_goes_on_another_one() -> Result<()> {
    let mut broker = Mosquitto::start()?;
    let (town, other) = (Town::new()?, Town::new()?);
    let disk = tempfile::tempdir()?;
    let plan = format!("also = {:?}", disk.path());
    let here = configuration(&town, &Broker::At(broker.port()), &plan)?;
    let mut heatd = start(&town, &here)?;
    let watch = broker.subscribe("heat/v1/#")?;
    fave(&town, 7, "7")?;
    watch.wait_for_last("heat/v1/seaside/heat", "7")?;
    let whole = |name: &String| name.ends_with(".redb");
    eventually("the first backup", || names(disk.path()).is_ok_and(|it| it.iter().any(whole)))?;
    // The next day: the first start that finds no backup of its date makes it, with the faves in it.
    ensure!(heatd.terminate()?.success());
    for folder in [disk.path(), &town.path("heat-data/backups")] {
        for name in names(folder)? {
            fs::rename(folder.join(name), folder.join("heat-2001-01-01.redb"))?;
        }
    }
    let mut heatd = start(&town, &here)?;
    let daily = eventually("the backup of the day on the network disk", || {
        let names = names(disk.path()).unwrap_or_default();
        names.into_iter().find(|name| whole(name) && !name.contains("2001"))
    })?;
    fave(&town, 2, "9")?;
    watch.wait_for_last("heat/v1/seaside/heat", "9")?;
    let figures = fs::read_to_string(town.path("heatd.toml"))?;
    heatd.kill()?;
    fs::remove_dir_all(town.path("heat-data"))?;

    let died = Instant::now();
    let folder = disk.path().to_string_lossy().into_owned();
    let list = answer(&other, &["restore", "--data", "heat-data", "--from", &folder])?;
    ensure!(list.contains(&daily), "{list}");
    let file = disk.path().join(&daily).to_string_lossy().into_owned();
    let told = answer(&other, &["restore", &file, "--data", "heat-data"])?;
    ensure!(told.contains("7 faves of #seaside."), "{told}");
    let there = figures.replace(&town.http.to_string(), &other.http.to_string());
    let there = there.replace(&town.chat.addr().to_string(), &other.chat.addr().to_string());
    let _heatd = start(&other, &there)?;
    wait_for_heat(&other, "7")?;
    watch.wait_for_last("heat/v1/seaside/heat", "7")?;
    let took = died.elapsed();
    heat_tests::notice::show(
        "restored on another node".to_owned(),
        format!("{:.1} s from the dead node to the same heat on the new one", took.as_secs_f64()),
    );
    ensure!(took < Duration::from_secs(300), "it took {took:?}");
    fave(&other, 1, "8")?;
    watch.wait_for_last("heat/v1/seaside/heat", "8").map(drop)
}
