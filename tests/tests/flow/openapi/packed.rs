//! Compression, tags, and how long answers may be kept.

use std::io::Read;

use anyhow::{Context, Result, ensure};

use super::ask::{Answer, Call};
use super::stage::{Stage, now};

fn gunzipped(answer: &Answer) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&*answer.body).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[test]
fn answers_are_compressed_and_sent_again_only_where_they_may_have_changed() -> Result<()> {
    let stage = Stage::new()?;
    stage.wait_for_sets()?;
    compressed(&stage)?;
    same(&stage)?;
    kept(&stage)
}

/// Long answers are, for who takes it; nothing else is.
fn compressed(stage: &Stage) -> Result<()> {
    let gzip = |path: &str| Call::get(path).with("Accept-Encoding", "gzip, br");
    for path in ["openapi.json", "rules"] {
        let plain = stage.get(path)?;
        ensure!(plain.header("content-encoding").is_empty() && plain.body.len() > 1400, "{path}");
        let packed = stage.ask(&gzip(path))?;
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
        ensure!(packed.body.len() * 2 < plain.body.len(), "{path}: {}", packed.body.len());
        if path == "openapi.json" {
            assert_eq!(gunzipped(&packed)?, plain.body, "{path}");
            assert_eq!(packed.header("etag"), plain.header("etag"));
        }
        assert_eq!(packed.header("vary"), "accept-encoding, authorization", "{path}");
        assert_eq!(packed.header("content-length"), packed.body.len().to_string(), "{path}");
    }
    // What is small, what comes in pieces, and what is refused goes as it is.
    let post = |path: &str| Call { method: "POST", ..gzip(path) };
    for call in [gzip("whoami"), gzip("export"), gzip("backup"), gzip("tokens/x"), post("backup")] {
        let answer = stage.ask(&call)?;
        ensure!(answer.header("content-encoding").is_empty(), "{call:?}: {:?}", answer.headers);
    }
    Ok(())
}

/// What the asker has is not sent again.
fn same(stage: &Stage) -> Result<()> {
    let tagged = stage.get("whoami")?;
    assert_eq!(tagged.header("cache-control"), "private, no-cache");
    let tag = tagged.header("etag").to_owned();
    let same = stage.ask(&Call::get("whoami").with("If-None-Match", &tag))?;
    ensure!(same.status == 304 && same.body.is_empty(), "{same:?}");
    assert_eq!(same.header("etag"), tag);
    let viewer = stage.token("viewer")?;
    let other = stage.ask(&Call::get("whoami").by(&viewer).with("If-None-Match", &tag))?;
    ensure!(other.status == 200 && other.header("etag") != tag, "{other:?}");
    Ok(())
}

/// Only what can no longer change may be kept without asking.
fn kept(stage: &Stage) -> Result<()> {
    let (day, now) = (86_400_000, now());
    let long_ago = format!("from={}&to={}", now - 3 * day, now - 2 * day);
    let late = format!("from={}&to={}", now - 2 * day, now - day / 2);
    let kept = "private, max-age=3600";
    for (path, expected) in [
        (format!("channels/seaside/series?of=messages&{long_ago}"), kept),
        (format!("channels/seaside/series?of=messages&format=csv&{long_ago}"), kept),
        (format!("channels/seaside/emotes?{long_ago}"), kept),
        (format!("channels/seaside/series?of=messages&{late}"), "private, no-cache"),
        ("channels/seaside/series?of=messages".to_owned(), "private, no-cache"),
        // The sets of the present may change, whatever the range is.
        (format!("channels/seaside/emotes?used=false&{long_ago}"), "private, no-cache"),
        ("status".to_owned(), "private, no-cache"),
        ("tokens".to_owned(), "private, no-cache"),
        ("export".to_owned(), "no-store"),
        ("nothing".to_owned(), "no-store"),
        ("channels/nowhere/emotes".to_owned(), "no-store"),
    ] {
        let answer = stage.get(&path)?;
        assert_eq!(answer.header("cache-control"), expected, "{path}: {}", answer.status);
    }
    let made = stage.ask(&Call::post("tokens", &serde_json::json!({ "role": "viewer" })))?;
    assert_eq!(made.header("cache-control"), "no-store");
    let (head, _) = Call::get("watch").begin(stage.town.http, &stage.owner)?;
    assert_eq!(head.header("cache-control"), "no-cache");
    ensure!(head.header("content-encoding").is_empty() && head.header("etag").is_empty());
    head.header("content-type").strip_prefix("text/event-stream").context("no events")?;
    Ok(())
}
