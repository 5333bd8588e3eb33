//! Fuzz targets of chat: bytes off a socket to lines, and a line to events. EventSub's JSON gets a target of its own when it is read.

use heat_engine::wit::{ChatLine, Event, Happening, Person};
use heat_tests::fuzz::Target;
use tokio::io::BufReader;
use twitch_irc::message::IRCMessage;

use super::event::Reader;
use super::lines::{LONGEST, Lines};
use crate::config::StreamSigns;
use crate::queue::streams::{Sign, Streams};

const NOW: u64 = 1_767_225_600_000;

const WORDS: &[&str] = &[
    "@",
    ";",
    "=",
    "/",
    ",",
    "-",
    ":",
    " :",
    "#",
    "!",
    "emotes=",
    "25:0-4",
    "badges=",
    "subscriber/3012",
    "moderator/1",
    "broadcaster/1",
    "bits=",
    "user-id=",
    "login=",
    "display-name=",
    "id=",
    "tmi-sent-ts=",
    "source-id=",
    "source-room-id=",
    "room-id=",
    "msg-id=sub",
    "msg-id=resub",
    "msg-id=submysterygift",
    "msg-id=subgift",
    "msg-id=anonsubgift",
    "msg-id=raid",
    "msg-param-community-gift-id=",
    "msg-param-sub-plan=Prime",
    "msg-param-mass-gift-count=",
    "msg-param-viewerCount=",
    "msg-param-cumulative-months=",
    "reply-parent-msg-id=x",
    "reply-parent-user-login=bob",
    "PRIVMSG",
    "USERNOTICE",
    "CLEARMSG",
    "\u{1}ACTION ",
    "\u{1}",
    "\u{E0000}",
    "\\s",
    "\\:",
    "\u{1F525}",
    "e\u{301}",
    "?stream start",
    "?STREAM END",
];

const LINE: Target = Target {
    name: "irc_line",
    run: irc_line,
    seeds: &[
        b":ann!ann@ann.tmi.twitch.tv PRIVMSG #seaside :?fave pie",
        "@badges=moderator/1;display-name=Ann;emotes=25:0-4,8-12/1:6-6;first-msg=1;id=abc;tmi-sent-ts=1700000000000;user-id=42 :ann!ann@ann.tmi.twitch.tv PRIVMSG #seaside :Kappa \u{1F602} Kappa".as_bytes(),
        b"@id=a;bits=100;user-id=42 :ann!ann@ann.tmi.twitch.tv PRIVMSG #seaside :Cheer100 nice",
        b"@emotes=25:5-9;reply-parent-msg-id=x;reply-parent-user-login=bob :ann!a@a PRIVMSG #seaside :@bob Kappa",
        b"@id=copy;room-id=1;source-id=first;source-room-id=2 :ann!a@a PRIVMSG #seaside :hi",
        b"@id=s;login=ann;msg-id=sub;msg-param-sub-plan=Prime;user-id=42 :tmi.twitch.tv USERNOTICE #seaside",
        b"@id=r;login=ann;msg-id=resub;msg-param-cumulative-months=7;msg-param-sub-plan=2000;user-id=42 :tmi.twitch.tv USERNOTICE #seaside :still here",
        b"@id=m;login=ann;msg-id=submysterygift;msg-param-community-gift-id=9;msg-param-mass-gift-count=5;msg-param-sub-plan=1000;user-id=42 :tmi.twitch.tv USERNOTICE #seaside",
        b"@id=g;login=ann;msg-id=subgift;msg-param-community-gift-id=9;msg-param-recipient-id=3;msg-param-recipient-user-name=bob;msg-param-sub-plan=1000;user-id=42 :tmi.twitch.tv USERNOTICE #seaside",
        b"@id=w;login=ann;msg-id=raid;msg-param-viewerCount=120;user-id=42 :tmi.twitch.tv USERNOTICE #seaside",
        b"@mod=1;user-id=42 :ann!a@a PRIVMSG #seaside :?stream start",
        ":ann!a@a PRIVMSG #seaside :\u{1}ACTION waves \u{E0000}\u{1}".as_bytes(),
    ],
    words: WORDS,
    recorded: &[
        "irc/chatterino_snapshot_inputs.irc",
        "irc/minitwitch_forsen.irc",
        "irc/chatterino_recent_nymn.irc",
    ],
    inputs: 30_000,
};

