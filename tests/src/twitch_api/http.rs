//! The requests of the API: who asks, what with, and the answer in Twitch's shapes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::desk::{Asked, Desk, SaidLine, Subscription, row};
use super::time::{now, rfc3339};
use crate::logins::{Known, decoded};
use crate::patience::Watched;

/// The scope that a type of event wants, as Twitch's list of types has it; none for a type that needs none.
fn scope(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "channel.follow" => "moderator:read:followers",
        "channel.subscribe" | "channel.subscription.gift" | "channel.subscription.message" => {
            "channel:read:subscriptions"
        }
        "channel.cheer" | "channel.bits.use" => "bits:read",
        "channel.channel_points_custom_reward_redemption.add"
        | "channel.channel_points_automatic_reward_redemption.add" => "channel:read:redemptions",
        "channel.hype_train.begin" | "channel.hype_train.progress" | "channel.hype_train.end" => {
            "channel:read:hype_train"
        }
        kind if kind.starts_with("channel.chat.") => "user:read:chat",
        _ => return None,
    })
}

/// The version of a type that Twitch takes.
fn version(kind: &str) -> &'static str {
    match kind {
        "channel.follow"
        | "channel.update"
        | "channel.hype_train.begin"
        | "channel.hype_train.progress"
        | "channel.hype_train.end"
        | "channel.channel_points_automatic_reward_redemption.add" => "2",
        _ => "1",
    }
}

/// One request, taken apart.
struct Request {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: Value,
    by: Option<Known>,
}

