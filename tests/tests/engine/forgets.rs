//! Forgetting a person: afterwards everything is as if they had never been there.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use heat_engine::wit::{ChatLine, Happening, Person};
use heat_engine::{
    Action, ChangeRequest, Changes, Given, Identity, IdentityError, Imported, Library, Record,
    Rule, Run, Seed, Store, UndoTarget, why,
};

use crate::stage::{CHANNEL, START, Stage, chat_line, patient, plain, sandbox};

fn rules(stage: &Stage) -> Vec<(String, Rule)> {
    let chains = stage.engine.chains().flat_map(|(_, rules)| rules);
    chains.map(|(slot, rule)| (slot.to_string(), rule.clone())).collect()
}

fn order() -> ChangeRequest {
    ChangeRequest::new(Action::Forget, "test", "a person is forgotten")
}

/// As the daemon does, but without anything that happens meanwhile. Says whether the rules were run again without them.
fn forget(stage: &mut Stage, user: &str) -> Result<bool> {
    stage.engine.commit()?;
    let snapshot = Arc::new(stage.engine.snapshot()?);
    let who = snapshot.identify(CHANNEL, user)?;
    let mut forgetting = snapshot.erasure(CHANNEL, &who)?;
    let states = match forgetting.run(&sandbox()?, &snapshot, &rules(stage), |_, _| {})? {
        None => None,
        Some(mut run) => {
            run.advance_to(stage.now)?;
            Some(run.hand_over_all()?)
        }
    };
    let is_run = states.is_some();
    drop(snapshot);
    stage.engine.forget(forgetting, states, &order())?;
    stage.engine.commit()?;
    Ok(is_run)
}

/// A line of somebody with an id of Twitch.
fn line(login: &str, text: &str) -> ChatLine {
    let id = format!("{}", 1000 + login.len());
    let person = Person { id, login: login.to_owned(), name: login.to_uppercase() };
    ChatLine { person, ..chat_line(login, text) }
}

fn say(stage: &mut Stage, login: &str, text: &str) -> Result<()> {
    stage.event(Happening::Chat(line(login, text))).map(drop)
}

fn import(stage: &mut Stage, login: &str, faves: u64) -> Result<()> {
    let person =
        Person { id: format!("@{login}"), login: login.to_owned(), name: login.to_owned() };
    let count = Imported { person, item: "cake".to_owned(), faves, weight: faves as i64 * 1000 };
    let none = std::collections::HashMap::new();
    stage.engine.import((CHANNEL, "elsewhere"), &[count], &none, false)?;
    Ok(())
}

/// Everything that can be seen from outside: outputs and counts.
fn seen(stage: &Stage) -> Result<String> {
    let outputs: Vec<_> = stage
        .engine
        .outputs()
        .iter()
        .filter(|((_, name), _)| !name.starts_with("rules/"))
        .map(|((_, name), text)| (name, text.as_deref().unwrap_or_default()))
        .collect();
    let counts = stage.engine.snapshot()?.counts_of(CHANNEL)?;
    Ok(format!("{outputs:?}\n{counts:#?}"))
}

fn is_recounted(stage: &Stage) -> Result<()> {
    let snapshot = stage.engine.snapshot()?;
    assert_eq!(snapshot.recount(CHANNEL)?, snapshot.counts_of(CHANNEL)?);
    Ok(())
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % most
    }
}

const PEOPLE: [&str; 4] = ["ann", "bobby", "sir_troll", "cy"];

fn parts() -> Vec<crate::stage::Part> {
    vec![plain("fave"), plain("decay"), plain("crowd"), plain("combo"), plain("witness")]
}

/// One step of what happens, the same for both: `without` leaves the troll out.
fn step(stage: &mut Stage, dice: &mut Dice, without: bool) -> Result<()> {
    let login = PEOPLE[dice.below(4) as usize];
    let is_out = without && login == "sir_troll";
    let number = dice.below(5);
    match dice.below(10) {
        0..=4 if !is_out => say(stage, login, &format!("?fave pie{number}"))?,
        5 if !is_out => say(stage, login, "hello @sir_troll")?,
        6 if !is_out => import(stage, login, 1 + number)?,
        7 => drop(stage.wait(20_000 * number)?),
        8 => drop(stage.engine.commit()?),
        _ => {}
    }
    stage.wait(1)?;
    Ok(())
}

