//! The web page of heatd: [`build`] makes it, [`stage`] is a heatd with chat in several channels for a browser to look at.

mod build;
mod played;
mod stage;

use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use crate::shell::{cargo, run as run_command, say, target};
use crate::{rules, tools};
pub(crate) use build::{build, npm};
pub(crate) use stage::Stage;

/// The browser of the tests.
pub(crate) const BROWSER: &str = "/usr/bin/chromium";

/// How often it is looked whether somebody has stopped it.
const FRAME: Duration = Duration::from_millis(100);

#[derive(Args)]
pub(crate) struct Options {
    /// Builds the page, and that is all: heatd takes it in when it is built the next time.
    #[arg(long)]
    build: bool,
    /// Runs no tests, prints the address and plays until Ctrl-C.
    #[arg(long)]
    look: bool,
}

/// Builds the page and a heatd with it, and lets a browser try it.
pub(crate) fn run(options: &Options) -> Result<()> {
    build()?;
    if options.build {
        return Ok(());
    }
    let rules = rules::build_alone()?;
    run_command(&mut cargo(["build", "--locked", "--workspace", "--bins"]))?;
    if options.look {
        return look(&Stage::start(&rules, &target().join("debug"))?);
    }
    test(&rules)
}

/// Runs the tests of the page, without and with a browser. Screenshots stay in target/page.
pub(crate) fn test(rules: &Path) -> Result<()> {
    tools::install("the tests of the page", &[(BROWSER, "chromium")])?;
    let shots = shots()?;
    run_command(&mut npm(["run", "--silent", "compile"]))?;
    run_command(&mut npm(["run", "--silent", "unit"]))?;
    let stage = Stage::start(rules, &target().join("debug"))?;
    let mut browse = npm(["run", "--silent", "browse"]);
    browse
        .env("HEAT_URL", stage.url())
        .env("HEAT_TOKEN", stage.token())
        .env("HEAT_BROWSER", BROWSER)
        .env("HEAT_PLAYED", stage.played())
        .env("HEAT_RULES", rules)
        .env("HEAT_SHOTS", &shots);
    let done = run_command(&mut browse);
    say(&format!("screenshots: {}", shots.display()));
    done
}

/// Opens a link in Chromium, and looks around as the tests in tests/demo do.
pub(crate) fn visit(link: &str) -> Result<Child> {
    tools::install("a visit of the page", &[(BROWSER, "chromium")])?;
    run_command(&mut npm(["run", "--silent", "compile"]))?;
    let (url, view) = link.split_once("/#").context("no link to a page")?;
    let mut visit = npm(["run", "--silent", "visit"]);
    let shots = target().join("page");
    std::fs::create_dir_all(&shots)
        .with_context(|| format!("failed to make {}", shots.display()))?;
    visit
        .env("HEAT_URL", url)
        .env("HEAT_TOKEN", "")
        .env("HEAT_VIEW", view)
        .env("HEAT_BROWSER", BROWSER)
        .env("HEAT_SHOTS", shots);
    visit.spawn().context("failed to start npm")
}

fn look(stage: &Stage) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&stop);
    ctrlc::set_handler(move || handler.store(true, Ordering::Relaxed))
        .context("failed to wait for Ctrl-C")?;
    say(&format!("{}/#token={}", stage.url(), stage.token()));
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(FRAME);
    }
    Ok(())
}

fn shots() -> Result<PathBuf> {
    let folder = target().join("page");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("failed to empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    Ok(folder)
}

/// Whether this machine can build the page.
pub(crate) fn can_build() -> bool {
    tools::found("node") && tools::found("npm")
}

/// Builds the page where that can be done, and says so where it cannot.
pub(crate) fn build_if_possible() -> Result<()> {
    if can_build() {
        return build();
    }
    say("without Node.js (20.19 or newer) heatd has no web page; everything else is there");
    Ok(())
}
