//! The judge: what a recording holds, counted from the raw lines without any code of the daemon.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::irc::Parts;

/// How often something occurs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Every occurrence, several in one message too.
    pub uses: usize,
    /// Messages that have it, each id once.
    pub messages: usize,
    /// Distinct people who wrote those messages.
    pub users: usize,
    /// Messages without an id that have it. They are in none of the other numbers.
    pub without_id: usize,
}

/// A chat message as a reader of the chat sees it.
struct Message {
    /// None in lines older than the tag.
    id: Option<String>,
    user: String,
    /// Without a reply's mention, `/me` and invisible ends.
    text: String,
    /// Names of the emotes that Twitch marked, each as often as it occurs.
    emotes: Vec<String>,
}

impl Message {
    /// None unless the line is a chat message.
    fn of(line: &[u8]) -> Option<Self> {
        let parts = Parts::of(line).filter(|parts| parts.command == b"PRIVMSG")?;
        let raw = String::from_utf8_lossy(parts.text()?).into_owned();
        let text = raw.strip_prefix("\u{1}ACTION ").unwrap_or(&raw).trim_end_matches('\u{1}');
        let user =
            parts.tag("user-id").filter(|id| !id.is_empty()).unwrap_or_else(|| parts.login());
        let is_reply = parts.tag("reply-parent-msg-id").is_some();
        Some(Self {
            id: parts.tag("id").filter(|id| !id.is_empty()),
            user,
            emotes: emotes(text, &parts.tag("emotes").unwrap_or_default()),
            text: without_invisible_ends(if is_reply { without_mention(text) } else { text })
                .to_owned(),
        })
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split(' ').filter(|word| !word.is_empty())
    }
}

/// Has read all chat messages of some lines, and answers questions about them. A message that the lines have twice is
/// read once.
pub struct Judge {
    messages: Vec<Message>,
}

impl Judge {
    pub fn of<L: AsRef<[u8]>>(lines: &[L]) -> Self {
        let mut known = HashSet::new();
        let all = lines.iter().filter_map(|line| Message::of(line.as_ref()));
        let is_new = |message: &Message| message.id.clone().is_none_or(|id| known.insert(id));
        Self { messages: all.filter(is_new).collect() }
    }

    /// How many messages have an id, each id once.
    pub fn messages(&self) -> usize {
        self.messages.iter().filter(|message| message.id.is_some()).count()
    }

    /// How many messages have none.
    pub fn messages_without_id(&self) -> usize {
        self.messages.len() - self.messages()
    }

    /// Counts a word that stands between spaces, letter for letter.
    pub fn word(&self, word: &str) -> Count {
        self.count(|message| message.words().filter(|other| *other == word).count())
    }

    /// Counts an emote of Twitch's own by its name, from the places that Twitch marked.
    pub fn emote(&self, name: &str) -> Count {
        self.count(|message| message.emotes.iter().filter(|other| *other == name).count())
    }

    /// The word that most messages have, with an id or without, and its count: something worth counting in any
    /// recording. Among equals, the first in the order of the alphabet.
    pub fn most_common_word(&self) -> (String, Count) {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        for message in &self.messages {
            for word in message.words().collect::<BTreeSet<_>>() {
                *numbers.entry(word).or_default() += 1;
            }
        }
        let most = numbers.into_iter().rev().max_by_key(|(_, number)| *number);
        let word = most.map(|(word, _)| word).unwrap_or_default();
        (word.to_owned(), self.word(word))
    }

    fn count(&self, uses: impl Fn(&Message) -> usize) -> Count {
        let mut count = Count::default();
        let mut users = HashSet::new();
        for message in &self.messages {
            match (uses(message), &message.id) {
                (0, _) => {}
                (_, None) => count.without_id += 1,
                (uses, Some(_)) => {
                    count.uses += uses;
                    count.messages += 1;
                    users.insert(&message.user);
                }
            }
        }
        Count { users: users.len(), ..count }
    }
}

/// See [`Judge::most_common_word`].
pub fn most_common_word<L: AsRef<[u8]>>(lines: &[L]) -> (String, Count) {
    Judge::of(lines).most_common_word()
}

/// See [`Judge::word`].
pub fn word_count<L: AsRef<[u8]>>(lines: &[L], word: &str) -> Count {
    Judge::of(lines).word(word)
}