#[test]
fn whoever_is_forgotten_has_never_been_there() -> Result<()> {
    for seed in 1..=6 {
        let (mut with, mut without) = (Stage::new(parts())?, Stage::new(parts())?);
        let (mut dice, mut same) = (Dice(seed), Dice(seed));
        for _ in 0..120 {
            step(&mut with, &mut dice, false)?;
            step(&mut without, &mut same, true)?;
        }
        ensure!(forget(&mut with, "Sir_Troll")?, "the log goes back to the first event");
        without.engine.commit()?;
        assert_eq!(seen(&with)?, seen(&without)?, "seed {seed}");
        is_recounted(&with)?;
        // And so it goes on.
        for _ in 0..40 {
            step(&mut with, &mut dice, false)?;
            step(&mut without, &mut same, false)?;
        }
        with.engine.commit()?;
        without.engine.commit()?;
        assert_eq!(seen(&with)?, seen(&without)?, "seed {seed}, later");
        is_recounted(&with)?;
    }
    Ok(())
}

#[test]
fn nothing_in_the_store_names_whoever_is_forgotten() -> Result<()> {
    let mut stage = Stage::new(parts())?;
    for (login, text) in [
        ("ann", "?fave pie"),
        ("sir_troll", "?fave pie"),
        ("sir_troll", "?fave cake"),
        ("ann", "hello"),
    ] {
        say(&mut stage, login, text)?;
        stage.engine.commit()?;
        stage.wait(60_000)?;
    }
    // A moderator has taken one of theirs back already, and they have acted as a moderator.
    let snapshot = stage.engine.snapshot()?;
    let undo = snapshot.undo(CHANNEL, &UndoTarget::Person("sir_troll".to_owned()), 0)?;
    stage
        .engine
        .take_back_faves(&undo, &ChangeRequest::new(Action::Undo, "sir_troll", "of @sir_troll"))?;
    import(&mut stage, "sir_troll", 7)?;
    stage.swap("fave", "misbehave", &[])?;
    say(&mut stage, "sir_troll", "!do panic")?;
    stage.engine.commit()?;
    assert_eq!(stage.engine.snapshot()?.dead_letters()?.len(), 1);
    let next = stage.engine.snapshot()?.next_record()?;
    let who = stage.engine.snapshot()?.identify(CHANNEL, "1009")?;
    assert_eq!(who.ids().collect::<Vec<_>>(), ["1009", "@sir_troll", "sir_troll"]);
    forget(&mut stage, "1009")?;
    let snapshot = stage.engine.snapshot()?;
    assert_eq!(snapshot.next_record()?, next, "numbers stay as they are");
    assert_eq!(snapshot.mentions(CHANNEL, &who)?, []);
    ensure!(snapshot.dead_letters()?.is_empty());
    for block in snapshot.blocks(0)? {
        for record in block?.1 {
            let text = format!("{record:?}").to_lowercase();
            ensure!(!text.contains("troll") && !text.contains("1009"), "{text}");
        }
    }
    let audit = format!("{:?}", snapshot.audit(100)?);
    ensure!(!audit.contains("troll") && audit.contains("a person is forgotten"), "{audit}");
    assert_eq!(snapshot.identify(CHANNEL, "sir_troll")?, Identity::default());
    is_recounted(&stage)
}

