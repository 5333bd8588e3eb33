//! Lines as Twitch would send them, with all the tags that it sends.

use std::collections::BTreeMap;
use std::fmt;

use super::ids::{milliseconds_now, new_message_id, room_id, user_id};
use crate::irc::escape;

/// A line that a server sends, without its line end: `to_string()` is what goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// In the order of their names, as Twitch has them.
    tags: BTreeMap<String, String>,
    /// None for a line from the server itself.
    login: Option<String>,
    command: &'static str,
    channel: String,
    text: Option<String>,
    action: bool,
}

impl Line {
    /// A message of a person without any badge, sent now.
    pub fn chat(channel: &str, login: &str, text: &str) -> Self {
        Self::new("PRIVMSG", channel)
            .with_person(login)
            .tags(&[("first-msg", "0"), ("flags", ""), ("returning-chatter", "0"), ("turbo", "0")])
            .login(login)
            .text(text)
    }

    /// An event that Twitch puts into the chat: `kind` is its `msg-id`. The details are `msg-param-` tags.
    pub fn user_notice(channel: &str, login: &str, kind: &str) -> Self {
        let message = format!("{login}: {kind}");
        Self::new("USERNOTICE", channel).with_person(login).tags(&[
            ("flags", ""),
            ("login", login),
            ("msg-id", kind),
            ("system-msg", &message),
        ])
    }

    /// A subscription of the first tier; a renewed one if it is not the first month.
    pub fn subscription(channel: &str, login: &str, months: u32) -> Self {
        let kind = if months > 1 { "resub" } else { "sub" };
        Self::user_notice(channel, login, kind)
            .tag("msg-param-cumulative-months", &months.to_string())
            .tags(&[
                ("msg-param-months", "0"),
                ("msg-param-multimonth-duration", "0"),
                ("msg-param-multimonth-tenure", "0"),
            ])
            .tags(&[("msg-param-should-share-streak", "0"), ("msg-param-was-gifted", "false")])
            .tags(&[("msg-param-sub-plan", "1000"), ("msg-param-sub-plan-name", "Tier 1")])
    }

    /// Another channel sends its viewers.
    pub fn raid(channel: &str, from: &str, viewers: u32) -> Self {
        Self::user_notice(channel, from, "raid")
            .tag("msg-param-viewerCount", &viewers.to_string())
            .tags(&[("msg-param-displayName", from), ("msg-param-login", from)])
    }

    /// A moderator removes one message.
    pub fn clear_message(channel: &str, login: &str, message: &str, text: &str) -> Self {
        Self::new("CLEARMSG", channel)
            .tags(&[("login", login), ("target-msg-id", message)])
            .text(text)
    }

    /// A moderator removes all messages of a person (for good, unless `ban-duration` is set), or of everyone.
    pub fn clear_chat(channel: &str, login: Option<&str>) -> Self {
        let line = Self::new("CLEARCHAT", channel);
        match login {
            Some(login) => line.tag("target-user-id", &user_id(login)).text(login),
            None => line,
        }
    }

    fn new(command: &'static str, channel: &str) -> Self {
        let channel = channel.trim_start_matches('#').to_owned();
        let room = room_id(&channel);
        Self { tags: BTreeMap::new(), login: None, command, channel, text: None, action: false }
            .tag("room-id", &room)
            .at(milliseconds_now())
    }

    fn with_person(self, login: &str) -> Self {
        self.tags(&[
            ("badge-info", ""),
            ("badges", ""),
            ("color", "#8A2BE2"),
            ("display-name", login),
            ("emotes", ""),
        ])
        .tags(&[("id", &new_message_id()), ("mod", "0"), ("subscriber", "0"), ("user-type", "")])
        .tag("user-id", &user_id(login))
    }

    fn login(mut self, login: &str) -> Self {
        self.login = Some(login.to_owned());
        self
    }

