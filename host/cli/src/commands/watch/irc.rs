//! Lines of Twitch chat as entries. Facts: dev.twitch.tv/docs/chat/irc. Pure: no sockets, no clock.

use twitch_irc::message::{IRCMessage, IRCPrefix};

use super::entry::{ChatEntry, EmoteId, EmotePlace, Entry, What};

/// Invisible characters that some clients append, so that Twitch does not take a repeated line for a duplicate: the first until August 2025, the
/// second since.
const INVISIBLE: [char; 2] = ['\u{E0000}', '\u{34F}'];

/// What a line tells; often nothing.
pub(crate) fn entries(message: &IRCMessage) -> Vec<Entry> {
    let channel = message.params.first().and_then(|channel| channel.strip_prefix('#'));
    let Some(channel) = channel.map(str::to_lowercase) else { return Vec::new() };
    let what = match message.command.as_str() {
        "PRIVMSG" => said(message),
        "USERNOTICE" => noticed(message),
        "CLEARMSG" => {
            let id = tag(message, "target-msg-id").map(str::to_owned);
            id.map(|id| What::Removed { id: Some(id), login: None }).into_iter().collect()
        }
        "CLEARCHAT" => {
            let login = message.params.get(1).map(|login| login.to_lowercase());
            vec![What::Removed { id: None, login }]
        }
        _ => Vec::new(),
    };
    what.into_iter().map(|what| Entry { channel: channel.clone(), what }).collect()
}

fn said(message: &IRCMessage) -> Vec<What> {
    let Some(sent) = message.params.get(1) else { return Vec::new() };
    let text = sent.strip_prefix("\u{1}ACTION ").unwrap_or(sent);
    let text = text.trim_end_matches([INVISIBLE[0], INVISIBLE[1], ' ', '\u{1}']).to_owned();
    let login = match &message.prefix {
        Some(IRCPrefix::Full { nick, .. }) => nick.to_lowercase(),
        _ => tag(message, "display-name").unwrap_or("?").to_lowercase(),
    };
    let name = tag(message, "display-name").unwrap_or(&login).to_owned();
    let bits = tag(message, "bits").filter(|bits| bits.parse::<u32>().is_ok());
    let at = tag(message, "tmi-sent-ts").and_then(|at| at.parse().ok());
    let cheer = bits.map(|bits| What::Event {
        event: "cheer".to_owned(),
        at,
        text: format!("{name} cheers with {bits} bits"),
    });
    let line = ChatEntry {
        id: tag(message, "id").unwrap_or_default().to_owned(),
        at,
        name,
        login,
        badges: badges(message),
        colour: tag(message, "color").map(str::to_owned),
        emotes: emotes(message, &text),
        reply_to: tag(message, "reply-parent-user-login").map(str::to_owned),
        bits: bits.and_then(|bits| bits.parse().ok()).unwrap_or(0),
        first: tag(message, "first-msg") == Some("1"),
        text,
        ..ChatEntry::default()
    };
    [What::Chat(Box::new(line))].into_iter().chain(cheer).collect()
}

/// What the person is in the channel, as heatd names it.
fn badges(message: &IRCMessage) -> Vec<String> {
    let named = [
        ("broadcaster", "broadcaster"),
        ("moderator", "moderator"),
        ("vip", "vip"),
        ("subscriber", "subscriber"),
        ("founder", "subscriber"),
    ];
    let worn: Vec<&str> = tag(message, "badges").unwrap_or_default().split([',', '/']).collect();
    let has = named.iter().filter(|(badge, _)| worn.contains(badge));
    has.map(|(_, name)| (*name).to_owned()).collect()
}

/// `25:0-4,12-16/1902:6-10`, the last place within. What does not fit the text is left out.
fn emotes(message: &IRCMessage, text: &str) -> Vec<EmotePlace> {
    let length = text.chars().count();
    let emotes = tag(message, "emotes").unwrap_or_default().split('/');
    let ranges = emotes
        .filter_map(|it| it.split_once(':'))
        .flat_map(|(id, ranges)| ranges.split(',').map(move |range| (id, range)));
    let mut found: Vec<EmotePlace> = ranges
        .filter_map(|(id, range)| {
            let (from, last) = range.split_once('-')?;
            let (from, to) = (from.parse().ok()?, last.parse::<usize>().ok()?.checked_add(1)?);
            let emote = EmoteId { provider: "twitch".to_owned(), id: id.to_owned() };
            (from < to && to <= length).then_some(EmotePlace { from, to, emote })
        })
        .collect();
    found.sort_unstable_by_key(|it| it.from);
    found
}

