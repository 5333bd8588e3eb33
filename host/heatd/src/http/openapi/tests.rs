//! The document against the router, the table of roles and the limits of the code; and in itself.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::http::form::query;
use crate::http::guard::access;
use crate::http::resources::{audit, dead_letters, emotes, faves, history, streams, watch, why};
use crate::http::routes::{ROUTES, Route, described};

const METHODS: [&str; 4] = ["get", "put", "post", "delete"];

/// Method, path, and the operation.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                found.push((method.to_uppercase(), path.clone(), operation));
            }
        }
    }
    found
}

/// The document as it is served.
fn document() -> Value {
    assembled(RoleLookup(described))
}

#[test]
fn every_route_is_in_the_document_with_its_role_and_nothing_else_is() {
    let document = document();
    // The page is for people.
    let is_page =
        |route: &&Route| route.who == AccessRule::Anybody && route.path != "/api/v1/openapi.json";
    let routes = ROUTES.iter().filter(|route| !is_page(route));
    let routes = routes.map(|route| {
        (route.method.to_string(), route.below_api().unwrap_or(route.path).to_owned(), route.who)
    });
    let mut described = Vec::new();
    for (method, path, operation) in operations(&document) {
        let role = operation.get("x-role").and_then(Value::as_str);
        assert_eq!(operation.get("security").is_none(), role.is_some(), "{method} {path}");
        described.push((method, path, role.map(str::to_owned)));
    }
    let role = |who| match who {
        AccessRule::Holder(role) => Some(role.name().to_owned()),
        AccessRule::Anybody | AccessRule::Machines => None,
    };
    let routes: BTreeSet<_> = routes.map(|(method, path, who)| (method, path, role(who))).collect();
    assert_eq!(described.into_iter().collect::<BTreeSet<_>>(), routes);
}

#[test]
fn every_file_is_read_and_every_name_is_there_once_and_used() {
    let files = RESOURCES.into_iter().chain(SCHEMAS).chain([BASE]);
    let mut names = BTreeMap::<String, u32>::new();
    for text in files {
        let file: Map<String, Value> = serde_json::from_str(text).unwrap();
        assert!(!file.is_empty());
        file.into_iter().for_each(|(name, _)| *names.entry(name).or_default() += 1);
    }
    let twice: Vec<_> = names.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");

    let document = document();
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    for reference in &used {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} is not there");
    }
    for kind in ["parameters", "responses", "schemas"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(used.contains(&reference), "{reference} is used by nothing");
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|it| references(it, found));
        }
        Value::Array(list) => list.iter().for_each(|it| references(it, found)),
        _ => {}
    }
}

#[test]
fn every_operation_says_what_it_is_and_every_object_which_fields_it_has() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
        assert!(ids.insert(text("operationId")), "{method} {path}: its id is another's");
        assert!(text("summary").ends_with('.'), "{method} {path}: no summary");
        assert!(operation["responses"].get("200").is_some(), "{method} {path}: no good answer");
    }
    let mut open = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        unlimited(name, schema, &mut open);
    }
    // Records of the log: docs/export.md promises their fields, by kind.
    assert_eq!(open, ["ExportLine/oneOf/5"]);
}

/// Objects whose fields are named and that may have others as well: one that is renamed would pass.
fn unlimited(place: &str, value: &Value, found: &mut Vec<String>) {
    let Some(object) = value.as_object() else {
        for (number, it) in value.as_array().into_iter().flatten().enumerate() {
            unlimited(&format!("{place}/{number}"), it, found);
        }
        return;
    };
    let is_open = object.get("type").is_some_and(|it| it == "object")
        && !object.contains_key("additionalProperties")
        && !object.contains_key("unevaluatedProperties");
    if is_open {
        found.push(place.to_owned());
    }
    object.iter().for_each(|(name, it)| unlimited(&format!("{place}/{name}"), it, found));
}

#[test]
fn limits_are_those_of_the_code() {
    let document = document();
    let at = |pointer: &str| document.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
    let limit = |pointer: &str| at(pointer).as_u64().unwrap() as usize;
    let words = |pointer: &str| at(pointer).as_str().unwrap().to_owned();
    let parameters = "/components/parameters";
    assert_eq!(limit(&format!("{parameters}/Of/schema/maxItems")), query::MOST_SERIES);
    let name = "/components/schemas/SeriesName";
    assert_eq!(limit(&format!("{name}/maxLength")), query::LONGEST_NAME);
    let interval = words(&format!("{parameters}/Interval/description"));
    for most in [query::MOST_BINS, query::MOST_TOGETHER] {
        assert!(interval.contains(&format!("{most}")), "{interval}");
    }
    let count = |path: &str| {
        let path = path.replace('/', "~1");
        let parameters = at(&format!("/paths/{path}/get/parameters")).as_array().unwrap();
        let count = &parameters.iter().find(|it| it["name"] == "count").unwrap()["schema"];
        assert_eq!(count["minimum"], 1);
        (count["default"].as_u64().unwrap() as usize, count["maximum"].as_u64().unwrap() as usize)
    };
    assert_eq!(count("/channels/{channel}/emotes"), (emotes::EMOTES, emotes::MOST_EMOTES));
    assert_eq!(count("/channels/{channel}/faves"), (faves::TOP, faves::MOST_TOP));
    assert_eq!(count("/channels/{channel}/why"), (why::CAUSES, why::MOST_CAUSES));
    let limits = (streams::STREAMS, streams::MOST_STREAMS);
    assert_eq!(count("/channels/{channel}/streams"), limits);
    let limits = (history::MESSAGES, history::MOST_MESSAGES);
    assert_eq!(count("/history/messages"), limits);
    assert_eq!(at("/components/schemas/MessageKind/enum"), &Value::from(history::KINDS.to_vec()));
    let parameters = at("/paths/~1history~1messages/get/parameters").as_array().unwrap();
    let text = parameters.iter().find(|it| it["name"] == "text").unwrap();
    assert_eq!(text["schema"]["maxLength"], history::LONGEST_TEXT);
    let last = &at("/paths/~1watch/get/parameters/1/schema/maximum");
    assert_eq!(**last, watch::MOST_LAST);
    assert_eq!(count("/audit"), (audit::ENTRIES, audit::MOST_ENTRIES));
    assert_eq!(count("/dead-letters"), (dead_letters::MOST_LETTERS, dead_letters::MOST_LETTERS));
    let long = words("/components/responses/414/description");
    assert!(long.contains(&access::LONGEST_ADDRESS.to_string()), "{long}");
    let intervals: Vec<_> =
        heat_engine::Resolution::ALL.iter().map(|it| Value::from(it.name())).collect();
    assert_eq!(at("/components/schemas/Interval/enum"), &Value::from(intervals));
}
