//! heat-writer when things around it break: whatever happens, the file shows a whole text, and in the end the right one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use heat_tests::mosquitto::{Mosquitto, Options};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, binaries, run};

const TOPIC: &str = "heat/v1/seaside/heat";
const ZERO: &str = "🔥 HEAT LEVEL RISING";

/// heat-writer for one file, writing without delay.
fn writer(port: u16, file: &Path, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(binaries()?.writer);
    command.args(["--broker", &format!("127.0.0.1:{port}"), "--every", "0s", "--file"]);
    command.arg(file).args(arguments);
    Ok(command)
}

fn wait_for(file: &Path, text: &str) -> Result<()> {
    eventually(format!("{text:?} in {}", file.display()), || match fs::read_to_string(file) {
        Ok(found) if found == text => Ok(()),
        other => Err(format!("{other:?}")),
    })
}

fn said(program: &Program, words: &str) -> usize {
    program.lines().iter().filter(|line| line.contains(words)).count()
}

/// Everything in a folder, hidden files too.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// A text so long that half of it would be seen.
const FILLER: &str = "so hot that it takes a long line to tell how hot it is, ";

fn long(value: u64) -> String {
    format!("<{value}> {}<{value}>", FILLER.repeat(15))
}

/// So many values are published at once, so that the file is never far behind.
const AHEAD: u64 = 300;

/// Retains ever higher values until it is told to stop, and goes on when the file has come near; says the last one.
fn flood(port: u16, file: &Path, stop: &AtomicBool) -> Result<u64> {
    let mut command = Command::new("mosquitto_pub");
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-t", TOPIC, "-r", "-q", "1", "-l"]);
    let mut publisher = command.stdin(Stdio::piped()).spawn()?;
    let mut lines = publisher.stdin.take().context("no input")?;
    let mut value = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..AHEAD {
            value += 1;
            writeln!(lines, "{value}")?;
        }
        eventually(format!("the file to come near {value}"), || {
            stop.load(Ordering::Relaxed) || whole(file).is_ok_and(|found| found + AHEAD / 2 > value)
        })?;
    }
    drop(lines);
    ensure!(publisher.wait()?.success(), "the last values were not published");
    Ok(value)
}

/// The value in the file; an error when the text is not whole.
fn whole(file: &Path) -> Result<u64> {
    let text = fs::read_to_string(file).context("the file is missing")?;
    let value = text.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(it, _)| it);
    match value.and_then(|value| value.parse().ok()) {
        Some(value) if text == long(value) => Ok(value),
        _ if text == ZERO => Ok(0),
        _ => bail!("the file has half a text: {text:?}"),
    }
}

#[test]
fn a_writer_that_is_killed_again_and_again_never_leaves_half_a_text() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.txt");
    let broker = Mosquitto::start()?;
    let (port, stop) = (broker.port(), AtomicBool::new(false));
    let text = format!("<{{value}}> {}<{{value}}>", FILLER.repeat(15));
    let start = || Program::start(writer(port, &file, &["--text", &text])?);
    let first = start()?;
    wait_for(&file, ZERO)?;
    drop(first);
    let last = thread::scope(|scope| {
        let flood = scope.spawn(|| flood(port, &file, &stop));
        let killed = (0..30_u32).try_for_each(|round| {
            let mut writer = start()?;
            let (mut before, mut changes) = (whole(&file)?, 0);
            // Each time a little later: another moment of a write.
            let begun = Instant::now();
            while changes < 3 || begun.elapsed().as_micros() % 40 != u128::from(round) {
                let now = whole(&file)?;
                changes += u32::from(now != before);
                before = now;
                ensure!(writer.is_running(), "{:?}", writer.lines());
                ensure!(begun.elapsed() < heat_tests::patience::patience(), "no value changes");
            }
            writer.kill()?;
            whole(&file).map(drop)
        });
        stop.store(true, Ordering::Relaxed);
        let last = flood.join().map_err(|_| anyhow::anyhow!("the flood panicked"))??;
        killed.map(|()| last)
    })?;
    // What a killed one has left beside it goes with the next start.
    fs::write(folder.path().join(".heat.txt.heat-writer-left.tmp"), "half a te")?;
    let mut writer = start()?;
    wait_for(&file, &long(last))?;
    assert_eq!(names(folder.path())?, ["heat.txt"]);
    ensure!(writer.terminate()?.success());
    Ok(())
}

