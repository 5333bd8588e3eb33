//! Notices of Twitch chat as events: subscriptions, gifts, raids. Facts: dev.twitch.tv/docs/chat/irc, USERNOTICE.
//!
//! The list of kinds is open; one that is not known here is no event. Nor is an upgrade of a gift or of Prime: it promises a
//! subscription for later, which then comes by itself.

use std::collections::VecDeque;

use heat_engine::wit::{Gift, Happening, Person, Raid, Subscription, Tier};
use twitch_irc::message::IRCMessage;

use super::tags::{number_tag, person, tag};

/// Twitch's account for anonymous gifts (AnAnonymousGifter).
const ANONYMOUS_GIFTER: &str = "274598607";

/// Kinds of notices that tell rules nothing: upgrades, celebrations, words that are a line of their own. Seen in recordings from 2018 to 2026; Twitch
/// has no complete list.
const SILENT: [&str; 20] = [
    "announcement",
    "anongiftpaidupgrade",
    "bitsbadgetier",
    "charitydonation",
    "communitypayforward",
    "crowd-chant",
    "extendsub",
    "giftpaidupgrade",
    "midnightsquid",
    "modiversary",
    "onetapgiftredeemed",
    "primecommunitygiftreceived",
    "primepaidupgrade",
    "rewardgift",
    "ritual",
    "sharedchatnotice",
    "socialsharingbadge",
    "standardpayforward",
    "unraid",
    "viewermilestone",
];

/// Kinds of notices that are events.
const TOLD: [&str; 7] =
    ["sub", "resub", "submysterygift", "anonsubmysterygift", "subgift", "anonsubgift", "raid"];

/// The kind of a notice, if heatd does not know it.
pub(super) fn unknown_kind(message: &IRCMessage) -> Option<&str> {
    let kind = tag(message, "msg-id").unwrap_or_default();
    (!SILENT.contains(&kind) && !TOLD.contains(&kind)).then_some(kind)
}

/// How many mass gifts are remembered, to recognise their parts.
const REMEMBERED: usize = 64;

/// Reads the notices of one connection.
#[derive(Default)]
pub(super) struct Notices {
    /// Origins of mass gifts. A notice for each receiver follows with the same origin; the gift must count once.
    mass_gifts: VecDeque<String>,
}

impl Notices {
    /// Reads a notice, if rules can take its kind. Copies of another channel's notices in a shared
    /// chat have the kind `sharedchatnotice`, and are not about this channel.
    pub(super) fn read(&mut self, message: &IRCMessage) -> Option<Happening> {
        match tag(message, "msg-id")? {
            "sub" => subscription(message, false),
            "resub" => subscription(message, true),
            "submysterygift" | "anonsubmysterygift" => self.mass_gift(message),
            "subgift" | "anonsubgift" => self.single_gift(message),
            "raid" => raid(message),
            _ => None,
        }
    }

    fn mass_gift(&mut self, message: &IRCMessage) -> Option<Happening> {
        if let Some(origin) = tag(message, "msg-param-origin-id") {
            if self.mass_gifts.len() == REMEMBERED {
                self.mass_gifts.pop_front();
            }
            self.mass_gifts.push_back(origin.to_owned());
        }
        let count = number_tag(message, "msg-param-mass-gift-count").filter(|count| *count > 0)?;
        let gift = Gift { person: giver(message), tier: tier(message), count, receiver: None };
        Some(Happening::Gift(gift))
    }

    fn single_gift(&self, message: &IRCMessage) -> Option<Happening> {
        let origin = tag(message, "msg-param-origin-id");
        let part = tag(message, "msg-param-community-gift-id").is_some()
            || origin.is_some_and(|origin| self.mass_gifts.iter().any(|known| known == origin));
        if part {
            return None;
        }
        let receiver = receiver(message);
        let gift = Gift { person: giver(message), tier: tier(message), count: 1, receiver };
        Some(Happening::Gift(gift))
    }
}

fn subscription(message: &IRCMessage, renewed: bool) -> Option<Happening> {
    let months = number_tag(message, "msg-param-cumulative-months")
        // Its name in lines of before 2019.
        .or_else(|| number_tag(message, "msg-param-months"))
        .unwrap_or(0);
    Some(Happening::Subscription(Subscription {
        person: person(message)?,
        tier: tier(message),
        months,
        renewed,
        text: message.params.get(1).cloned().unwrap_or_default(),
    }))
}