/// Subscriptions, gifts, raids and the like: Twitch brings a sentence along.
fn noticed(message: &IRCMessage) -> Vec<What> {
    let id = tag(message, "msg-id").unwrap_or_default();
    // A mass gift comes once for all and then once for each receiver; another channel's notices in a shared chat are its own.
    let part = id.contains("subgift") && tag(message, "msg-param-community-gift-id").is_some();
    let Some(sentence) = tag(message, "system-msg").filter(|_| !part && id != "sharedchatnotice")
    else {
        return Vec::new();
    };
    let text = match message.params.get(1) {
        Some(text) if !text.is_empty() => format!("{sentence} {text}"),
        _ => sentence.to_owned(),
    };
    let event = match id {
        "sub" | "resub" => "subscription",
        "subgift" | "anonsubgift" | "submysterygift" | "anonsubmysterygift" => "gift",
        other => other,
    };
    let at = tag(message, "tmi-sent-ts").and_then(|at| at.parse().ok());
    vec![What::Event { event: event.to_owned(), at, text }]
}

/// The value of a tag; an empty one is as good as none.
fn tag<'a>(message: &'a IRCMessage, name: &str) -> Option<&'a str> {
    message.tags.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Vec<What> {
        let entries = entries(&IRCMessage::parse(raw).unwrap());
        entries.into_iter().map(|entry| entry.what).collect()
    }

    fn event(event: &str, text: &str) -> What {
        What::Event { event: event.to_owned(), at: None, text: text.to_owned() }
    }

    #[test]
    fn a_line_has_name_login_and_text() {
        let ann = ":ann!ann@ann.tmi.twitch.tv PRIVMSG #Seaside";
        let chat = |name: &str, text: &str| {
            What::Chat(Box::new(ChatEntry {
                name: name.to_owned(),
                login: "ann".to_owned(),
                text: text.to_owned(),
                ..ChatEntry::default()
            }))
        };
        assert_eq!(read(&format!("@display-name=Ann {ann} :hi \u{E0000}")), [chat("Ann", "hi")]);
        assert_eq!(read(&format!("@display-name=Ann {ann} :hi \u{34F}")), [chat("Ann", "hi")]);
        assert_eq!(read(&format!("{ann} :\u{1}ACTION waves\u{1}")), [chat("ann", "waves")]);
        let rich = read(&format!(
            "@badges=moderator/1,subscriber/12;color=#FF69B4;emotes=25:3-7/9:0-1,90-99;first-msg=1;reply-parent-user-login=ben;tmi-sent-ts=5 {ann} :hi Kappa"
        ));
        let What::Chat(rich) = &rich[0] else { panic!("{rich:?}") };
        assert_eq!((rich.at, rich.first, rich.reply_to.as_deref()), (Some(5), true, Some("ben")));
        assert_eq!(rich.badges, ["moderator", "subscriber"]);
        let emotes: Vec<_> =
            rich.emotes.iter().map(|it| (it.from, it.to, it.emote.id.as_str())).collect();
        assert_eq!(emotes, [(0, 2, "9"), (3, 8, "25")]);
        let cheer = read(&format!("@bits=100;display-name=Ann {ann} :cheer100"));
        assert_eq!(cheer[1], event("cheer", "Ann cheers with 100 bits"));
    }

    #[test]
    fn what_moderators_remove_is_told() {
        let line = read("@target-msg-id=m1;login=ann :tmi.twitch.tv CLEARMSG #seaside :bad");
        assert_eq!(line, [What::Removed { id: Some("m1".to_owned()), login: None }]);
        let person = read(":tmi.twitch.tv CLEARCHAT #seaside :Ann");
        assert_eq!(person, [What::Removed { id: None, login: Some("ann".to_owned()) }]);
    }

    #[test]
    fn notices_are_told_in_twitchs_words() {
        let notice = |tags: &str| read(&format!("@{tags} :tmi.twitch.tv USERNOTICE #seaside :hi"));
        assert_eq!(
            notice("msg-id=resub;system-msg=Ann\\ssubscribed\\sfor\\s7\\smonths!"),
            [event("subscription", "Ann subscribed for 7 months! hi")]
        );
        let raid = read("@msg-id=raid;system-msg=9\\sraiders :tmi.twitch.tv USERNOTICE #seaside");
        assert_eq!(raid, [event("raid", "9 raiders")]);
        assert_eq!(notice("msg-id=subgift;msg-param-community-gift-id=7;system-msg=x"), []);
        assert_eq!(notice("msg-id=sharedchatnotice;system-msg=x"), []);
    }

    #[test]
    fn anything_else_is_nothing() {
        for raw in [
            ":tmi.twitch.tv 001 justinfan1 :Welcome",
            "PRIVMSG",
            "PRIVMSG seaside :x",
            "PRIVMSG #x",
        ] {
            assert_eq!(read(raw), [], "{raw}");
        }
    }
}
