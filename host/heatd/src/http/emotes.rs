//! Which emotes were used, and which were not: `GET /channels/{channel}/emotes`.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use heat_engine::{Range, Total, What};
use serde_json::{Value, json};

use super::asked::{Asked, provider_name, wrong};
use super::problem::Problem;
use super::series::{Form, csv_answer, field, json_answer, whole};
use super::steps::blocking;
use super::{Api, kept};
use crate::clock::now;
use crate::emotes::{Emote, EmoteList, State as Known};

/// How many emotes an answer has when nobody says how many.
pub(super) const EMOTES: usize = 50;

/// How many it may have.
pub(super) const MOST_EMOTES: usize = 10_000;

/// `GET /channels/{channel}/emotes`
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let channel = super::counted(&api, &channel)?;
    let mut asked = Asked::of(query.as_deref());
    let (range, form) = (asked.range()?, Form::of(&mut asked)?);
    let interval = asked.interval(range, &api.channels.config.series)?;
    let most = asked.count("count", EMOTES, MOST_EMOTES)?;
    let is_unused = asked.choice("used", ["true", "false"])? == "false";
    if is_unused && asked.has("order") {
        return Err(wrong("order", "what was not used comes by provider and name"));
    }
    let least_first = asked.choice("order", ["most", "least"])? == "least";
    let search = asked.search()?;
    asked.end()?;
    let series = api.statistics()?;
    let listed = match is_unused {
        // Bins that are gone would make every emote one that was not used.
        true if now().saturating_sub(range.from) > api.channels.config.series.of(interval) => {
            let name = interval.name();
            let why = format!("bins of {name} are not kept as long as that; leave `interval` out");
            return Err(wrong("interval", &why));
        }
        true => Some(known(&api, &channel)?),
        false => None,
    };
    let turn = api.seats.question().await;
    blocking(move || {
        // Who has asked may be gone long before this ends.
        let _turn = turn;
        let range = whole(range, interval);
        let mut totals = series.totals(&channel, interval, range)?;
        totals.retain(|total| matches!(total.what, What::Emote(..)));
        if let Some(mut listed) = listed {
            leave(&mut listed, &totals, search.as_deref());
            listed.emotes.truncate(most);
            return Ok(unused(form, &channel, range, &listed));
        }
        if let Some(search) = &search {
            totals.retain(|total| name_of(total).to_lowercase().contains(search.as_str()));
        }
        totals.sort_by(|one, other| {
            let order = other.count.cmp(&one.count);
            let order = if least_first { order.reverse() } else { order };
            order.then_with(|| one.what.cmp(&other.what))
        });
        totals.truncate(most);
        let answer = match form {
            Form::Json => used(&channel, range, &totals),
            Form::Csv => table(totals.iter().map(row)),
        };
        Ok(kept::about(range, answer))
    })
    .await
}

/// What the channel has. Where nothing is known, nobody can say what was not used.
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

/// Leaves those that were not used and have this in their names, by provider and name.
fn leave(listed: &mut EmoteList, used: &[Total], search: Option<&str>) {
    let used: HashSet<(&str, &str)> =
        used.iter().map(|it| (provider_of(it), name_of(it))).collect();
    listed.emotes.retain(|it| {
        !used.contains(&(it.provider.name(), it.name.as_str()))
            && search.is_none_or(|search| it.name.to_lowercase().contains(search))
    });
}

fn provider_of(total: &Total) -> &'static str {
    match &total.what {
        What::Emote(provider, _) => provider_name(*provider),
        _ => "",
    }
}

fn name_of(total: &Total) -> &str {
    match &total.what {
        What::Emote(_, name) => name,
        _ => "",
    }
}

fn used(channel: &str, range: Range, totals: &[Total]) -> Response {
    let emote = |it: &Total| {
        json!({
            "name": name_of(it), "provider": provider_of(it), "id": it.id, "uses": it.count,
            "last": it.last,
        })
    };
    let emotes: Vec<Value> = totals.iter().map(emote).collect();
    json_answer(
        &json!({ "channel": channel, "from": range.from, "to": range.to, "emotes": emotes }),
    )
}

fn unused(form: Form, channel: &str, range: Range, listed: &EmoteList) -> Response {
    if form == Form::Csv {
        let row = |it: &Emote| {
            [
                it.provider.name().to_owned(),
                field(&it.name),
                field(&it.id),
                "0".to_owned(),
                String::new(),
            ]
        };
        return table(listed.emotes.iter().map(row));
    }
    let of = |own: bool| if own { "channel" } else { "everybody" };
    let emotes = listed.emotes.iter().map(|it| {
        json!({
            "name": it.name, "provider": it.provider.name(), "id": it.id, "uses": 0, "last": null,
            "of": of(it.own),
        })
    });
    let sets = listed.sets.iter().map(|(own, provider, state)| {
        let (state, emotes) = match state {
            Known::Known(emotes) => ("known", Some(*emotes)),
            Known::Unknown => ("unknown", None),
            Known::Off => ("off", None),
        };
        json!({ "provider": provider.name(), "of": of(*own), "state": state, "emotes": emotes })
    });
    json_answer(&json!({
        "channel": channel, "from": range.from, "to": range.to,
        "emotes": emotes.collect::<Vec<_>>(), "sets": sets.collect::<Vec<_>>(),
    }))
}

fn row(it: &Total) -> [String; 5] {
    let (uses, last) = (it.count.to_string(), it.last.to_string());
    [provider_of(it).to_owned(), field(name_of(it)), field(&it.id), uses, last]
}

fn table(rows: impl Iterator<Item = [String; 5]>) -> Response {
    let mut text = "provider,name,id,uses,last_ms\r\n".to_owned();
    for row in rows {
        text += &row.join(",");
        text += "\r\n";
    }
    csv_answer(text)
}
