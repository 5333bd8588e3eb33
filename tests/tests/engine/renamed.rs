//! Logins change hands: what somebody did is theirs under any of them, and nothing of whoever has the login now.

use anyhow::{Result, bail, ensure};
use heat_engine::wit::{ChatLine, Happening, Person};
use heat_engine::{IdentityError, Undo, UndoTarget};

use crate::stage::{CHANNEL, START, Stage, chat_line, plain};

const MINUTE: u64 = 60_000;

fn say(stage: &mut Stage, id: &str, login: &str, text: &str) -> Result<()> {
    let person = Person { id: id.into(), login: login.into(), name: login.into() };
    stage.event(Happening::Chat(ChatLine { person, ..chat_line(login, text) }))?;
    stage.engine.commit()?;
    stage.wait(MINUTE)?;
    Ok(())
}

/// 42 is ann, then anna; then 43 is ann.
fn stage() -> Result<Stage> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    say(&mut stage, "42", "ann", "?fave cake")?;
    say(&mut stage, "42", "anna", "?fave tea")?;
    say(&mut stage, "43", "ann", "?fave soup")?;
    Ok(stage)
}

fn of(stage: &Stage, name: &str, since: u64) -> Result<Undo, IdentityError> {
    stage.engine.snapshot()?.undo(CHANNEL, &UndoTarget::Person(name.to_owned()), since)
}

fn items(undo: &Undo) -> Vec<&str> {
    undo.taken.iter().map(|fave| fave.item.as_str()).collect()
}

#[test]
fn all_that_a_person_did_is_meant_by_any_login_and_nothing_of_somebody_else() -> Result<()> {
    let stage = stage()?;
    for name in ["anna", "ANNA", "42"] {
        assert_eq!(items(&of(&stage, name, 0)?), ["cake", "tea"], "{name}");
    }
    assert_eq!(items(&of(&stage, "43", 0)?), ["soup"]);
    // Who had the login long before is not asked about.
    assert_eq!(items(&of(&stage, "ann", START + 2 * MINUTE)?), ["soup"]);
    // Before that time the other one had it.
    let named = UndoTarget::Person("ann".to_owned());
    let snapshot = stage.engine.snapshot()?;
    let within = snapshot.undo_within(CHANNEL, &named, 0, START + 2 * MINUTE)?;
    assert_eq!(items(&within), ["cake", "tea"]);
    let nobody = of(&stage, "bob", 0)?;
    ensure!(nobody.events.is_empty() && nobody.first.is_none(), "{nobody:?}");
    Ok(())
}

#[test]
fn an_old_login_that_nobody_has_now_still_names_the_person() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    say(&mut stage, "42", "ann", "?fave cake")?;
    say(&mut stage, "42", "anna", "?fave tea")?;
    assert_eq!(items(&of(&stage, "ann", START + MINUTE)?), ["tea"]);
    Ok(())
}

#[test]
fn two_people_of_one_login_are_listed_with_logins_and_times() -> Result<()> {
    let stage = stage()?;
    let Err(IdentityError::Several(several)) = of(&stage, "ann", 0) else {
        bail!("one of two was taken");
    };
    let told = |place: usize| {
        let it = &several[place];
        (it.id.as_str(), it.logins.iter().map(String::as_str).collect::<Vec<_>>(), it.seen)
    };
    assert_eq!(several.len(), 2);
    assert_eq!(told(0), ("42", vec!["ann", "anna"], Some((START, START + MINUTE))));
    assert_eq!(told(1), ("43", vec!["ann"], Some((START + 2 * MINUTE, START + 2 * MINUTE))));
    // A list of names is refused as a whole.
    let people = UndoTarget::People(vec!["anna".to_owned(), "ann".to_owned()]);
    let refused = stage.engine.snapshot()?.undo(CHANNEL, &people, 0);
    ensure!(matches!(refused, Err(IdentityError::Several(_))));
    Ok(())
}

#[test]
fn what_is_known_by_login_alone_goes_with_the_login() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    say(&mut stage, "42", "ann", "?fave cake")?;
    let mut line = chat_line("mona", "?heat add 5 @ann pie");
    line.standing.moderator = true;
    stage.event(Happening::Chat(line))?;
    stage.engine.commit()?;
    assert_eq!(items(&of(&stage, "ann", 0)?), ["cake", "pie"]);
    assert_eq!(items(&of(&stage, "42", 0)?), ["cake"]);
    Ok(())
}

#[test]
fn the_faves_of_an_item_are_meant_however_it_is_spelt() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    say(&mut stage, "1", "ann", "?fave pi\u{e9}")?;
    say(&mut stage, "2", "bob", "? fave pie\u{301}")?;
    let spelt = UndoTarget::Item("pie\u{301}".to_owned());
    let undo = stage.engine.snapshot()?.undo(CHANNEL, &spelt, 0)?;
    assert_eq!(items(&undo), ["pi\u{e9}", "pi\u{e9}"]);
    Ok(())
}
