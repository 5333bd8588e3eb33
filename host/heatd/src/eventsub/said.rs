//! `channel.chat.message` as a line of chat. Pure. It is the same line as by chat, with the same id, but does not say whose first it is.

use heat_engine::wit::{ChatLine, Emote, EmoteProvider, Standing, Tier};

use super::fields::Fields;
use crate::line::{plain_text, tier_of_badge};

pub(super) fn line(event: Fields<'_>) -> Option<ChatLine> {
    let message = event.inside("message");
    let sent = message.text("text")?;
    let reply = event.inside("reply");
    let is_reply = reply.text("parent_message_id").is_some();
    let (text, cut) = plain_text(&sent, is_reply);
    let is_elsewhere = event
        .text("source_broadcaster_user_id")
        .filter(|source| event.text("broadcaster_user_id").as_ref() != Some(source));
    let source = || event.text("source_broadcaster_user_login").or_else(|| is_elsewhere.clone());
    Some(ChatLine {
        message: event.text("message_id")?,
        person: event.person("chatter_user")?,
        standing: standing(event),
        emotes: emotes(message, &text, cut),
        bits: event.inside("cheer").number("bits").unwrap_or(0),
        reply_to: reply.text("parent_user_login"),
        shared_from: is_elsewhere.as_ref().and_then(|_| source()),
        text,
    })
}

/// What badges say. In a shared chat those of this channel are not known: the badges are those of the channel where the line was sent.
fn standing(event: Fields<'_>) -> Standing {
    let badge = |name: &str| {
        let is_it = |it: &Fields<'_>| it.text("set_id").as_deref() == Some(name);
        event.list("badges").find(is_it)
    };
    let tier = badge("subscriber").map(|it| tier_of_badge(&it.text("id").unwrap_or_default()));
    Standing {
        broadcaster: badge("broadcaster").is_some(),
        moderator: badge("moderator").is_some() || badge("lead_moderator").is_some(),
        vip: badge("vip").is_some(),
        subscription: tier.or_else(|| badge("founder").map(|_| Tier::One)),
        first_message: false,
        returning: false,
    }
}

/// Twitch's own emotes: the text comes in pieces, and some of them are emotes.
fn emotes(message: Fields<'_>, text: &str, cut: usize) -> Vec<Emote> {
    let length = text.chars().count();
    let mut place = 0usize;
    let mut emotes = Vec::new();
    for piece in message.list("fragments") {
        let name = piece.text("text").unwrap_or_default();
        let (start, end) = (place, place + name.chars().count());
        place = end;
        let Some(id) = piece.inside("emote").text("id") else { continue };
        let (Some(start), Some(end)) = (start.checked_sub(cut), end.checked_sub(cut)) else {
            continue;
        };
        let fits = end <= length && start < end;
        if let (true, Ok(start), Ok(end)) = (fits, u32::try_from(start), u32::try_from(end)) {
            emotes.push(Emote { name, id, provider: EmoteProvider::Twitch, start, end });
        }
    }
    emotes
}
