//! Every resource, asked in the order of an evening: what is there, what is counted, what is changed, what goes out.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::ask::{Answer, Call, JSON, WASM};
use super::described::{Described, told};
use super::stage::{Stage, now};
use crate::live::cast;

/// Asks for everything. All that is otherwise than described is told at the end.
pub(super) fn go(stage: &mut Stage, described: &mut Described) -> Result<()> {
    stage.wait_for_sets()?;
    let (viewer, moderator) = (stage.token("viewer")?, stage.token("moderator")?);
    let mut watches = Vec::new();
    for token in [&viewer, &stage.owner] {
        let call = Call::get("watch?channel=seaside").by(token);
        let (answer, rest) = call.begin(stage.town.http, &stage.owner)?;
        watches.push((call, answer, rest));
    }
    stage.talk()?;
    let mut guide = Guide { stage, described, wrong: Vec::new() };
    guide.state(&viewer)?;
    guide.series(&viewer)?;
    guide.channels(&moderator)?;
    guide.rules()?;
    guide.tokens()?;
    guide.accounts()?;
    guide.data()?;
    for (call, answer, rest) in watches {
        let kinds: &[&str] = &["hello", "chat", "event", "rule", "fault", "output", "stream"];
        let read = until(answer, rest, kinds)?;
        guide.hold(&call, &read);
    }
    told(&guide.wrong)
}

/// Reads events until there was one of each kind.
fn until(mut answer: Answer, mut rest: BufReader<TcpStream>, kinds: &[&str]) -> Result<Answer> {
    let mut missing: Vec<String> =
        kinds.iter().map(|kind| format!("\"kind\":\"{kind}\"")).collect();
    while !missing.is_empty() {
        let mut line = String::new();
        let read = rest.read_line(&mut line);
        ensure!(read.is_ok_and(|bytes| bytes > 0), "it ended without {missing:?}");
        missing.retain(|kind| !line.contains(kind.as_str()));
        answer.body.extend(line.as_bytes());
    }
    Ok(answer)
}

struct Guide<'a> {
    stage: &'a mut Stage,
    described: &'a mut Described,
    wrong: Vec<String>,
}

