//! The document as a judge: it finds the operation of a request, and holds the answer against what is described there.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow, bail, ensure};
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use super::ask::{Answer, Call};

/// Under which address the document is known to the validator.
const URL: &str = "http://heatd/openapi.json";

/// Fields that are missing where there is nothing to tell.
const OPTIONAL: [&str; 17] = [
    "reason",
    "shadow",
    "also",
    "also_failed",
    "done",
    "total",
    "expected_ms",
    "elapsed_ms",
    "badges",
    "colour",
    "emotes",
    "reply_to",
    "shared_from",
    "bits",
    "first",
    "removed",
    "of",
];

pub(super) struct Described {
    document: Value,
    schemas: Schemas,
    compiler: Compiler,
    compiled: BTreeMap<String, SchemaIndex>,
    /// Method and path of what has answered well.
    tried: BTreeSet<(String, String)>,
}

impl Described {
    pub(super) fn read(document: Value) -> Result<Self> {
        let mut compiler = Compiler::new();
        let added = compiler.add_resource(URL, document.clone());
        added.map_err(|error| anyhow!("{error}"))?;
        let (schemas, compiled, tried) = (Schemas::new(), BTreeMap::new(), BTreeSet::new());
        Ok(Self { document, schemas, compiler, compiled, tried })
    }

    /// Every schema is one, and its examples are of it.
    pub(super) fn check_schemas(mut self) -> Result<()> {
        let mut places = Vec::new();
        find_schemas(&self.document, String::new(), &mut places);
        ensure!(places.len() > 100, "{} schemas were found", places.len());
        for place in places {
            let schema = self.document.pointer(&place).cloned().context("no schema")?;
            self.index(&place)?;
            let examples = schema["examples"].as_array().cloned().unwrap_or_default();
            for example in examples.iter().chain(schema.get("default")) {
                self.hold(&place, example)?;
            }
        }
        Ok(())
    }

    fn index(&mut self, pointer: &str) -> Result<SchemaIndex> {
        if let Some(index) = self.compiled.get(pointer) {
            return Ok(*index);
        }
        let url = format!("{URL}#{}", encoded(pointer));
        let index = self.compiler.compile(&url, &mut self.schemas);
        let index = index.map_err(|error| anyhow!("{pointer}: {error:#}"))?;
        self.compiled.insert(pointer.to_owned(), index);
        Ok(index)
    }

    /// An error when a value is not of the schema at this place.
    fn hold(&mut self, pointer: &str, value: &Value) -> Result<()> {
        let index = self.index(pointer)?;
        let judged = self.schemas.validate(value, index);
        judged.map_err(|error| {
            let begins: String = value.to_string().chars().take(500).collect();
            anyhow!("{pointer} is not what is answered: {error:#}\n{begins}")
        })
    }

    /// Method, template of the path, and where the operation is in the document.
    fn operation(&self, call: &Call) -> Option<(String, String, String)> {
        let place = call.place();
        let fits = |template: &str| {
            let (mut one, mut other) = (template.split('/'), place.split('/'));
            let same = one.by_ref().zip(other.by_ref()).all(|(a, b)| a.starts_with('{') || a == b);
            same && template.split('/').count() == place.split('/').count()
        };
        let paths = self.document["paths"].as_object()?.keys();
        // What is named comes before what is in braces.
        let found = paths.filter(|path| fits(path)).min_by_key(|path| path.matches('{').count())?;
        let method = call.method.to_lowercase();
        let pointer = format!("/paths/{}/{method}", escaped(found));
        self.document.pointer(&pointer)?;
        Some((call.method.to_owned(), found.clone(), pointer))
    }

    /// Holds a request and its answer against what is described.
    pub(super) fn check(&mut self, call: &Call, answer: &Answer) -> Result<()> {
        let asked = format!("{} {}", call.method, call.path);
        let Some((method, path, operation)) = self.operation(call) else {
            // What is not described is not there.
            ensure!([404, 405].contains(&answer.status), "{asked} is not described");
            let problem = serde_json::from_slice(&answer.body)?;
            return self.hold("/components/schemas/Problem", &problem);
        };
        let response = self.resolved(&format!("{operation}/responses/{}", answer.status));
        let response = response.with_context(|| {
            format!(
                "{asked}: an answer with {} is not described: {:?}",
                answer.status,
                answer.text()
            )
        })?;
        self.check_headers(&response, answer).context(asked.clone())?;
        let content = format!("{response}/content/{}", escaped(answer.kind()));
        ensure!(
            self.document.pointer(&content).is_some(),
            "{asked}: an answer of {:?} is not described: {content}",
            answer.kind()
        );
        self.check_body(&content, answer).context(asked.clone())?;
        if answer.status == 200 {
            self.check_request(&operation, call).context(asked)?;
            self.tried.insert((method, path));
        }
        Ok(())
    }

