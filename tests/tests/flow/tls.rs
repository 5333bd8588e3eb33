//! Encryption to a broker: whom heatd and heat-writer trust, and what they say of whom they do not.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use heat_tests::mosquitto::{Mosquitto, Options};
use heat_tests::processes::Program;
use heat_tests::tls::Certificates;

use crate::town::{Broker, Town};

fn heatd(town: &Town, broker: &Mosquitto, ca: Option<&Path>) -> Result<Program> {
    let ca = ca.map(|file| format!("ca = {file:?}\n")).unwrap_or_default();
    let head = town.head(&["seaside"], &Broker::At(broker.port()));
    let head = head.replace("host = \"127.0.0.1\"", "host = \"localhost\"");
    town.heatd(&(head + "tls = true\n" + &ca + &Town::rules("LUL")?))
}

fn writer(town: &Town, broker: &Mosquitto, ca: Option<&Path>) -> Result<Program> {
    let mut command = std::process::Command::new(heat_tests::processes::binaries()?.writer);
    let address = format!("localhost:{}", broker.port());
    command.args(["--broker", &address, "--tls", "--file"]).arg(town.path("heat.txt"));
    if let Some(ca) = ca {
        command.arg("--ca").arg(ca);
    }
    Program::start(command)
}

/// Both refuse a broker, name the reason, and never get in.
fn both_refuse(certificates: Certificates, ca: Option<&Path>, reason: &str) -> Result<()> {
    let own = certificates.authority();
    let town = Town::new()?;
    let mut broker = Mosquitto::start_with(Options::default().tls(certificates))?;
    let trusted = ca.unwrap_or(&own);
    let heatd = heatd(&town, &broker, Some(trusted))?;
    let writer = writer(&town, &broker, Some(trusted))?;
    for program in [&heatd, &writer] {
        let line = program.wait_for_line(|line| line.contains("the certificate of"))?;
        ensure!(line.contains(reason) && line.contains("localhost"), "{line}");
        ensure!(
            !program
                .lines()
                .iter()
                .any(|line| line.contains("connected to") || line.contains("broker connected"))
        );
    }
    let log = broker.program()?.lines();
    ensure!(!log.iter().any(|line| line.contains("New client connected")), "{log:#?}");
    Ok(())
}

#[test]
fn a_broker_of_another_authority_is_refused() -> Result<()> {
    let other = Certificates::new()?;
    both_refuse(Certificates::new()?, Some(&other.authority()), "BadSignature")
}

#[test]
fn a_broker_of_another_name_is_refused() -> Result<()> {
    both_refuse(Certificates::of_another_name()?, None, "elsewhere.example")
}

#[test]
fn a_broker_whose_certificate_has_expired_is_refused() -> Result<()> {
    both_refuse(Certificates::expired()?, None, "expired")
}

#[test]
fn the_systems_authorities_do_and_others_are_unknown() -> Result<()> {
    let certificates = Certificates::new()?;
    let authority = certificates.authority();
    let town = Town::new()?;
    let broker = Mosquitto::start_with(Options::default().tls(certificates))?;
    // Where the system's authorities are is the environment's to say.
    let command = |program: &str| -> Result<std::process::Command> {
        let binaries = heat_tests::processes::binaries()?;
        let mut command = if program == "heatd" {
            let head = town.head(&["seaside"], &Broker::At(broker.port()));
            let head = head.replace("host = \"127.0.0.1\"", "host = \"localhost\"");
            let configuration = head + "tls = true\n" + &Town::rules("LUL")?;
            town.heatd_command("run", &configuration)?
        } else {
            let mut command = std::process::Command::new(binaries.writer);
            let address = format!("localhost:{}", broker.port());
            command.args(["--broker", &address, "--tls", "--file"]).arg(town.path("heat.txt"));
            command
        };
        command.env("SSL_CERT_FILE", &authority).env_remove("SSL_CERT_DIR");
        Ok(command)
    };
    let heatd = Program::start(command("heatd")?)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    let writer = Program::start(command("heat-writer")?)?;
    writer.wait_for_line(|line| line.contains("connected to localhost"))?;
    drop((heatd, writer));
    let stranger = Certificates::new()?;
    let mut command = command("heatd")?;
    command.env("SSL_CERT_FILE", stranger.authority());
    let heatd = Program::start(command)?;
    let line = heatd.wait_for_line(|line| line.contains("the certificate of"))?;
    ensure!(line.contains("BadSignature") && line.contains("`ca`"), "{line}");
    Ok(())
}

#[test]
fn encrypted_is_not_spoken_to_who_does_not_and_the_other_way_round() -> Result<()> {
    let town = Town::new()?;
    let plain = Mosquitto::start()?;
    let certificates = Certificates::new()?;
    let authority = certificates.authority();
    let heatd = heatd(&town, &plain, Some(&authority))?;
    heatd.wait_for_line(|line| {
        line.contains("no connection to the broker") && line.contains("tls")
    })?;
    let writer = writer(&town, &plain, Some(&authority))?;
    let line = writer.wait_for_line(|line| line.contains("tls")).context("no word of tls")?;
    ensure!(line.contains("localhost"), "{line}");
    Ok(())
}
