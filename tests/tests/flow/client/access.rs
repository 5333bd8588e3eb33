//! Who may use heatd's API, and what those are told who may not.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};

use super::{heat, run, start, write_token};
use crate::town::Town;

/// Sends these lines of a request, and returns the whole answer.
fn ask(town: &Town, lines: &[&str], body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", town.http))?;
    let length = body.len();
    let head = lines.join("\r\n");
    write!(stream, "{head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn is_problem(answer: &str, code: u16) -> bool {
    let problem = answer.to_lowercase().contains("content-type: application/problem+json");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let told = body.is_some_and(|body| body["status"] == code && body["detail"].is_string());
    answer.starts_with(&format!("HTTP/1.1 {code} ")) && problem && told
}

/// The page for people. It asks for a token itself, and nothing in it runs but its own files.
fn is_page(answer: &str) -> bool {
    let head = answer.split_once("\r\n\r\n").map_or(answer, |(head, _)| head).to_lowercase();
    answer.starts_with("HTTP/1.1 200 ")
        && head.contains("content-type: text/html")
        && head.contains("content-security-policy: default-src 'self'")
}

#[test]
fn pages_of_other_sites_and_guests_without_a_token_are_refused() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    let token = std::fs::read_to_string(town.path("heat-data/api.token"))?;
    let bearer = format!("Authorization: Bearer {}", token.trim());
    let (get, local) = ("GET /api/v1/status HTTP/1.1", "Host: localhost");
    let status = |lines: &[&str]| ask(&town, &[&[get], lines].concat(), "");

    ensure!(status(&[local, &bearer])?.starts_with("HTTP/1.1 200 "));
    let page = ask(&town, &["GET / HTTP/1.1", local], "")?;
    ensure!(is_page(&page), "{page}");
    let own = format!("Host: 127.0.0.1:{}", town.http);
    ensure!(status(&[&own, &bearer])?.starts_with("HTTP/1.1 200 "));
    for lines in [&[local][..], &[local, "Authorization: Bearer wrong"]] {
        let answer = status(lines)?;
        ensure!(
            is_problem(&answer, 401) && answer.to_lowercase().contains("www-authenticate: bearer"),
            "{answer}"
        );
    }
    for lines in [
        &["Host: evil.example", bearer.as_str()][..],
        &[local, "Origin: https://evil.example", bearer.as_str()],
        &[local, "Origin: null", bearer.as_str()],
    ] {
        let answer = status(lines)?;
        ensure!(is_problem(&answer, 403), "{lines:?}: {answer}");
    }
    // What wants no token is not for other sites either, which may point their own names at this machine.
    for page in
        ["/healthz", "/readyz", "/metrics", "/", "/icon.svg", "/api/v1/openapi.json", "/nosuch"]
    {
        let get = format!("GET {page} HTTP/1.1");
        let answer = ask(&town, &[&get, "Host: evil.example"], "")?;
        ensure!(is_problem(&answer, 403), "{page}: {answer}");
        let answer = ask(&town, &[&get, local, "Host: evil.example"], "")?;
        ensure!(is_problem(&answer, 400), "{page}: {answer}");
    }
    for page in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(town.page(page)?.0, 200, "{page}");
        // As a probe or a scraper beside heatd asks.
        for host in ["Host: 10.42.0.7:8077", "Host: heatd:8077"] {
            let answer = ask(&town, &[&format!("GET {page} HTTP/1.1"), host], "")?;
            ensure!(answer.starts_with("HTTP/1.1 200 "), "{page} {host}: {answer}");
        }
    }
    Ok(())
}

#[test]
fn a_name_that_is_configured_is_known_and_leads_to_the_api_alone() -> Result<()> {
    let town = Town::new()?;
    let configuration = super::configuration(&town, &["seaside"])?;
    let names = "[http]\nnames = [\"heat.example.org\"]\n";
    let heatd = town.heatd(&configuration.replace("[http]\n", names))?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    let token = std::fs::read_to_string(town.path("heat-data/api.token"))?;
    let bearer = format!("Authorization: Bearer {}", token.trim());
    let get = |path: &str, host: &str, more: &str| {
        let request = format!("GET {path} HTTP/1.1");
        ask(&town, &[&request, &format!("Host: {host}"), more, &bearer], "")
    };
    for host in ["heat.example.org", "HEAT.example.org:443"] {
        let own = format!("Origin: https://{host}");
        ensure!(get("/api/v1/status", host, &own)?.starts_with("HTTP/1.1 200 "), "{host}");
        ensure!(is_page(&get("/", host, "Accept: */*")?), "{host}");
        for page in ["/metrics", "/readyz", "/healthz"] {
            let answer = get(page, host, "Accept: */*")?;
            ensure!(is_problem(&answer, 403), "{answer}");
            let answer = get(page, "localhost", "X-Forwarded-For: 192.0.2.1")?;
            ensure!(is_problem(&answer, 403), "{answer}");
        }
    }
    let foreign = get("/api/v1/status", "heat.example.org", "Origin: https://evil.example")?;
    ensure!(is_problem(&foreign, 403), "{foreign}");
    let other = get("/api/v1/status", "x.heat.example.org", "Accept: */*")?;
    ensure!(is_problem(&other, 403) && other.contains("`names` in [http]"), "{other}");
    Ok(())
}

