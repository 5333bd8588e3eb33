//! The events of case files: people with what they are in the channel, and what Twitch tells besides chat.

use anyhow::{Context, Result, bail};
use heat_engine::wit::{ChatLine, Cheer, Gift, Happening, Raid, Subscription, Tier};

use crate::stage::{chat_line, person};

/// A chat line of `ann`, or of `ann (moderator, tier two, first, bits 100)`.
pub(crate) fn line(who: &str, text: &str) -> Result<ChatLine> {
    let (login, traits) = match who.split_once(" (") {
        Some((login, traits)) => (login, traits.strip_suffix(')').context("a ) is missing")?),
        None => (who, ""),
    };
    let mut line = chat_line(login, text);
    for word in traits.split(", ").filter(|word| !word.is_empty()) {
        match word.split_once(' ') {
            None if word == "broadcaster" => line.standing.broadcaster = true,
            None if word == "moderator" => line.standing.moderator = true,
            None if word == "vip" => line.standing.vip = true,
            None if word == "first" => line.standing.first_message = true,
            None if word == "returning" => line.standing.returning = true,
            Some(("tier", tier)) => line.standing.subscription = Some(read_tier(tier)?),
            Some(("bits", bits)) => line.bits = bits.parse()?,
            Some(("shared", channel)) => line.shared_from = Some(channel.to_owned()),
            _ => bail!("nobody is {word:?}"),
        }
    }
    Ok(line)
}

/// An event as a case writes it, behind the star.
pub(crate) fn read(text: &str) -> Result<Happening> {
    let words: Vec<&str> = text.split(' ').collect();
    Ok(match words.as_slice() {
        ["stream", "start"] => Happening::StreamStart,
        ["stream", "end"] => Happening::StreamEnd,
        ["follow", login] => Happening::Follow(person(login)),
        ["raid", login, viewers] => {
            Happening::Raid(Raid { person: person(login), viewers: viewers.parse()? })
        }
        ["cheer", login, bits] => Happening::Cheer(Cheer {
            person: Some(person(login)),
            bits: bits.parse()?,
            text: String::new(),
        }),
        ["sub", login, tier] => Happening::Subscription(Subscription {
            person: person(login),
            tier: read_tier(tier)?,
            months: 1,
            renewed: false,
            text: String::new(),
        }),
        ["gift", login, count] => Happening::Gift(Gift {
            person: Some(person(login)),
            tier: Tier::One,
            count: count.parse()?,
            receiver: None,
        }),
        _ => bail!("it is none of raid, sub, gift, cheer, follow, stream"),
    })
}

fn read_tier(tier: &str) -> Result<Tier> {
    Ok(match tier {
        "prime" => Tier::Prime,
        "one" => Tier::One,
        "two" => Tier::Two,
        "three" => Tier::Three,
        _ => bail!("there is no tier {tier:?}"),
    })
}
