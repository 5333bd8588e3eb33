//! Each fact counts once, whoever tells it first, and none is lost at a switch.

use heat_engine::wit::{Gift, Happening, Person, Raid, Subscription, Tier};

use super::*;

fn person(id: &str) -> Person {
    Person { id: id.to_owned(), login: format!("l{id}"), name: format!("N{id}") }
}

fn event(id: &str, at: u64, what: Happening) -> Event {
    Event { id: id.to_owned(), channel: "seaside".to_owned(), at, what }
}

fn subscription(id: &str, at: u64, who: &str) -> Event {
    let (person, text) = (person(who), String::new());
    let what = Subscription { person, tier: Tier::One, months: 1, renewed: false, text };
    event(id, at, Happening::Subscription(what))
}

fn gift(id: &str, at: u64) -> Event {
    let what = Gift { person: Some(person("5")), tier: Tier::One, count: 1, receiver: None };
    event(id, at, Happening::Gift(what))
}

fn passes(verdict: FactVerdict) -> bool {
    matches!(verdict, FactVerdict::Pass(_))
}

#[test]
fn the_same_subscription_by_two_ways_is_one_whoever_is_faster() {
    let mut channel = ChannelFacts::new(true);
    assert!(channel.of_chat(1_000, &subscription("c1", 900, "1")));
    assert_eq!(channel.of_eventsub(1_500, subscription("e1", 1_200, "1")), FactVerdict::Told);
    assert_eq!(channel.of_eventsub(2_000, subscription("e2", 1_900, "2")), FactVerdict::Kept);
    assert!(channel.of_chat(2_500, &subscription("c2", 1_950, "2")));
    // Nothing is left to be passed on when chat is lost.
    assert_eq!(channel.lost(3_000), []);
}

#[test]
fn two_gifts_of_one_person_are_two() {
    let mut channel = ChannelFacts::new(true);
    assert!(
        channel.of_chat(1_000, &gift("c1", 1_000)) && channel.of_chat(2_000, &gift("c2", 2_000))
    );
    assert_eq!(channel.of_eventsub(2_100, gift("e1", 1_050)), FactVerdict::Told);
    assert_eq!(channel.of_eventsub(2_200, gift("e2", 2_050)), FactVerdict::Told);
    // A third is not told by chat.
    assert_eq!(channel.of_eventsub(2_300, gift("e3", 2_100)), FactVerdict::Kept);
}

#[test]
fn what_chat_missed_while_it_was_silent_is_passed_on_when_that_is_noticed() {
    let mut channel = ChannelFacts::new(true);
    // Chat is alive, and does not tell it: it is believed.
    assert_eq!(channel.of_eventsub(1_000, subscription("e1", 1_000, "1")), FactVerdict::Kept);
    // From here on it is silent, which is noticed two minutes later.
    assert_eq!(channel.of_eventsub(60_000, subscription("e2", 60_000, "2")), FactVerdict::Kept);
    let told = channel.lost(50_000);
    assert_eq!(told.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["e2"]);
    // Meanwhile EventSub is believed at once.
    assert!(passes(channel.of_eventsub(180_000, subscription("e3", 180_000, "3"))));
    // Chat is back, and tells the last one, too.
    channel.heard();
    assert!(!channel.of_chat(181_000, &subscription("c3", 180_100, "3")));
    assert!(channel.of_chat(182_000, &subscription("c4", 182_000, "4")));
    assert_eq!(channel.of_eventsub(182_500, subscription("e4", 182_100, "4")), FactVerdict::Told);
}

#[test]
fn the_same_again_a_while_later_is_another_fact() {
    let mut channel = ChannelFacts::new(false);
    let raid =
        |id: &str, at| event(id, at, Happening::Raid(Raid { person: person("9"), viewers: 5 }));
    assert!(passes(channel.of_eventsub(1_000, raid("e1", 1_000))));
    channel.heard();
    assert!(channel.of_chat(30_000, &raid("c2", 30_000)), "it is 29 s later");
}

#[test]
fn what_only_one_tells_passes_and_memory_is_bounded() {
    let mut channel = ChannelFacts::new(true);
    assert!(passes(channel.of_eventsub(1, event("f1", 1, Happening::Follow(person("1"))))));
    for number in 0..2 * MOST as u64 {
        channel.of_chat(number, &gift(&format!("c{number}"), number));
        channel.of_eventsub(
            number,
            subscription(&format!("e{number}"), number, &format!("p{number}")),
        );
    }
    assert!(channel.kept.len() <= MOST && channel.order.len() <= MOST + 1);
    channel.of_chat(10_000_000, &gift("last", 10_000_000));
    assert_eq!((channel.kept.len(), channel.order.len(), channel.passed.len()), (0, 1, 1));
}