#[test]
fn what_cannot_be_done_is_a_problem_with_a_sentence() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    let token = std::fs::read_to_string(town.path("heat-data/api.token"))?;
    let bearer = format!("Authorization: Bearer {}", token.trim());
    let large = "x".repeat(100_000);
    let cases = [
        ("GET /api/v1/nothing", "", 404),
        ("GET /api/v1/watch?channel=nowhere", "", 404),
        ("GET /api/v1/watch?channel=%FF%", "", 404),
        ("POST /api/v1/status", "", 405),
        ("POST /api/v1/channels/nowhere/stream", r#"{"state":"start"}"#, 404),
        ("POST /api/v1/channels/seaside/stream", r#"{"state":"perhaps"}"#, 400),
        ("POST /api/v1/channels/seaside/stream", "", 400),
        ("POST /api/v1/channels/seaside/stream", &large, 413),
    ];
    for (request, body, code) in cases {
        let answer =
            ask(&town, &[&format!("{request} HTTP/1.1"), "Host: localhost", &bearer], body)?;
        ensure!(is_problem(&answer, code), "{request}: {answer}");
    }
    Ok(())
}

#[test]
fn a_token_that_is_wrong_missing_or_cannot_be_read_is_said_so() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    let url = format!("http://127.0.0.1:{}", town.http);

    write_token(&town.path("wrong.token"), "0123456789abcdef")?;
    let mut command = heat(&town, &["status", "--url", &url])?;
    let (code, _, words) = run({
        command.env("HEAT_TOKEN_FILE", town.path("wrong.token"));
        command
    })?;
    ensure!(
        code == Some(1) && words.contains("refuses the token of") && words.contains("wrong.token"),
        "{words}"
    );

    let mut command = heat(&town, &["status"])?;
    let nowhere = town.path("nowhere");
    let (code, _, words) = run({
        command.env("HEAT_DATA", &nowhere);
        command
    })?;
    let looked = nowhere.join("api.token").display().to_string();
    ensure!(
        code == Some(1) && words.contains("no heatd found") && words.contains(&looked),
        "{words}"
    );

    // A folder in its place cannot be read by anybody, root included.
    std::fs::create_dir_all(town.path("odd/api.token"))?;
    let (code, _, words) = run(heat(&town, &["status", "--data", "odd"])?)?;
    ensure!(code == Some(1) && words.contains("api.token cannot be read"), "{words}");
    Ok(())
}

#[cfg(unix)]
#[test]
fn the_token_is_for_heatds_user_and_outlives_a_restart() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let town = Town::new()?;
    let mut heatd = start(&town, &["seaside"])?;
    let file = town.path("heat-data/api.token");
    let mode = std::fs::metadata(&file)?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let token = std::fs::read_to_string(&file)?;
    let url = std::fs::read_to_string(town.path("heat-data/api.url"))?;
    assert_eq!(url.trim(), format!("http://127.0.0.1:{}", town.http));
    ensure!(heatd.terminate()?.success());
    let _heatd = start(&town, &["seaside"])?;
    assert_eq!(std::fs::read_to_string(&file)?, token);

    // Somebody else's file: root reads it all the same, so then there is nothing to see.
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o000))?;
    if std::fs::read(&file).is_err() {
        let (code, _, words) = run(heat(&town, &["status"])?)?;
        let hint = words.contains("may not be read by this user") && words.contains("sudo heat");
        ensure!(code == Some(1) && hint, "{words}");
    }
    let parent = file.parent().context("no folder")?;
    ensure!(!parent.join("api.token.new").exists());
    Ok(())
}
