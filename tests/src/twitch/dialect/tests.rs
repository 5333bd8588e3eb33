//! The dialect, one line of a client at a time.

use super::*;

fn talk(session: &mut Session, line: &str) -> Vec<String> {
    let house = House { behaviour: &Behaviour::default(), rooms: &BTreeMap::new() };
    session.answer(line.as_bytes(), &house)
}

fn welcomed(capabilities: &str) -> Session {
    let mut session = Session::default();
    talk(&mut session, &format!("CAP REQ :{capabilities}"));
    talk(&mut session, "NICK justinfan1");
    session
}

#[test]
fn an_anonymous_login_is_welcome_and_has_no_state_of_its_own() {
    let mut session = Session::default();
    let lines = talk(&mut session, "NICK justinfan123");
    assert_eq!(lines.len(), 7);
    assert_eq!(lines[0], ":tmi.twitch.tv 001 justinfan123 :Welcome, GLHF!");
}

#[test]
fn a_name_without_a_password_is_refused() {
    let mut session = Session::default();
    assert_eq!(
        talk(&mut session, "NICK ann"),
        [":tmi.twitch.tv NOTICE * :Improperly formatted auth"]
    );
    assert!(session.over);
}

#[test]
fn a_name_with_a_password_gets_its_state() {
    let mut session = Session::default();
    talk(&mut session, "PASS oauth:secret");
    let lines = talk(&mut session, "NICK ann");
    assert!(lines.last().is_some_and(|line| line.ends_with("GLOBALUSERSTATE")), "{lines:?}");
}

#[test]
fn nobody_joins_before_the_login() {
    let mut session = Session::default();
    assert_eq!(talk(&mut session, "JOIN #pie"), [""; 0]);
    assert!(session.joined.is_empty());
}

#[test]
fn one_line_joins_several_channels() {
    let mut session = welcomed("twitch.tv/tags");
    assert_eq!(talk(&mut session, "JOIN #pie,#tea").len(), 8);
    assert_eq!(session.joined.len(), 2);
    assert_eq!(
        talk(&mut session, "PART #pie"),
        [":justinfan1!justinfan1@justinfan1.tmi.twitch.tv PART #pie"]
    );
    assert_eq!(session.joined.len(), 1);
}

#[test]
fn a_client_gets_only_what_it_asked_for() {
    let tagged = b"@id=1 :a!a@a PRIVMSG #pie :hi";
    let notice = b"@id=1 :tmi.twitch.tv USERNOTICE #pie";
    let plain = welcomed("twitch.tv/membership");
    assert_eq!(plain.view(tagged), Some(&b":a!a@a PRIVMSG #pie :hi"[..]));
    assert_eq!(plain.view(notice), None);
    let full = welcomed("twitch.tv/tags twitch.tv/commands");
    assert_eq!(full.view(tagged), Some(&tagged[..]));
    assert_eq!(full.view(notice), Some(&notice[..]));
}

#[test]
fn unknown_capabilities_are_refused_as_a_whole() {
    let mut session = Session::default();
    let lines = talk(&mut session, "CAP REQ :twitch.tv/tags sasl");
    assert_eq!(lines, [":tmi.twitch.tv CAP * NAK :twitch.tv/tags sasl"]);
    assert!(!session.has("twitch.tv/tags"));
}
