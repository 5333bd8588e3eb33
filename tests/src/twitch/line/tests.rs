//! Lines as they must read.

use super::*;
use crate::irc::Parts;

#[test]
fn a_message_reads_as_twitch_writes_it() {
    let line = Line::chat("pie", "ann", "?fave pie").badge("moderator/1").id("x").at(5).to_string();
    assert_eq!(
        line,
        format!(
            "@badge-info=;badges=moderator/1;color=#8A2BE2;display-name=ann;emotes=;first-msg=0;flags=;id=x;mod=1;\
             returning-chatter=0;room-id={};subscriber=0;tmi-sent-ts=5;turbo=0;user-id={};user-type=mod \
             :ann!ann@ann.tmi.twitch.tv PRIVMSG #pie :?fave pie",
            room_id("pie"),
            user_id("ann")
        )
    );
}

#[test]
fn emotes_are_counted_in_code_points() {
    let line =
        Line::chat("pie", "ann", "Kappa 😂 Kappa LUL").emote("25", "Kappa").emote("425618", "LUL");
    assert_eq!(line.get("emotes"), "25:0-4,8-12/425618:14-16");
}

#[test]
fn a_reply_starts_with_a_mention_and_names_its_parent() {
    let line = Line::chat("pie", "ann", "yes").reply_to("bob", "b-1", "more pie; now?").to_string();
    let parts = Parts::of(line.as_bytes());
    let parts = parts.as_ref();
    assert_eq!(parts.and_then(Parts::text), Some(&b"@bob yes"[..]));
    assert_eq!(
        parts.and_then(|parts| parts.tag("reply-parent-msg-body")).as_deref(),
        Some("more pie; now?")
    );
}

#[test]
fn lines_of_the_server_have_no_person_as_their_source() {
    let line = Line::clear_chat("pie", Some("bob")).tag("ban-duration", "600").to_string();
    assert!(line.contains(" :tmi.twitch.tv CLEARCHAT #pie :bob"), "{line}");
    assert!(Line::clear_chat("pie", None).to_string().ends_with("CLEARCHAT #pie"));
}
