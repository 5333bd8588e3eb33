//! `heat watch` in a terminal (tmux): what it looks like in three sizes, keys, another size again and again, a heatd that dies and comes back.
//!
//! The screens are in tests/screens; `UPDATE_EXPECT=1` writes them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::processes::binaries;
use heat_tests::twitch::Line;

use super::{configuration, start};
use crate::town::Town;

/// A terminal in which `heat watch` runs. It is gone when this is dropped.
struct Terminal {
    socket: String,
}

impl Terminal {
    fn start(town: &Town, (width, height): (u16, u16), arguments: &[&str]) -> Result<Self> {
        std::fs::write(town.path("watch.toml"), "times = false\n")?;
        let socket = format!("heat-{}-{width}x{height}", town.http);
        let terminal = Self { socket };
        let heat = binaries()?.heat.display().to_string();
        let mut words =
            vec!["env", "COLORTERM=truecolor", &heat, "watch", "--settings", "watch.toml"];
        words.extend(arguments);
        let (width, height) = (width.to_string(), height.to_string());
        let size = ["-f", "/dev/null", "new-session", "-d", "-x", &width, "-y", &height];
        let mut tmux = terminal.tmux();
        tmux.args(size).args(words).current_dir(town.folder.path());
        for name in ["HEAT_URL", "HEAT_TOKEN_FILE", "HEAT_DATA", "NO_COLOR", "TMUX"] {
            tmux.env_remove(name);
        }
        ensure!(tmux.status()?.success(), "tmux does not start");
        Ok(terminal)
    }

    fn tmux(&self) -> Command {
        let mut tmux = Command::new("tmux");
        // Letters beyond ASCII, whatever this machine speaks.
        tmux.args(["-u", "-L", &self.socket]).env("LC_ALL", "C.UTF-8").stderr(Stdio::null());
        tmux
    }

    fn press(&self, keys: &[&str]) -> Result<()> {
        ensure!(self.tmux().arg("send-keys").args(keys).status()?.success(), "no terminal");
        Ok(())
    }

    fn resize(&self, width: u16, height: u16) -> Result<()> {
        let (width, height) = (width.to_string(), height.to_string());
        let size = ["resize-window", "-x", &width, "-y", &height];
        ensure!(self.tmux().args(size).status()?.success(), "no terminal");
        Ok(())
    }

    /// What is seen, without spaces at the ends of rows.
    fn seen(&self) -> Result<String> {
        let output = self.tmux().args(["capture-pane", "-p"]).output()?;
        ensure!(output.status.success(), "the terminal is gone");
        let text = String::from_utf8(output.stdout)?;
        Ok(text.lines().map(|line| format!("{}\n", line.trim_end())).collect())
    }

    fn wait_for(&self, what: &str) -> Result<String> {
        eventually(what, || {
            let seen = self.seen().map_err(|error| format!("{error:#}"))?;
            if seen.contains(what) { Ok(seen) } else { Err(seen) }
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.tmux().arg("kill-server").status();
    }
}

fn screens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("screens")
}

/// The evening that is looked at, once each terminal has all of it.
fn chat(town: &Town, terminals: &[Terminal]) -> Result<()> {
    let say = |line: Line| town.chat.send("seaside", &line);
    say(Line::chat("seaside", "ann", "?fave Midnight Pretenders")
        .name("Ann")
        .tag("color", "#0000FF"));
    say(Line::chat("seaside", "ben", "what a song Kappa").emotes("25:12-16").badge("moderator/1"));
    say(Line::chat("seaside", "nihon", "こんにちは、とても良い曲ですね").name("日本"));
    say(Line::chat("seaside", "dan", "שלום 🔥 e\u{301} \u{1b}[2J \u{202e}odd\u{7}")
        .tag("first-msg", "1"));
    say(Line::raid("seaside", "cat", 120));
    say(Line::chat(
        "seaside",
        "eve",
        "a line that is long enough to need more than one row in a terminal that has sixty columns, and some more words",
    ));
    say(Line::chat("seaside", "ben", "yes, it is")
        .reply_to("ann", "m-0", "?fave")
        .badge("subscriber/3"));
    say(Line::chat("seaside", "troll", "buy followers").id("m-bad"));
    // A removal waits for nobody, so the line would not be struck but removed from the beginning.
    terminals.iter().try_for_each(|it| it.wait_for("buy followers").map(drop))?;
    say(Line::clear_message("seaside", "troll", "m-bad", "buy followers"));
    terminals.iter().try_for_each(|it| it.wait_for("a moderator has removed a line").map(drop))
}

#[test]
fn it_looks_the_same_in_three_sizes() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    let sizes = [(60, 20), (110, 30), (240, 50)];
    let terminals = sizes.map(|size| Terminal::start(&town, size, &[]));
    let terminals = terminals.into_iter().collect::<Result<Vec<_>>>()?;
    for terminal in &terminals {
        terminal.wait_for("#seaside: stream unknown")?;
    }
    chat(&town, &terminals)?;
    for (terminal, (width, height)) in terminals.iter().zip(sizes) {
        let seen = terminal.seen()?;
        let file = screens().join(format!("{width}x{height}.txt"));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&file, &seen)?;
        }
        let expected =
            std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        ensure!(seen == expected, "{width}x{height} is\n{seen}instead of\n{expected}");
    }
    Ok(())
}

