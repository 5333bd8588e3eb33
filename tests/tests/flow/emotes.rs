//! Emotes of 7TV, BetterTTV and FrankerFaceZ: found by word, counted at who has the first right to it, from a scripted provider.

mod bad;
mod live;
mod named;
mod recorded;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use heat_engine::wit::EmoteProvider;
use heat_engine::{Record, Store};
use heat_tests::emotes::{
    Answer, Providers, bttv_channel, bttv_global, ffz_global, ffz_room, seventv_global,
    seventv_user,
};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use heat_tests::twitch::{Line, room_id};
use serde_json::Value;

use crate::client::answer as heat;
use crate::town::{Broker, Town};

const OFF: &str = "[emotes]\nproviders = []\n";

/// So long that nobody asks twice within a test.
const SELDOM: &str = "1d";

/// A town, and who has emotes for it. The channel is seaside.
struct Stage {
    town: Town,
    providers: Providers,
    room: String,
    configuration: String,
}

impl Stage {
    /// heatd will ask the providers so often. They know nothing yet.
    fn new(refresh: &str) -> Result<Self> {
        let (town, providers) = (Town::new()?, Providers::start()?);
        let head = town.head(&["seaside"], &Broker::Embedded(town.mqtt));
        ensure!(head.contains(OFF), "the harness asks for emotes in the internet");
        let head = head.replace(OFF, &providers.table(refresh));
        let configuration = head + &Town::rules("nothing")?;
        Ok(Self { town, providers, room: room_id("seaside"), configuration })
    }

    /// Every set has a few emotes of its own.
    fn with_emotes(refresh: &str) -> Result<Self> {
        let stage = Self::new(refresh)?;
        let room = &stage.room;
        let all = [
            ("/ffz/set/global".to_owned(), ffz_global(&[("all", 1), ("ffzAll", 2)], &[("few", 3)])),
            ("/bttv/emotes/global".to_owned(), bttv_global(&[("all", "b1"), ("(ditto)", "b2")])),
            (
                "/7tv/emote-sets/global".to_owned(),
                seventv_global("g", &[("all", "s1"), ("EZ", "s2")]),
            ),
            (format!("/ffz/room/id/{room}"), ffz_room(room, &[("own", 4), ("ffzOwn", 5)])),
            (
                format!("/bttv/users/twitch/{room}"),
                bttv_channel(&[("own", "b3"), ("bttvOwn", "b4")], &[("ffzAll", "b5")]),
            ),
            (
                stage.seventv(),
                seventv_user(
                    room,
                    "set1",
                    "user1",
                    &[("own", "s3"), ("<b>x</b>", "s4"), ("bttvOwn", "s5"), (".*", "s6")],
                ),
            ),
        ];
        for (path, answer) in all {
            stage.providers.answer(&path, Answer::Json(answer));
        }
        Ok(stage)
    }

    /// Where 7TV answers for the channel.
    fn seventv(&self) -> String {
        format!("/7tv/users/twitch/{}", self.room)
    }

    /// Starts heatd, and waits until it is in the channel.
    fn start(&self) -> Result<Program> {
        let heatd = self.town.heatd(&self.configuration)?;
        self.town.chat.wait_joined("seaside")?;
        Ok(heatd)
    }

    fn say(&self, text: &str) {
        self.town.chat.say("seaside", "ann", text);
    }

    /// How often which emote was used: `7tv:EZ` with its id.
    fn counted(&self) -> Result<BTreeMap<String, (String, u64)>> {
        self.counted_in("seaside")
    }