#[test]
fn why_undo_and_replay_work_on_after_somebody_is_forgotten() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    for minute in 0..130 {
        say(&mut stage, ["ann", "sir_troll", "bobby"][minute % 3], "?fave")?;
        stage.engine.commit()?;
        stage.wait(60_000)?;
    }
    ensure!(forget(&mut stage, "sir_troll")?);
    let shown = stage.output("heat");
    let snapshot = Arc::new(stage.engine.snapshot()?);
    // From each checkpoint a run comes to what is shown: those on the way were made again.
    let mut from = snapshot.first_checkpoint(CHANNEL)?.context("no checkpoint")?;
    let mut runs = 0;
    while let Some(seed) = Seed::checkpoint(&snapshot, CHANNEL, from)? {
        let blocks = snapshot.blocks(seed.next_record())?;
        let library = Library::new(&sandbox()?, Arc::clone(&snapshot), &rules(&stage));
        let mut run = Run::begin(seed, library, Changes { exact: true, ..Changes::default() })?;
        for block in blocks {
            block?.1.iter().try_for_each(|record| run.follow(record).map(drop))?;
        }
        assert_eq!(run.shown().get("decay").and_then(|it| it.get("heat")), shown.as_ref());
        assert_eq!(run.tally()?, snapshot.channel_tally(CHANNEL)?);
        runs += 1;
        from += 3_600_000;
        if from > stage.now {
            break;
        }
    }
    ensure!(runs >= 2, "only {runs} checkpoints are left");
    let causes = why(&sandbox()?, Arc::clone(&snapshot), CHANNEL, &rules(&stage), "heat", 500)?;
    let (_, causes) = causes.context("no checkpoint")?;
    let by = |login: &str| {
        causes.iter().filter(|it| it.person.as_ref().is_some_and(|it| it.login == login)).count()
    };
    assert_eq!((by("bobby") > 10, by("sir_troll")), (true, 0));
    let undo = snapshot.undo(CHANNEL, &UndoTarget::Person("bobby".to_owned()), 0)?;
    stage.engine.take_back_faves(&undo, &order())?;
    stage.engine.commit()?;
    is_recounted(&stage)?;
    let left = stage.engine.snapshot()?.channel_tally(CHANNEL)?;
    assert_eq!((left.people, left.faves), (1, 44));
    Ok(())
}

#[test]
fn where_the_log_does_not_go_back_the_counts_are_right_and_keys_go() -> Result<()> {
    let rules = vec![plain("fave"), plain("decay"), plain("crowd")];
    let mut stage = Stage::at(START + 1_800_000, rules, patient(), Store::in_memory()?)?;
    say(&mut stage, "sir_troll", "?fave pie")?;
    say(&mut stage, "ann", "?fave pie")?;
    stage.engine.commit()?;
    // The hour is over and its bins are stored: until then series need the log.
    stage.wait(1_820_000)?;
    stage.engine.fire(stage.now)?;
    stage.engine.commit()?;
    stage.wait(5_400_000)?;
    stage.engine.expire_log(stage.now)?;
    say(&mut stage, "sir_troll", "?fave pie")?;
    stage.engine.commit()?;
    ensure!(!forget(&mut stage, "sir_troll")?, "no checkpoint is as old");
    let left = stage.engine.snapshot()?.counts_of(CHANNEL)?;
    ensure!(
        left.iter().all(|it| it.person.as_ref().is_none_or(|it| it.login == "ann")),
        "{left:?}"
    );
    let all = stage.engine.snapshot()?.channel_tally(CHANNEL)?;
    assert_eq!((all.faves, all.people), (1, 1));
    // The next event makes a place to begin from.
    say(&mut stage, "ann", "?fave pie")?;
    stage.engine.commit()?;
    ensure!(stage.engine.snapshot()?.first_checkpoint(CHANNEL)?.is_some());
    Ok(())
}

/// A fave of one person, whose login was another one before; then the log has nothing of it any more.
fn after_another_name(stage: &mut Stage) -> Result<()> {
    for login in ["ann", "anna", "anna_banana"] {
        let person = Person { id: "42".into(), login: login.into(), name: login.to_uppercase() };
        stage.event(Happening::Chat(ChatLine { person, ..chat_line(login, "?fave pie") }))?;
        stage.engine.commit()?;
        stage.wait(60_000)?;
    }
    say(stage, "bob", "?fave pie")?;
    stage.engine.commit()?;
    stage.wait(1_820_000)?;
    stage.engine.fire(stage.now)?;
    stage.engine.commit()?;
    stage.wait(5_400_000)?;
    stage.engine.expire_log(stage.now)?;
    Ok(())
}

