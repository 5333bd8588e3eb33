//! Which emotes were used, and which were not: `GET /channels/{channel}/emotes`.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use heat_engine::{Range, Total, What};
use serde::Serialize;

use crate::clock::now;
use crate::emotes::{Emote, EmoteList, SetState as Known};
use crate::http::api::Api;
use crate::http::form::answer::JsonAnswer;
use crate::http::form::conditional;
use crate::http::form::ndjson::blocking;
use crate::http::form::problem::Problem;
use crate::http::form::query::{Query, whole, wrong};
use crate::http::form::table::{TableFormat, csv_answer, field};
use crate::http::guard::limits::Place;
use crate::http::path::CountedPath;

/// How many emotes an answer has when nobody says how many, and how many it may have.
pub(crate) const EMOTES: usize = 50;
pub(crate) const MOST_EMOTES: usize = 10_000;

#[derive(Serialize)]
struct EmotePage {
    channel: String,
    from: u64,
    to: u64,
    emotes: Vec<EmoteRow>,
    /// In a list of unused emotes: what is known of each set.
    #[serde(skip_serializing_if = "Option::is_none")]
    sets: Option<Vec<SetRow>>,
}

#[derive(Serialize)]
struct EmoteRow {
    name: String,
    provider: &'static str,
    id: String,
    uses: i64,
    /// When it was used last.
    last: Option<u64>,
    /// In a list of unused emotes: whose set has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<&'static str>,
}

#[derive(Serialize)]
struct SetRow {
    provider: &'static str,
    of: &'static str,
    state: &'static str,
    /// How many it has, where that is known.
    emotes: Option<usize>,
}

/// What a list should have, and how it is written.
struct EmoteQuery {
    range: Range,
    format: TableFormat,
    most: usize,
    least_first: bool,
    search: Option<String>,
}

/// `GET /channels/{channel}/emotes`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    place: Place,
    CountedPath(channel): CountedPath,
    mut query: Query,
) -> Result<Response, Problem> {
    let (range, format) = (query.range()?, TableFormat::of(&mut query)?);
    let interval = query.interval(range, &api.kept)?;
    let most = query.count("count", EMOTES, MOST_EMOTES)?;
    let is_unused = query.choice("used", ["true", "false"])? == "false";
    if is_unused && query.has("order") {
        return Err(wrong("order", "what was not used comes by provider and name"));
    }
    let least_first = query.choice("order", ["most", "least"])? == "least";
    let search = query.search()?;
    query.end()?;
    let series = api.statistics()?;
    let listed = match is_unused {
        // Without bins of that time, every emote would look unused.
        true if now().saturating_sub(range.from) > api.kept.of(interval) => {
            let name = interval.name();
            let why = format!("bins of {name} are not kept as long as that; leave `interval` out");
            return Err(wrong("interval", &why));
        }
        true => Some(known(&api, &channel)?),
        false => None,
    };
    let turn = api.limits.question().await;
    blocking((place, turn), move || {
        let range = whole(range, interval);
        let mut totals = series.totals(&channel, interval, range)?;
        totals.retain(|total| matches!(total.what, What::Emote(..)));
        let query = EmoteQuery { range, format, most, least_first, search };
        Ok(match listed {
            Some(listed) => query.unused(channel, listed, &totals),
            None => conditional::about(range, query.used(channel, totals)),
        })
    })
    .await
}

/// The emotes that the channel has. Refused if no set is known: then nobody knows which emotes were not used.
fn known(api: &Api, channel: &str) -> Result<EmoteList, Problem> {
    let unavailable = |why| Problem::of_parameter(StatusCode::SERVICE_UNAVAILABLE, "used", why);
    let Some(shelves) = &api.shelves else {
        let why = "no provider of emotes is asked ([emotes] providers), and Twitch tells no set: so it is not known which emotes there are";
        return Err(Problem::of_parameter(StatusCode::CONFLICT, "used", why));
    };
    let listed = shelves.of(channel);
    if listed.sets.iter().all(|(.., state)| !matches!(state, Known::Known(_))) {
        return Err(unavailable("no provider has answered yet which emotes there are; ask again"));
    }
    Ok(listed)
}

impl EmoteQuery {
    /// The emotes that were used, by the number of uses.
    fn used(self, channel: String, mut totals: Vec<Total>) -> Response {
        if let Some(search) = &self.search {
            totals.retain(|total| name_of(total).to_lowercase().contains(search.as_str()));
        }
        totals.sort_by(|one, other| {
            let order = other.count.cmp(&one.count);
            let order = if self.least_first { order.reverse() } else { order };
            order.then_with(|| one.what.cmp(&other.what))
        });
        totals.truncate(self.most);
        let emotes = totals.iter().map(|it| EmoteRow {
            name: name_of(it).to_owned(),
            provider: provider_of(it),
            id: it.id.clone(),
            uses: it.count,
            last: Some(it.last),
            of: None,
        });
        self.answer(channel, emotes.collect(), None)
    }

    /// The emotes of known sets that were not used, by provider and name.
    fn unused(self, channel: String, mut listed: EmoteList, used: &[Total]) -> Response {
        let used: HashSet<(&str, &str)> =
            used.iter().map(|it| (provider_of(it), name_of(it))).collect();
        listed.emotes.retain(|it| {
            let search = self.search.as_ref();
            !used.contains(&(it.provider.name(), it.name.as_str()))
                && search.is_none_or(|search| it.name.to_lowercase().contains(search))
        });
        listed.emotes.truncate(self.most);
        let emotes = listed.emotes.into_iter().map(|it: Emote| EmoteRow {
            name: it.name,
            provider: it.provider.name(),
            id: it.id,
            uses: 0,
            last: None,
            of: Some(owner_of(it.own)),
        });
        let sets = listed.sets.iter().map(|(own, provider, state)| {
            let (state, emotes) = match state {
                Known::Known(emotes) => ("known", Some(*emotes)),
                Known::Unknown => ("unknown", None),
                Known::Off => ("off", None),
            };
            SetRow { provider: provider.name(), of: owner_of(*own), state, emotes }
        });
        let (emotes, sets) = (emotes.collect(), sets.collect());
        self.answer(channel, emotes, Some(sets))
    }

    fn answer(self, channel: String, emotes: Vec<EmoteRow>, sets: Option<Vec<SetRow>>) -> Response {
        let Range { from, to } = self.range;
        match self.format {
            TableFormat::Json => {
                JsonAnswer(EmotePage { channel, from, to, emotes, sets }).into_response()
            }
            TableFormat::Csv => table(&emotes),
        }
    }
}

fn owner_of(own: bool) -> &'static str {
    if own { "channel" } else { "everybody" }
}

fn provider_of(total: &Total) -> &'static str {
    match &total.what {
        What::Emote(provider, _) => provider.name(),
        _ => "",
    }
}

fn name_of(total: &Total) -> &str {
    match &total.what {
        What::Emote(_, name) => name,
        _ => "",
    }
}

fn table(emotes: &[EmoteRow]) -> Response {
    let mut text = "provider,name,id,uses,last_ms\r\n".to_owned();
    for EmoteRow { name, provider, id, uses, last, .. } in emotes {
        let last = last.map(|last| last.to_string()).unwrap_or_default();
        text += &format!("{provider},{},{},{uses},{last}\r\n", field(name), field(id));
    }
    csv_answer(text)
}
