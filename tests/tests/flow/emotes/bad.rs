//! Providers that are down, slow, or answer nonsense: chat goes on, the others count, and what is known holds.

use std::process::Command;

use anyhow::{Result, ensure};
use heat_tests::emotes::{
    Answer, bttv_channel, bttv_global, ffz_global, seventv_global, seventv_user,
};

use heat_tests::processes::{Program, free_port};
use heat_tests::tls::Certificates;

use super::{SELDOM, Stage, wait_for_set, wait_for_sets};

#[test]
fn a_start_with_bad_providers_waits_for_nobody_and_finds_them_when_they_are_well() -> Result<()> {
    let stage = Stage::with_emotes("200ms")?;
    stage.providers.answer("/ffz/set/global", Answer::Nothing);
    stage
        .providers
        .answer("/7tv/emote-sets/global", Answer::Text("<html>Bad Gateway</html>".to_owned()));
    stage.providers.answer(&stage.seventv(), Answer::Status(500));
    stage.providers.answer("/bttv/emotes/global", Answer::Status(404));
    stage.providers.answer(&format!("/bttv/users/twitch/{}", stage.room), Answer::Status(404));
    let mut heatd = stage.start()?;
    // 404 of a channel is an empty set; of everybody's it is a mistake.
    wait_for_set(&heatd, 0, "bttv", "seaside")?;
    heatd.wait_for_line(|line| line.contains("no news of emotes") && line.contains("404"))?;
    heatd.wait_for_line(|line| {
        line.contains("no news of emotes") && line.contains("not understood")
    })?;
    heatd.wait_for_line(|line| line.contains("no news of emotes") && line.contains("500"))?;
    // FrankerFaceZ has not answered by now, and chat does not wait for it.
    stage.say("own EZ ?fave");
    stage.say("?fave pie");
    stage.town.wait_for_figure("heatd_faves_total", 1)?;
    ensure!(stage.counted()?.is_empty(), "{:?}", stage.counted()?);

    let global = seventv_global("g", &[("EZ", "s2")]);
    stage.providers.answer("/7tv/emote-sets/global", Answer::Json(global));
    wait_for_set(&heatd, 0, "7tv", "everybody")?;
    // This also lets go who waits.
    stage.providers.answer("/ffz/set/global", Answer::Json(ffz_global(&[("ffzAll", 2)], &[])));
    wait_for_set(&heatd, 0, "ffz", "everybody")?;
    wait_for_set(&heatd, 0, "ffz", "seaside")?;
    let both = bttv_channel(&[("late", "b9")], &[]);
    let seen = heatd.lines().len();
    stage.providers.answer(&format!("/bttv/users/twitch/{}", stage.room), Answer::Json(both));
    wait_for_set(&heatd, seen, "bttv", "seaside")?;
    stage.say("EZ ffzAll late");
    stage.wait_for(&[("7tv:EZ", "s2", 1), ("ffz:ffzAll", "2", 1), ("bttv:late", "b9", 1)])?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}

