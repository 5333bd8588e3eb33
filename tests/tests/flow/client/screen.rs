//! `heat watch` in a terminal (tmux): what it looks like in three sizes, keys, another size again and again, a heatd that dies and comes back.
//!
//! The screens are in tests/screens; `UPDATE_EXPECT=1` writes them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use heat_tests::processes::binaries;
use heat_tests::terminal::Terminal;
use heat_tests::twitch::Line;

use super::{configuration, start};
use crate::town::Town;

/// A town whose terminals show no times, which would differ from run to run.
fn without_times() -> Result<Town> {
    let town = Town::new()?;
    std::fs::write(town.path("watch.toml"), "times = false\n")?;
    Ok(town)
}

/// `heat watch` in a terminal of this size.
fn watch(town: &Town, size: (u16, u16)) -> Result<Terminal> {
    let heat = binaries()?.heat.display().to_string();
    let words = [heat.as_str(), "watch", "--settings", "watch.toml"];
    Terminal::start(&town.http.to_string(), size, town.folder.path(), &words)
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
    let town = without_times()?;
    let _heatd = start(&town, &["seaside"])?;
    let sizes = [(60, 20), (110, 30), (240, 50)];
    let terminals = sizes.map(|size| watch(&town, size));
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
    let town = without_times()?;
    let _heatd = start(&town, &["seaside"])?;
    let terminal = &watch(&town, (100, 24))?;
    terminal.wait_for("#seaside: stream unknown")?;
    chat(&town, std::slice::from_ref(terminal))?;
    terminal.press(&["?"])?;
    terminal.wait_for("choose a line")?;
    terminal.escape("choose a line")?;
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
    terminal.escape("as it came:")?;
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
    let town = without_times()?;
    let mut heatd = start(&town, &["seaside"])?;
    let terminal = &watch(&town, (80, 24))?;
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
