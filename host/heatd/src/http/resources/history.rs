//! `GET /history/messages`: what was said and done, found in the log, page by page.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use form_urlencoded::Serializer;
use heat_engine::wit::{Event, Happening, Person};
use heat_engine::{
    FAVE, Found, FoundKind, HistoryQuery, Identity, TextPattern, kind_of, person_of, thousandths,
};
use serde::Serialize;

use crate::control::{Error, known_as};
use crate::http::api::Api;
use crate::http::form::answer::JsonAnswer;
use crate::http::form::ndjson::blocking;
use crate::http::form::problem::Problem;
use crate::http::form::query::{LONGEST_NAME, Query, wrong};
use crate::http::form::table::{TableFormat, csv_answer, field};
use crate::http::guard::limits::Place;
use crate::view::feed::sentence;

/// How many messages a page has when nobody says how many, and how many it may have.
pub(crate) const MESSAGES: usize = 50;
pub(crate) const MOST_MESSAGES: usize = 1_000;

/// The longest words and expressions, in bytes.
pub(crate) const LONGEST_TEXT: usize = 500;

/// How many ids of a person a question may have.
const MOST_IDS: usize = 50;

/// How long a page takes: what is found by then is answered, and the next page goes on.
const BUDGET: Duration = Duration::from_millis(150);

/// Every kind of message.
pub(crate) const KINDS: [&str; 12] = [
    "chat",
    "subscription",
    "gift",
    "cheer",
    "raid",
    "follow",
    "redemption",
    "hype-train",
    "stream-start",
    "stream-end",
    "mqtt",
    FAVE,
];

#[derive(Serialize)]
struct HistoryAnswer {
    messages: Vec<MessageRow>,
    /// The query of the next page. None: there is no more.
    next: Option<String>,
    /// The time up to which the log was read.
    reached: Option<u64>,
}

#[derive(Serialize)]
struct MessageRow {
    number: u64,
    at: u64,
    channel: String,
    kind: &'static str,
    /// The id of the event.
    id: String,
    person: Option<AuthorRow>,
    text: String,
}

#[derive(Serialize)]
struct AuthorRow {
    id: String,
    login: String,
    name: String,
}

impl From<Person> for AuthorRow {
    fn from(person: Person) -> Self {
        Self { id: person.id, login: person.login, name: person.name }
    }
}

/// What was asked, as it was asked: the next page asks the same.
struct HistoryRequest {
    channel: Option<String>,
    user: Option<String>,
    ids: Vec<String>,
    text: Option<String>,
    expression: Option<String>,
    kinds: BTreeSet<String>,
    from: u64,
    to: Option<u64>,
    oldest_first: bool,
    after: Option<u64>,
    count: usize,
}

