//! Providers that are down, slow, or answer nonsense: chat goes on, the others count, and what is known holds.

use anyhow::{Result, ensure};
use heat_tests::emotes::{
    Answer, bttv_channel, bttv_global, ffz_global, seventv_global, seventv_user,
};

use super::{Stage, wait_for_set, wait_for_sets};

#[test]
fn a_start_with_bad_providers_waits_for_nobody_and_finds_them_when_they_are_well() -> Result<()> {
    let stage = Stage::with_emotes("1s")?;
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
    heatd.wait_for_line(|line| line.contains("no news of emotes") && line.contains("nonsense"))?;
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
    let stage = Stage::with_emotes("1s")?;
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
    Ok(())
}