#[test]
fn what_is_known_holds_until_there_is_a_better_answer() -> Result<()> {
    let stage = Stage::with_emotes("200ms")?;
    let mut heatd = stage.start()?;
    wait_for_sets(&heatd)?;
    // Who has it is told so, and the tag is that of the answer.
    let asked = stage.providers.wait_for_questions(&stage.seventv(), 2)?;
    ensure!(asked.iter().any(|it| it.status == 304 && it.etag.is_some()), "{asked:?}");

    let path = "/bttv/emotes/global";
    let bad = [
        Answer::Text(String::new()),
        Answer::Text("[{\"id\":\"b2\",\"co".to_owned()),
        Answer::Text("{\"message\":\"maintenance\"}".to_owned()),
        Answer::Text("[{\"oops\":1}]".to_owned()),
        Answer::Status(429),
        Answer::Status(404),
        Answer::Endless,
    ];
    let mut uses = 0;
    for answer in bad {
        let told = format!("{answer:?}");
        stage.providers.answer(path, answer);
        // The second question comes after the first answer was judged.
        stage.providers.wait_for_questions(path, 2)?;
        stage.say("(ditto)");
        uses += 1;
        stage.wait_for(&[("bttv:(ditto)", "b2", uses)]).map_err(|error| error.context(told))?;
    }
    heatd.wait_for_line(|line| line.contains("larger than"))?;

    // Once is no answer, and three times in a row is one.
    let seen = heatd.lines().len();
    let path_of_ffz = format!("/ffz/room/id/{}", stage.room);
    stage.providers.answer(&path_of_ffz, Answer::Status(404));
    wait_for_set(&heatd, seen, "ffz", "seaside")?;
    let asked = stage.providers.asked();
    let unknown = asked.iter().filter(|it| it.path == path_of_ffz && it.status == 404).count();
    ensure!(unknown == 3, "believed after {unknown}");

    // An empty list is an answer, and so is one that takes the place of another.
    let seen = heatd.lines().len();
    stage.providers.answer(path, Answer::Json(bttv_global(&[])));
    wait_for_set(&heatd, seen, "bttv", "everybody")?;
    let room = &stage.room;
    let one = seventv_user(room, "set1", "user1", &[("(ditto)", "s9")]);
    stage.providers.answer(&stage.seventv(), Answer::Json(one));
    wait_for_set(&heatd, seen, "7tv", "seaside")?;
    stage.say("(ditto)");
    stage.wait_for(&[("bttv:(ditto)", "b2", uses), ("7tv:(ditto)", "s9", 1)])?;
    ensure!(heatd.terminate()?.success());
    let changes = stage.changes()?;
    let gone =
        changes.iter().filter(|(channel, .., removed)| channel.is_empty() && !removed.is_empty());
    let gone: Vec<_> = gone.collect();
    ensure!(gone.len() == 1 && gone[0].3 == ["(ditto)", "all"], "{changes:?}");

    // What is on disk is old by now, and nobody answers.
    stage.providers.answer_all("/", &Answer::Status(503));
    let mut heatd = stage.start()?;
    stage.town.wait_for_joins("seaside", 2)?;
    for provider in ["ffz", "7tv", "bttv"] {
        heatd.wait_for_line(|line| {
            line.contains("no news of emotes")
                && line.contains("of=\"seaside\"")
                && line.contains(&format!("provider={provider:?}"))
        })?;
    }
    stage.say("ffzOwn (ditto) bttvOwn EZ");
    stage.wait_for(&[
        ("bttv:(ditto)", "b2", uses),
        ("7tv:(ditto)", "s9", 2),
        ("bttv:bttvOwn", "b4", 1),
        ("7tv:EZ", "s2", 1),
    ])?;
    ensure!(heatd.terminate()?.success());
    assert_eq!(stage.changes()?, changes);
    Ok(())
}

#[test]
fn where_nobody_listens_chat_is_read_all_the_same() -> Result<()> {
    let stage = Stage::new(SELDOM)?;
    let at = stage.providers.address().to_string();
    let nobody = format!("127.0.0.1:{}", free_port()?);
    let mut heatd = stage.town.heatd(&stage.configuration.replace(&at, &nobody))?;
    stage.town.chat.wait_joined("seaside")?;
    for provider in ["7tv", "bttv", "ffz"] {
        heatd.wait_for_line(|line| {
            line.contains("no news of emotes") && line.contains(&format!("provider={provider:?}"))
        })?;
    }
    stage.say("?fave EZ");
    stage.town.wait_for_figure("heatd_faves_total", 1)?;
    ensure!(heatd.terminate()?.success() && stage.changes()?.is_empty());
    Ok(())
}

#[test]
fn a_provider_is_believed_with_a_certificate_that_is_trusted_and_not_without() -> Result<()> {
    let stage = Stage::with_emotes(SELDOM)?;
    let (certificates, port) = (Certificates::new()?, free_port()?);
    // openssl serves files: the answer is one.
    std::fs::create_dir_all(stage.town.path("www/emotes"))?;
    std::fs::write(
        stage.town.path("www/emotes/global"),
        bttv_global(&[("safe", "b7")]).to_string(),
    )?;
    let mut server = Command::new("openssl");
    server.args(["s_server", "-WWW", "-accept", &format!("127.0.0.1:{port}"), "-cert"]);
    server.arg(certificates.server()).arg("-key").arg(certificates.server_key());
    server.current_dir(stage.town.path("www"));
    let server = Program::start(server)?;
    server.wait_for_line(|line| line.contains("ACCEPT"))?;
    let bttv = format!("bttv = \"http://{}/bttv/\"", stage.providers.address());
    let safe = format!("bttv = \"https://localhost:{port}\"");
    let configuration = stage.configuration.replace(&bttv, &safe);
    ensure!(configuration != stage.configuration);

    let start = |authorities: &std::path::Path| {
        let mut heatd = stage.town.heatd_command("run", &configuration)?;
        heatd.env("SSL_CERT_FILE", authorities).env_remove("SSL_CERT_DIR");
        Program::start(heatd)
    };
    let others = Certificates::new()?;
    let mut heatd = start(&others.authority())?;
    heatd
        .wait_for_line(|line| line.contains("no news of emotes") && line.contains("certificate"))?;
    ensure!(heatd.terminate()?.success());
    let mut heatd = start(&certificates.authority())?;
    wait_for_set(&heatd, 0, "bttv", "everybody")?;
    stage.town.wait_for_joins("seaside", 2)?;
    stage.say("safe");
    stage.wait_for(&[("bttv:safe", "b7", 1)])?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}
