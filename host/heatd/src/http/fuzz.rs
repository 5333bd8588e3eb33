//! Fuzz targets of the API: bodies and queries, up to where the engine would be asked.

use heat_engine::Given;
use heat_tests::fuzz::Target;
use serde::de::DeserializeOwned;

use crate::control::{Edit, Imagined, Undone, as_json, as_toml};
use crate::http::form::body::json;
use crate::http::form::query::{Query, check_size, whole};
use crate::http::resources::audit::SlotFilter;
use crate::http::resources::dead_letters::RetryRequest;
use crate::http::resources::replay::ReplayQuery;
use crate::http::resources::simulate::SimulateRequest;
use crate::http::resources::stream::StreamRequest;
use crate::http::resources::tokens::TokenRequest;

const BODIES: Target = Target {
    name: "api_bodies",
    run: api_bodies,
    seeds: &[
        b"",
        b"{\"user\":\"@bob\",\"since\":1767225600000,\"preview\":true}",
        b"{\"event\":\"abc\"}",
        b"{\"event\":{\"kind\":\"chat\",\"user\":\"ann (moderator)\",\"text\":\"?fave pie\"},\"live\":true}",
        b"{\"event\":{\"kind\":\"gift\",\"tier\":4,\"count\":0}}",
        b"{\"kind\":\"raid\",\"viewers\":250}",
        b"{\"set\":{\"half_life\":\"12s\",\"cap\":100,\"levels\":{\"warm\":10.5,\"hot\":25},\"list\":[\"a\",true]},\"unset\":[\"b\"]}",
        b"{\"state\":\"start\"}",
        b"{\"letter\":7}",
    ],
    words: &[
        "{", "}", "[", "]", "\"", ":", ",", "null", "true", "-0", "1e308", "1e400", "\\u0000", "\\ud800",
        "\"set\":", "\"unset\":", "\"user\":", "\"event\":", "\"kind\":\"fave\"", "\"kind\":\"redeem\"",
        "\"text\":", "\"item\":", "\"tier\":", " (vip, bits 100, emote Kappa)", "[[[[[[[[[[[[[[[[",
        "{\"a\":{\"a\":{\"a\":",
    ],
    recorded: &["eventsub/chatterino_event_bodies.ndjson"],
    inputs: 10_000,
};

fn api_bodies(input: &[u8]) {
    let _ = body::<Undone>(input);
    let _ = body::<StreamRequest>(input);
    let _ = body::<RetryRequest>(input);
    let _ = body::<TokenRequest>(input);
    let simulation = body::<SimulateRequest>(input).map(|it| it.event);
    for imagined in [simulation, body::<Imagined>(input)].into_iter().flatten() {
        // Without rules; a refusal is an answer too.
        let _ = imagined.happening(&[]);
    }
    if let Some(edit) = body::<Edit>(input)
        && let Ok(settings) = edit.apply(&[("b".to_owned(), Given::Boolean(true))])
    {
        settings.iter().for_each(|(_, given)| comes_back(given));
    }
}

fn body<V: DeserializeOwned>(input: &[u8]) -> Option<V> {
    json(input).ok()
}

/// A changed setting is shown as JSON and kept as TOML. Both must read back as the same value.
fn comes_back(given: &Given) {
    let table: toml::Table = format!("value = {}", as_toml(given))
        .parse()
        .unwrap_or_else(|error| panic!("{given:?} is written as no TOML: {error}"));
    assert_eq!(&heat_engine::cases::given(&table["value"]).expect("a value"), given);
    let edit = serde_json::json!({ "set": { "a": as_json(given) } });
    let edit: Edit = serde_json::from_value(edit).expect("an edit");
    assert_eq!(edit.apply(&[]), Ok(vec![("a".to_owned(), given.clone())]));
}

const QUERIES: Target = Target {
    name: "api_queries",
    run: api_queries,
    seeds: &[
        b"channel=seaside&slot=decay&count=3",
        b"output=heat&count=18446744073709551615",
        b"slot=decay&from=0&to=1767225600000&output=level&log=12",
        b"channel=%23Seaside",
        b"of=messages&of=emote:7tv:a%2Fb&from=5&to=1767225600000&interval=30s&search=%27",
        b"of=output:heat&to=18446744073709551615&from=18446744073709551614&interval=1h",
    ],
    words: &[
        "&",
        "=",
        "%",
        "%00",
        "%ff",
        "+",
        "channel=",
        "slot=",
        "count=",
        "from=",
        "to=",
        "log=",
        "?",
        "of=emote:",
        "interval=1m",
        "search=",
    ],
    recorded: &[],
    inputs: 10_000,
};

fn api_queries(input: &[u8]) {
    // What stands behind a # is never sent.
    let Some(text) = std::str::from_utf8(input).ok().filter(|it| !it.contains('#')) else { return };
    let _ = ReplayQuery::read(Query::of(Some(text)));
    let mut series = Query::of(Some(text));
    if let (Ok(whats), Ok(range)) = (series.series(), series.range())
        && let Ok(interval) = series.interval(range, &crate::config::Retention::default())
    {
        assert!(!whats.is_empty() && range.from <= range.to, "{text}");
        let whole = whole(range, interval);
        assert!(whole.from <= range.from && range.to <= whole.to, "{text}");
        let _ = (check_size(whats.len(), interval, whole), series.search(), series.end());
    }
    let mut query = Query::of(Some(text));
    let names_a_channel = query.has("channel");
    if let Ok(filter) = SlotFilter::read(&mut query) {
        // A filter without a channel matches every channel, and a filter with one matches only that one.
        let (one, other) = (filter.has("seaside", "decay"), filter.has("beach", "decay"));
        assert!(!(one && other && names_a_channel), "{text}");
    }
}

#[test]
fn bodies_of_the_api_are_read_or_refused() {
    BODIES.check();
}

#[test]
fn queries_of_the_api_are_read_or_refused() {
    QUERIES.check();
}