/// The channels of the lines with their numbers of chat messages, the busiest first.
pub fn channels<L: AsRef<[u8]>>(lines: &[L]) -> Vec<(String, usize)> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let parts = lines.iter().filter_map(|line| Parts::of(line.as_ref()));
    for channel in
        parts.filter(|parts| parts.command == b"PRIVMSG").filter_map(|parts| parts.channel())
    {
        *numbers.entry(channel.to_owned()).or_default() += 1;
    }
    let mut channels: Vec<_> = numbers.into_iter().collect();
    channels.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    channels
}

/// The lines of one channel, of any command.
pub fn lines_of_channel<'a, L: AsRef<[u8]>>(lines: &'a [L], channel: &str) -> Vec<&'a [u8]> {
    let is_of = |line: &&[u8]| Parts::of(line).and_then(|parts| parts.channel()) == Some(channel);
    lines.iter().map(AsRef::as_ref).filter(is_of).collect()
}

fn without_mention(text: &str) -> &str {
    match text.strip_prefix('@') {
        Some(mention) => mention.split_once(' ').map_or("", |(_, rest)| rest),
        None => text,
    }
}

/// U+E0000, and U+034F since August 2025, are clients' trick against Twitch's filter of repeated messages.
fn without_invisible_ends(text: &str) -> &str {
    text.trim_matches(|character: char| {
        matches!(character, '\u{E0000}' | '\u{34F}') || character.is_whitespace()
    })
}

/// The names of marked emotes: `25:0-4,8-12/1:6-7` counts code points, the end included. Places outside of the text are
/// left out.
fn emotes(text: &str, tag: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let ranges = tag
        .split('/')
        .filter_map(|emote| emote.split_once(':'))
        .flat_map(|(_, ranges)| ranges.split(','));
    let places = ranges.filter_map(|range| {
        let (start, end) = range.split_once('-')?;
        Some((start.parse::<usize>().ok()?, end.parse::<usize>().ok()?))
    });
    places
        .filter_map(|(start, end)| characters.get(start..=end))
        .map(|name| name.iter().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twitch::Line;

    fn counted(lines: &[Line], word: &str) -> Count {
        let lines: Vec<String> = lines.iter().map(Line::to_string).collect();
        word_count(&lines, word)
    }

    #[test]
    fn only_whole_words_count() {
        let lines =
            [Line::chat("c", "ann", "pie pie pies pie! PIE"), Line::chat("c", "bob", "apple-pie")];
        assert_eq!(counted(&lines, "pie"), Count { uses: 2, messages: 1, users: 1, without_id: 0 });
    }

    #[test]
    fn a_message_counts_once_and_one_without_an_id_apart() {
        let line = Line::chat("c", "ann", "pie");
        let lines = [line.clone(), line.clone(), line.without("id")];
        assert_eq!(counted(&lines, "pie"), Count { uses: 1, messages: 1, users: 1, without_id: 1 });
    }

    #[test]
    fn people_are_told_apart_by_their_ids() {
        let renamed = Line::chat("c", "anna", "pie").tag("user-id", "7");
        let lines = [
            Line::chat("c", "ann", "pie").tag("user-id", "7"),
            renamed,
            Line::chat("c", "bob", "pie"),
        ];
        assert_eq!(counted(&lines, "pie").users, 2);
    }

    #[test]
    fn mentions_of_replies_and_decoration_do_not_count() {
        let reply = Line::chat("c", "ann", "so pie").reply_to("pie", "1", "what?");
        let action = Line::chat("c", "bob", "pie").action();
        let invisible = Line::chat("c", "cat", "pie \u{E0000}");
        assert_eq!(counted(&[reply.clone(), action, invisible], "pie").uses, 3);
        assert_eq!(counted(&[reply], "@pie").uses, 0);
    }

    #[test]
    fn other_lines_than_messages_do_not_count() {
        let notice = Line::user_notice("c", "ann", "announcement").text("pie");
        assert_eq!(counted(&[notice], "pie"), Count::default());
        assert_eq!(word_count(&["@id=1;user-id=2 :a!a@a PRIVMSG #c pie"], "pie").messages, 1);
    }

    #[test]
    fn broken_emote_places_are_left_out() {
        assert_eq!(emotes("Kappa 😂 Kappa", "25:0-4,8-12"), ["Kappa", "Kappa"]);
        assert_eq!(emotes("Kappa", "25:04/26:4-0/27:0-99/28:x-y/"), [""; 0]);
    }
}
