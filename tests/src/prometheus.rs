//! A page of /metrics, read without the library that wrote it; and promtool, Prometheus's own judge of such pages and of rules.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::processes::{self, build_folder};

/// What was on a page of Prometheus's text format.
#[derive(Debug, Default)]
pub struct Page {
    /// The families with their types, by name.
    pub families: BTreeMap<String, String>,
    series: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Page {
    /// Asks a program on this machine for its page.
    pub fn fetch(port: u16) -> Result<Self> {
        Self::read(&get(port, "/metrics", "text/plain")?.2)
    }

    pub fn read(text: &str) -> Result<Self> {
        let mut page = Self::default();
        for line in text.lines() {
            if let Some((name, kind)) =
                line.strip_prefix("# TYPE ").and_then(|line| line.split_once(' '))
            {
                page.families.insert(name.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                page.series.push(Series::read(line).with_context(|| format!("no figure: {line}"))?);
            }
        }
        Ok(page)
    }

    /// A figure as it is selected in Prometheus: `name`, or `name{label="value"}`. Several that fit are added up, as `sum` does.
    pub fn figure(&self, selector: &str) -> Result<f64> {
        let wanted = Series::read(&format!("{selector} 0")).context("no selector")?;
        let mut fitting = self.series.iter().filter(|series| series.fits(&wanted)).peekable();
        ensure!(fitting.peek().is_some(), "there is no figure {selector}");
        Ok(fitting.map(|series| series.value).sum())
    }

    /// The names of all series.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|series| series.name.as_str())
    }

    /// The names of the labels of a family, without those of its buckets.
    pub fn labels(&self, family: &str) -> Vec<&str> {
        let of = |series: &&Series| {
            let rest = series.name.strip_prefix(family);
            rest.is_some_and(|rest| matches!(rest, "" | "_bucket" | "_sum" | "_count"))
        };
        let labels = self.series.iter().filter(of).flat_map(|series| &series.labels);
        let mut labels: Vec<&str> =
            labels.map(|(name, _)| name.as_str()).filter(|name| *name != "le").collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }
}

impl Series {
    fn read(line: &str) -> Option<Self> {
        let (series, value) = line.rsplit_once(' ')?;
        let value = value.parse().ok()?;
        let Some((name, rest)) = series.split_once('{') else {
            return Some(Self { name: series.to_owned(), labels: Vec::new(), value });
        };
        let mut labels = Vec::new();
        let mut rest = rest.strip_suffix('}')?;
        while !rest.is_empty() {
            let (label, quoted) = rest.split_once("=\"")?;
            // No value here has a quotation mark in it.
            let (text, after) = quoted.split_once('"')?;
            labels.push((label.to_owned(), text.to_owned()));
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        Some(Self { name: name.to_owned(), labels, value })
    }

    fn fits(&self, wanted: &Self) -> bool {
        self.name == wanted.name && wanted.labels.iter().all(|label| self.labels.contains(label))
    }
}

/// Asks for a page with this `Accept`: status, kind of the answer, and its text.
pub fn get(port: u16, path: &str, accept: &str) -> Result<(u16, String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status =
        answer.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: "));
    Ok((status, kind.unwrap_or_default().to_owned(), body.to_owned()))
}

/// An error with promtool's words when a page breaks the rules of the format, or the conventions of names.
pub fn check_page(text: &str) -> Result<()> {
    let mut command = Command::new(promtool()?);
    command.args(["check", "metrics"]);
    processes::run(command, text.as_bytes()).map(drop)
}

/// An error with promtool's words when a file of rules cannot be read, or an expression of it.
pub fn check_rules(file: &Path) -> Result<()> {
    let mut command = Command::new(promtool()?);
    command.args(["check", "rules"]).arg(file);
    processes::run(command, &[]).map(drop)
}

/// Runs the tests of rules that a file has.
pub fn test_rules(file: &Path) -> Result<()> {
    let mut command = Command::new(promtool()?);
    command.args(["test", "rules"]).arg(file);
    processes::run(command, &[]).map(drop)
}

/// Where `cargo xtask test` has put it, or on the path.
fn promtool() -> Result<PathBuf> {
    let target = build_folder()?.parent().map(|target| target.join("prometheus/usr/bin/promtool"));
    if let Some(own) = target.filter(|own| own.is_file()) {
        return Ok(own);
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).map(|folder| folder.join("promtool"));
    match found.into_iter().find(|file| file.is_file()) {
        Some(file) => Ok(file),
        None => bail!("there is no promtool; `cargo xtask test` installs it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP a_total Things.\n# TYPE a_total counter\na_total{kind=\"x\",of=\"1\"} 3\na_total{kind=\"y\",of=\"1\"} 4\n# TYPE b gauge\nb 1.5\n";

    #[test]
    fn a_figure_is_selected_and_added_up_as_in_prometheus() -> Result<()> {
        let page = Page::read(PAGE)?;
        for (selector, value) in
            [("a_total", 7.0), ("a_total{kind=\"y\"}", 4.0), ("a_total{of=\"1\"}", 7.0), ("b", 1.5)]
        {
            assert_eq!(page.figure(selector)?, value, "{selector}");
        }
        assert!(page.figure("a_total{kind=\"z\"}").is_err() && page.figure("a").is_err());
        assert_eq!(page.labels("a_total"), ["kind", "of"]);
        assert_eq!(page.families.get("b").map(String::as_str), Some("gauge"));
        Ok(())
    }

    #[test]
    fn promtool_is_a_strict_judge() {
        let error = |page: &str| check_page(page).map_err(|error| error.to_string());
        assert_eq!(error(&PAGE.replace("gauge", "gauge\n# HELP b One.")), Ok(()));
        let wrong = error("# HELP a Things.\n# TYPE a counter\na 3\n");
        assert!(wrong.is_err_and(|it| it.contains("_total")));
        assert!(error("a{ 3\n").is_err());
    }
}