fn irc_line(input: &[u8]) {
    let line = String::from_utf8_lossy(input).replace('\n', "");
    let Ok(message) = IRCMessage::parse(&line) else { return };
    let mut reader = Reader::default();
    let events = reader.events(&message, NOW);
    assert_eq!(events, Reader::default().events(&message, NOW), "reading is a matter of chance");
    assert!(events.len() <= 2, "{events:?}");
    for (place, event) in events.iter().enumerate() {
        assert!(!event.id.is_empty() && !event.channel.is_empty(), "{event:?}");
        assert!(events[..place].iter().all(|other| other.id != event.id), "one id for two");
        assert_eq!(event.channel, event.channel.to_lowercase());
        sound(event);
        signs(event);
    }
    // What comes later finds the reader in order.
    let next = IRCMessage::parse(":bob!b@b PRIVMSG #seaside :hi").expect("a plain line");
    assert_eq!(reader.events(&next, NOW).len(), 1);
}

fn sound(event: &Event) {
    match &event.what {
        Happening::Chat(line) => {
            named(&line.person);
            emotes_fit(line);
            assert!(!line.text.ends_with([' ', '\u{E0000}']), "{:?}", line.text);
        }
        Happening::Cheer(cheer) => {
            assert!(cheer.bits > 0);
            cheer.person.iter().for_each(named);
        }
        Happening::Subscription(subscription) => named(&subscription.person),
        Happening::Gift(gift) => {
            assert!(gift.count > 0, "{gift:?}");
            gift.person.iter().for_each(named);
        }
        Happening::Raid(raid) => named(&raid.person),
        other => panic!("chat does not tell of {other:?}"),
    }
}

/// Every person must have an id: the engine refuses a fave without one, and then the rule would look broken.
fn named(person: &Person) {
    assert!(!person.id.is_empty() && !person.login.is_empty(), "{person:?}");
    assert!(!person.name.is_empty(), "{person:?}");
}

fn emotes_fit(line: &ChatLine) {
    let characters: Vec<char> = line.text.chars().collect();
    let mut before = 0;
    for emote in &line.emotes {
        assert!(emote.start < emote.end && emote.start >= before, "{emote:?}");
        let name = characters.get(emote.start as usize..emote.end as usize);
        let name = name.expect("an emote beyond the text");
        assert_eq!(name.iter().collect::<String>(), emote.name);
        before = emote.start;
    }
}

/// Only moderators start a stream.
fn signs(event: &Event) {
    let streams = Streams::new(StreamSigns::default(), std::slice::from_ref(&event.channel), NOW);
    if let (Sign::Starts | Sign::Ends, Happening::Chat(line)) = (streams.after(event), &event.what)
    {
        assert!(line.standing.moderator || line.standing.broadcaster);
        assert!(line.shared_from.is_none());
    }
}

const BYTES: Target = Target {
    name: "irc_bytes",
    run: irc_bytes,
    seeds: &[
        b"\x01eins\r\nzwei \xF0\x9F\x98\x82\n\ndrei\n",
        b"\xffa\xFFb\n",
        b"\xf0xxxxxxxxxxxxxxxx",
    ],
    words: &["\r\n", "\n", "\r", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
    recorded: &[],
    inputs: 1_500,
};

fn irc_bytes(input: &[u8]) {
    // The first byte makes long lines of short inputs: up to 64 KiB.
    let (times, rest) = input.split_first().map_or((0, input), |(first, rest)| (*first, rest));
    let long = usize::from(times) * 256;
    let bytes = rest.repeat(1 + long / rest.len().max(1));
    let mut whole: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let rest = whole.pop().unwrap_or_default();
    let is_long = |line: &&&[u8]| line.len() > LONGEST;
    let long = whole.iter().filter(is_long).count() + [rest].iter().filter(is_long).count();
    let expected: Vec<String> = whole
        .into_iter()
        .filter(|line| line.len() <= LONGEST)
        .map(|line| String::from_utf8_lossy(line).trim_end_matches('\r').to_owned())
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for piece in [1 + usize::from(times), 4096] {
        let (lines, too_long) = runtime.block_on(async {
            let (mut lines, mut read) = (Lines::default(), Vec::new());
            let mut source = BufReader::with_capacity(piece, &bytes[..]);
            while let Some(line) = lines.next(&mut source).await.expect("bytes in memory") {
                read.push(line);
            }
            (read, lines.take_too_long())
        });
        assert_eq!(lines, expected, "in pieces of {piece}");
        assert_eq!(too_long, long as u64, "in pieces of {piece}");
    }
}

#[test]
fn irc_lines_become_sound_events() {
    LINE.check();
}

#[test]
fn irc_bytes_become_the_same_lines_however_they_come() {
    BYTES.check();
}
