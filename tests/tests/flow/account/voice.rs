//! heatd speaks: what rules and people say leaves as the account that speaks, within Twitch's rates, or is told to be dropped.

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;

use super::payloads::deleted;
use super::stage::{Plan, Stage};
use crate::town::component;

const FEATURES: &str = "\"say\", \"moderate\", \"chat\"";

fn replies(settings: &str) -> Result<String> {
    let replies = component("rules", "replies")?;
    Ok(format!(
        "[[rule]]\nfile = {replies:?}\nsettings.user_cooldown = \"0s\"\nsettings.global_cooldown = \"0s\"\n{settings}"
    ))
}

#[test]
fn a_question_in_chat_is_answered_and_the_answer_may_be_a_reply() -> Result<()> {
    let rules = replies("settings.heat_text = \"{faves} so far\"\n")?;
    let stage = Stage::new(&Plan { features: FEATURES, rules: &rules, ..Plan::default() })?;
    stage.town.chat.say("seaside", "ann", "?fave");
    stage.town.chat.say("seaside", "ann", "?heat");
    let said = &stage.api.wait_for_said(1)?[0];
    ensure!(
        (said.by.as_str(), said.channel.as_str(), said.text.as_str())
            == ("seaside", "seaside", "1 so far"),
        "{said:?}"
    );
    ensure!(said.reply_to.is_none());
    ensure!(stage.says(&["rules", "settings", "set", "reply=true", "--slot", "replies"])?.0);
    let line = stage.town.chat.say("seaside", "bob", "?heat");
    let said = stage.api.wait_for_said(2)?[1].clone();
    ensure!(said.reply_to.as_deref() == Some(line.id.as_str()), "{said:?}");
    eventually("the figure", || {
        stage.town.figure("heatd_chat_says_total{outcome=\"said\"}").is_ok_and(|it| it == 2)
    })
}

#[test]
fn a_bot_speaks_where_it_is_named_and_is_asked_for() -> Result<()> {
    let rules = replies("settings.heat_text = \"{faves} so far\"\n")?;
    let more = "[[twitch.account]]\nbot = \"seabot\"\nfeatures = [\"say\"]\n";
    let plan = Plan {
        features: "\"follows\"",
        channels: &["seaside", "harbor"],
        more,
        rules: &rules,
        ..Plan::default()
    };
    let stage = Stage::new(&plan)?;
    // Nobody is logged in as the bot yet: it is told, and nothing else is held up.
    let mut watch = Program::start(stage.heat(&["watch", "--json"])?)?;
    watch.wait_for_line(|line| line.contains("\"hello\""))?;
    stage.town.chat.say("seaside", "ann", "?heat");
    watch.wait_for_line(|line| line.contains("not-said") && line.contains("heat login"))?;
    watch.terminate()?;
    let mut login = Program::start(stage.heat(&["login", "--bot"])?)?;
    let code = login.wait_for_line(|line| line.trim_start().starts_with("ABCD"))?;
    stage.logins.agree(code.trim(), "seabot")?;
    ensure!(login.wait()?.success());
    stage.town.wait_for_joins("harbor", 1)?;
    stage.town.chat.say("harbor", "ann", "?heat");
    let said = &stage.api.wait_for_said(1)?[0];
    ensure!((said.by.as_str(), said.channel.as_str()) == ("seabot", "harbor"), "{said:?}");
    Ok(())
}

#[test]
fn a_rule_that_says_too_much_is_held_to_the_rates_and_named() -> Result<()> {
    let rules = replies("settings.heat_text = \"{faves} so far\"\n")?;
    let more = "[[twitch.account]]\nbot = \"seabot\"\nfeatures = [\"say\"]\n";
    let stage =
        Stage::new(&Plan { features: "\"follows\"", more, rules: &rules, ..Plan::default() })?;
    let mut login = Program::start(stage.heat(&["login", "--bot"])?)?;
    let code = login.wait_for_line(|line| line.trim_start().starts_with("ABCD"))?;
    stage.logins.agree(code.trim(), "seabot")?;
    ensure!(login.wait()?.success());
    for number in 0..40 {
        stage.town.chat.say("seaside", &format!("ann{number}"), "?heat");
    }
    // One a second in a channel of somebody else, and none that is older than ten seconds.
    let line = stage.heatd.wait_for_line(|line| {
        line.contains("is not said in chat") && line.contains("10 seconds")
    })?;
    ensure!(line.contains("rule=replies") || line.contains("rule=\"replies\""), "{line}");
    eventually("all of them", || {
        let sum: u64 = ["said", "too_late"]
            .iter()
            .map(|it| {
                stage
                    .town
                    .figure(&format!("heatd_chat_says_total{{outcome=\"{it}\"}}"))
                    .unwrap_or(0)
            })
            .sum();
        if sum == 40 { Ok(()) } else { Err(sum.to_string()) }
    })?;
    let said = stage.api.said().len();
    ensure!((5..=12).contains(&said), "{said} lines");
    Ok(())
}