#[test]
fn what_somebody_was_called_before_outlives_the_log_and_goes_with_them() -> Result<()> {
    let mut stage =
        Stage::at(START + 1_800_000, vec![plain("fave")], patient(), Store::in_memory()?)?;
    after_another_name(&mut stage)?;
    let snapshot = stage.engine.snapshot()?;
    let is_event = |it: &Record| matches!(it, Record::Event { .. });
    ensure!(!snapshot.records_since(0)?.iter().any(is_event), "the log has it still");
    for named in ["ann", "ANNA", "anna_banana", "42"] {
        let who = snapshot.identify(CHANNEL, named)?;
        let logins: Vec<_> = who.logins().map(String::as_str).collect();
        assert_eq!(logins, ["ann", "anna", "anna_banana"], "{named}");
        assert_eq!(snapshot.tally_of(CHANNEL, &who)?.faves, 3, "{named}");
    }
    drop(snapshot);
    forget(&mut stage, "ann")?;
    let snapshot = stage.engine.snapshot()?;
    assert_eq!(snapshot.channel_tally(CHANNEL)?.faves, 1);
    for named in ["ann", "anna", "anna_banana", "42"] {
        let left = snapshot.identify(CHANNEL, named)?;
        assert_eq!(left.logins().count(), 0, "{named} is known as {left:?}");
    }
    Ok(())
}

#[test]
fn what_is_forgotten_stays_so_over_a_restart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let open = || Stage::with(vec![plain("fave"), plain("decay")], patient(), Store::open(&file)?);
    let mut stage = open()?;
    for login in ["ann", "sir_troll", "bobby"] {
        say(&mut stage, login, "?fave pie")?;
        stage.engine.commit()?;
        stage.wait(1_000)?;
    }
    let now = stage.now;
    forget(&mut stage, "sir_troll")?;
    let before = seen(&stage)?;
    drop(stage);
    let mut stage = open()?;
    stage.wait(now - stage.now)?;
    stage.engine.commit()?;
    assert_eq!(seen(&stage)?, before);
    is_recounted(&stage)?;
    let records = stage.engine.snapshot()?.records_since(0)?;
    ensure!(records.iter().filter(|it| matches!(it, Record::Event { .. })).count() == 2);
    Ok(())
}

#[test]
fn several_people_of_one_name_are_told_apart_by_id() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    for (id, login) in [("1", "ann"), ("2", "ann")] {
        let person = Person { id: id.into(), login: login.into(), name: login.into() };
        stage.event(Happening::Chat(ChatLine { person, ..chat_line(login, "?fave") }))?;
    }
    stage.engine.commit()?;
    let snapshot = stage.engine.snapshot()?;
    let several = snapshot.identify(CHANNEL, "ann");
    ensure!(matches!(several, Err(IdentityError::Several(several)) if several.len() == 2));
    drop(snapshot);
    forget(&mut stage, "2")?;
    let left = stage.engine.snapshot()?.channel_tally(CHANNEL)?;
    assert_eq!((left.faves, left.people), (1, 1));
    is_recounted(&stage)
}

#[test]
fn a_message_that_brought_only_their_faves_goes_and_others_stay() -> Result<()> {
    let topics = Given::List(vec![Given::Text("deck/fave".to_owned())]);
    let fave = ("fave", "fave", vec![("topics".to_owned(), topics)]);
    let mut stage = Stage::new(vec![fave, plain("decay")])?;
    for payload in [r#"{"user":"sir_troll","item":"pie"}"#, r#"{"user":"ann","item":"sir_troll"}"#]
    {
        stage.mqtt("deck/fave", payload.as_bytes(), false)?;
        stage.wait(1_000)?;
    }
    say(&mut stage, "sir_troll", "?fave pie")?;
    stage.engine.commit()?;
    assert_eq!(stage.faves()?, 3);
    ensure!(forget(&mut stage, "sir_troll")?);
    // Twitch tells an id, and a message only a login: both were theirs. What somebody else has faved has their name still.
    assert_eq!(stage.faves()?, 1);
    let records = stage.engine.snapshot()?.records_since(0)?;
    let sent = records.iter().filter_map(|record| match record {
        Record::Event { event, .. } => match &event.what {
            Happening::Mqtt(message) => Some(String::from_utf8_lossy(&message.payload)),
            _ => Some("chat".into()),
        },
        _ => None,
    });
    assert_eq!(sent.collect::<Vec<_>>(), [r#"{"user":"ann","item":"sir_troll"}"#]);
    is_recounted(&stage)
}
