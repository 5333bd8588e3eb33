//! The API's document is held against what heatd answers: every resource is asked, and each answer must have the shape that is described.

mod ask;
mod bad;
mod bodies;
mod described;
mod packed;
mod stage;
mod tour;
mod unused;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use ask::Call;
use described::Described;
use stage::Stage;

/// The schema of OpenAPI 3.1 by the OpenAPI Initiative (spec.openapis.org/oas/3.1/schema/2026-08-03, Apache 2.0), as it is.
const OFFICIAL: &str = include_str!("../../openapi/schema-3.1.json");

#[test]
fn the_document_is_valid_and_every_resource_answers_as_it_is_described() -> Result<()> {
    let mut stage = Stage::new()?;
    let document = stage.ask(&Call::get("openapi.json").without_token())?.json()?;
    is_valid(&document)?;
    // Every schema in it is one, and every example has the shape of its schema.
    Described::read(document.clone())?.check_schemas()?;
    let mut described = Described::read(document)?;
    tour::go(&mut stage, &mut described)?;
    let missing = described.not_tried();
    ensure!(missing.is_empty(), "nobody has tried {missing:?}");
    Ok(())
}

/// The official schema has nothing against it.
fn is_valid(document: &Value) -> Result<()> {
    let url = "https://spec.openapis.org/oas/3.1/schema";
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    let added = compiler.add_resource(url, serde_json::from_str(OFFICIAL)?);
    added.map_err(|error| anyhow::anyhow!("{error}"))?;
    let official = compiler.compile(url, &mut schemas);
    let official = official.map_err(|error| anyhow::anyhow!("{error}"))?;
    let judge = |document: &Value| {
        schemas.validate(document, official).map_err(|error| anyhow::anyhow!("{error:#}"))
    };
    judge(document)?;
    // It is a judge that refuses something.
    for (pointer, odd) in [
        ("/paths/~1status/get/responses/200", json!({ "content": {} })),
        ("/components/securitySchemes/token", json!({ "type": "htpp" })),
        ("/components/parameters/Of", json!({ "name": "of", "in": "body" })),
        ("/info", json!({ "title": "x" })),
    ] {
        let mut bent = document.clone();
        *bent.pointer_mut(pointer).context(pointer)? = odd;
        ensure!(judge(&bent).is_err(), "{pointer}");
    }
    Ok(())
}