/// One way in which the file cannot be written.
struct Obstacle {
    name: &'static str,
    /// What the writer says of it.
    says: &'static str,
    put: fn(&Place) -> Result<()>,
    take_away: fn(&Place) -> Result<()>,
    /// Whether the text from before is there meanwhile.
    keeps_text: bool,
}

/// A writer with its folder.
struct Place {
    file: PathBuf,
    writer: Program,
}

impl Place {
    fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(&self.file)
    }

    /// Sets the limit for the size of its files.
    fn limit(&self, size: &str) -> Result<()> {
        let mut command = Command::new("prlimit");
        command.args([
            "--pid",
            &self.writer.id().to_string(),
            &format!("--fsize={size}:unlimited"),
        ]);
        run(command, &[]).map(drop)
    }
}

const OBSTACLES: [Obstacle; 3] = [
    Obstacle {
        name: "its folder is removed",
        says: "is missing: create it",
        put: |place| Ok(fs::remove_dir_all(place.folder())?),
        take_away: |place| Ok(fs::create_dir(place.folder())?),
        keeps_text: false,
    },
    Obstacle {
        name: "a folder takes its name",
        says: "cannot write",
        put: |place| {
            fs::remove_file(&place.file)?;
            fs::create_dir(&place.file)?;
            Ok(fs::write(place.file.join("inside"), "")?)
        },
        take_away: |place| Ok(fs::remove_dir_all(&place.file)?),
        keeps_text: false,
    },
    Obstacle {
        name: "nothing can be written any more",
        says: "cannot write",
        put: |place| place.limit("0"),
        take_away: |place| place.limit("unlimited"),
        keeps_text: true,
    },
];

#[test]
fn what_stands_in_the_way_is_told_once_and_the_newest_text_follows_when_it_is_gone() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let broker = Mosquitto::start()?;
    for Obstacle { name, says, put, take_away, keeps_text } in OBSTACLES {
        let file = parent.path().join(name).join("heat.txt");
        fs::create_dir(parent.path().join(name))?;
        // A limit of the file size must be an error and no signal, as a full disk is.
        let mut shell = Command::new("sh");
        let plain = writer(broker.port(), &file, &[])?;
        shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(plain.get_program());
        let mut place = Place {
            writer: Program::start({
                shell.args(plain.get_args());
                shell
            })?,
            file,
        };
        let check =
            |done: Result<()>| done.with_context(|| format!("{name}: {:?}", place.writer.lines()));
        broker.publish(TOPIC, "1", true, 1)?;
        check(wait_for(&place.file, "🔥 HEAT LEVEL: 1"))?;

        check(put(&place))?;
        broker.publish(TOPIC, "2", true, 1)?;
        check(place.writer.wait_for_line(|line| line.contains(says)).map(drop))?;
        broker.publish(TOPIC, "3", true, 1)?;
        if keeps_text {
            assert_eq!(fs::read_to_string(&place.file)?, "🔥 HEAT LEVEL: 1", "{name}");
            assert_eq!(names(place.folder())?, ["heat.txt"], "{name}");
        }
        check(take_away(&place))?;
        check(wait_for(&place.file, "🔥 HEAT LEVEL: 3"))?;
        check(place.writer.wait_for_line(|line| line.ends_with("is written again")).map(drop))?;
        assert_eq!(said(&place.writer, says), 1, "{name}: {:?}", place.writer.lines());
        assert_eq!(names(place.folder())?, ["heat.txt"], "{name}");
        ensure!(place.writer.terminate()?.success(), "{name}");
    }
    Ok(())
}

#[test]
fn a_file_that_is_deleted_is_made_again_though_the_value_stays() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.txt");
    let broker = Mosquitto::start()?;
    broker.publish(TOPIC, "7", true, 1)?;
    let _writer = Program::start(writer(broker.port(), &file, &[])?)?;
    wait_for(&file, "🔥 HEAT LEVEL: 7")?;
    fs::remove_file(&file)?;
    wait_for(&file, "🔥 HEAT LEVEL: 7")
}