impl HistoryRequest {
    fn read(query: &mut Query) -> Result<Self, Problem> {
        let kinds: BTreeSet<String> = query.all("kind").into_iter().collect();
        if let Some(kind) = kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
            let why = format!("{kind:?} is none; there are {}", KINDS.join(", "));
            return Err(wrong("kind", &why));
        }
        let ids = query.all("id");
        if ids.len() > MOST_IDS {
            return Err(wrong("id", &format!("{MOST_IDS} are the most of a question")));
        }
        let mut short = |name: &str, longest: usize| match query.one(name)? {
            Some(text) if text.is_empty() => Err(wrong(name, "it is empty")),
            Some(text) if text.len() > longest => {
                Err(wrong(name, &format!("it has at most {longest} bytes")))
            }
            text => Ok(text),
        };
        let user = short("user", LONGEST_NAME)?;
        let (text, expression) = (short("text", LONGEST_TEXT)?, short("expression", LONGEST_TEXT)?);
        if text.is_some() && expression.is_some() {
            return Err(wrong("expression", "there may be `text` or this, not both"));
        }
        let (from, to) = (query.number("from")?.unwrap_or(0), query.number("to")?);
        if to.is_some_and(|to| to < from) {
            return Err(wrong("to", "the range ends before it begins; `from` comes first"));
        }
        Ok(Self {
            channel: query.channel()?,
            user,
            ids,
            text,
            expression,
            kinds,
            from,
            to,
            oldest_first: query.choice("order", ["newest", "oldest"])? == "oldest",
            after: query.number("after")?,
            count: query.count("count", MESSAGES, MOST_MESSAGES)?,
        })
    }

    fn pattern(&self) -> Result<Option<TextPattern>, Problem> {
        let refused = |name: &'static str| move |why: String| wrong(name, &why);
        match (&self.text, &self.expression) {
            (Some(text), _) => TextPattern::words(text).map(Some).map_err(refused("text")),
            (_, Some(it)) => TextPattern::expression(it).map(Some).map_err(refused("expression")),
            (None, None) => Ok(None),
        }
    }

    /// The query of the next page. Whoever was looked up is named by their ids from then on.
    fn next(&self, who: Option<&Identity>, after: u64) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in
            [("channel", &self.channel), ("text", &self.text), ("expression", &self.expression)]
        {
            query.extend_pairs(value.iter().map(|value| (name, value)));
        }
        query.extend_pairs(who.into_iter().flat_map(Identity::ids).map(|id| ("id", id)));
        query.extend_pairs(self.kinds.iter().map(|kind| ("kind", kind)));
        for (name, value) in [("from", Some(self.from)), ("to", self.to), ("after", Some(after))] {
            query.extend_pairs(value.map(|value| (name, value.to_string())));
        }
        query.append_pair("order", if self.oldest_first { "oldest" } else { "newest" });
        query.append_pair("count", &self.count.to_string());
        query.finish()
    }
}

/// `GET /history/messages`
pub(crate) async fn messages(
    State(api): State<Arc<Api>>,
    place: Place,
    mut query: Query,
) -> Result<Response, Problem> {
    let format = TableFormat::of(&mut query)?;
    let mut request = HistoryRequest::read(&mut query)?;
    query.end()?;
    let text = request.pattern()?;
    request.channel = channel_of(&api, &request)?;
    let channels: BTreeSet<String> = match &request.channel {
        Some(channel) => {
            api.must_have_history(channel)?;
            BTreeSet::from([channel.clone()])
        }
        None => {
            let names = api.registry.names().into_iter().map(|name| name.to_string());
            names.filter(|name| !api.without_history.contains(name)).collect()
        }
    };
    // To the search, no channels are all of them.
    if channels.is_empty() {
        let why = "no channel has a history for people: `without_history` in heatd.toml";
        return Err(Problem::new(StatusCode::CONFLICT, why));
    }
    let live = api.live.clone();
    let turn = api.limits.question().await;
    let answer = blocking((place, turn), move || {
        let snapshot =
            live.on_engine_thread("history.snapshot", |access| access.engine.snapshot())?;
        let who = match (&request.user, &request.channel) {
            (Some(user), Some(channel)) => Some(known_as(&snapshot, channel, user)?),
            _ if request.ids.is_empty() => None,
            _ => Some(Identity::of_ids(request.ids.iter().cloned())),
        };
        let started = Instant::now();
        let wanted = HistoryQuery {
            channels,
            kinds: request.kinds.clone(),
            who,
            text,
            from: request.from,
            to: request.to,
            oldest_first: request.oldest_first,
            after: request.after,
        };
        let page = snapshot.history(&wanted, request.count, || started.elapsed() < BUDGET)?;
        let next = page.next.map(|after| request.next(wanted.who.as_ref(), after));
        let messages = page.found.into_iter().flat_map(rows).collect();
        Ok::<_, Error>(HistoryAnswer { messages, next, reached: page.reached })
    })
    .await?;
    Ok(match format {
        TableFormat::Json => JsonAnswer(answer).into_response(),
        TableFormat::Csv => csv_answer(table(&answer.messages)),
    })
}

/// The channel that is asked about. A person is looked up in one: another channel may know somebody else by that name.
fn channel_of(api: &Api, request: &HistoryRequest) -> Result<Option<String>, Problem> {
    match &request.channel {
        // What was heard of a removed channel is kept.
        Some(name) if api.registry.removed().contains_key(name) => Ok(Some(name.clone())),
        Some(name) => api.channel(name).map(Some),
        None if request.user.is_none() => Ok(None),
        None => match api.registry.names().as_slice() {
            [only] => Ok(Some(only.to_string())),
            _ => Err(wrong("channel", "with `user`, name the channel that knows them so")),
        },
    }
}

