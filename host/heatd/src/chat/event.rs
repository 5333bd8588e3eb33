//! Lines of Twitch chat as events. Pure: no sockets, no clock. Facts: dev.twitch.tv/docs/chat/irc.
//!
//! Tags are read one by one and leniently: Twitch adds and forgets tags without notice, and a line that lacks one is
//! still a line that somebody wrote.

use heat_engine::wit::{ChatLine, Cheer, Emote, EmoteProvider, Event, Happening};
use twitch_irc::message::{AsRawIRC, IRCMessage};

use super::notice::{Notices, unknown_kind};
use super::tags::{number_tag, origin, person, shared_from, standing, tag};
use crate::line::{ANONYMOUS_CHEERER, plain_text};
use crate::metrics::{Interface, Unrecognized};

/// More ranges of emotes than a line of 500 characters can hold. The rest of the tag is not read.
const MOST_RANGES: usize = 1_000;

/// Turns the messages of one connection into events.
#[derive(Default)]
pub(super) struct Reader {
    notices: Notices,
    /// Numbers the messages, to give an id to those that have none.
    number: u64,
    /// Where kinds of notices that heatd does not know are noted. None for a recording, which is of the past.
    unrecognized: Option<Unrecognized>,
}

impl Reader {
    /// A reader of what happens now.
    pub(super) fn live(unrecognized: Unrecognized) -> Self {
        Self { unrecognized: Some(unrecognized), ..Self::default() }
    }

    /// The events of a message: none if it is of no use for rules. `now` stands in for a missing time.
    pub(super) fn events(&mut self, message: &IRCMessage, now: u64) -> Vec<Event> {
        self.number += 1;
        let channel = message.params.first().and_then(|it| it.strip_prefix('#'));
        let Some(channel) = channel.filter(|name| !name.is_empty()) else { return Vec::new() };
        let whats = match message.command.as_str() {
            "PRIVMSG" => chat(message).unwrap_or_default(),
            "USERNOTICE" => self.notice(message),
            _ => return Vec::new(),
        };
        let id =
            origin(message).map_or_else(|| format!("irc:{now}:{}", self.number), str::to_owned);
        let at = number_tag(message, "tmi-sent-ts").unwrap_or(now);
        let event = |(place, what)| {
            // The cheer of a line is an event beside it, as is the line of a notice.
            let id = if place == 0 { id.clone() } else { format!("{id}:{place}") };
            Event { id, channel: channel.to_lowercase(), at, what }
        };
        whats.into_iter().enumerate().map(event).collect()
    }

    /// What a notice tells, and the words that its person typed with it: for everybody in chat those are a line like any other.
    fn notice(&mut self, message: &IRCMessage) -> Vec<Happening> {
        if let (Some(unrecognized), Some(kind)) = (&self.unrecognized, unknown_kind(message)) {
            let what = format!("notice {kind:?}");
            unrecognized.note(Interface::TwitchChat, &what, &message.as_raw_irc());
        }
        let told = self.notices.read(message);
        let has_words = message.params.get(1).is_some_and(|text| !text.is_empty());
        // Bits come with lines of chat alone.
        let line =
            if has_words { chat(message).and_then(|all| all.into_iter().next()) } else { None };
        told.into_iter().chain(line).collect()
    }
}

