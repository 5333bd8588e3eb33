//! A large store on a slow card: heatd gives signs of life while it is verified, and ends when it is asked to.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, run};

use crate::town::{Broker, Town};

/// A town whose heatd reads its store as slowly as the test wants.
struct Slow {
    town: Town,
    library: PathBuf,
    configuration: String,
}

impl Slow {
    /// With a store that has something in it.
    fn new() -> Result<Self> {
        let town = Town::new()?;
        let library = town.path("held-reads.so");
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
        rustc.args(["--edition", "2024", "--crate-type", "cdylib", "--crate-name", "held_reads"]);
        let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("held-reads/reads.rs");
        rustc.arg("-o").arg(&library).arg(source);
        run(rustc, &[])?;
        let configuration =
            town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?;
        let slow = Self { town, library, configuration };
        let mut heatd = slow.town.heatd(&slow.configuration)?;
        slow.town.chat.wait_joined("seaside")?;
        slow.town.chat.say("seaside", "ann", "?fave pie");
        slow.town.wait_for_figure("heatd_faves_total", 1)?;
        ensure!(heatd.terminate()?.success());
        Ok(slow)
    }

    /// Lets so many reads of the store through.
    fn let_through(&self, reads: u64) -> Result<()> {
        Ok(std::fs::write(self.town.path("reads"), format!("{reads}\n"))?)
    }

    /// heatd in the middle of the verification, and held there.
    fn verifying(&self) -> Result<Program> {
        self.let_through(0)?;
        let mut command = self.town.heatd_command("run", &self.configuration)?;
        command.env_remove("RUST_LOG").env("LD_PRELOAD", &self.library);
        command.env("HEAT_READS", self.town.path("reads"));
        let heatd = Program::start(command)?;
        let mut reads = 0;
        eventually("the store is being verified", || {
            let (status, words) = self.town.page("/readyz").map_err(|error| error.to_string())?;
            if status == 503 && words.starts_with("the store is being verified, ") {
                return Ok(());
            }
            // How many reads come before depends on redb.
            reads += 1;
            self.let_through(reads).map_err(|error| error.to_string())?;
            Err(words)
        })?;
        Ok(heatd)
    }
}

#[test]
fn while_a_store_is_verified_heatd_is_alive_says_how_far_it_is_and_ends_at_once_when_asked()
-> Result<()> {
    let slow = Slow::new()?;
    let mut heatd = slow.verifying()?;
    assert_eq!(slow.town.page("/healthz")?, (200, "ok\n".to_owned()));
    let (status, words) = slow.town.page("/api/v1/status")?;
    ensure!(status == 503 && words.contains("the store is being verified, "), "{status} {words}");
    let line = heatd.wait_for_line(|line| line.contains("the store is being verified"))?;
    ensure!(line.contains("percent="), "{line}");
    // The reads are held for ever, so this waits for none of them.
    ensure!(heatd.terminate()?.success());

    // It has harmed nothing, and a start that is waited for becomes a whole heatd.
    let mut heatd = slow.verifying()?;
    slow.let_through(u64::MAX)?;
    eventually("heatd is ready", || match slow.town.page("/readyz") {
        Ok((200, _)) => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    let (status, _) = slow.town.page("/api/v1/status")?;
    assert_eq!(status, 401, "the API asks for a token again");
    ensure!(heatd.terminate()?.success());
    Ok(())
}
