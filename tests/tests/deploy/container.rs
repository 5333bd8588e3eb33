//! The container: what its file copies is in the archive, and the probe tells the truth.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::processes::free_port;

use crate::town::{Broker, Town, component};
use crate::{deploy, read, replace};

/// Where units and image have the programs of the archive.
const HOME: &str = "/opt/heat-level";

/// Lets heatd check a configuration whose paths are those of another machine.
pub(crate) fn check(town: &Town, configuration: &str, data: &str) -> Result<()> {
    let rules = component("rules", "fave")?;
    let rules = rules.parent().context("a rule in no folder")?.display().to_string();
    let configuration = replace(configuration, &format!("{HOME}/rules"), &rules)?;
    let configuration = replace(&configuration, data, &town.path("data").display().to_string())?;
    let output = town.heatd_command("check", &configuration)?.output()?;
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    ensure!(output.status.success() && words.contains("the configuration is right"), "{words}");
    Ok(())
}

#[test]
fn what_is_copied_into_the_image_is_in_the_archive() -> Result<()> {
    let root = deploy("..");
    for line in read("container/Containerfile")?.lines() {
        let Some(words) = line.strip_prefix("COPY ") else { continue };
        let mut words: Vec<&str> = words.split(' ').collect();
        let to = words.pop().context("COPY of nothing")?;
        ensure!(to.starts_with(HOME), "{line}");
        for from in words {
            // Programs and rules are built; everything else stands in the project as it does in the archive.
            ensure!(
                ["heatd", "heat", "rules"].contains(&from) || root.join(from).is_file(),
                "{line}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_image_that_is_built_is_the_one_that_kubernetes_starts() -> Result<()> {
    let image = concat!("localhost/heat-level/heatd:", env!("CARGO_PKG_VERSION"));
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/k3s.md"))?;
    let manifest = read("kubernetes/heatd.yaml")?;
    for text in [read("container/Containerfile")?, manifest, page] {
        let names = text.split_whitespace().filter(|word| word.contains("heat-level/heatd:"));
        let names: Vec<&str> = names.collect();
        ensure!(!names.is_empty() && names.iter().all(|name| *name == image), "{names:?}");
    }
    Ok(())
}

#[test]
fn the_probe_says_whether_heatd_is_alive_and_ready() -> Result<()> {
    let town = Town::new()?;
    let probe = read("container/probe")?;
    std::fs::write(town.path("probe"), replace(&probe, "/8077", &format!("/{}", town.http))?)?;
    let probe = |page: &str| -> Result<(bool, String)> {
        let output = Command::new("bash").arg(town.path("probe")).arg(page).output()?;
        Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    ensure!(!probe("/healthz")?.0, "alive before the start");
    // There is no broker on this port.
    let configuration = town.head(&["seaside"], &Broker::At(free_port()?)) + &Town::rules("LUL")?;
    let _heatd = town.heatd(&configuration)?;
    eventually("heatd to be alive", || probe("/healthz").is_ok_and(|(alive, _)| alive))?;
    town.chat.wait_joined("seaside")?;
    let (ready, words) = probe("/readyz")?;
    ensure!(!ready && words.contains("the MQTT broker is not connected"), "{words}");
    ensure!(!probe("/nothing")?.0);
    Ok(())
}