#[test]
fn people_say_ban_time_out_and_delete_and_it_stands_in_the_audit_log() -> Result<()> {
    let stage = Stage::new(&Plan { features: FEATURES, ..Plan::default() })?;
    let (is_done, words) = stage.says(&["say", "hello", "there"])?;
    ensure!(!is_done && words.contains("--yes"), "{words}");
    for (arguments, words) in [
        (&["say", "hello", "there", "--yes"][..], "said in #seaside"),
        (&["ban", "@Bob", "--reason", "scam", "--yes"], "bob is banned from #seaside"),
        (&["timeout", "bob", "10m", "--yes"], "bob is timed out in #seaside for 600 s"),
        (&["unban", "bob", "--yes"], "bob may write in #seaside again"),
        (&["delete", "5f1c-1", "--yes"], "the line 5f1c-1 is removed from #seaside"),
    ] {
        let (is_done, told) = stage.says(arguments)?;
        ensure!(is_done && told.contains(words), "{arguments:?}: {told}");
    }
    let asked = stage.api.asked();
    let ban = asked.iter().find(|it| it.method == "POST" && it.path.starts_with("moderation/bans"));
    ensure!(
        ban.is_some_and(|it| it.body.contains("\"user_id\":\"22\"") && it.body.contains("scam")),
        "{ban:?}"
    );
    let (_, audit) = stage.says(&["rules", "audit", "--json"])?;
    for action in ["say", "ban", "unban", "remove-line"] {
        ensure!(audit.contains(&format!("\"{action}\"")), "{action}: {audit}");
    }
    let (is_done, words) = stage.says(&["ban", "nobody_there", "--yes"])?;
    ensure!(!is_done && words.contains("nobody called nobody_there"), "{words}");
    let (is_done, words) = stage.says(&["timeout", "bob", "soon", "--yes"])?;
    ensure!(!is_done && words.contains("10m"), "{words}");
    // What Twitch does not send is told with its reason.
    stage.api.change(|desk| {
        desk.drop_reason = Some(("msg_rejected".to_owned(), "held by AutoMod".to_owned()));
    });
    let (is_done, words) = stage.says(&["say", "bad words", "--yes"])?;
    ensure!(!is_done && words.contains("held by AutoMod"), "{words}");
    // A moderator's token may, a viewer's may not.
    for (role, may) in [("moderator", true), ("viewer", false)] {
        let (_, told) = stage.says(&["token", "new", "--role", role, "--json"])?;
        let token = serde_json::from_str::<serde_json::Value>(&told)?["token"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let file = stage.town.path(role);
        std::fs::write(&file, token)?;
        stage.api.change(|desk| desk.drop_reason = None);
        let mut heat = std::process::Command::new(heat_tests::processes::binary("heat")?);
        heat.args(["say", "hi", "--yes"])
            .env("HEAT_URL", format!("http://127.0.0.1:{}", stage.town.http));
        let done = heat.env("HEAT_TOKEN_FILE", &file).output()?;
        ensure!(done.status.success() == may, "{role}: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

#[test]
fn nothing_is_said_in_answer_to_a_line_that_moderators_have_removed() -> Result<()> {
    let rules = replies("settings.heat_text = \"{faves} so far, {name}\"\n")?;
    let stage = Stage::new(&Plan { features: FEATURES, rules: &rules, ..Plan::default() })?;
    stage.api.wait_for_subscription("channel.chat.message_delete")?;
    eventually("EventSub", || stage.account().is_ok_and(|it| it["eventsub"]["connected"] == true))?;
    // Twitch does not take lines for a moment, so that the answer waits.
    stage
        .api
        .change(|desk| desk.ill = Some((429, "{\"message\":\"Too Many Requests\"}".to_owned())));
    stage.town.chat.say("seaside", "ann", "?heat");
    eventually("the first try", || stage.api.count("POST", "chat/messages") > 0)?;
    let line = stage.town.chat.say("seaside", "troll", "?heat");
    eventually("the second line", || {
        stage.town.figure("heatd_chat_lines_total").is_ok_and(|it| it >= 2)
    })?;
    stage.api.notify("channel.chat.message_delete", &deleted(&line.id, "troll"));
    eventually("the removal", || {
        stage.town.figure("heatd_chat_says_total{outcome=\"removed\"}").is_ok_and(|it| it == 1)
    })?;
    stage.api.change(|desk| desk.ill = None);
    stage.town.chat.say("seaside", "bob", "?heat");
    eventually("bob's answer", || stage.api.said().iter().any(|it| it.text.contains("bob")))?;
    ensure!(stage.api.said().iter().all(|it| !it.text.contains("troll")), "{:?}", stage.api.said());
    Ok(())
}