fn raid(message: &IRCMessage) -> Option<Happening> {
    let viewers = number_tag(message, "msg-param-viewerCount")?;
    Some(Happening::Raid(Raid { person: person(message)?, viewers }))
}

fn tier(message: &IRCMessage) -> Tier {
    match tag(message, "msg-param-sub-plan") {
        Some("Prime") => Tier::Prime,
        Some("2000") => Tier::Two,
        Some("3000") => Tier::Three,
        _ => Tier::One,
    }
}

fn giver(message: &IRCMessage) -> Option<Person> {
    if tag(message, "msg-id")?.starts_with("anon") {
        return None;
    }
    person(message).filter(|person| person.id != ANONYMOUS_GIFTER)
}

fn receiver(message: &IRCMessage) -> Option<Person> {
    // Old lines have the name under another tag.
    let login = tag(message, "msg-param-recipient-user-name")
        .or_else(|| tag(message, "msg-param-recipient-name"))?
        .to_lowercase();
    let id = tag(message, "msg-param-recipient-id").unwrap_or(&login).to_owned();
    let name = tag(message, "msg-param-recipient-display-name").unwrap_or(&login).to_owned();
    Some(Person { id, login, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(notices: &mut Notices, tags: &str) -> Option<Happening> {
        let raw = format!("@login=ann;user-id=42;{tags} :tmi.twitch.tv USERNOTICE #seaside :hi");
        notices.read(&IRCMessage::parse(&raw).unwrap())
    }

    #[test]
    fn a_subscription_has_its_tier_months_and_words() {
        let tags = "msg-id=resub;msg-param-sub-plan=2000;msg-param-cumulative-months=7";
        let Some(Happening::Subscription(sub)) = read(&mut Notices::default(), tags) else {
            panic!()
        };
        assert_eq!((sub.person.login.as_str(), sub.tier, sub.months), ("ann", Tier::Two, 7));
        assert!(sub.renewed && sub.text == "hi");
    }

    #[test]
    fn a_mass_gift_counts_once_and_its_parts_do_not() {
        let mut notices = Notices::default();
        let mass = "msg-id=submysterygift;msg-param-mass-gift-count=5;msg-param-origin-id=o";
        let Some(Happening::Gift(gift)) = read(&mut notices, mass) else { panic!() };
        assert_eq!((gift.count, gift.person.is_some()), (5, true));
        let part = "msg-id=subgift;msg-param-recipient-user-name=bob";
        assert_eq!(read(&mut notices, &format!("{part};msg-param-origin-id=o")), None);
        assert_eq!(read(&mut notices, &format!("{part};msg-param-community-gift-id=7")), None);
        let Some(Happening::Gift(gift)) =
            read(&mut notices, &format!("{part};msg-param-origin-id=p"))
        else {
            panic!()
        };
        assert_eq!(gift.receiver.map(|receiver| receiver.login), Some("bob".to_owned()));
    }

    #[test]
    fn who_gives_without_a_name_has_none() {
        let raw = "@msg-id=submysterygift;msg-param-mass-gift-count=2;login=ananonymousgifter;user-id=274598607 :tmi.twitch.tv USERNOTICE #seaside";
        let Some(Happening::Gift(gift)) = Notices::default().read(&IRCMessage::parse(raw).unwrap())
        else {
            panic!()
        };
        assert_eq!(gift.person, None);
    }

    #[test]
    fn a_raid_has_its_viewers_and_what_is_unknown_or_of_another_channel_is_nothing() {
        let mut notices = Notices::default();
        let Some(Happening::Raid(raid)) =
            read(&mut notices, "msg-id=raid;msg-param-viewerCount=120")
        else {
            panic!()
        };
        assert_eq!(raid.viewers, 120);
        for tags in [
            "msg-id=raid",
            "msg-id=sharedchatnotice;source-msg-id=raid;msg-param-viewerCount=2",
            "msg-id=tomorrow",
            "x=y",
        ] {
            assert_eq!(read(&mut notices, tags), None, "{tags}");
        }
    }
}
