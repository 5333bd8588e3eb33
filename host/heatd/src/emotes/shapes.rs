//! Parses the providers' answers into names and ids.
//!
//! Lenient: unknown fields are ignored, and an emote that cannot be read is left out. But an answer without the
//! fields that identify it is an error, and not an empty set, so that it cannot replace a set that is there.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::provider::{Provider, SetScope};

/// More emotes than any set has: an answer with more is an error.
const MOST: usize = 50_000;

/// The longest name, in bytes. Nobody can type more.
const LONGEST: usize = 200;

/// An emote: what is typed for it, and the provider's id.
pub(super) type EmoteName = (Box<str>, Box<str>);

/// The ids under which 7TV's events report a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Subject {
    /// The set.
    pub(super) set: String,
    /// The user whose set it is, who may choose another one. None for the global set.
    pub(super) user: Option<String>,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SetAnswer {
    /// The whole set.
    Set { emotes: Vec<EmoteName>, subject: Option<Subject> },
    /// The answer names the set and does not hold it: the set has to be asked for by its id. 7TV answers so since 3 August 2026.
    Elsewhere(Subject),
    /// The provider knows the channel, and says that it has no set.
    NoSet(Option<Subject>),
}

/// Reads an answer. The error is for people.
pub(super) fn read(provider: Provider, of: &SetScope, body: &[u8]) -> Result<SetAnswer, String> {
    match (provider, of) {
        (Provider::SevenTv, SetScope::Global) => seventv_whole(parse(body)?, None),
        (Provider::SevenTv, SetScope::Channel { .. }) => seventv_user(parse(body)?),
        (Provider::BetterTtv, SetScope::Global) => plain(named(parse::<List<BttvEmote>>(body)?)),
        (Provider::BetterTtv, SetScope::Channel { .. }) => bttv_channel(parse(body)?),
        (Provider::FrankerFaceZ, SetScope::Global) => ffz_global(parse(body)?),
        (Provider::FrankerFaceZ, SetScope::Channel { .. }) => {
            let sets = parse::<FfzRoom>(body)?.sets;
            if sets.is_empty() {
                return Err("it knows the room, and holds no set of it".to_owned());
            }
            plain(ffz_sets(sets.into_values().collect()))
        }
    }
}

/// Reads 7TV's answer for a set that was asked for by its id. `user` may change to another set.
pub(super) fn read_set(body: &[u8], user: Option<String>) -> Result<SetAnswer, String> {
    seventv_whole(parse(body)?, user)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn plain(emotes: Result<Vec<EmoteName>, String>) -> Result<SetAnswer, String> {
    Ok(SetAnswer::Set { emotes: emotes?, subject: None })
}

/// Something, or something else in its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Maybe<T> {
    Is(T),
    IsNot(IgnoredAny),
}

type List<T> = Vec<Maybe<T>>;

/// 7TV's ids are texts, as are BetterTTV's; FrankerFaceZ has numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum ProviderId {
    Text(Box<str>),
    Number(u64),
}

impl From<ProviderId> for Box<str> {
    fn from(id: ProviderId) -> Self {
        match id {
            ProviderId::Text(text) => text,
            ProviderId::Number(number) => number.to_string().into(),
        }
    }
}

/// An emote of 7TV or FrankerFaceZ. 7TV's name is the one that the set gives it.
#[derive(Deserialize)]
pub(super) struct NamedEmote {
    id: ProviderId,
    name: Box<str>,
}

#[derive(Deserialize)]
struct BttvEmote {
    id: ProviderId,
    code: Box<str>,
}

impl From<NamedEmote> for EmoteName {
    fn from(emote: NamedEmote) -> Self {
        (emote.name, emote.id.into())
    }
}

impl From<BttvEmote> for EmoteName {
    fn from(emote: BttvEmote) -> Self {
        (emote.code, emote.id.into())
    }
}

/// Those of a list that can be read, and typed.
fn named<T: Into<EmoteName>>(list: List<T>) -> Result<Vec<EmoteName>, String> {
    let all = list.len();
    if all > MOST {
        return Err(format!("{all} emotes in one set are more than the {MOST} that are believed"));
    }
    let read = list.into_iter().filter_map(|it| match it {
        Maybe::Is(emote) => Some(emote.into()),
        Maybe::IsNot(_) => None,
    });
    let read: Vec<EmoteName> =
        read.filter(|(name, id)| can_be_typed(name) && id.len() <= LONGEST).collect();
    if read.is_empty() && all > 0 {
        return Err(format!("not one of {all} emotes has a name and an id"));
    }
    Ok(read)
}

pub(super) fn can_be_typed(name: &str) -> bool {
    let odd = |c: char| c == ' ' || c.is_control();
    !name.is_empty() && name.len() <= LONGEST && !name.contains(odd)
}

#[derive(Deserialize)]
struct SevenTvSet {
    id: String,
    /// Left out when there are none.
    emotes: Option<List<NamedEmote>>,
    emote_count: Option<u64>,
}

