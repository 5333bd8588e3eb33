//! A channel that has another login: everything of it goes on under the new one, as if it had never had another.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use heat_engine::wit::{ChatLine, Event, Happening};
use heat_engine::{
    Chain, CountRow, Engine, Given, Point, Range, Resolution, RoomNews, Rule, Store, UndoTarget,
    What, rename_channel, why,
};

use crate::stage::{START, chat_line, loaded, patient, sandbox};

const OLD: &str = "oldname";
const NEW: &str = "newname";
const ID: u64 = 1000;
const MINUTE: u64 = 60_000;

/// An engine with one channel, and the time.
struct Town {
    engine: Engine,
    channel: &'static str,
    now: u64,
}

fn rules() -> Result<Vec<(String, Rule)>> {
    let limits = Arc::new(patient());
    let rule = |name: &str, settings: &[(String, Given)]| -> Result<(String, Rule)> {
        Ok((name.to_owned(), Rule::new(&*sandbox()?, &limits, &loaded(name)?, settings)?))
    };
    let cooldown = ("user_cooldown".to_owned(), Given::Text("3m".to_owned()));
    let half_life = ("half_life".to_owned(), Given::Text("10m".to_owned()));
    Ok(vec![rule("fave", &[cooldown])?, rule("decay", &[half_life])?])
}

impl Town {
    fn open(file: &Path, channel: &'static str, now: u64) -> Result<Self> {
        let chain = Chain { channel: channel.to_owned(), rules: rules()? };
        let engine = Engine::open(sandbox()?, Store::open(file)?, vec![chain], now)?;
        Ok(Self { engine, channel, now })
    }

    /// Somebody says something; then a minute goes by.
    fn say(&mut self, login: &str, text: &str) -> Result<()> {
        self.hear(chat_line(login, text))
    }

    fn hear(&mut self, line: ChatLine) -> Result<()> {
        let what = Happening::Chat(line);
        let (id, channel) = (format!("at-{}", self.now), self.channel.to_owned());
        self.engine.handle(self.now, Event { id, channel, at: self.now, what })?;
        self.engine.commit()?;
        self.now += MINUTE;
        self.engine.fire(self.now)?;
        self.engine.commit()?;
        Ok(())
    }

    fn output(&self, channel: &str, name: &str) -> Option<String> {
        self.engine.outputs().get(&(channel.into(), name.to_owned())).cloned().flatten()
    }

    fn counts(&self) -> Result<Vec<CountRow>> {
        let snapshot = self.engine.snapshot()?;
        let counts = snapshot.counts_of(self.channel)?;
        assert_eq!(snapshot.recount(self.channel)?, counts, "the log says something else");
        Ok(counts)
    }

    fn series(&self) -> Result<Vec<Vec<Point>>> {
        let series = self.engine.statistics().context("the engine counts")?;
        let range = Range { from: 0, to: u64::MAX };
        let whats = [What::Messages, What::Faves, What::Output("heat".to_owned())];
        Ok(series.points(self.channel, &whats, Resolution::Minute, range)?)
    }

    /// Which faves of ann would be taken back, and who has changed the heat, as the log has it.
    fn told(&self) -> Result<(Vec<String>, Vec<String>)> {
        let snapshot = Arc::new(self.engine.snapshot()?);
        let undo = snapshot.undo(self.channel, &UndoTarget::Person("ann".to_owned()), 0)?;
        let found = why(&sandbox()?, snapshot, self.channel, &rules()?, "heat", 100)?;
        let (_, causes) = found.context("there is no checkpoint")?;
        let people = causes.into_iter().filter_map(|it| Some(it.person?.login)).collect();
        Ok((undo.taken.into_iter().map(|fave| fave.item).collect(), people))
    }
}

/// An evening over two starts, of which the second may find the channel under another login.
fn evening(file: &Path, before: &'static str) -> Result<Town> {
    let mut town = Town::open(file, before, START)?;
    town.engine.note_room(before, ID)?;
    for (login, text) in [("ann", "?fave pie"), ("bob", "?fave pie"), ("ann", "?fave cake")] {
        town.say(login, text)?;
    }
    let now = town.now;
    drop(town);
    let mut town = Town::open(file, NEW, now)?;
    town.engine.note_room(NEW, ID)?;
    town.engine.commit()?;
    Ok(town)
}

#[test]
fn a_channel_with_another_login_goes_on_as_if_it_had_never_had_one() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut moved = evening(&folder.path().join("moved.redb"), OLD)?;
    let mut stayed = evening(&folder.path().join("stayed.redb"), NEW)?;
    // At once, and not only with the next fave.
    let heat = stayed.output(NEW, "heat");
    ensure!(heat.is_some() && moved.output(NEW, "heat") == heat, "{heat:?}");
    for town in [&mut moved, &mut stayed] {
        // Whoever has to wait still has to; then somebody new comes.
        for (login, text) in [("bob", "?fave tea"), ("cy", "?fave pie"), ("ann", "?fave tea")] {
            town.say(login, text)?;
        }
    }
    assert_eq!(moved.counts()?, stayed.counts()?);
    assert_eq!(moved.series()?, stayed.series()?);
    assert_eq!(moved.told()?, stayed.told()?);
    for output in ["heat", "record", "stream", "rules/decay"] {
        assert_eq!(moved.output(NEW, output), stayed.output(NEW, output), "{output}");
        assert_eq!(moved.output(OLD, output), None, "{output}");
    }
    let snapshot = moved.engine.snapshot()?;
    ensure!(snapshot.records_since(0)?.iter().all(|record| record.channel() == NEW));
    assert_eq!((snapshot.room(NEW)?, snapshot.room(OLD)?), (Some(ID), None));
    let note = snapshot.audit(10)?.into_iter().map(|(_, entry)| entry.note).collect::<Vec<_>>();
    ensure!(note.iter().any(|note| note.contains("#oldname") && note.contains("1000")), "{note:?}");
    Ok(())
}

