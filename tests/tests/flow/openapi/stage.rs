//! A heatd with everything that the API tells of: chat, faves, emotes of three providers, a rule that fails, a second channel.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use heat_tests::emotes::{
    Answer as Provided, Providers, bttv_channel, bttv_global, ffz_global, ffz_room, seventv_global,
    seventv_user,
};
use heat_tests::logins::{CLIENT, Logins};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use heat_tests::twitch::{Line, room_id};
use heat_tests::twitch_api::TwitchApi;
use serde_json::{Value, json};

use super::ask::{Answer, Call};
use crate::client::answer as heat;
use crate::live::cast;
use crate::town::{Broker, Town};

/// Names that somebody will give to an emote, and that must come back as they were.
pub(super) const HOSTILE: [&str; 5] = [
    "a/b",
    "100%25",
    "\"quoted'",
    "';DROP/**/TABLE\u{20}x;--",
    "<img/src=x\u{20}onerror=alert(1)>",
];

pub(super) struct Stage {
    pub(super) town: Town,
    pub(super) owner: String,
    // These two run for as long as the stage stands.
    _providers: Providers,
    logins: Logins,
    pub(super) api: TwitchApi,
    _heatd: Program,
}

pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

impl Stage {
    /// heatd is in its channels, and knows the sets. Nobody has said anything.
    pub(super) fn new() -> Result<Self> {
        Self::with(|_| {}, "")
    }

    /// The same, with providers that answer otherwise, or with other words in `[emotes]` instead of theirs.
    pub(super) fn with(change: impl FnOnce(&Providers), emotes: &str) -> Result<Self> {
        let (town, providers) = (Town::new()?, Providers::start()?);
        let logins = Logins::start(&[("seaside", "11"), ("troll", "66")])?;
        let api = TwitchApi::start(&logins)?;
        answer(&providers);
        change(&providers);
        let head = town.head(&["seaside", "harbour"], &Broker::Embedded(town.mqtt));
        let table = if emotes.is_empty() { providers.table("1d") } else { emotes.to_owned() };
        let head = head.replace("[emotes]\nproviders = []\n", &table);
        ensure!(head.contains(&table), "the harness asks for emotes in the internet");
        let head = head.replace("keep = 0\n", "keep = 2\n");
        let account = format!(
            "ping = \"1s\"\nid_server = \"{}\"\n{}client_id = \"{CLIENT}\"\n[[twitch.account]]\nchannel = \"seaside\"\nfeatures = [\"follows\", \"say\", \"moderate\"]\n",
            logins.address(),
            api.settings()
        );
        let head = head.replacen("ping = \"1s\"\n", &account, 1);
        let rules = cast::rules("", "")? + &cast::one_guest("misbehave", "")?;
        let heatd = town.heatd(&(head + &rules))?;
        for channel in ["seaside", "harbour"] {
            town.chat.wait_joined(channel)?;
        }
        heatd.wait_for_line(|line| line.contains("broker connected"))?;
        let file = town.path("heat-data/api.token");
        let owner = eventually("the API's token", || std::fs::read_to_string(&file))?;
        Ok(Self {
            town,
            owner: owner.trim().to_owned(),
            _providers: providers,
            logins,
            api,
            _heatd: heatd,
        })
    }

    /// Somebody agrees to the login that has begun, and heatd knows.
    pub(super) fn agree(&self, login: &str) -> Result<()> {
        let account = || -> Result<Value> {
            let told = self.get("accounts")?.json()?;
            Ok(told["accounts"][0].clone())
        };
        let code = account()?["begun"]["code"].as_str().context("no code")?.to_owned();
        self.logins.agree(&code, login)?;
        eventually("the login", || {
            let account = account()?;
            ensure!(account["state"] == "logged-in", "{account}");
            Ok(())
        })
    }

    pub(super) fn ask(&self, call: &Call) -> Result<Answer> {
        call.ask(self.town.http, &self.owner)
    }

    pub(super) fn get(&self, path: &str) -> Result<Answer> {
        self.ask(&Call::get(path))
    }