impl Request {
    fn all(&self, name: &str) -> Vec<&str> {
        self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    fn one(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }
}

type Reply = (u16, Value);

fn no(status: u16, message: &str) -> Reply {
    (status, json!({ "error": "Error", "status": status, "message": message }))
}

/// Answers one request.
pub(super) fn serve(desk: &Arc<Watched<Desk>>, mut stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut token, mut client) = (0, String::new(), String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => {
                value
                    .trim_start_matches("OAuth ")
                    .strip_prefix("Bearer ")
                    .or(Some(value.trim_start_matches("OAuth ")))
                    .unwrap_or_default()
                    .clone_into(&mut token);
            }
            "client-id" => value.clone_into(&mut client),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8_lossy(&body).into_owned();
    // Some clients expect the paths of Twitch's own command-line mock.
    let ours = target.strip_prefix("/helix/").or_else(|| target.strip_prefix("/mock/"));
    let target = ours.unwrap_or(target.trim_start_matches('/')).to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (status, text) = desk.change(|desk| {
        let by = desk.tokens.find(&token);
        let by = by.filter(|it| it.client == client || path == "auth/validate");
        let request = Request {
            method: method.clone(),
            path: path.to_owned(),
            query: pairs.map(|(name, value)| (decoded(name), decoded(value))).collect(),
            body: serde_json::from_str(&body).unwrap_or(Value::Null),
            by,
        };
        let (status, text) = match desk.ill.clone() {
            Some(ill) => ill,
            None => {
                let (status, answer) = desk.answer(&request);
                (status, if answer.is_null() { String::new() } else { answer.to_string() })
            }
        };
        // First it is noted: a client that has the answer may look at once.
        desk.asked.push(Asked {
            method: method.clone(),
            path: target.clone(),
            body: body.clone(),
            status,
        });
        (status, text)
    });
    if method == "POST" && path.starts_with("eventsub/") {
        let slow = desk.read().slow_subscriptions;
        thread::sleep(Duration::from_millis(slow));
    }
    write!(
        stream,
        "HTTP/1.1 {status} So\r\nContent-Type: application/json; charset=utf-8\r\nRatelimit-Limit: 800\r\nRatelimit-Remaining: 799\r\nRatelimit-Reset: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        now() / 1_000 + 1,
        text.len(),
    )
    .ok()
}

impl Desk {
    fn answer(&mut self, request: &Request) -> Reply {
        let Some(by) = &request.by else { return no(401, "Invalid OAuth token") };
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "auth/validate") => {
                let Known { client, login, id, scopes } = by;
                (
                    200,
                    json!({ "client_id": client, "login": login, "user_id": id, "scopes": scopes, "expires_in": 14_400 }),
                )
            }
            ("GET", "users") => self.users(request),
            ("GET", "streams") => self.streams(request),
            ("POST", "eventsub/subscriptions") => self.subscribe(by, &request.body),
            ("GET", "eventsub/subscriptions") => self.list(by),
            ("DELETE", "eventsub/subscriptions") => self.unsubscribe(request.one("id")),
            ("POST", "chat/messages") => self.say(by, request),
            ("POST" | "DELETE", "moderation/bans") => {
                self.moderate(by, request, "moderator:manage:banned_users")
            }
            ("DELETE", "moderation/chat") => {
                self.moderate(by, request, "moderator:manage:chat_messages")
            }
            _ => no(404, "not found"),
        }
    }

    fn users(&self, request: &Request) -> Reply {
        let user = |id: String, login: String| json!({ "id": id, "login": login, "display_name": login, "type": "", "broadcaster_type": "affiliate", "created_at": "2016-12-14T20:32:28Z" });
        let by_login = request
            .all("login")
            .into_iter()
            .filter_map(|login| Some(user(self.tokens.id(login)?, login.to_owned())));
        let by_id = request
            .all("id")
            .into_iter()
            .filter_map(|id| Some(user(id.to_owned(), self.tokens.login(id)?)));
        let mut rows: Vec<Value> = by_login.chain(by_id).collect();
        if rows.is_empty() && request.query.is_empty() {
            // Without a parameter: whose the token is.
            rows.extend(request.by.iter().map(|it| user(it.id.clone(), it.login.clone())));
        }
        (200, json!({ "data": rows }))
    }

    fn streams(&self, request: &Request) -> Reply {
        let rows: Vec<Value> = request
            .all("user_login")
            .into_iter()
            .filter_map(|login| {
                let it = self.live.get(login)?;
                Some(json!({
                    "id": "40952121085", "user_id": self.tokens.id(login), "user_login": login, "user_name": login, "game_id": "509658",
                    "game_name": it.category, "type": "live", "title": it.title, "tags": ["English"], "viewer_count": it.viewers,
                    "started_at": rfc3339(it.started), "language": "en", "thumbnail_url": "", "tag_ids": [], "is_mature": false,
                }))
            })
            .collect();
        (200, json!({ "data": rows, "pagination": {} }))
    }

    fn subscribe(&mut self, by: &Known, body: &Value) -> Reply {
        if let Some((status, message)) = &self.refuse_subscriptions {
            return no(*status, message);
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, session) = (text(&body["type"]), text(&body["transport"]["session_id"]));
        if text(&body["version"]) != version(&kind) {
            return no(400, "the subscription type or version is invalid");
        }
        if scope(&kind).is_some_and(|scope| !by.scopes.iter().any(|it| it == scope)) {
            return no(403, "subscription missing proper authorization");
        }
        if let Some(user) = body["condition"]["user_id"]
            .as_str()
            .or(body["condition"]["moderator_user_id"].as_str())
            && user != by.id
        {
            return no(400, "the user of the condition is not that of the token");
        }
        if !self.is_open(&session) {
            return no(
                400,
                "websocket transport session does not exist or has already disconnected",
            );
        }
        let owner = (by.client.clone(), by.id.clone());
        let condition = body["condition"].clone();
        let is_same = |it: &&Subscription| {
            it.kind == kind
                && it.condition == condition
                && it.owner == owner
                && it.status == "enabled"
        };
        if self.subscriptions.iter().any(|it| is_same(&it)) {
            return no(409, "subscription already exists");
        }
        let mut sessions: Vec<&String> = self
            .subscriptions
            .iter()
            .filter(|it| it.owner == owner && it.status == "enabled" && it.session != session)
            .map(|it| &it.session)
            .collect();
        sessions.sort();
        sessions.dedup();
        if sessions.len() >= 3 {
            return no(429, "number of websocket transports limit exceeded");
        }
        let id = self.id("subscription");
        let (version, status) = (text(&body["version"]), "enabled".to_owned());
        let made = Subscription { id, kind, version, condition, session, status, owner };
        let answer =
            json!({ "data": [row(&made)], "total": 1, "total_cost": 0, "max_total_cost": 10 });
        self.subscriptions.push(made);
        (202, answer)
    }

    fn list(&self, by: &Known) -> Reply {
        let mine =
            self.subscriptions.iter().filter(|it| it.owner == (by.client.clone(), by.id.clone()));
        let rows: Vec<Value> = mine.map(row).collect();
        (
            200,
            json!({ "total": rows.len(), "data": rows, "total_cost": 0, "max_total_cost": 10, "pagination": {} }),
        )
    }

    fn unsubscribe(&mut self, id: &str) -> Reply {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|it| it.id != id);
        match self.subscriptions.len() < before {
            true => (204, Value::Null),
            false => no(404, "subscription not found"),
        }
    }

    fn say(&mut self, by: &Known, request: &Request) -> Reply {
        // Some clients write it into the query.
        let body = &request.body;
        let text = |name: &str| body[name].as_str().unwrap_or(request.one(name)).to_owned();
        if !by.scopes.iter().any(|it| it == "user:write:chat") {
            return no(401, "Missing scope: user:write:chat");
        }
        if text("sender_id") != by.id {
            return no(400, "The sender_id is not that of the token.");
        }
        let Some(channel) = self.tokens.login(&text("broadcaster_id")) else {
            return no(400, "The ID in broadcaster_id was not found.");
        };
        if let Some((code, message)) = &self.drop_reason {
            let row = json!({ "message_id": "", "is_sent": false, "drop_reason": { "code": code, "message": message } });
            return (200, json!({ "data": [row] }));
        }
        let reply_to = body["reply_parent_message_id"].as_str().map(str::to_owned);
        self.said.push(SaidLine { by: by.login.clone(), channel, text: text("message"), reply_to });
        let id = self.id("line");
        (200, json!({ "data": [{ "message_id": id, "is_sent": true }] }))
    }

    fn moderate(&self, by: &Known, request: &Request, scope: &str) -> Reply {
        if !by.scopes.iter().any(|it| it == scope) {
            return no(401, &format!("Missing scope: {scope}"));
        }
        if request.one("moderator_id") != by.id {
            return no(400, "The ID in moderator_id must match the user ID in the access token.");
        }
        match request.method.as_str() {
            "POST" => (
                200,
                json!({ "data": [{ "broadcaster_id": request.one("broadcaster_id"), "moderator_id": by.id, "user_id": request.body["data"]["user_id"], "created_at": "2026-11-30T20:00:00Z", "end_time": null }] }),
            ),
            _ => (204, Value::Null),
        }
    }
}
