//! How soon a point is seen: the page in Chromium beside the heatd of [`Stage`], both built for release.

use anyhow::{Context, Result, ensure};
use heat_tests::figures::{Figure, Samples};

use super::{Measured, Options};
use crate::page::{BROWSER, Stage, npm};
use crate::shell::{output, run, say, target};
use crate::tools;

/// The most that may pass between the end of a bin and its point, in milliseconds.
const MOST_MS: f64 = 300.0;

/// How many bins are looked at.
const BINS: [u32; 2] = [20, 60];

pub(super) fn run_part(
    measured: &mut Measured,
    rules: &std::path::Path,
    options: &Options,
) -> Result<()> {
    if let Err(error) = tools::install("measuring the page", &[(BROWSER, "chromium")]) {
        let why = format!("there is no Chromium: {error:#}");
        say(&format!("!!! NOT MEASURED: a live point on the page, because {why}"));
        measured.missing.push(("a live point on the page".to_owned(), why));
        return Ok(());
    }
    run(&mut npm(["run", "--silent", "compile"]))?;
    let bins = BINS[usize::from(!options.quick)];
    let stage = Stage::start(rules, &target().join("release"))?;
    say(&format!("part page: {bins} bins of a second in Chromium"));
    let mut measure = npm(["run", "--silent", "measure"]);
    measure
        .env("HEAT_URL", stage.url())
        .env("HEAT_TOKEN", stage.token())
        .env("HEAT_BROWSER", BROWSER)
        .env("HEAT_BINS", bins.to_string());
    let late = output(&mut measure).context("failed to measure the page")?;
    let late: Vec<f64> =
        serde_json::from_str(late.trim()).with_context(|| format!("no figures: {late}"))?;
    ensure!(late.len() == bins as usize, "{} of {bins} bins were seen", late.len());
    let late: Samples = late.into_iter().collect();
    let name = "from the end of a bin of 1 s until its point is seen in Chromium";
    for (name, value) in [
        (name.to_owned(), late.median()),
        (format!("{name}, the latest of {bins}"), late.quantile(1.0)),
    ] {
        let mut figure = Figure::new("page", &name, "ms", value).at_most(MOST_MS);
        figure.spread = (late.quantile(0.0), late.quantile(1.0));
        measured.take(&figure.to_json().to_string())?;
    }
    Ok(())
}
