//! What a rule's file can do before it runs: files that cost far more to load than they take, each refused by a bound.

use std::time::Instant;

use anyhow::Result;
use heat_engine::{Component, Limits, Sandbox};
use heat_tests::bombs;
use serde_json::json;

use crate::Setup;
use crate::attacks::print;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let (sandbox, limits) = (Sandbox::new(None)?, Limits::default());
    for bomb in bombs::all() {
        if setup.only.as_deref().is_some_and(|only| !bomb.name.contains(only)) {
            continue;
        }
        let started = Instant::now();
        let said = match Component::load(&sandbox, &limits, &bomb.bytes) {
            Ok(_) => "nothing: it was loaded".to_owned(),
            Err(error) => error.to_string(),
        };
        print(&json!({
            "file": bomb.name,
            "bytes": bomb.bytes.len(),
            "refused": said.contains(bomb.refused),
            "how": said,
            "ms": started.elapsed().as_secs_f64() * 1e3,
        }))?;
    }
    Ok(())
}