#[test]
fn what_was_moved_is_there_after_the_next_start_too() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let mut town = evening(&file, OLD)?;
    town.say("cy", "?fave pie")?;
    let (counts, mut series, now) = (town.counts()?, town.series()?, town.now);
    drop(town);
    let mut town = Town::open(&file, NEW, now)?;
    assert_eq!(town.engine.note_room(NEW, ID)?, RoomNews::Known);
    let mut again = town.series()?;
    // What an output showed in the minute before a start is noted again.
    for heat in [&mut series, &mut again] {
        heat.truncate(2);
    }
    assert_eq!((town.counts()?, again), (counts, series));
    Ok(())
}

#[test]
fn two_channels_of_one_id_that_are_both_here_and_another_id_move_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let mut town = Town::open(&file, OLD, START)?;
    town.engine.note_room(OLD, ID)?;
    town.say("ann", "?fave pie")?;
    drop(town);
    let chain = |channel: &str| -> Result<Chain> {
        Ok(Chain { channel: channel.to_owned(), rules: rules()? })
    };
    let (store, chains) = (Store::open(&file)?, vec![chain(OLD)?, chain(NEW)?]);
    let mut engine = Engine::open(sandbox()?, store, chains, START + MINUTE)?;
    assert_eq!(engine.note_room(NEW, ID)?, RoomNews::Known);
    drop(engine);
    let mut town = Town::open(&file, NEW, START + MINUTE)?;
    assert_eq!(town.engine.note_room(NEW, ID + 1)?, RoomNews::Known);
    assert_eq!(town.engine.note_room("nobody", ID)?, RoomNews::Known);
    assert_eq!(town.counts()?, []);
    Ok(())
}

#[test]
fn where_both_logins_have_counts_they_are_added_when_somebody_asks_for_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let mut town = Town::open(&file, OLD, START)?;
    town.engine.note_room(OLD, ID)?;
    for (login, text) in [("ann", "?fave pie"), ("bob", "?fave pie"), ("bob", "hello")] {
        town.say(login, text)?;
    }
    let now = town.now;
    drop(town);
    // The id is not known before somebody has faved: as with a heatd that kept no ids.
    let mut town = Town::open(&file, NEW, now)?;
    for (login, text) in [("ann", "?fave pie"), ("cy", "?fave cake")] {
        town.say(login, text)?;
    }
    let RoomNews::BothCounted(former) = town.engine.note_room(NEW, ID)? else {
        bail!("it was moved over what is there");
    };
    assert_eq!((&*former.login, former.faves, former.own), (OLD, 2, 2));
    let heat = town.output(NEW, "heat");
    let now = town.now;
    drop(town);

    let store = Store::open(&file)?;
    let former = rename_channel(&store, OLD, NEW)?;
    assert_eq!((former.faves, former.own), (2, 2));
    drop(store);
    let town = Town::open(&file, NEW, now)?;
    let counts = town.counts()?;
    let sum = |kind, item: &str| {
        let found = counts.iter().find(|it| it.kind == kind && it.item == item);
        found.map(|it| (it.tally.faves, it.tally.people))
    };
    // ann is one person, in the channel and for the pie.
    assert_eq!(sum(heat_engine::CountKind::Channel, ""), Some((4, 3)));
    assert_eq!(sum(heat_engine::CountKind::Item, "pie"), Some((3, 2)));
    assert_eq!(sum(heat_engine::CountKind::Item, "cake"), Some((1, 1)));
    assert_eq!(town.output(NEW, "heat"), heat, "the heat is that of now");
    let messages: i64 = town.series()?[0].iter().map(|point| point.count).sum();
    assert_eq!(messages, 5);
    assert_eq!(town.engine.snapshot()?.counts_of(OLD)?, []);
    Ok(())
}

#[test]
fn what_people_were_called_before_goes_with_the_channel() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let mut town = Town::open(&file, OLD, START)?;
    for login in ["ann", "anna"] {
        let mut line = chat_line(login, "?fave pie");
        line.person.id = "42".to_owned();
        town.hear(line)?;
        // The cooldown is over.
        town.now += 3 * MINUTE;
    }
    town.now += 8 * 60 * MINUTE;
    town.engine.fire(town.now)?;
    town.engine.commit()?;
    town.engine.expire_log(town.now)?;
    drop(town);
    let store = Store::open(&file)?;
    rename_channel(&store, OLD, NEW)?;
    let who = store.snapshot()?.identify(NEW, "ann")?;
    assert_eq!(who.logins().map(String::as_str).collect::<Vec<_>>(), ["ann", "anna"]);
    assert_eq!(store.snapshot()?.identify(OLD, "ann")?.logins().count(), 0);
    Ok(())
}
