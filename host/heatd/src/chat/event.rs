//! Lines of Twitch chat as events. Pure: no sockets, no clock. Facts: dev.twitch.tv/docs/chat/irc.
//!
//! Tags are read one by one and leniently: Twitch adds and forgets tags without notice, and a line that lacks one is
//! still a line that somebody wrote.

use heat_engine::wit::{ChatLine, Cheer, Emote, EmoteProvider, Event, Happening};
use twitch_irc::message::IRCMessage;

use super::notice::Notices;
use super::tags::{number_tag, origin, person, shared_from, standing, tag};

/// An invisible character that some chat clients append, so that Twitch does not drop a repeated line.
const INVISIBLE: char = '\u{E0000}';

/// Twitch's account for anonymous cheers.
const ANONYMOUS_CHEERER: &str = "ananonymouscheerer";

/// Turns the messages of one connection into events.
#[derive(Default)]
pub(super) struct Reader {
    notices: Notices,
    /// Numbers the messages, to give an id to those that have none.
    number: u64,
}

impl Reader {
    /// The events of a message: none if it is of no use for rules. `now` stands in for a missing time.
    pub(super) fn events(&mut self, message: &IRCMessage, now: u64) -> Vec<Event> {
        self.number += 1;
        let channel = message.params.first().and_then(|it| it.strip_prefix('#'));
        let Some(channel) = channel.filter(|name| !name.is_empty()) else { return Vec::new() };
        let whats = match message.command.as_str() {
            "PRIVMSG" => chat(message).unwrap_or_default(),
            "USERNOTICE" => self.notices.read(message).into_iter().collect(),
            _ => return Vec::new(),
        };
        let id =
            origin(message).map_or_else(|| format!("irc:{now}:{}", self.number), str::to_owned);
        let at = number_tag(message, "tmi-sent-ts").unwrap_or(now);
        let event = |(place, what)| {
            // A line with a cheer is two events.
            let id = if place == 0 { id.clone() } else { format!("{id}:{place}") };
            Event { id, channel: channel.to_lowercase(), at, what }
        };
        whats.into_iter().enumerate().map(event).collect()
    }
}

/// A line, and the bits that were cheered with it.
fn chat(message: &IRCMessage) -> Option<Vec<Happening>> {
    let (text, cut) = plain_text(message, message.params.get(1)?);
    let line = ChatLine {
        message: tag(message, "id").unwrap_or_default().to_owned(),
        standing: standing(message),
        emotes: tag(message, "emotes")
            .map_or_else(Vec::new, |emotes| read_emotes(emotes, &text, cut)),
        bits: number_tag(message, "bits").unwrap_or(0),
        reply_to: tag(message, "reply-parent-user-login").map(str::to_owned),
        shared_from: shared_from(message).map(str::to_owned),
        person: person(message)?,
        text,
    };
    // Bits are given to one channel; the copies of a shared chat are no cheers.
    let cheer = (line.bits > 0 && line.shared_from.is_none()).then(|| {
        let person = Some(line.person.clone()).filter(|it| it.login != ANONYMOUS_CHEERER);
        Happening::Cheer(Cheer { person, bits: line.bits, text: line.text.clone() })
    });
    Some([Happening::Chat(line)].into_iter().chain(cheer).collect())
}

/// The text that a person wrote, and how many characters were cut from its start: `/me`, the mention of a reply.
fn plain_text(message: &IRCMessage, sent: &str) -> (String, usize) {
    // Positions of emotes count from behind "ACTION ", so what is cut for it is not counted.
    let text = sent
        .strip_prefix("\u{1}ACTION ")
        .map_or(sent, |action| action.strip_suffix('\u{1}').unwrap_or(action));
    let text = text.trim_end_matches([INVISIBLE, ' ']);
    if tag(message, "reply-parent-msg-id").is_none() || !text.starts_with('@') {
        return (text.to_owned(), 0);
    }
    let rest = text.split_once(' ').map_or("", |(_, rest)| rest);
    (rest.to_owned(), text.chars().count() - rest.chars().count())
}

/// Reads `id:from-to,from-to/id:from-to`: inclusive ranges of code points. What does not fit the text is left out; Twitch
/// does send such ranges (twitchdev/issues#104).
fn read_emotes(tag: &str, text: &str, cut: usize) -> Vec<Emote> {
    let characters: Vec<char> = text.chars().collect();
    let mut emotes = Vec::new();
    for (id, ranges) in tag.split('/').filter_map(|emote| emote.split_once(':')) {
        for (from, to) in ranges.split(',').filter_map(|range| range.split_once('-')) {
            let (Ok(from), Ok(to)) = (from.parse::<usize>(), to.parse::<usize>()) else { continue };
            let (Some(start), Some(last)) = (from.checked_sub(cut), to.checked_sub(cut)) else {
                continue;
            };
            let Some(name) = characters.get(start..=last).filter(|name| !name.is_empty()) else {
                continue;
            };
            let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(last + 1)) else {
                continue;
            };
            let (name, id) = (name.iter().collect(), id.to_owned());
            emotes.push(Emote { name, id, provider: EmoteProvider::Twitch, start, end });
        }
    }
    emotes.sort_by_key(|emote| emote.start);
    emotes
}

#[cfg(test)]
mod tests {
    use heat_engine::wit::{Person, Tier};