    fn check_headers(&mut self, response: &str, answer: &Answer) -> Result<()> {
        let headers = self.document.pointer(&format!("{response}/headers"));
        let names: Vec<String> = headers
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|it| it.keys())
            .cloned()
            .collect();
        for name in names {
            let value = answer.header(&name.to_lowercase());
            // Of wrong tokens and of many requests the wait is told, of the others there is none.
            ensure!(!value.is_empty(), "no header {name}");
            let value = value.parse::<u64>().map_or_else(|_| value.into(), Value::from);
            self.hold(&format!("{response}/headers/{name}/schema"), &value)?;
        }
        Ok(())
    }

    fn check_body(&mut self, content: &str, answer: &Answer) -> Result<()> {
        let schema = format!("{content}/schema");
        match answer.kind() {
            "application/octet-stream" => {
                ensure!(answer.body.len().to_string() == answer.header("content-length"));
                Ok(())
            }
            "application/json" | "application/problem+json" => {
                let value = serde_json::from_slice(&answer.body)?;
                self.hold(&schema, &value)?;
                self.refuses_others(&schema, &value)
            }
            "application/x-ndjson" => {
                let lines: Vec<&str> = answer.text()?.lines().collect();
                ensure!(!lines.is_empty() && answer.body.ends_with(b"\n"), "no whole lines");
                self.check_items(content, &lines)
            }
            "text/event-stream" => {
                let text = answer.text()?;
                let data: Vec<&str> =
                    text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
                ensure!(!data.is_empty(), "no events: {text}");
                self.check_items(content, &data)
            }
            _ => self.hold(&schema, &answer.text()?.into()),
        }
    }

    fn check_items(&mut self, content: &str, items: &[&str]) -> Result<()> {
        for item in items {
            let value: Value = serde_json::from_str(item).with_context(|| (*item).to_owned())?;
            self.hold(&format!("{content}/x-item"), &value)?;
            self.refuses_others(&format!("{content}/x-item"), &value)?;
        }
        Ok(())
    }

    /// The description must be so narrow that a field more, a field less or a renamed one would be noticed.
    fn refuses_others(&mut self, schema: &str, value: &Value) -> Result<()> {
        // The fields of records are in docs/export.md.
        if value["line"] == "record" || schema.contains("openapi.json") {
            return Ok(());
        }
        let mut objects = Vec::new();
        find_objects(value, String::new(), &mut objects);
        let index = self.index(schema)?;
        for place in objects {
            let fields = value.pointer(&place).and_then(Value::as_object).context("no object")?;
            let name = place.rsplit('/').next().unwrap_or_default();
            // Their names are those that rules choose.
            if name == "settings" {
                continue;
            }
            let mut more = value.clone();
            more.pointer_mut(&place).context("no object")?["no such field"] = json!([null]);
            ensure!(
                self.schemas.validate(&more, index).is_err(),
                "{schema} takes any field in {place:?} of {value}"
            );
            // Names of outputs and channels, and kinds of events, come and go.
            if ["outputs", "faves", "events"].contains(&name) {
                continue;
            }
            for field in fields.keys().filter(|field| !OPTIONAL.contains(&field.as_str())) {
                let mut less = value.clone();
                let object =
                    less.pointer_mut(&place).and_then(Value::as_object_mut).context("no object")?;
                object.remove(field);
                ensure!(
                    self.schemas.validate(&less, index).is_err(),
                    "{schema} is content without {field} in {place:?} of {value}"
                );
            }
        }
        Ok(())
    }

    /// What was taken must be described: the parameters, and the body.
    fn check_request(&mut self, operation: &str, call: &Call) -> Result<()> {
        let mut known = BTreeMap::new();
        for place in 0.. {
            let Some(parameter) = self.resolved(&format!("{operation}/parameters/{place}")) else {
                break;
            };
            let name = self.document.pointer(&parameter).map(|it| it["name"].clone());
            known.insert(
                name.unwrap_or_default().as_str().unwrap_or_default().to_owned(),
                parameter,
            );
        }
        let query = call.path.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split('=').next().unwrap_or_default();
            ensure!(known.contains_key(name), "the parameter {name} is taken and not described");
        }
        let body = format!("{operation}/requestBody");
        if call.body.is_empty() {
            return Ok(());
        }
        let content = format!("{body}/content/{}", escaped(call.kind));
        let content = self.document.pointer(&content).with_context(|| format!("no {content}"))?;
        if content.get("schema").is_none() || call.path.contains("log=") {
            return Ok(());
        }
        let schema = format!("{body}/content/{}/schema", escaped(call.kind));
        self.hold(&schema, &serde_json::from_slice(&call.body)?)
    }

    /// Whether a body is one that is described.
    pub(super) fn takes(&mut self, call: &Call) -> Result<bool> {
        let (.., operation) = self.operation(call).context("no such operation")?;
        let schema = format!("{operation}/requestBody/content/{}/schema", escaped(call.kind));
        let index = self.index(&schema)?;
        Ok(self.schemas.validate(&serde_json::from_slice(&call.body)?, index).is_ok())
    }

    /// Where that is what a place refers to, if it refers to something.
    fn resolved(&self, pointer: &str) -> Option<String> {
        let value = self.document.pointer(pointer)?;
        let reference = value.get("$ref").and_then(Value::as_str);
        Some(
            reference
                .map_or_else(|| pointer.to_owned(), |it| it.trim_start_matches('#').to_owned()),
        )
    }

    /// Parameters of the query that an operation has: method, path as it is written in the document, names.
    pub(super) fn queries(&self) -> Vec<(String, Vec<String>)> {
        let mut found = Vec::new();
        for (path, item) in self.document["paths"].as_object().into_iter().flatten() {
            let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
            let names = parameters.filter_map(|it| match it["$ref"].as_str() {
                Some(reference) => {
                    let it = self.document.pointer(reference.trim_start_matches('#'))?;
                    it["name"].as_str().map(str::to_owned)
                }
                None => it["name"].as_str().map(str::to_owned),
            });
            found.push((path.clone(), names.collect::<Vec<_>>()));
        }
        found.retain(|(_, names)| !names.is_empty());
        found
    }

    /// The operations that have not answered well so far.
    pub(super) fn not_tried(&self) -> Vec<(String, String)> {
        let mut missing = Vec::new();
        for (path, item) in self.document["paths"].as_object().into_iter().flatten() {
            for method in ["get", "put", "post", "delete"] {
                let operation = (method.to_uppercase(), path.clone());
                if item.get(method).is_some() && !self.tried.contains(&operation) {
                    missing.push(operation);
                }
            }
        }
        missing
    }
}