#[derive(Deserialize)]
struct SevenTvUser {
    /// By which an answer about a user is known.
    #[serde(rename = "id")]
    _id: String,
    /// The outer layer tells a field that is not there from one that is null.
    #[serde(default, deserialize_with = "present")]
    emote_set: Option<Option<SevenTvSet>>,
    #[serde(default, deserialize_with = "present")]
    emote_set_id: Option<Option<String>>,
    user: Option<SevenTvOwner>,
}

#[derive(Deserialize)]
struct SevenTvOwner {
    id: String,
}

fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl SevenTvSet {
    /// Whether the emotes that it counts are not in the answer.
    fn is_cut(&self) -> bool {
        self.emotes.is_none() && self.emote_count.is_some_and(|count| count > 0)
    }
}

fn seventv_whole(set: SevenTvSet, user: Option<String>) -> Result<SetAnswer, String> {
    if set.is_cut() {
        let count = set.emote_count.unwrap_or_default();
        return Err(format!("it says that the set has {count} emotes, and has no list of them"));
    }
    let emotes = named(set.emotes.unwrap_or_default())?;
    Ok(SetAnswer::Set { emotes, subject: Some(Subject { set: set.id, user }) })
}

fn seventv_user(answer: SevenTvUser) -> Result<SetAnswer, String> {
    let user = answer.user.map(|user| user.id);
    match (answer.emote_set, answer.emote_set_id) {
        (Some(Some(set)), _) if set.is_cut() => {
            Ok(SetAnswer::Elsewhere(Subject { set: set.id, user }))
        }
        (Some(Some(set)), _) => seventv_whole(set, user),
        (_, Some(Some(set))) if !set.is_empty() => Ok(SetAnswer::Elsewhere(Subject { set, user })),
        (None, None) => Err("it has neither emote_set nor emote_set_id".to_owned()),
        // Somebody who has an account and no set. That one is chosen is an event of the user.
        _ => {
            Ok(SetAnswer::NoSet(user.map(|user| Subject { set: String::new(), user: Some(user) })))
        }
    }
}

#[derive(Deserialize)]
struct BttvChannel {
    #[serde(rename = "channelEmotes")]
    own: Option<List<BttvEmote>>,
    #[serde(rename = "sharedEmotes")]
    shared: Option<List<BttvEmote>>,
}

fn bttv_channel(channel: BttvChannel) -> Result<SetAnswer, String> {
    if channel.own.is_none() && channel.shared.is_none() {
        return Err("it has neither channelEmotes nor sharedEmotes".to_owned());
    }
    let mut all = channel.own.unwrap_or_default();
    all.extend(channel.shared.unwrap_or_default());
    plain(named(all))
}

#[derive(Deserialize)]
struct FfzGlobal {
    /// Other sets of the answer belong to a few people, and not to everybody.
    default_sets: Vec<u64>,
    sets: BTreeMap<String, FfzSet>,
}

#[derive(Deserialize)]
struct FfzRoom {
    sets: BTreeMap<String, FfzSet>,
}

#[derive(Deserialize)]
struct FfzSet {
    /// An empty set has an empty list. A set without a list is an answer that we do not know.
    emoticons: List<NamedEmote>,
}

fn ffz_global(mut answer: FfzGlobal) -> Result<SetAnswer, String> {
    let sets: Vec<FfzSet> =
        answer.default_sets.iter().filter_map(|id| answer.sets.remove(&id.to_string())).collect();
    if sets.is_empty() && !answer.default_sets.is_empty() {
        return Err("it names default_sets, and holds none of them".to_owned());
    }
    plain(ffz_sets(sets))
}

