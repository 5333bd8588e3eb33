//! What Twitch's chat server answers, line by line. Pure: knows no sockets.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::behaviour::Behaviour;
use super::ids::{room_id, user_id};
use crate::irc::Parts;

const CAPABILITIES: [&str; 3] = ["twitch.tv/commands", "twitch.tv/membership", "twitch.tv/tags"];

/// Commands that Twitch keeps from clients that did not ask for `twitch.tv/commands`.
const EXTENSIONS: [&str; 9] = [
    "CLEARCHAT",
    "CLEARMSG",
    "GLOBALUSERSTATE",
    "HOSTTARGET",
    "RECONNECT",
    "ROOMSTATE",
    "USERNOTICE",
    "USERSTATE",
    "WHISPER",
];

/// Where one connection stands in the protocol.
#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    capabilities: BTreeSet<String>,
    /// The password was one of Twitch's form.
    token: bool,
    /// Empty until the login was accepted.
    nick: String,
    pub(super) joined: BTreeSet<String>,
    /// The server closes the connection after its answer.
    pub(super) over: bool,
}

/// What all sessions of a server share.
pub(super) struct House<'a> {
    pub(super) behaviour: &'a Behaviour,
    /// Ids of channels for which a test has set one.
    pub(super) rooms: &'a BTreeMap<String, String>,
}

impl Session {
    pub(super) fn is_welcome(&self) -> bool {
        !self.nick.is_empty()
    }

    /// The lines that answer a client's line. Like Twitch's, most of the server is silent before the login.
    pub(super) fn answer(&mut self, line: &[u8], house: &House<'_>) -> Vec<String> {
        let Some(parts) = Parts::of(line) else {
            return Vec::new();
        };
        let first =
            parts.params.first().map(|param| String::from_utf8_lossy(param)).unwrap_or_default();
        match parts.command {
            b"CAP" => self.negotiate(&parts),
            b"PASS" => {
                self.token = first.starts_with("oauth:");
                Vec::new()
            }
            b"NICK" => self.log_in(&first, house.behaviour),
            b"PING" if house.behaviour.answers_pings => {
                vec![format!(":tmi.twitch.tv PONG tmi.twitch.tv :{first}")]
            }
            b"QUIT" => {
                self.over = true;
                Vec::new()
            }
            _ if !self.is_welcome() => Vec::new(),
            b"JOIN" => channels(&first).flat_map(|channel| self.join(channel, house)).collect(),
            b"PART" => channels(&first).flat_map(|channel| self.part(channel)).collect(),
            b"PRIVMSG" => {
                parts.channel().map(|channel| self.user_state(channel)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn negotiate(&mut self, parts: &Parts<'_>) -> Vec<String> {
        let words: Vec<Cow<'_, str>> =
            parts.params.iter().map(|param| String::from_utf8_lossy(param)).collect();
        let wanted = words.get(1).map_or("", |wanted| wanted.trim());
        match words.first().map(|verb| verb.as_ref()) {
            Some("LS") => vec![format!(":tmi.twitch.tv CAP * LS :{}", CAPABILITIES.join(" "))],
            Some("REQ") if wanted.split(' ').all(|name| CAPABILITIES.contains(&name)) => {
                self.capabilities.extend(wanted.split(' ').map(str::to_owned));
                vec![format!(":tmi.twitch.tv CAP * ACK :{wanted}")]
            }
            Some("REQ") => vec![format!(":tmi.twitch.tv CAP * NAK :{wanted}")],
            _ => Vec::new(),
        }
    }

    fn log_in(&mut self, nick: &str, behaviour: &Behaviour) -> Vec<String> {
        let refused = |why: &str| vec![format!(":tmi.twitch.tv NOTICE * :{why}")];
        if !is_anonymous(nick) && !self.token {
            self.over = true;
            return refused("Improperly formatted auth");
        }
        if !behaviour.accepts_logins {
            self.over = true;
            return refused("Login authentication failed");
        }
        self.nick = nick.to_owned();
        self.welcome()
    }

    fn welcome(&self) -> Vec<String> {
        let numbered = [
            ("001", "Welcome, GLHF!"),
            ("002", "Your host is tmi.twitch.tv"),
            ("003", "This server is rather new"),
            ("004", "-"),
            ("375", "-"),
            ("372", "You are in a maze of twisty passages, all alike."),
            ("376", ">"),
        ];
        let nick = &self.nick;
        let mut lines: Vec<String> = numbered
            .iter()
            .map(|(number, text)| format!(":tmi.twitch.tv {number} {nick} :{text}"))
            .collect();
        if !is_anonymous(nick) {
            let id = user_id(nick);
            lines.push(format!(
                "@badge-info=;badges=;color=;display-name={nick};emote-sets=0;user-id={id};user-type= \
                 :tmi.twitch.tv GLOBALUSERSTATE"
            ));
        }
        lines
    }

    fn join(&mut self, channel: &str, house: &House<'_>) -> Vec<String> {
        if house.behaviour.missing.iter().any(|missing| missing == channel) {
            return Vec::new();
        }
        let nick = self.nick.clone();
        self.joined.insert(channel.to_owned());
        let room = house.rooms.get(channel).cloned().unwrap_or_else(|| room_id(channel));
        let mut lines = vec![format!(":{nick}!{nick}@{nick}.tmi.twitch.tv JOIN #{channel}")];
        lines.extend(self.user_state(channel));
        lines.push(format!(
            "@emote-only=0;followers-only=-1;r9k=0;room-id={room};slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #{channel}"
        ));
        lines.push(format!(":{nick}.tmi.twitch.tv 353 {nick} = #{channel} :{nick}"));
        lines.push(format!(":{nick}.tmi.twitch.tv 366 {nick} #{channel} :End of /NAMES list"));
        lines
    }

    fn part(&mut self, channel: &str) -> Vec<String> {
        let nick = &self.nick;
        let left = self.joined.remove(channel);
        left.then(|| format!(":{nick}!{nick}@{nick}.tmi.twitch.tv PART #{channel}"))
            .into_iter()
            .collect()
    }

    /// Twitch's receipt for what a client with an account does in a channel. It never sends a message back.
    fn user_state(&self, channel: &str) -> Vec<String> {
        let nick = &self.nick;
        let line = format!(
            "@badge-info=;badges=;color=;display-name={nick};emote-sets=0;mod=0;subscriber=0;user-type= \
             :tmi.twitch.tv USERSTATE #{channel}"
        );
        (!is_anonymous(nick)).then_some(line).into_iter().collect()
    }

    /// A line as this client gets it: without tags, or not at all, unless it asked for more.
    pub(super) fn view<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let Some(parts) = Parts::of(line) else {
            return Some(line);
        };
        if !self.has("twitch.tv/commands")
            && EXTENSIONS.iter().any(|name| name.as_bytes() == parts.command)
        {
            return None;
        }
        let bare = parts.tags.is_empty() || self.has("twitch.tv/tags");
        Some(if bare { line } else { &line[parts.tags.len() + 2..] })
    }

    fn has(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }
}

fn is_anonymous(nick: &str) -> bool {
    nick.strip_prefix("justinfan")
        .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn channels(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter_map(|name| name.strip_prefix('#')).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