impl Guide<'_> {
    fn hold(&mut self, call: &Call, answer: &Answer) {
        if let Err(error) = self.described.check(call, answer) {
            self.wrong.push(format!("{error:#}"));
        }
    }

    /// Asks, and holds the answer against the document.
    fn ask(&mut self, call: &Call) -> Result<Answer> {
        let answer = self.stage.ask(call)?;
        self.hold(call, &answer);
        Ok(answer)
    }

    /// The same for what must be answered well.
    fn good(&mut self, call: &Call) -> Result<Answer> {
        let answer = self.ask(call)?;
        ensure!(answer.status == 200, "{} {}: {:?}", call.method, call.path, answer.text());
        Ok(answer)
    }

    fn get(&mut self, path: &str) -> Result<Answer> {
        self.good(&Call::get(path))
    }

    /// The same for what must be done.
    fn done(&mut self, call: &Call) -> Result<Value> {
        let answer = self.good(call)?;
        answer.done().with_context(|| format!("{} {}", call.method, call.path))
    }

    /// The same for what must be a problem.
    fn problem(&mut self, call: &Call, status: u16) -> Result<String> {
        let answer = self.ask(call)?;
        answer.problem(status).with_context(|| format!("{} {}", call.method, call.path))
    }

    fn state(&mut self, viewer: &str) -> Result<()> {
        self.good(&Call::get("openapi.json").without_token())?;
        self.get("status")?;
        self.good(&Call::get("status").by(viewer))?;
        self.get("whoami")?;
        for page in ["/healthz", "/readyz", "/metrics"] {
            self.good(&Call::get(page).without_token())?;
            let passed_on = Call::get(page).without_token().with("X-Forwarded-For", "192.0.2.1");
            self.problem(&passed_on, 403)?;
            let twice = Call::get(page).without_token().with("Host", "192.0.2.1");
            self.problem(&twice, 400)?;
        }
        self.good(&Call::get("/metrics").with("Accept", "application/openmetrics-text"))?;
        // What every resource may answer.
        self.problem(&Call::get("status").without_token(), 401)?;
        self.problem(&Call::get("status").by("wrong"), 401)?;
        self.problem(&Call::get("rules").by(viewer), 403)?;
        self.problem(&Call::get("status").with("Origin", "http://192.0.2.1"), 403)?;
        self.problem(&Call::get("status").with("Host", "192.0.2.1"), 400)?;
        let long = format!("channels/seaside/series?of={}", "x".repeat(16_384));
        self.problem(&Call::get(&long), 414)?;
        // So many wrong tokens that whoever guesses has to wait.
        let wrong = Call::get("whoami").by("wrong");
        for _ in 0..200 {
            if self.ask(&wrong)?.status == 429 {
                return Ok(());
            }
        }
        anyhow::bail!("nobody was told to wait")
    }

    fn series(&mut self, viewer: &str) -> Result<()> {
        let to = now() + 1_000;
        let all = "of=messages&of=faves&of=output:heat&of=output:none&of=emote:twitch:Kappa&of=emote:7tv:Idle";
        let query = format!("{all}&from={}&to={to}&interval=5s", to - 600_000);
        let series = self.get(&format!("channels/seaside/series?{query}"))?.json()?;
        let points =
            |place: usize| series["series"][place]["points"].as_array().map_or(0, Vec::len);
        ensure!([0, 1, 2, 4].iter().all(|place| points(*place) > 0), "{series}");
        ensure!(points(3) == 0 && points(5) == 0, "{series}");
        self.get(&format!("channels/seaside/series?{query}&format=csv"))?;
        self.get("channels/harbour/series?of=messages")?;
        // What is long ago answers nothing, with the same fields.
        self.get("channels/seaside/series?of=messages&of=output:heat&from=1000&to=9000")?;
        self.get("channels/seaside/emotes")?;
        self.get(&format!(
            "channels/seaside/emotes?count=3&order=least&search=A&from={}&to={to}&interval=1m",
            to - 600_000
        ))?;
        self.get("channels/seaside/emotes?format=csv")?;
        self.get("channels/seaside/emotes?used=false")?;
        self.get("channels/seaside/emotes?used=false&format=csv")?;
        self.get("channels/seaside/faves?count=2")?;
        self.get("channels/seaside/streams?count=2")?;
        let found = self.get("history/messages?channel=seaside&count=3")?.json()?;
        let next = found["next"].as_str().context("there is more")?;
        self.get(&format!("history/messages?{next}"))?;
        self.get("history/messages?format=csv&text=a&kind=chat&kind=fave&order=oldest")?;
        let login = found["messages"][0]["person"]["login"].as_str().context("nobody")?;
        self.get(&format!("channels/seaside/people/{login}"))?;
        self.get(&format!("history/messages?channel=seaside&user={login}"))?;
        let call = Call::get(
            "channels/seaside/live?of=messages&of=output:heat&of=emote:twitch:LUL&interval=1s",
        );
        let (answer, rest) = call.begin(self.stage.town.http, &self.stage.owner)?;
        let read = one_event(answer, rest)?;
        self.hold(&call, &read);
        let call = Call::get("channels/seaside/live?of=messages&news=true");
        let (answer, rest) = call.begin(self.stage.town.http, &self.stage.owner)?;
        let read = until(answer, rest, &["output", "stream", "rate"])?;
        self.hold(&call, &read);
        for (path, status) in [
            ("series", 400),
            ("series?of=emote:7tv:none", 404),
            ("emotes?order=odd", 400),
            ("faves?count=0", 400),
            ("people/nobody-of-this-name", 404),
            ("live?of=messages&interval=2s", 400),
            ("live?of=messages&news=perhaps", 400),
            ("live?of=emote:7tv:none", 404),
            ("why?count=0", 400),
        ] {
            self.problem(&Call::get(&format!("channels/seaside/{path}")), status)?;
        }
        for path in ["series?of=messages", "emotes", "faves", "live?of=messages", "why"] {
            self.problem(&Call::get(&format!("channels/nowhere/{path}")), 404)?;
        }
        let _ = self.ask(&Call::get("channels/seaside/emotes").by(viewer))?;
        // A parameter that is in no document is none.
        for (path, _) in self.described.queries() {
            let path = path.trim_start_matches('/').replace("{channel}", "seaside");
            let needed =
                if path.ends_with("series") || path.ends_with("live") { "of=faves&" } else { "" };
            let call = Call::get(&format!("{path}?{needed}nosuch=1"));
            let why = self.problem(&call, 400)?;
            ensure!(why.contains("nosuch"), "{path}: {why}");
        }
        Ok(())
    }

    fn channels(&mut self, moderator: &str) -> Result<()> {
        let at = |what: &str| format!("channels/seaside/{what}");
        let add = |name: &str| Call::post("channels", &json!({ "channel": name }));
        self.good(&add("Pier"))?;
        self.get("channels")?;
        self.problem(&add("pier"), 409)?;
        self.problem(&Call::post("channels", &json!({ "name": "pier" })), 400)?;
        self.problem(&add(&"x".repeat(70_000)), 413)?;
        self.good(&Call::send("DELETE", "channels/pier", JSON, b""))?;
        self.problem(&Call::send("DELETE", "channels/pier", JSON, b""), 404)?;
        self.get("channels")?;
        self.get("config/diff")?;
        for state in ["start", "end"] {
            let call = Call::post(&at("stream"), &json!({ "state": state })).by(moderator);
            self.good(&call)?;
        }
        self.good(&Call::post(&at("command"), &json!({ "text": "?heat add 2" })).by(moderator))?;
        let simulate = |event: Value, live: bool| {
            Call::post(&at("simulate"), &json!({ "event": event, "live": live }))
        };
        self.good(
            &simulate(json!({ "kind": "fave", "user": "Bob", "item": "pie" }), false).by(moderator),
        )?;
        self.good(&simulate(json!({ "kind": "chat", "text": "!do panic" }), false))?;
        self.good(&simulate(json!({ "kind": "gift", "tier": 2, "count": 3 }), true))?;
        self.get(&at("why"))?;
        self.get(&at("why?output=record&count=3"))?;
        self.problem(&Call::get(&at("why?output=none")), 404)?;
        self.done(
            &Call::post(&at("undo"), &json!({ "user": "troll", "preview": true })).by(moderator),
        )?;
        self.done(&Call::post(&at("undo"), &json!({ "user": "troll" })))?;
        self.ask(&Call::post(&at("undo"), &json!({ "user": "nobody" })))?;
        let count =
            json!({ "person": { "login": "zoe" }, "item": "pie", "faves": 3, "weight": 4.5 });
        let import = json!({ "source": "other", "counts": [count], "note": "from elsewhere" });
        self.good(&Call::post(&at("import"), &import))?;
        self.done(&Call::post(&at("forget"), &json!({ "user": "ann", "preview": true })))?;
        let large = json!({ "text": "x".repeat(70_000) });
        for (path, body, status) in [
            ("stream", json!({ "state": "perhaps" }), 400),
            ("command", json!({ "text": "hello" }), 409),
            ("command", large.clone(), 413),
            ("simulate", json!({ "event": { "kind": "sub", "tier": 4 } }), 409),
            ("undo", json!({ "usr": "ann" }), 400),
            ("undo", large, 413),
            ("import", json!({ "source": "a b", "counts": [] }), 409),
            ("forget", json!({}), 400),
        ] {
            self.problem(&Call::post(&at(path), &body), status)?;
        }
        for path in ["stream", "command", "simulate", "undo", "import", "forget"] {
            let body = json!({});
            self.problem(&Call::post(&format!("channels/nowhere/{path}"), &body), 404)?;
        }
        let act =
            Call::post(&at("simulate"), &json!({ "event": { "kind": "fave" }, "live": true }));
        self.problem(&act.by(moderator), 403)?;
        for name in ["dead-letters", "letters"] {
            self.get(&format!("{name}?channel=seaside&slot=misbehave&count=5"))?;
        }
        Ok(())
    }

    fn rules(&mut self) -> Result<()> {
        let slot =
            |path: &str, body: Value| Call::post(&format!("channels/seaside/rules/{path}"), &body);
        let act = |action: &str| {
            Call::send("POST", &format!("channels/seaside/rules/decay/{action}"), JSON, b"")
        };
        let rules = self.get("rules")?.json()?;
        ensure!(rules["rules"].as_array().is_some_and(|it| it.len() == 6), "{rules}");
        self.done(&slot("decay/settings", json!({ "set": { "per_fave": 2 } })))?;
        self.get("config/diff")?;
        self.done(&slot("decay/shadow", json!({ "set": { "per_fave": 3 } })))?;
        self.get("rules")?;
        self.done(&act("drop"))?;
        self.done(&slot("decay/shadow", json!({ "set": { "per_fave": 3 } })))?;
        self.done(&act("promote"))?;
        self.done(&act("rollback"))?;
        self.done(&act("disable"))?;
        self.done(&act("enable"))?;
        let component = cast::padded(&cast::rule("decay")?, 3)?;
        let put = |slot: &str| {
            Call::send("PUT", &format!("channels/seaside/rules/{slot}"), WASM, &component)
        };
        self.done(&put("decay"))?;
        let doubler = cast::guest("doubler")?;
        let add = |query: &str| {
            Call::send("POST", &format!("channels/seaside/rules?{query}"), WASM, &doubler)
        };
        self.done(&add("slot=second&after=decay"))?;
        self.good(&add("slot=second"))?;
        self.problem(&add("after=decay"), 400)?;
        self.good(&Call::send("DELETE", "channels/seaside/rules/second", JSON, b""))?;
        self.problem(&Call::send("DELETE", "channels/seaside/rules/second", JSON, b""), 404)?;
        self.problem(&Call::send("DELETE", "channels/seaside/rules/decay", JSON, b""), 409)?;
        self.done(&slot("misbehave/retry", json!({})))?;
        let replay = |query: &str, kind, body: &[u8]| {
            Call::send("POST", &format!("channels/seaside/replay?{query}"), kind, body)
        };
        self.done(&replay("slot=decay&output=heat&from=0", JSON, br#"{"set":{"per_fave":9}}"#))?;
        self.done(&replay("slot=decay", WASM, &component))?;
        let recording = b"@tmi-sent-ts=1767225600000 :ann!ann@ann PRIVMSG #x :?fave pie\r\n";
        let log = format!("slot=decay&log={}", recording.len());
        self.done(&replay(&log, WASM, &[&recording[..], &component].concat()))?;
        self.get("audit?channel=seaside&slot=decay&count=3")?;
        let audit = self.get("audit")?.json()?;
        ensure!(audit["entries"].as_array().is_some_and(|it| it.len() > 5), "{audit}");
        // By its old address.
        assert_eq!(self.get("history")?.json()?, audit);
        self.get("config/export")?;
        // Lines that end with a refusal, and problems.
        self.good(&slot("decay/settings", json!({ "set": { "no_such": 2 } })))?;
        self.good(&Call::send("PUT", "channels/seaside/rules/decay", WASM, b"nonsense"))?;
        for (call, status) in [
            (slot("decay/settings", json!({})), 400),
            (slot("decay/settings", json!({ "sett": {} })), 400),
            (slot("decay/shadow", json!({ "sett": {} })), 400),
            (slot("decay/promote", json!({})), 409),
            (slot("decay/dance", json!({})), 404),
            (slot("nothing/promote", json!({})), 404),
            (slot("nothing/settings", json!({ "unset": ["x"] })), 404),
            (put("nothing"), 404),
            (replay("slot=nothing", JSON, b"{}"), 404),
            (replay("slot=decay&from=x", JSON, b"{}"), 400),
            (slot("misbehave/retry", json!({ "letter": 999 })), 404),
            (Call::get("audit?count=0"), 400),
            (Call::get("dead-letters?count=100000"), 400),
        ] {
            self.problem(&call, status)?;
        }
        Ok(())
    }

    fn accounts(&mut self) -> Result<()> {
        let login = "accounts/seaside/login";
        self.get("accounts")?;
        self.problem(&Call::send("DELETE", login, JSON, b""), 409)?;
        self.good(&Call::post(login, &json!({})))?;
        self.get("accounts")?;
        self.stage.agree("seaside")?;
        self.stage.api.wait_for_subscription("channel.follow")?;
        self.get("accounts")?;
        self.voice()?;
        self.done(&Call::send("DELETE", login, JSON, b""))?;
        self.problem(&Call::post(login, &json!({ "browser": true })), 409)?;
        self.problem(&Call::post(login, &json!({ "brwser": true })), 400)?;
        self.problem(&Call::post("accounts/nobody/login", &json!({})), 404)?;
        self.problem(&Call::send("DELETE", "accounts/nobody/login", JSON, b""), 404)?;
        Ok(())
    }

    fn voice(&mut self) -> Result<()> {
        let at = |what: &str| format!("channels/seaside/{what}");
        self.good(&Call::post(&at("say"), &json!({ "text": "hello" })))?;
        self.good(&Call::post(&at("say"), &json!({ "text": "well", "reply_to": "m1" })))?;
        self.good(&Call::post(
            &at("bans"),
            &json!({ "login": "Troll", "seconds": 600, "reason": "caps" }),
        ))?;
        self.good(&Call::send("DELETE", &at("bans/troll"), JSON, b""))?;
        self.good(&Call::send("DELETE", &at("messages/m1"), JSON, b""))?;
        self.stage.api.change(|desk| {
            desk.drop_reason = Some(("msg_rejected".into(), "held by AutoMod".into()));
        });
        let why = self.problem(&Call::post(&at("say"), &json!({ "text": "bad words" })), 409)?;
        ensure!(why.contains("held by AutoMod"), "{why}");
        self.stage
            .api
            .change(|desk| (desk.drop_reason, desk.ill) = (None, Some((500, String::new()))));
        self.problem(&Call::post(&at("say"), &json!({ "text": "hello?" })), 502)?;
        self.problem(&Call::post(&at("bans"), &json!({ "login": "troll" })), 502)?;
        self.stage.api.change(|desk| desk.ill = None);
        for (path, body, status) in [
            ("say", json!({ "text": "/ban ann" }), 400),
            ("say", json!({ "txt": "hello" }), 400),
            ("bans", json!({ "login": "a b" }), 400),
            ("bans", json!({ "login": "troll", "seconds": 0 }), 400),
            ("bans", json!({ "login": "nobody_at_all" }), 404),
        ] {
            self.problem(&Call::post(&at(path), &body), status)?;
        }
        self.problem(&Call::post("channels/harbour/say", &json!({ "text": "hello" })), 409)?;
        self.problem(&Call::post("channels/harbour/bans", &json!({ "login": "troll" })), 409)?;
        self.problem(&Call::send("DELETE", "channels/harbour/messages/m1", JSON, b""), 409)?;
        self.problem(&Call::post("channels/nowhere/say", &json!({ "text": "hello" })), 404)?;
        self.problem(&Call::send("DELETE", "channels/nowhere/bans/troll", JSON, b""), 404)?;
        self.get("devlog?follow=false")?;
        self.get("devlog?follow=false&kind=irc&kind=helix&channel=seaside")?;
        self.problem(&Call::get("devlog?kind=everything"), 400)?;
        Ok(())
    }

    fn tokens(&mut self) -> Result<()> {
        let wanted = json!({ "role": "viewer", "name": "ann", "expires_in": 60_000 });
        self.good(&Call::post("tokens", &wanted))?;
        self.good(&Call::post("tokens", &json!({ "role": "owner" })))?;
        self.get("tokens")?;
        self.problem(&Call::post("tokens", &wanted), 409)?;
        self.problem(&Call::post("tokens", &json!({ "role": "king" })), 400)?;
        self.done(&Call::send("DELETE", "tokens/ann", JSON, b""))?;
        self.problem(&Call::send("DELETE", "tokens/ann", JSON, b""), 404)?;
        self.problem(&Call::send("DELETE", "tokens/owner", JSON, b""), 409)?;
        Ok(())
    }

    fn data(&mut self) -> Result<()> {
        for what in ["all&channel=seaside", "counts", "log"] {
            self.get(&format!("export?what={what}"))?;
        }
        self.problem(&Call::get("export?channel=nowhere"), 404)?;
        self.problem(&Call::get("export?what=everything"), 400)?;
        self.done(&Call::send("POST", "backup", JSON, b""))?;
        self.get("backup")?;
        self.get("status")?;
        self.done(&Call::post("channels/seaside/forget", &json!({ "user": "ann" })))?;
        self.problem(&Call::get("watch?channel=nowhere"), 404)?;
        // What there is not.
        self.problem(&Call::get("nothing"), 404)?;
        self.problem(&Call::send("DELETE", "status", JSON, b""), 405)?;
        Ok(())
    }
}

/// Reads the first event.
fn one_event(mut answer: Answer, mut rest: BufReader<TcpStream>) -> Result<Answer> {
    loop {
        let mut line = String::new();
        ensure!(rest.read_line(&mut line)? > 0, "it ended without an event");
        answer.body.extend(line.as_bytes());
        if line.starts_with("data: ") {
            return Ok(answer);
        }
    }
}