/// A line, and the bits that were cheered with it.
fn chat(message: &IRCMessage) -> Option<Vec<Happening>> {
    let is_reply = tag(message, "reply-parent-msg-id").is_some();
    let (text, cut) = plain_text(message.params.get(1)?, is_reply);
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

/// Reads `id:from-to,from-to/id:from-to`: inclusive ranges of code points. What does not fit the text is left out; Twitch
/// does send such ranges (twitchdev/issues#104). Of two that overlap the first in the text stays, so all names together are no longer than the
/// text, whatever the tag says.
fn read_emotes(tag: &str, text: &str, cut: usize) -> Vec<Emote> {
    let characters: Vec<char> = text.chars().collect();
    let ids = tag.split('/').filter_map(|emote| emote.split_once(':'));
    let all = ids.flat_map(|(id, ranges)| {
        ranges.split(',').filter_map(move |range| Some((id, range.split_once('-')?)))
    });
    let placed = all.take(MOST_RANGES).filter_map(|(id, (from, to))| {
        let start = from.parse::<usize>().ok()?.checked_sub(cut)?;
        let end = to.parse::<usize>().ok()?.checked_sub(cut)?.checked_add(1)?;
        (start < end && end <= characters.len()).then_some((start, end, id))
    });
    let mut placed: Vec<_> = placed.collect();
    placed.sort_by_key(|(start, ..)| *start);
    let mut free = 0;
    placed.retain(|(start, end, _)| {
        let fits = *start >= free;
        if fits {
            free = *end;
        }
        fits
    });
    let emote = |(start, end, id): (usize, usize, &str)| {
        let name = characters.get(start..end)?.iter().collect();
        let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
        Some(Emote { name, id: id.to_owned(), provider: EmoteProvider::Twitch, start, end })
    };
    placed.into_iter().filter_map(emote).collect()
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
    fn ranges_that_overlap_make_no_more_of_a_line_than_there_is() {
        let ranges = vec!["0-499"; 50_000].join(",");
        let line = line(&format!("@emotes=25:{ranges}/26:3-4 {ANN} :{}", "x".repeat(500)));
        assert_eq!((line.emotes.len(), line.emotes[0].name.len()), (1, 500));
        let two = format!("@emotes=1:0-4/2:2-8,6-8 {ANN} :Kappa pie");
        let line = self::line(&two);
        let places: Vec<_> =
            line.emotes.iter().map(|it| (it.id.as_str(), it.start, it.end)).collect();
        assert_eq!(places, [("1", 0, 5), ("2", 6, 9)]);
    }

    #[test]
    fn the_words_of_a_notice_are_a_line_of_chat() {
        let read = |tags: &str, words: &str| {
            let raw = format!(
                "@id=a;login=ann;user-id=42;{tags} :tmi.twitch.tv USERNOTICE #seaside{words}"
            );
            Reader::default().events(&IRCMessage::parse(&raw).unwrap(), 5)
        };
        for kind in ["viewermilestone", "announcement", "modiversary", "tomorrow"] {
            let tags = format!("msg-id={kind};emotes=425618:6-8");
            let events = read(&tags, " :?fave LUL");
            let [Event { id, what: Happening::Chat(line), .. }] = &events[..] else {
                panic!("{events:?}")
            };
            assert_eq!((id.as_str(), line.text.as_str()), ("a", "?fave LUL"), "{kind}");
            assert_eq!((line.person.id.as_str(), line.emotes.len()), ("42", 1));
        }
        let events = read("msg-id=resub;msg-param-cumulative-months=7", " :hello");
        let ids: Vec<_> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids, ["a", "a:1"]);
        assert!(matches!(&events[0].what, Happening::Subscription(sub) if sub.text == "hello"));
        assert!(matches!(&events[1].what, Happening::Chat(line) if line.text == "hello"));
        assert_eq!(read("msg-id=resub", "").len(), 1);
        let copy =
            "msg-id=sharedchatnotice;source-msg-id=resub;room-id=1;source-id=s;source-room-id=2";
        let events = read(copy, " :hello");
        let [Event { id, what: Happening::Chat(line), .. }] = &events[..] else { panic!() };
        assert_eq!((id.as_str(), line.shared_from.as_deref()), ("s", Some("2")));
    }

    #[test]
    fn a_kind_of_notice_that_is_not_known_is_noted() {
        let unrecognized = Unrecognized::default();
        let mut reader = Reader::live(unrecognized.clone());
        for kind in ["announcement", "raid", "tomorrow", "tomorrow"] {
            let raw = format!("@login=ann;msg-id={kind} :tmi.twitch.tv USERNOTICE #seaside");
            reader.events(&IRCMessage::parse(&raw).unwrap(), 5);
        }
        let [seen] = &unrecognized.list()[..] else { panic!() };
        assert_eq!((seen.what.as_str(), seen.count), ("notice \"tomorrow\"", 2));
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
        for padding in [
            " \u{E0000}",
            " \u{34F}",
            "\u{34F}",
            " \u{34F} ",
            " \u{34F} \u{34F}",
            " \u{200B}",
            " \u{2060}\u{FEFF}",
        ] {
            let text = line(&format!("{ANN} :?fave pie{padding}")).text;
            assert_eq!(text, "?fave pie", "{padding:?}");
        }
        // What belongs to a sign that is seen stays.
        for text in ["❤\u{FE0F}", "a \u{2764}\u{FE0F}", "\u{200B}"] {
            assert_eq!(line(&format!("{ANN} :{text}")).text, text);
        }
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
