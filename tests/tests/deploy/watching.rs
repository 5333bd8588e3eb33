//! What heatd serves for Prometheus, and all that is written about it: the page of the docs, the alerts, the dashboard. One heatd for all
//! of it, in which everything has happened that makes a figure.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use heat_tests::mosquitto::Mosquitto;
use heat_tests::prometheus::{self, Page, get};
use serde_json::Value;

use crate::town::{Broker, Town};
use crate::{deploy, read};

/// The page in the text format, after there was some chat.
fn served() -> Result<String> {
    static PAGE: Mutex<Option<String>> = Mutex::new(None);
    let mut page = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    if page.is_none() {
        *page = Some(serve()?);
    }
    page.clone().context("no page")
}

fn serve() -> Result<String> {
    let (town, broker) = (Town::new()?, Mosquitto::start()?);
    let configuration = town.head(&["seaside", "harbour"], &Broker::At(broker.port()));
    // Nobody is logged in, so nothing is asked: the account is there for its figure.
    let account = "[[twitch.account]]\nchannel = \"seaside\"\nfeatures = [\"follows\"]\n[emotes]";
    let configuration = configuration.replacen("[emotes]", account, 1);
    let heatd = town.heatd(&(configuration + &Town::rules("LUL")?))?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave");
    town.chat.say("seaside", "bob", "hello");
    broker.publish("deck/fave", b"pie", false, 1)?;
    // One in chat, and the message in both channels.
    town.wait_for_figure("heatd_faves_total", 3)?;
    swap(&town)?;
    town.wait_for_figure("heatd_rule_swaps_total{outcome=\"done\"}", 1)?;
    open_metrics(&town)?;
    counted(&Page::fetch(town.http)?)?;
    Ok(get(town.http, "/metrics", "text/plain")?.2)
}

fn swap(town: &Town) -> Result<()> {
    use std::io::{Read, Write};
    let token = std::fs::read_to_string(town.path("heat-data/api.token"))?;
    let body = r#"{"set": {"per_fave": 2}}"#;
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", town.http))?;
    write!(
        stream,
        "POST /api/v1/channels/seaside/rules/decay/settings HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        token.trim(),
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.contains("\"done\""), "{answer}");
    Ok(())
}