    /// A token for somebody.
    pub(super) fn token(&self, role: &str) -> Result<String> {
        let told = heat(&self.town, &["token", "new", "--json", "--role", role])?;
        let told: Value = serde_json::from_str(&told)?;
        Ok(told["token"].as_str().context("no token")?.to_owned())
    }

    pub(super) fn say(&self, login: &str, text: &str) {
        self.town.chat.say("seaside", login, text);
    }

    /// Waits until all sets of seaside are known.
    pub(super) fn wait_for_sets(&self) -> Result<()> {
        eventually("all sets", || {
            let answer =
                self.get("channels/seaside/emotes?used=false").map_err(|it| it.to_string())?;
            let text = answer.text().map_err(|it| it.to_string())?.to_owned();
            let is_known = answer.status == 200 && !text.contains("\"unknown\"");
            if is_known { Ok(()) } else { Err(text) }
        })
    }

    /// Chat with emotes and faves, an event of each kind that chat can tell, and a rule that fails.
    pub(super) fn talk(&self) -> Result<()> {
        let marked =
            Line::chat("seaside", "ann", "Kappa LUL Kappa").emotes("25:0-4,10-14/425618:6-8");
        self.town.chat.send("seaside", &marked);
        for name in HOSTILE {
            // Twitch marks what it likes; the name is what stands there.
            let end = name.chars().count() - 1;
            let line = Line::chat("seaside", "bob", name).emotes(&format!("77:0-{end}"));
            self.town.chat.send("seaside", &line);
        }
        self.say("cat", "EZ own");
        self.town.chat.send("seaside", &Line::raid("seaside", "dan", 5));
        for (login, item) in [("ann", "pie"), ("bob", "pie"), ("ann", ""), ("troll", "me")] {
            self.say(login, format!("?fave {item}").trim());
        }
        self.say("eve", "!do panic");
        self.town.wait_for_figure("heatd_faves_total", 4)?;
        eventually("the heat, the letter and the emotes", || self.is_told())
    }

    fn is_told(&self) -> Result<(), String> {
        let get = |path: &str| {
            let answer = self.get(path).and_then(|it| it.json());
            answer.map_err(|error| format!("{error:#}"))
        };
        let status = get("status")?;
        let heat = &status["channels"][0]["outputs"]["heat"];
        let letters = get("dead-letters")?;
        let emotes = get("channels/seaside/emotes?count=100")?;
        let count = |list: &Value| list.as_array().map_or(0, Vec::len);
        let seen = (heat.clone(), count(&letters["dead_letters"]), count(&emotes["emotes"]));
        let expected = (json!("4"), 1, 4 + HOSTILE.len());
        if seen == expected { Ok(()) } else { Err(format!("{seen:?} {status} {emotes}")) }
    }
}

/// Every set has a few emotes of its own.
fn answer(providers: &Providers) {
    for (channel, own) in [("seaside", true), ("harbour", false)] {
        let room = room_id(channel);
        let few = |emotes: &'static [(&'static str, &'static str)]| if own { emotes } else { &[] };
        let ffz: &[(&str, u64)] = if own { &[("own", 4), ("<i>idle</i>", 5)] } else { &[] };
        let all = [
            (format!("/ffz/room/id/{room}"), ffz_room(&room, ffz)),
            (format!("/bttv/users/twitch/{room}"), bttv_channel(few(&[("a/b%\"'", "b4")]), &[])),
            (
                format!("/7tv/users/twitch/{room}"),
                seventv_user(&room, channel, channel, few(&[("own", "s3"), ("Idle", "s4")])),
            ),
        ];
        for (path, answer) in all {
            providers.answer(&path, Provided::Json(answer));
        }
    }
    let all = [
        ("/ffz/set/global", ffz_global(&[("ffzAll", 2)], &[])),
        ("/bttv/emotes/global", bttv_global(&[("(ditto)", "b2")])),
        ("/7tv/emote-sets/global", seventv_global("g", &[("EZ", "s2"), ("idleToo", "s5")])),
    ];
    for (path, answer) in all {
        providers.answer(path, Provided::Json(answer));
    }
}
