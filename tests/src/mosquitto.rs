//! A real MQTT broker on loopback: mosquitto with a configuration of its own in a temporary folder.

mod clients;

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

pub use clients::{Message, Subscriber};

use crate::patience::eventually;
use crate::processes::{self, Program, free_port};
use crate::tls::Certificates;

const MISSING: &str = "failed to start mosquitto; `cargo xtask test` installs it, or \
                       `apt-get install mosquitto mosquitto-clients`";
/// Another program may take a free port before the broker has it.
const ATTEMPTS: usize = 5;

/// What the broker is like. The default one lets everybody in and forgets everything when it ends.
#[derive(Debug, Default)]
pub struct Options {
    /// Names and passwords. With any, nobody else gets in.
    pub users: Vec<(String, String)>,
    /// Lines of the access list: `user heat`, `topic readwrite heat/#`.
    pub acl: Vec<String>,
    pub persistence: Persistence,
    /// The broker speaks TLS with these, and nothing else.
    pub tls: Option<Certificates>,
    /// Further lines of the configuration.
    pub extra: Vec<String>,
}

/// What a broker remembers when it starts again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing.
    #[default]
    Off,
    /// Everything if it was ended kindly, nothing if it was killed: as mosquitto is set up by default.
    OnExit,
    /// Everything, except for the moment before it was killed.
    Always,
}

impl Options {
    /// Adds someone who may log in.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// Adds a line to the access list.
    pub fn acl(mut self, line: &str) -> Self {
        self.acl.push(line.to_owned());
        self
    }

    pub fn persistence(mut self, persistence: Persistence) -> Self {
        self.persistence = persistence;
        self
    }

    pub fn tls(mut self, certificates: Certificates) -> Self {
        self.tls = Some(certificates);
        self
    }

    /// Adds a line to the configuration.
    pub fn extra(mut self, line: &str) -> Self {
        self.extra.push(line.to_owned());
        self
    }
}

/// The broker. It keeps its port and its folder for as long as it lives, also while it is down.
pub struct Mosquitto {
    /// None while the broker is down. The first field, so that the broker ends before its folder goes.
    program: Option<Program>,
    folder: TempDir,
    options: Options,
    port: u16,
}

impl Mosquitto {
    /// Starts a broker that lets everybody in.
    pub fn start() -> Result<Self> {
        Self::start_with(Options::default())
    }

    /// Starts a broker, and returns when it takes connections.
    pub fn start_with(options: Options) -> Result<Self> {
        let mut broker = Self { folder: tempfile::tempdir()?, options, port: 0, program: None };
        broker.write_access()?;
        for _ in 1..ATTEMPTS {
            broker.port = free_port()?;
            match broker.resume() {
                Err(error) if format!("{error:#}").contains("in use") => {}
                result => return result.map(|()| broker),
            }
        }
        bail!("no free port for mosquitto in {ATTEMPTS} attempts")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts the broker again on the same port, after `stop` or `kill`.
    pub fn resume(&mut self) -> Result<()> {
        let configuration = self.path("mosquitto.conf");
        fs::write(&configuration, self.configuration())?;
        let mut command = Command::new(program("mosquitto"));
        command.arg("-c").arg(configuration);
        let program = Program::start(command).context(MISSING)?;
        await_port(&program, self.port)?;
        self.program = Some(program);
        Ok(())
    }

    /// Ends the broker kindly; clients lose their connection.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.program.take().context("mosquitto is down already")?.terminate()
    }

    /// Ends the broker as a power cut does.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        self.program.take().context("mosquitto is down already")?.kill()
    }

    /// Gives a user another password, which holds from the next start on.
    pub fn set_password(&mut self, name: &str, password: &str) -> Result<()> {
        let users = self.options.users.iter_mut();
        for (_, known) in users.filter(|(user, _)| user == name) {
            password.clone_into(known);
        }
        self.write_access()
    }

    /// Ends the broker kindly and starts it again.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.resume()
    }

    /// The running broker, for signals and for its log.
    pub fn program(&mut self) -> Result<&mut Program> {
        self.program.as_mut().context("mosquitto is down")
    }

    /// What clients must trust, if the broker speaks TLS.
    pub fn authority(&self) -> Option<PathBuf> {
        self.options.tls.as_ref().map(Certificates::authority)
    }

    fn configuration(&self) -> String {
        let options = &self.options;
        let mut lines = vec![
            format!("listener {} 127.0.0.1", self.port),
            format!("allow_anonymous {}", options.users.is_empty()),
            // Else mosquitto, started by root, changes to a user that may not read the folder. Ignored for others.
            "user root".to_owned(),
            // The default cuts off what a new subscriber gets of many retained topics.
            "max_queued_messages 100000".to_owned(),
        ];
        lines.extend(
            ["error", "warning", "notice", "information", "subscribe"]
                .map(|kind| format!("log_type {kind}")),
        );
        lines.push("log_dest stderr".to_owned());
        if !options.users.is_empty() {
            lines.push(format!("password_file {}", self.path("passwords").display()));
        }
        if !options.acl.is_empty() {
            lines.push(format!("acl_file {}", self.path("acl").display()));
        }
        if let Some(tls) = &options.tls {
            lines.push(format!("certfile {}", tls.server().display()));
            lines.push(format!("keyfile {}", tls.server_key().display()));
        }
        if options.persistence != Persistence::Off {
            lines.extend([
                "persistence true".to_owned(),
                format!("persistence_location {}/", self.folder.path().display()),
            ]);
        }
        if options.persistence == Persistence::Always {
            lines.extend(["autosave_on_changes true", "autosave_interval 1"].map(str::to_owned));
        }
        lines.extend(options.extra.iter().cloned());
        lines.join("\n") + "\n"
    }

    fn write_access(&self) -> Result<()> {
        fs::write(self.path("acl"), self.options.acl.join("\n") + "\n")?;
        fs::write(self.path("passwords"), "")?;
        for (name, password) in &self.options.users {
            let mut command = Command::new(program("mosquitto_passwd"));
            command.arg("-b").arg(self.path("passwords")).args([name, password]);
            processes::run(command, &[]).context(MISSING)?;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Waits until the broker takes connections; its early end is an error at once. It must say itself that it runs: on a
/// taken port another server would take the connection.
fn await_port(program: &Program, port: u16) -> Result<()> {
    program.wait_for_line(|line| line.ends_with("running"))?;
    eventually(format!("mosquitto on port {port}"), || TcpStream::connect(("127.0.0.1", port)))?;
    // The system connects before the broker looks; until it looks, it forgets a request to end.
    program.wait_for_line(|line| line.to_lowercase().contains("connection from"))?;
    Ok(())
}

/// Debian keeps the broker where only root's path leads.
fn program(name: &str) -> PathBuf {
    let beside = PathBuf::from("/usr/sbin").join(name);
    let on_path = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()));
    if !on_path && beside.is_file() { beside } else { name.into() }
}

#[cfg(test)]
mod tests;
