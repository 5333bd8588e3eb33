//! The raw log: everything that came, with what became of it, for the owner alone, and without anything secret.

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;

use super::payloads::follow;
use super::stage::{Plan, Stage};

#[test]
fn every_raw_event_is_shown_with_what_became_of_it() -> Result<()> {
    let stage = Stage::new(&Plan::default())?;
    stage.api.wait_for_subscription("channel.hype_train.end")?;
    eventually("EventSub", || stage.account().is_ok_and(|it| it["eventsub"]["connected"] == true))?;
    let mut live = Program::start(stage.heat(&["devlog"])?)?;
    live.wait_for_line(|line| line.contains("NOT FOR VIEWERS"))?;
    let said = stage.town.chat.say("seaside", "ann", "?fave pie");
    live.wait_for_line(|line| line.contains("PRIVMSG #seaside :?fave pie"))?;
    live.wait_for_line(|line| line.contains("fave → fave"))?;
    stage.api.notify("channel.follow", &follow("7"));
    live.wait_for_line(|line| line.contains("eventsub") && line.contains("channel.follow"))?;
    live.wait_for_line(|line| line.contains("decay → show heat \"2\""))?;
    live.terminate()?;
    let rows = stage.raw(&[])?;
    let decided = rows.iter().find(|row| row["became"]["decided"]["event"] == said.id.as_str());
    ensure!(decided.is_some_and(|row| row["became"]["decided"]["faves"] == 1), "{decided:?}");
    let helix = stage.raw(&["helix"])?;
    ensure!(helix.iter().any(|row| {
        row["raw"].as_str().is_some_and(|raw| raw.starts_with("POST /eventsub/subscriptions"))
    }));
    let other =
        stage.says(&["devlog", "--once", "--json", "--channel", "harbor", "--kind", "irc"])?;
    ensure!(other.0 && other.1.is_empty(), "{other:?}");
    Ok(())
}

#[test]
fn no_secret_ever_stands_in_it() -> Result<()> {
    let mut stage = Stage::new(&Plan { features: "\"follows\", \"say\"", ..Plan::default() })?;
    stage.api.wait_for_subscription("channel.follow")?;
    // Somebody plants them where they could be seen: in chat, by MQTT, in an answer of Twitch, in a notification.
    let secrets = stage.logins.secrets();
    for secret in &secrets {
        stage.town.chat.say("seaside", "ann", &format!("look: {secret}"));
        stage.api.send_raw(&format!("{{\"metadata\":{{\"message_type\":\"x {secret}\"}}}}"));
    }
    stage
        .api
        .change(|desk| desk.ill = Some((200, format!("{{\"echo\":\"{}\"}}", secrets.join(" ")))));
    let _ = stage.says(&["say", "hello", "--yes"])?;
    eventually("all of it", || {
        let rows = stage.raw(&["irc", "helix", "eventsub"])?;
        let has = |words: &str| {
            rows.iter().any(|row| row["raw"].as_str().is_some_and(|raw| raw.contains(words)))
        };
        ensure!(has("look: ...") && has("echo") && has("x ..."), "{}", rows.len());
        anyhow::Ok(())
    })?;
    let (_, all) = stage.says(&["devlog", "--once", "--json"])?;
    for secret in stage.logins.secrets() {
        // The client's secret is not known to this heatd: its client is a public one.
        if secret != heat_tests::logins::CLIENT_SECRET {
            ensure!(!all.contains(&secret), "{secret}");
        }
    }
    stage.heatd.terminate()?;
    let log = stage.heatd.lines().join("\n");
    for secret in secrets.iter().filter(|it| *it != heat_tests::logins::CLIENT_SECRET) {
        // heatd's own log has lines of chat only where a person has asked for them.
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(secret)).collect();
        ensure!(lines.iter().all(|line| line.contains("not understood")), "{lines:?}");
    }
    Ok(())
}