    fn counted_in(&self, channel: &str) -> Result<BTreeMap<String, (String, u64)>> {
        let token = std::fs::read_to_string(self.town.path("heat-data/api.token"))?;
        let mut stream = TcpStream::connect(("127.0.0.1", self.town.http))?;
        write!(
            stream,
            "GET /api/v1/channels/{channel}/emotes?count=1000 HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
            token.trim()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").context("half an answer")?.1;
        let answer: Value = serde_json::from_str(body).with_context(|| body.to_owned())?;
        let emotes = answer["emotes"].as_array().with_context(|| body.to_owned())?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entry = |it: &Value| {
            let name = format!("{}:{}", text(&it["provider"]), text(&it["name"]));
            (name, (text(&it["id"]), it["uses"].as_u64().unwrap_or_default()))
        };
        Ok(emotes.iter().map(entry).collect())
    }

    /// Waits until these emotes, and no others, were used so often.
    fn wait_for(&self, expected: &[(&str, &str, u64)]) -> Result<()> {
        let expected: BTreeMap<String, (String, u64)> = expected
            .iter()
            .map(|(name, id, uses)| ((*name).to_owned(), ((*id).to_owned(), *uses)))
            .collect();
        eventually(format!("{expected:?}"), || match self.counted() {
            Ok(counted) if counted == expected => Ok(()),
            Ok(counted) => Err(format!("{counted:?}")),
            Err(error) => Err(format!("{error:#}")),
        })
    }

    /// What the log has of changes: provider, and the names that came and went. heatd must have ended.
    fn changes(&self) -> Result<Vec<(String, EmoteProvider, Vec<String>, Vec<String>)>> {
        let store = Store::open(&self.town.path("heat-data/heat.redb"))?;
        let records = store.snapshot()?.records_since(0)?;
        let names = |all: Vec<(String, String)>| all.into_iter().map(|(name, _)| name).collect();
        let changes = records.into_iter().filter_map(|record| match record {
            Record::Emotes { channel, provider, added, removed, .. } => {
                Some((channel, provider, names(added), names(removed)))
            }
            _ => None,
        });
        Ok(changes.collect())
    }
}

/// Waits until heatd says that a set has changed, for the time after so many.
fn wait_for_set(heatd: &Program, seen: usize, provider: &str, of: &str) -> Result<String> {
    let (provider, of) = (format!("provider=\"{provider}\""), format!("of=\"{of}\""));
    heatd.wait_for_line_after(seen, |line| {
        line.contains("emotes changed") && line.contains(&provider) && line.contains(&of)
    })
}

fn wait_for_sets(heatd: &Program) -> Result<()> {
    for provider in ["7tv", "bttv", "ffz"] {
        for of in ["everybody", "seaside"] {
            wait_for_set(heatd, 0, provider, of)?;
        }
    }
    Ok(())
}

#[test]
fn words_count_for_who_has_the_first_right_to_them_and_over_a_restart_without_providers()
-> Result<()> {
    let stage = Stage::with_emotes(SELDOM)?;
    let mut heatd = stage.start()?;
    wait_for_sets(&heatd)?;
    stage.say("own all EZ bttvOwn ffzOwn ffzAll own");
    stage.say("(ditto) <b>x</b> .* few OWN own! xEZ ez");
    stage.say("EZ \u{E0000}");
    let marked = Line::chat("seaside", "bob", "EZ own").emote("77", "own");
    stage.town.chat.send("seaside", &marked);
    let reply = Line::chat("seaside", "cat", "EZ").reply_to("own", "1", "what?");
    stage.town.chat.send("seaside", &reply);
    let mut expected = vec![
        ("ffz:own", "4", 2),
        ("ffz:all", "1", 1),
        ("7tv:EZ", "s2", 4),
        ("bttv:bttvOwn", "b4", 1),
        ("ffz:ffzOwn", "5", 1),
        ("bttv:ffzAll", "b5", 1),
        ("bttv:(ditto)", "b2", 1),
        ("7tv:<b>x</b>", "s4", 1),
        ("7tv:.*", "s6", 1),
        ("twitch:own", "77", 1),
    ];
    stage.wait_for(&expected)?;
    let asked = stage.providers.asked();
    ensure!(asked.len() == 6 && asked.iter().all(|it| it.status == 200), "{asked:?}");
    ensure!(asked.iter().all(|it| it.agent.as_ref().is_some_and(|it| it.starts_with("heatd/"))));

    ensure!(heatd.terminate()?.success(), "{}", heatd.lines().join("\n"));
    let changes = stage.changes()?;
    ensure!(
        changes.len() == 6 && changes.iter().all(|(.., removed)| removed.is_empty()),
        "{changes:?}"
    );
    let own = ["ffzOwn", "own"].map(str::to_owned).to_vec();
    ensure!(
        changes.contains(&("seaside".to_owned(), EmoteProvider::FrankerFaceZ, own, vec![])),
        "{changes:?}"
    );
    ensure!(changes.iter().filter(|(channel, ..)| channel.is_empty()).count() == 3);

    // What is known is known without the providers, and without a question while it is fresh.
    stage.providers.answer_all("/", &Answer::Status(503));
    let mut heatd = stage.start()?;
    eventually("the sets of the disk", || {
        stage.say("ffzOwn");
        let counted = stage.counted().map_err(|error| format!("{error:#}"))?;
        let uses = counted.get("ffz:ffzOwn").map(|it| it.1);
        if uses > Some(1) { Ok(()) } else { Err(format!("{counted:?}")) }
    })
    .map_err(|error| error.context(heatd.lines().join("\n")))?;
    stage.say("EZ");
    let of = |name: &str| Ok::<_, anyhow::Error>(stage.counted()?.get(name).map(|it| it.1));
    eventually("a use of EZ", || of("7tv:EZ").is_ok_and(|uses| uses == Some(5)))?;
    expected.retain(|(name, ..)| *name == "twitch:own");
    ensure!(of("twitch:own")? == Some(expected[0].2));
    assert_eq!(stage.providers.asked().len(), 6);
    ensure!(heatd.terminate()?.success());
    assert_eq!(stage.changes()?, changes, "a restart is no change");
    Ok(())
}

#[test]
fn a_channel_that_is_added_has_its_emotes_and_none_while_it_is_removed() -> Result<()> {
    let stage = Stage::with_emotes(SELDOM)?;
    let room = room_id("harbour");
    let answer = Answer::Json(ffz_room(&room, &[("quay", 8)]));
    stage.providers.answer(&format!("/ffz/room/id/{room}"), answer);
    let heatd = stage.start()?;
    wait_for_sets(&heatd)?;
    heat(&stage.town, &["channels", "add", "harbour"])?;
    for provider in ["7tv", "bttv", "ffz"] {
        wait_for_set(&heatd, 0, provider, "harbour")?;
    }
    stage.town.chat.say("harbour", "ann", "quay quay EZ own");
    stage.town.chat.say("seaside", "ann", "quay own");
    let quay = |count: u64| {
        BTreeMap::from([
            ("ffz:quay".to_owned(), ("8".to_owned(), count)),
            ("7tv:EZ".to_owned(), ("s2".to_owned(), 1)),
        ])
    };
    let wait = |expected: BTreeMap<String, (String, u64)>| {
        eventually("the emotes of the new channel", || match stage.counted_in("harbour") {
            Ok(found) if found == expected => Ok(()),
            other => Err(format!("{other:?}")),
        })
    };
    wait(quay(2))?;
    heat(&stage.town, &["channels", "remove", "harbour"])?;
    stage.town.chat.wait_parted("harbour")?;
    let asked = stage.providers.asked().len();
    heat(&stage.town, &["channels", "add", "harbour"])?;
    stage.town.chat.wait_joined("harbour")?;
    // From the disk, without a question.
    eventually("its emotes to be known again", || {
        stage.town.chat.say("harbour", "bob", "quay");
        stage.counted_in("harbour").is_ok_and(|found| found["ffz:quay"].1 > 2)
    })?;
    assert_eq!(stage.providers.asked().len(), asked);
    Ok(())
}

#[test]
fn nobody_is_asked_where_no_provider_is_named() -> Result<()> {
    let stage = Stage::with_emotes(SELDOM)?;
    let off = stage.configuration.replace("[emotes]\n", OFF);
    let mut heatd = stage.town.heatd(&off)?;
    stage.town.chat.wait_joined("seaside")?;
    let marked = Line::chat("seaside", "bob", "EZ Kappa").emote("25", "Kappa");
    stage.town.chat.send("seaside", &marked);
    stage.wait_for(&[("twitch:Kappa", "25", 1)])?;
    ensure!(heatd.terminate()?.success());
    ensure!(stage.providers.asked().is_empty() && stage.changes()?.is_empty());
    Ok(())
}