fn rows(found: Found) -> Vec<MessageRow> {
    let Found { number, at, what } = found;
    match what {
        FoundKind::Event(event) => {
            let (kind, person) = (kind_of(&event), person_of(&event).map(AuthorRow::from));
            let text = words_of(&event);
            let Event { id, channel, .. } = *event;
            vec![MessageRow { number, at, channel, kind, id, person, text }]
        }
        FoundKind::Faves { channel, event, faves } => {
            let row = |counted: heat_engine::CountedFave| MessageRow {
                number,
                at,
                channel: channel.clone(),
                kind: FAVE,
                id: event.clone(),
                text: format!("{:?} {}", counted.fave.item, thousandths(counted.fave.weight)),
                person: Some(counted.fave.person.into()),
            };
            faves.into_iter().map(row).collect()
        }
    }
}

fn words_of(event: &Event) -> String {
    match &event.what {
        Happening::Chat(line) => line.text.clone(),
        what => sentence(what).map(|(_, text)| text).unwrap_or_default(),
    }
}

fn table(messages: &[MessageRow]) -> String {
    let mut table = "at_ms,channel,kind,login,name,text\r\n".to_owned();
    for row in messages {
        let (login, name) = row.person.as_ref().map_or(("", ""), |it| (&it.login, &it.name));
        let (channel, kind, text) = (field(&row.channel), row.kind, field(&row.text));
        let (login, name) = (field(login), field(name));
        let _ = writeln!(table, "{},{channel},{kind},{login},{name},{text}\r", row.at);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<HistoryRequest, String> {
        let mut query = Query::of(Some(query));
        let read = HistoryRequest::read(&mut query).and_then(|it| query.end().map(|()| it));
        read.map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn the_next_page_asks_the_same_with_ids_instead_of_a_name() {
        let request = read(
            "channel=Seaside&user=ann&text=a%26b&kind=chat&kind=raid&to=9&order=oldest&count=7",
        );
        let request = request.unwrap();
        let who = Identity::of_ids(["42".to_owned(), "@ann".to_owned()]);
        let next = request.next(Some(&who), 12);
        assert_eq!(
            next,
            "channel=seaside&text=a%26b&id=42&id=%40ann&kind=chat&kind=raid&from=0&to=9&after=12&order=oldest&count=7"
        );
        let again = read(&next).unwrap();
        assert_eq!((again.ids.len(), again.text.as_deref(), again.count), (2, Some("a&b"), 7));
    }

    #[test]
    fn every_mistake_is_named() {
        for (query, words) in [
            ("kind=rain", "\"rain\" is none; there are chat, "),
            ("text=", "it is empty"),
            ("text=a&expression=b", "not both"),
            ("from=9&to=8", "ends before it begins"),
            ("count=1001", "from 1 to 1000"),
            ("order=best", "newest and oldest"),
            ("usr=ann", "no such parameter"),
        ] {
            let refused = read(query).err().unwrap_or_default();
            assert!(refused.contains(words), "{query}: {refused}");
        }
        let odd = read("expression=(").unwrap().pattern().err().unwrap();
        let odd = odd.detail();
        assert!(odd.contains("unclosed group"), "{odd}");
    }

    #[test]
    fn a_table_runs_nothing() {
        let row = MessageRow {
            number: 1,
            at: 5,
            channel: "seaside".to_owned(),
            kind: "chat",
            id: "m".to_owned(),
            person: Some(AuthorRow { id: "1".into(), login: "ann".into(), name: "Ann".into() }),
            text: "=1+1, \"x\"".to_owned(),
        };
        let expected =
            "at_ms,channel,kind,login,name,text\r\n5,seaside,chat,ann,Ann,\"'=1+1, \"\"x\"\"\"\r\n";
        assert_eq!(table(&[row]), expected);
    }
}
