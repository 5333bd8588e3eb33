//! What the providers answer, as far as it matters: names and ids.
//!
//! Read leniently: what is not known is passed over, and an emote that cannot be read is left out. But an answer that has none of the
//! parts by which it is known is nonsense, and not an empty set: a set that is there is not given up for it.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::config::provider::{Of, Provider};

/// More emotes than any set has; whoever answers so much is broken.
const MOST: usize = 50_000;

/// The longest name, in bytes. Nobody can type more.
const LONGEST: usize = 200;

/// An emote: what is typed for it, and the provider's id.
pub(super) type Named = (Box<str>, Box<str>);

/// By what 7TV's events know a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Subject {
    /// The set.
    pub(super) set: String,
    /// Who may change to another set. The global one has nobody.
    pub(super) user: Option<String>,
}

/// What an answer says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) emotes: Vec<Named>,
    pub(super) subject: Option<Subject>,
}

/// Reads an answer. The error is for people.
pub(super) fn read(provider: Provider, of: &Of, body: &[u8]) -> Result<Answer, String> {
    match (provider, of) {
        (Provider::SevenTv, Of::Global) => seventv_set(parse(body)?, None),
        (Provider::SevenTv, Of::Channel { .. }) => seventv_user(parse(body)?),
        (Provider::BetterTtv, Of::Global) => plain(named(parse::<List<BttvEmote>>(body)?)),
        (Provider::BetterTtv, Of::Channel { .. }) => bttv_channel(parse(body)?),
        (Provider::FrankerFaceZ, Of::Global) => ffz_global(parse(body)?),
        (Provider::FrankerFaceZ, Of::Channel { .. }) => {
            let sets = parse::<FfzRoom>(body)?.sets;
            plain(ffz_sets(sets.into_values().collect()))
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn plain(emotes: Result<Vec<Named>, String>) -> Result<Answer, String> {
    Ok(Answer { emotes: emotes?, subject: None })
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
enum Id {
    Text(Box<str>),
    Number(u64),
}

impl From<Id> for Box<str> {
    fn from(id: Id) -> Self {
        match id {
            Id::Text(text) => text,
            Id::Number(number) => number.to_string().into(),
        }
    }
}

/// Of 7TV and FrankerFaceZ. 7TV's name is the one that the set gives it.
#[derive(Deserialize)]
pub(super) struct NamedEmote {
    id: Id,
    name: Box<str>,
}

#[derive(Deserialize)]
struct BttvEmote {
    id: Id,
    code: Box<str>,
}

impl From<NamedEmote> for Named {
    fn from(emote: NamedEmote) -> Self {
        (emote.name, emote.id.into())
    }
}

impl From<BttvEmote> for Named {
    fn from(emote: BttvEmote) -> Self {
        (emote.code, emote.id.into())
    }
}

/// Those of a list that can be read, and typed.
fn named<T: Into<Named>>(list: List<T>) -> Result<Vec<Named>, String> {
    let all = list.len();
    if all > MOST {
        return Err(format!("{all} emotes in one set are more than the {MOST} that are believed"));
    }
    let read = list.into_iter().filter_map(|it| match it {
        Maybe::Is(emote) => Some(emote.into()),
        Maybe::IsNot(_) => None,
    });
    let read: Vec<Named> =
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
}

#[derive(Deserialize)]
struct SevenTvUser {
    /// By which an answer about a user is known.
    #[serde(rename = "id")]
    _id: String,
    emote_set: Option<SevenTvSet>,
    user: Option<SevenTvOwner>,
}

#[derive(Deserialize)]
struct SevenTvOwner {
    id: String,
}

fn seventv_set(set: SevenTvSet, user: Option<String>) -> Result<Answer, String> {
    let emotes = named(set.emotes.unwrap_or_default())?;
    Ok(Answer { emotes, subject: Some(Subject { set: set.id, user }) })
}

fn seventv_user(answer: SevenTvUser) -> Result<Answer, String> {
    let user = answer.user.map(|user| user.id);
    match answer.emote_set {
        Some(set) => seventv_set(set, user),
        // Somebody who has an account and no set. That one is chosen is an event of the user.
        None => Ok(Answer {
            emotes: Vec::new(),
            subject: user.map(|user| Subject { set: String::new(), user: Some(user) }),
        }),
    }
}

#[derive(Deserialize)]
struct BttvChannel {
    #[serde(rename = "channelEmotes")]
    own: Option<List<BttvEmote>>,
    #[serde(rename = "sharedEmotes")]
    shared: Option<List<BttvEmote>>,
}

fn bttv_channel(channel: BttvChannel) -> Result<Answer, String> {
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
    emoticons: Option<List<NamedEmote>>,
}

fn ffz_global(mut answer: FfzGlobal) -> Result<Answer, String> {
    let sets = answer.default_sets.iter().filter_map(|id| answer.sets.remove(&id.to_string()));
    plain(ffz_sets(sets.collect()))
}

fn ffz_sets(sets: Vec<FfzSet>) -> Result<Vec<Named>, String> {
    named(sets.into_iter().filter_map(|set| set.emoticons).flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> Of {
        Of::Channel { login: "ann".to_owned(), id: "42".to_owned() }
    }

    fn names(provider: Provider, of: &Of, body: &str) -> Result<Vec<String>, String> {
        let answer = read(provider, of, body.as_bytes())?;
        Ok(answer.emotes.into_iter().map(|(name, id)| format!("{name}={id}")).collect())
    }

    #[test]
    fn seven_tv_gives_the_name_that_the_set_has_and_omits_what_is_empty() {
        let set = r#"{"id":"s1","name":"x","emotes":[{"id":"e1","name":"alias","flags":1,"data":{"name":"base"}}]}"#;
        assert_eq!(names(Provider::SevenTv, &Of::Global, set).unwrap(), ["alias=e1"]);
        let empty = names(Provider::SevenTv, &Of::Global, r#"{"id":"s1","emote_count":0}"#);
        assert!(empty.unwrap().is_empty());
        let user = format!(r#"{{"id":"42","emote_set":{set},"user":{{"id":"u1"}}}}"#);
        let answer = read(Provider::SevenTv, &channel(), user.as_bytes()).unwrap();
        let subject = Subject { set: "s1".to_owned(), user: Some("u1".to_owned()) };
        assert_eq!((answer.emotes.len(), answer.subject), (1, Some(subject)));
        let without = r#"{"id":"42","emote_set":null,"user":{"id":"u1"}}"#;
        assert!(names(Provider::SevenTv, &channel(), without).unwrap().is_empty());
    }

    #[test]
    fn better_ttv_has_a_list_for_all_and_two_for_a_channel() {
        let list = r#"[{"id":"b1","code":"(ditto)","imageType":"gif"}]"#;
        assert_eq!(names(Provider::BetterTtv, &Of::Global, list).unwrap(), ["(ditto)=b1"]);
        let both = format!(
            r#"{{"id":"x","channelEmotes":[{{"id":"c","code":"own"}}],"sharedEmotes":{list}}}"#
        );
        assert_eq!(names(Provider::BetterTtv, &channel(), &both).unwrap(), ["own=c", "(ditto)=b1"]);
    }

    #[test]
    fn franker_face_z_is_believed_for_its_default_sets_only() {
        let sets = r#""sets":{"3":{"emoticons":[{"id":25,"name":"ZreknarF"}]},"9":{"emoticons":[{"id":7,"name":"Mine"}]}}"#;
        let global = format!(r#"{{"default_sets":[3,4],{sets}}}"#);
        assert_eq!(names(Provider::FrankerFaceZ, &Of::Global, &global).unwrap(), ["ZreknarF=25"]);
        let room = format!(r#"{{"room":{{"set":3}},{sets}}}"#);
        assert_eq!(names(Provider::FrankerFaceZ, &channel(), &room).unwrap().len(), 2);
    }

    #[test]
    fn one_emote_that_cannot_be_read_is_left_out_and_only_such_are_nonsense() {
        let of = |list: &str| names(Provider::BetterTtv, &Of::Global, list);
        let mixed = r#"[{"id":"a","code":"Good"},{"id":"b"},null,7,{"id":"c","code":"two words"},{"id":"d","code":""}]"#;
        assert_eq!(of(mixed).unwrap(), ["Good=a"]);
        assert!(of(r#"[{"oops":1},null]"#).unwrap_err().contains("not one of 2"));
    }

    #[test]
    fn what_is_no_answer_of_the_provider_is_no_empty_set() {
        for provider in Provider::ALL {
            for of in [Of::Global, channel()] {
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
        let read = names(Provider::BetterTtv, &Of::Global, &format!("[{many}]"));
        assert!(read.unwrap_err().contains("more than"));
    }
}