    /// The text of a message; for a subscription the words that came with it.
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// Sets any tag; the value is escaped.
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.insert(name.to_owned(), value.to_owned());
        self
    }

    fn tags(mut self, tags: &[(&str, &str)]) -> Self {
        self.tags
            .extend(tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// Takes a tag away, as old recordings lack some.
    pub fn without(mut self, tag: &str) -> Self {
        self.tags.remove(tag);
        self
    }

    /// The id of the message.
    pub fn id(self, id: &str) -> Self {
        self.tag("id", id)
    }

    /// When Twitch took it, in milliseconds since 1970.
    pub fn at(self, milliseconds: u64) -> Self {
        self.tag("tmi-sent-ts", &milliseconds.to_string())
    }

    /// The name as the person writes it.
    pub fn name(self, name: &str) -> Self {
        self.tag("display-name", name)
    }

    /// Adds a badge such as `moderator/1`, and sets the tags that go with it.
    pub fn badge(self, badge: &str) -> Self {
        let badges = appended(self.get("badges"), badge, ',');
        let line = self.tag("badges", &badges);
        match badge.split('/').next() {
            Some("moderator") => line.tag("mod", "1").tag("user-type", "mod"),
            Some("subscriber" | "founder") => line.tag("subscriber", "1").tag("badge-info", badge),
            Some("vip") => line.tag("vip", "1"),
            _ => line,
        }
    }

    /// The `emotes` tag as it shall stand, right or wrong: `25:0-4,8-12`.
    pub fn emotes(self, ranges: &str) -> Self {
        self.tag("emotes", ranges)
    }

    /// Marks every place where the text has this word as the emote. Set the text first.
    pub fn emote(self, id: &str, word: &str) -> Self {
        let ranges = places(self.text.as_deref().unwrap_or_default(), word);
        if ranges.is_empty() {
            return self;
        }
        let emotes = appended(self.get("emotes"), &format!("{id}:{}", ranges.join(",")), '/');
        self.emotes(&emotes)
    }

    /// A `/me` message.
    pub fn action(mut self) -> Self {
        self.action = true;
        self
    }

    /// An answer to a message: Twitch puts a mention before the text. Set emotes after this, since places move.
    pub fn reply_to(self, login: &str, message: &str, text: &str) -> Self {
        let answer = format!("@{login} {}", self.text.as_deref().unwrap_or_default());
        self.tags(&[("reply-parent-display-name", login), ("reply-parent-user-login", login)])
            .tags(&[("reply-parent-msg-body", text), ("reply-parent-msg-id", message)])
            .tags(&[
                ("reply-thread-parent-msg-id", message),
                ("reply-thread-parent-user-login", login),
            ])
            .tag("reply-parent-user-id", &user_id(login))
            .text(&answer)
    }

    /// A tag of the line, as it was before escaping.
    pub fn get(&self, tag: &str) -> &str {
        self.tags.get(tag).map_or("", String::as_str)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags: Vec<String> =
            self.tags.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        write!(formatter, "@{} :", tags.join(";"))?;
        if let Some(login) = &self.login {
            write!(formatter, "{login}!{login}@{login}.")?;
        }
        write!(formatter, "tmi.twitch.tv {} #{}", self.command, self.channel)?;
        match &self.text {
            Some(text) if self.action => write!(formatter, " :\u{1}ACTION {text}\u{1}"),
            Some(text) => write!(formatter, " :{text}"),
            None => Ok(()),
        }
    }
}

/// Where a word stands in a text between spaces: first and last code point, as Twitch counts.
fn places(text: &str, word: &str) -> Vec<String> {
    let mut position = 0;
    let mut ranges = Vec::new();
    for candidate in text.split(' ') {
        let length = candidate.chars().count();
        if candidate == word {
            ranges.push(format!("{position}-{}", position + length - 1));
        }
        position += length + 1;
    }
    ranges
}

fn appended(list: &str, item: &str, separator: char) -> String {
    if list.is_empty() { item.to_owned() } else { format!("{list}{separator}{item}") }
}

#[cfg(test)]
mod tests;