/// A scraper that asks for OpenMetrics gets it, and everybody else the text format.
fn open_metrics(town: &Town) -> Result<()> {
    let (_, kind, page) = get(
        town.http,
        "/metrics",
        "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    )?;
    ensure!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    ensure!(page.ends_with("# EOF\n") && page.contains("# TYPE heatd_faves counter\n"), "{page}");
    let (_, kind, page) = get(town.http, "/metrics", "*/*")?;
    ensure!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    ensure!(page.contains("# TYPE heatd_faves_total counter\n") && !page.contains("# EOF"));
    Ok(())
}

/// Figures are what happened, and not only there.
fn counted(page: &Page) -> Result<()> {
    for (selector, value) in [
        ("heatd_events_total{source=\"chat\"}", 2.0),
        ("heatd_events_total{source=\"mqtt\"}", 2.0),
        ("heatd_chat_lines_total", 2.0),
        ("heatd_faves_total{channel=\"seaside\"}", 2.0),
        ("heatd_faves_total{channel=\"harbour\"}", 1.0),
        ("heatd_effects_total{kind=\"fave\"}", 3.0),
        ("heatd_rule_calls_total{channel=\"harbour\",slot=\"fave\"}", 1.0),
        ("heatd_rule_failures_total", 0.0),
        ("heatd_mqtt_messages_total", 1.0),
        ("heatd_mqtt_connections_opened_total", 1.0),
        ("heatd_channels_desired", 2.0),
        ("heatd_queue_limit_events", 1024.0),
        ("heatd_build_info", 1.0),
    ] {
        let found = page.figure(selector)?;
        ensure!(found == value, "{selector} is {found} and not {value}");
    }
    let calls = page.figure("heatd_rule_calls_total")?;
    ensure!(
        page.figure("heatd_rule_call_duration_seconds_count")? == calls,
        "each call has a time"
    );
    for selector in [
        "heatd_rule_fuel_total",
        "heatd_rule_call_duration_seconds_sum",
        "heatd_commit_duration_seconds_count",
        "heatd_commit_records_sum",
        "heatd_store_written_bytes_total",
        "heatd_store_fsyncs_total",
        "heatd_store_size_bytes",
        "heatd_mqtt_published_total{kind=\"output\"}",
        "process_resident_memory_bytes",
    ] {
        ensure!(page.figure(selector)? > 0.0, "{selector} is nothing");
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs_f64();
    for selector in [
        "heatd_chat_last_line_timestamp_seconds",
        "heatd_log_oldest_timestamp_seconds",
        "process_start_time_seconds",
    ] {
        let time = page.figure(selector)?;
        ensure!((now - 600.0..now + 10.0).contains(&time), "{selector} is {time}, and it is {now}");
    }
    Ok(())
}

#[test]
fn prometheus_takes_the_page_and_has_nothing_to_say_about_its_names() -> Result<()> {
    prometheus::check_page(&served()?)
}

#[test]
fn the_page_about_watching_names_every_figure_with_its_type_and_labels() -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/watching.md");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let written: BTreeSet<String> = rows
        .filter(|row| row.starts_with("heatd_") || row.starts_with("process_"))
        .filter_map(|row| {
            let mut cells = row.split('|').map(str::trim);
            let (name, kind) = (cells.next()?.trim_matches('`'), cells.next()?);
            let labels = cells.next()?.replace(['`', ' '], "");
            Some(format!("{name} {kind} {labels}"))
        })
        .collect();
    let page = Page::read(&served()?)?;
    let there: BTreeSet<String> = page
        .families
        .iter()
        .map(|(name, kind)| format!("{name} {kind} {}", page.labels(name).join(",")))
        .collect();
    let missing: Vec<_> = there.difference(&written).collect();
    let invented: Vec<_> = written.difference(&there).collect();
    ensure!(
        missing.is_empty() && invented.is_empty(),
        "docs/watching.md lacks {missing:#?}\nand has {invented:#?}"
    );
    Ok(())
}

#[test]
fn the_alerts_are_understood_and_ask_for_figures_that_there_are() -> Result<()> {
    prometheus::check_rules(&deploy("prometheus/alerts.yaml"))?;
    prometheus::test_rules(&deploy("prometheus/alerts.test.yaml"))?;
    let text = read("prometheus/alerts.yaml")?;
    let expressions = text.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    let expressions: Vec<&str> = expressions.collect();
    ensure!(expressions.len() >= 10);
    known_figures(&expressions)
}

#[test]
fn the_dashboard_is_one_and_asks_for_figures_that_there_are() -> Result<()> {
    let board: Value = serde_json::from_str(&read("grafana/heat-level.json")?)?;
    ensure!(board["title"].is_string() && board["schemaVersion"].as_u64() >= Some(36));
    let variables = board["templating"]["list"].as_array().context("no variables")?;
    ensure!(variables.iter().any(|it| it["type"] == "datasource" && it["name"] == "datasource"));
    let panels = board["panels"].as_array().context("no panels")?;
    let (mut expressions, mut ids) = (Vec::new(), BTreeSet::new());
    for panel in panels {
        let place = &panel["gridPos"];
        ensure!(panel["title"].is_string() && ids.insert(panel["id"].as_u64()), "{panel}");
        ensure!(place["x"].as_u64().zip(place["w"].as_u64()).is_some_and(|(x, w)| x + w <= 24));
        if panel["type"] == "row" {
            continue;
        }
        for target in panel["targets"].as_array().context("a panel without queries")? {
            ensure!(target["datasource"]["uid"] == "${datasource}", "{target}");
            expressions.push(target["expr"].as_str().context("no query")?.to_owned());
        }
    }
    let overlap = panels.iter().enumerate().find(|(place, one)| {
        panels[..*place].iter().any(|other| overlaps(&one["gridPos"], &other["gridPos"]))
    });
    ensure!(overlap.is_none(), "a panel covers another: {overlap:?}");
    // As Grafana fills them in.
    for expression in &mut expressions {
        *expression = expression.replace("$__rate_interval", "2m").replace("$instance", ".*");
    }
    known_figures(&expressions.iter().map(String::as_str).collect::<Vec<_>>())?;
    let rules: Vec<Value> = expressions
        .iter()
        .enumerate()
        .map(|(number, expr)| serde_json::json!({ "record": format!("panel:{number}"), "expr": expr }))
        .collect();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("rules.json");
    // JSON is YAML.
    let rules = serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    std::fs::write(&file, rules.to_string())?;
    prometheus::check_rules(&file)
}

fn overlaps(one: &Value, other: &Value) -> bool {
    let side = |place: &Value, start: &str, length: &str| {
        let start = place[start].as_u64().unwrap_or_default();
        (start, start + place[length].as_u64().unwrap_or_default())
    };
    [("x", "w"), ("y", "h")].iter().all(|(start, length)| {
        let (one, other) = (side(one, start, length), side(other, start, length));
        one.0 < other.1 && other.0 < one.1
    })
}

/// An error when an expression asks for a figure of heatd's that it does not serve, or uses no figure of it.
fn known_figures(expressions: &[&str]) -> Result<()> {
    let page = Page::read(&served()?)?;
    let known: BTreeSet<&str> = page.names().collect();
    for expression in expressions {
        let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let words = words.filter(|it| it.starts_with("heatd_") || it.starts_with("process_"));
        let names: Vec<&str> = words.collect();
        ensure!(!names.is_empty() || expression.starts_with("up"), "{expression} asks for nothing");
        let unknown = names.iter().find(|name| !known.contains(*name));
        ensure!(unknown.is_none(), "{expression}: heatd serves no {}", unknown.unwrap_or(&""));
    }
    Ok(())
}