#[test]
fn a_broker_that_stays_away_is_shown_where_it_is_wanted_and_other_values_come_with_it() -> Result<()>
{
    let folder = tempfile::tempdir()?;
    let (stays, away) = (folder.path().join("stays.txt"), folder.path().join("away.txt"));
    let mut broker = Mosquitto::start()?;
    broker.publish(TOPIC, "7", true, 1)?;
    let settings = folder.path().join("writer.toml");
    let common = format!("broker = \"127.0.0.1:{}\"\noffline-after = \"500ms\"\n", broker.port());
    let file = |path: &Path| format!("[[file]]\npath = '{}'\nevery = \"0s\"\n", path.display());
    let offline = "offline-text = \"on a break\"\n";
    fs::write(&settings, common + &file(&stays) + &file(&away) + offline)?;
    let mut command = Command::new(binaries()?.writer);
    command.arg("--config").arg(&settings);
    let mut writer = Program::start(command)?;
    let shows = |in_stays: &str, in_away: &str| {
        wait_for(&away, in_away)?;
        wait_for(&stays, in_stays).with_context(|| format!("{:?}", writer.lines()))
    };
    shows("🔥 HEAT LEVEL: 7", "🔥 HEAT LEVEL: 7")?;

    broker.kill()?;
    shows("🔥 HEAT LEVEL: 7", "on a break")?;
    // It has forgotten everything: what was shown last is the best that is known.
    broker.resume()?;
    shows("🔥 HEAT LEVEL: 7", "🔥 HEAT LEVEL: 7")?;
    broker.publish(TOPIC, "19", true, 1)?;
    shows("🔥 HEAT LEVEL: 19", "🔥 HEAT LEVEL: 19")?;
    // heatd is gone, and the broker is there.
    broker.publish("heat/v1/status", "offline", true, 1)?;
    shows("🔥 HEAT LEVEL: 19", "on a break")?;
    broker.publish(TOPIC, "0", true, 1)?;
    shows(ZERO, "on a break")?;
    broker.publish("heat/v1/status", "online", true, 1)?;
    shows(ZERO, ZERO)?;
    assert_eq!(said(&writer, "connected to"), 2, "{:?}", writer.lines());
    assert_eq!(said(&writer, "the daemon is offline"), 1);
    // It had been connected well, so nothing about the connection is in question.
    assert_eq!(said(&writer, "has ended (trying again)"), 1, "{:?}", writer.lines());
    assert_eq!(said(&writer, "want tls?"), 0);
    ensure!(writer.terminate()?.success());
    Ok(())
}

#[test]
fn a_wrong_password_is_told_once_and_leaves_the_text_of_before() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (file, password) = (folder.path().join("heat.txt"), folder.path().join("password.txt"));
    let broker = Mosquitto::start_with(Options::default().user("obs", "right"))?;
    broker.publish(TOPIC, "7", true, 1)?;
    fs::write(&file, "from before")?;
    fs::write(&password, "wrong\n")?;
    let password = password.to_string_lossy();
    let arguments = ["--user", "obs", "--password-file", &*password, "--offline-after", "1s"];
    let mut wrong = Program::start(writer(broker.port(), &file, &arguments)?)?;
    wrong.wait_for_line(|line| line.contains("refuses user obs") && line.contains("password"))?;
    assert_eq!(fs::read_to_string(&file)?, "from before");
    ensure!(!wrong.lines().concat().contains("wrong\""), "{:?}", wrong.lines());
    ensure!(wrong.terminate()?.success());
    assert_eq!((said(&wrong, "refuses user obs"), said(&wrong, "connected to")), (1, 0));
    assert_eq!(fs::read_to_string(&file)?, "from before");

    fs::write(&*password, "right\n")?;
    let _right = Program::start(writer(broker.port(), &file, &arguments)?)?;
    wait_for(&file, "🔥 HEAT LEVEL: 7")
}