#[test]
fn keys_search_filter_and_tell_the_story_of_a_line() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    let terminal = &Terminal::start(&town, (100, 24), &[])?;
    terminal.wait_for("#seaside: stream unknown")?;
    chat(&town, std::slice::from_ref(terminal))?;
    terminal.press(&["?"])?;
    terminal.wait_for("choose a line")?;
    terminal.press(&["Escape"])?;
    terminal.press(&["/", "Midnight", "Enter"])?;
    terminal.press(&["n"])?;
    terminal.press(&["n"])?;
    terminal.wait_for("it is not found further up")?;
    terminal.press(&["Enter"])?;
    let story = terminal.wait_for("as it came:")?;
    ensure!(
        story.contains("Ann (ann) in #seaside") && story.contains("PRIVMSG #seaside"),
        "{story}"
    );
    ensure!(story.contains("fave → fave ann \"Midnight Pretenders\" 1"), "{story}");
    terminal.press(&["Escape"])?;
    terminal.press(&["f", "from:ben", "Enter"])?;
    let only = terminal.wait_for("only from:ben")?;
    ensure!(only.contains("what a song Kappa") && !only.contains("raids"), "{only}");
    terminal.press(&["i", "hello", "Enter"])?;
    // There is no login: the line stays, with the reason.
    let refused = terminal.wait_for("no account speaks there")?;
    ensure!(refused.contains("say: hello"), "{refused}");
    terminal.press(&["C-u"])?;
    terminal.press(&["/timeout troll 10m", "Enter"])?;
    terminal.wait_for("time out troll for 600 seconds?")?;
    terminal.press(&["n"])?;
    terminal.wait_for("say: /timeout troll 10m")?;
    Ok(())
}

#[test]
fn it_stands_every_size_and_goes_on_when_heatd_is_back() -> Result<()> {
    let town = Town::new()?;
    let mut heatd = start(&town, &["seaside"])?;
    let terminal = &Terminal::start(&town, (80, 24), &[])?;
    terminal.wait_for("#seaside: stream unknown")?;
    chat(&town, std::slice::from_ref(terminal))?;
    for round in 0..60_u16 {
        terminal.resize(10 + round * 7 % 200, 3 + round * 5 % 60)?;
    }
    terminal.resize(10, 3)?;
    terminal.resize(80, 24)?;
    terminal.wait_for("a moderator has removed a line")?;
    ensure!(heatd.terminate()?.success());
    terminal.wait_for("waiting until it is back")?;
    let _heatd = town.heatd(&configuration(&town, &["seaside"])?)?;
    let back = terminal.wait_for("heatd is back")?;
    // What was there already is not told a second time.
    ensure!(back.matches("what a song Kappa").count() == 1, "{back}");
    town.wait_for_joins("seaside", 2)?;
    town.chat.say("seaside", "ann", "and on it goes");
    terminal.wait_for("and on it goes")?;
    Ok(())
}