    use super::*;

    fn line(raw: &str) -> ChatLine {
        match event(raw).what {
            Happening::Chat(line) => line,
            other => panic!("{other:?}"),
        }
    }

    fn event(raw: &str) -> Event {
        Reader::default().events(&IRCMessage::parse(raw).unwrap(), 5).remove(0)
    }

    const ANN: &str = ":ann!ann@ann.tmi.twitch.tv PRIVMSG #Seaside";

    #[test]
    fn a_tagged_line_has_person_time_and_standing() {
        let event = event(&format!(
            "@badges=moderator/1,founder/0;display-name=Ann;first-msg=1;id=abc;tmi-sent-ts=1700000000000;user-id=42 {ANN} :?fave pie"
        ));
        assert_eq!(
            (event.id.as_str(), event.channel.as_str(), event.at),
            ("abc", "seaside", 1_700_000_000_000)
        );
        let Happening::Chat(line) = event.what else { panic!() };
        assert_eq!(
            line.person,
            Person { id: "42".into(), login: "ann".into(), name: "Ann".into() }
        );
        assert!(line.standing.moderator && line.standing.first_message);
        assert_eq!(line.standing.subscription, Some(Tier::One));
        assert!(!line.standing.vip && !line.standing.broadcaster);
    }

    #[test]
    fn a_line_without_tags_is_still_a_line() {
        let event = event(&format!("{ANN} hello"));
        assert_eq!((event.id.as_str(), event.at), ("irc:5:1", 5));
        assert_eq!(line(&format!("{ANN} hello")).person.id, "ann");
    }

    #[test]
    fn the_tier_is_in_the_version_of_the_badge() {
        for (tags, expected) in [
            ("badges=subscriber/12", Some(Tier::One)),
            ("badges=vip/1,subscriber/2012", Some(Tier::Two)),
            ("badges=subscriber/3072,partner/1", Some(Tier::Three)),
            ("subscriber=1", Some(Tier::One)),
            ("badges=premium/1", None),
        ] {
            assert_eq!(
                line(&format!("@{tags} {ANN} hi")).standing.subscription,
                expected,
                "{tags}"
            );
        }
    }

    #[test]
    fn a_cheer_is_an_event_beside_its_line_but_not_in_a_copy_of_a_shared_chat() {
        let read = |tags: &str| {
            let raw = format!("@id=a;bits=100;{tags} {ANN} :Cheer100 nice");
            Reader::default().events(&IRCMessage::parse(&raw).unwrap(), 5)
        };
        let events = read("user-id=42");
        assert_eq!(events.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["a", "a:1"]);
        let Happening::Cheer(cheer) = &events[1].what else { panic!() };
        assert_eq!((cheer.bits, cheer.person.is_some()), (100, true));
        assert_eq!(read("room-id=1;source-id=a;source-room-id=2").len(), 1);
    }

    #[test]
    fn emotes_are_found_by_code_points() {
        let line = line(&format!("@emotes=25:0-4,8-12 {ANN} :Kappa 😂 Kappa"));
        let found: Vec<_> =
            line.emotes.iter().map(|emote| (emote.name.as_str(), emote.start, emote.end)).collect();
        assert_eq!(found, [("Kappa", 0, 5), ("Kappa", 8, 13)]);
    }

    #[test]
    fn emote_ranges_that_do_not_fit_are_left_out_and_the_line_stays() {
        for bad in [
            "25:4-0",
            "25:0-400",
            "25:04",
            "25:-1-3",
            "25",
            ":",
            "25:0-99999999999999999999",
            "/",
            "25:a-b",
        ] {
            let line = line(&format!("@emotes={bad} {ANN} :Kappa"));
            assert_eq!((line.text.as_str(), line.emotes.len()), ("Kappa", 0), "{bad}");
        }
    }

    #[test]
    fn a_reply_keeps_only_what_was_written_and_its_emotes_move_along() {
        let tags = "@emotes=25:5-9;reply-parent-msg-id=x;reply-parent-user-login=bob";
        let line = line(&format!("{tags} {ANN} :@bob Kappa"));
        assert_eq!((line.text.as_str(), line.reply_to.as_deref()), ("Kappa", Some("bob")));
        assert_eq!(line.emotes[0].start, 0);
    }

    #[test]
    fn the_invisible_character_of_some_clients_is_trimmed() {
        assert_eq!(line(&format!("{ANN} :?fave pie \u{E0000}")).text, "?fave pie");
        assert_eq!(line(&format!("{ANN} :\u{1}ACTION waves\u{1}")).text, "waves");
    }

    #[test]
    fn a_copy_of_a_shared_chat_has_the_id_of_its_source() {
        let event =
            event(&format!("@id=copy;room-id=1;source-id=first;source-room-id=2 {ANN} :hi"));
        assert_eq!(event.id, "first");
        let Happening::Chat(line) = event.what else { panic!() };
        assert_eq!((line.message.as_str(), line.shared_from.as_deref()), ("copy", Some("2")));
    }

    #[test]
    fn odd_characters_pass_as_they_are() {
        let text = "\u{202E}evil\u{2066} \u{7}bell \u{0}nul שלום 👩‍👩‍👧‍👦";
        assert_eq!(line(&format!("{ANN} :{text}")).text, text);
    }
}