/// Where objects are in a value; of a list the first and the last are enough.
fn find_objects(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, it) in object {
                find_objects(it, format!("{place}/{}", escaped(name)), found);
            }
            found.push(place);
        }
        Value::Array(list) => {
            let ends = [0, list.len().saturating_sub(1)];
            for number in ends.iter().take(list.len()) {
                find_objects(&list[*number], format!("{place}/{number}"), found);
            }
        }
        _ => {}
    }
}

/// Where schemas are.
fn find_schemas(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, it) in object {
                let below = format!("{place}/{}", escaped(name));
                if name == "schema" || name == "x-item" || place == "/components/schemas" {
                    found.push(below.clone());
                }
                find_schemas(it, below, found);
            }
        }
        Value::Array(list) => {
            for (number, it) in list.iter().enumerate() {
                find_schemas(it, format!("{place}/{number}"), found);
            }
        }
        _ => {}
    }
}

/// A name in a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A pointer in the fragment of an address.
fn encoded(pointer: &str) -> String {
    pointer.replace('%', "%25").replace('{', "%7B").replace('}', "%7D").replace('+', "%2B")
}

/// What a tour has found to be otherwise than it is described: all of it at once.
pub(super) fn told(wrong: &[String]) -> Result<()> {
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n\n")) }
}