fn ffz_sets(sets: Vec<FfzSet>) -> Result<Vec<EmoteName>, String> {
    named(sets.into_iter().flat_map(|set| set.emoticons).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> SetScope {
        SetScope::Channel { login: "ann".to_owned(), id: "42".to_owned() }
    }

    fn names(provider: Provider, of: &SetScope, body: &str) -> Result<Vec<String>, String> {
        match read(provider, of, body.as_bytes())? {
            SetAnswer::Set { emotes, .. } => {
                Ok(emotes.into_iter().map(|(name, id)| format!("{name}={id}")).collect())
            }
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn seven_tv_gives_the_name_that_the_set_has_and_omits_what_is_empty() {
        let set = r#"{"id":"s1","name":"x","emotes":[{"id":"e1","name":"alias","flags":1,"data":{"name":"base"}}]}"#;
        assert_eq!(names(Provider::SevenTv, &SetScope::Global, set).unwrap(), ["alias=e1"]);
        let empty = names(Provider::SevenTv, &SetScope::Global, r#"{"id":"s1","emote_count":0}"#);
        assert!(empty.unwrap().is_empty());
        let user = format!(r#"{{"id":"42","emote_set":{set},"user":{{"id":"u1"}}}}"#);
        let answer = read(Provider::SevenTv, &channel(), user.as_bytes()).unwrap();
        let subject = Some(Subject { set: "s1".to_owned(), user: Some("u1".to_owned()) });
        let emotes = vec![("alias".into(), "e1".into())];
        assert_eq!(answer, SetAnswer::Set { emotes, subject });
    }

    #[test]
    fn seven_tv_may_name_a_set_that_the_answer_does_not_hold() {
        let user = |fields: &str| {
            let body = format!(r#"{{"id":"42",{fields}"user":{{"id":"u1"}}}}"#);
            read(Provider::SevenTv, &channel(), body.as_bytes())
        };
        let subject = |set: &str| Subject { set: set.to_owned(), user: Some("u1".to_owned()) };
        let elsewhere = Ok(SetAnswer::Elsewhere(subject("s1")));
        assert_eq!(user(r#""emote_set":null,"emote_set_id":"s1","#), elsewhere);
        assert_eq!(user(r#""emote_set_id":"s1","#), elsewhere);
        assert_eq!(user(r#""emote_set":{"id":"s1","emote_count":2},"#), elsewhere);
        let nobodys = Ok(SetAnswer::NoSet(Some(subject(""))));
        assert_eq!(user(r#""emote_set":null,"emote_set_id":null,"#), nobodys);
        assert_eq!(user(r#""emote_set":null,"#), nobodys);
        assert!(user("").unwrap_err().contains("neither emote_set nor"));
        assert!(read_set(br#"{"id":"s1","emote_count":2}"#, None).is_err());
        assert!(read_set(br#"{"id":"s1","emote_count":0}"#, None).is_ok());
    }

    #[test]
    fn a_room_of_franker_face_z_without_its_set_is_no_empty_set() {
        for body in [r#"{"room":{"set":3},"sets":{}}"#, r#"{"room":{"set":3},"sets":{"3":{}}}"#] {
            assert!(read(Provider::FrankerFaceZ, &channel(), body.as_bytes()).is_err(), "{body}");
        }
        let global = br#"{"default_sets":[3],"sets":{}}"#;
        assert!(read(Provider::FrankerFaceZ, &SetScope::Global, global).is_err());
        let empty = r#"{"room":{"set":3},"sets":{"3":{"emoticons":[]}}}"#;
        assert!(names(Provider::FrankerFaceZ, &channel(), empty).unwrap().is_empty());
    }

    #[test]
    fn better_ttv_has_a_list_for_all_and_two_for_a_channel() {
        let list = r#"[{"id":"b1","code":"(ditto)","imageType":"gif"}]"#;
        assert_eq!(names(Provider::BetterTtv, &SetScope::Global, list).unwrap(), ["(ditto)=b1"]);
        let both = format!(
            r#"{{"id":"x","channelEmotes":[{{"id":"c","code":"own"}}],"sharedEmotes":{list}}}"#
        );
        assert_eq!(names(Provider::BetterTtv, &channel(), &both).unwrap(), ["own=c", "(ditto)=b1"]);
    }

    #[test]
    fn franker_face_z_is_believed_for_its_default_sets_only() {
        let sets = r#""sets":{"3":{"emoticons":[{"id":25,"name":"ZreknarF"}]},"9":{"emoticons":[{"id":7,"name":"Mine"}]}}"#;
        let global = format!(r#"{{"default_sets":[3,4],{sets}}}"#);
        assert_eq!(
            names(Provider::FrankerFaceZ, &SetScope::Global, &global).unwrap(),
            ["ZreknarF=25"]
        );
        let room = format!(r#"{{"room":{{"set":3}},{sets}}}"#);
        assert_eq!(names(Provider::FrankerFaceZ, &channel(), &room).unwrap().len(), 2);
    }

    #[test]
    fn one_emote_that_cannot_be_read_is_left_out_and_only_such_are_nonsense() {
        let of = |list: &str| names(Provider::BetterTtv, &SetScope::Global, list);
        let mixed = r#"[{"id":"a","code":"Good"},{"id":"b"},null,7,{"id":"c","code":"two words"},{"id":"d","code":""}]"#;
        assert_eq!(of(mixed).unwrap(), ["Good=a"]);
        assert!(of(r#"[{"oops":1},null]"#).unwrap_err().contains("not one of 2"));
    }

    #[test]
    fn what_is_no_answer_of_the_provider_is_no_empty_set() {
        for provider in Provider::ALL {
            for of in [SetScope::Global, channel()] {
                for nonsense in ["", "{}", "null", "<html>down</html>", "{\"error\":\"oops\"}", "7"]
                {
                    let read = read(provider, &of, nonsense.as_bytes());
                    assert!(read.is_err(), "{provider:?} {of:?} {nonsense:?} {read:?}");
                }
            }
        }
    }

    #[test]
    fn more_emotes_than_there_can_be_are_refused() {
        let many = vec![r#"{"id":"a","code":"b"}"#; MOST + 1].join(",");
        let read = names(Provider::BetterTtv, &SetScope::Global, &format!("[{many}]"));
        assert!(read.unwrap_err().contains("more than"));
    }
}
