//! The events of case files: people with what they are in the channel, and what Twitch tells besides chat.

use anyhow::{Context, Result, bail};
use heat_engine::wit::{
    ChatLine, Cheer, Emote, EmoteProvider, Gift, Happening, HypeTrain, HypeTrainStage, Person,
    Raid, Subscription, Tier,
};

use crate::stage::{chat_line, person};

/// A chat line of `ann`, or of `ann (moderator, tier two, first, bits 100, emote Kappa)`.
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
            Some(("emote", name)) => mark(&mut line, name),
            Some(("shared", channel)) => line.shared_from = Some(channel.to_owned()),
            _ => bail!("nobody is {word:?}"),
        }
    }
    Ok(line)
}

/// Makes an emote of each word of the line that is this one.
fn mark(line: &mut ChatLine, name: &str) {
    let mut start = 0;
    for word in line.text.split(' ') {
        let end = start + word.chars().count() as u32;
        if word == name {
            let (name, id) = (name.to_owned(), format!("id-{name}"));
            line.emotes.push(Emote { name, id, provider: EmoteProvider::Twitch, start, end });
        }
        start = end + 1;
    }
    line.emotes.sort_by_key(|emote| emote.start);
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
            person: giver(login),
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
        ["gift", login, count] => gift(login, count, Tier::One)?,
        ["gift", login, count, tier] => gift(login, count, read_tier(tier)?)?,
        ["hype-train", train, stage, level, points, goal] => Happening::HypeTrain(HypeTrain {
            train: (*train).to_owned(),
            stage: read_stage(stage)?,
            level: level.parse()?,
            points: points.parse()?,
            goal: goal.parse()?,
        }),
        _ => bail!("it is none of raid, sub, gift, cheer, follow, hype-train, stream"),
    })
}

fn gift(login: &str, count: &str, tier: Tier) -> Result<Happening> {
    Ok(Happening::Gift(Gift { person: giver(login), tier, count: count.parse()?, receiver: None }))
}

/// Who gives, unless that is `nobody`, who stays unnamed.
fn giver(login: &str) -> Option<Person> {
    Some(login).filter(|login| *login != "nobody").map(person)
}

fn read_stage(stage: &str) -> Result<HypeTrainStage> {
    Ok(match stage {
        "begin" => HypeTrainStage::Begin,
        "progress" => HypeTrainStage::Progress,
        "end" => HypeTrainStage::End,
        _ => bail!("there is no stage {stage:?}"),
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
