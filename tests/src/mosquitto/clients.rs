//! Clients of the broker: mosquitto's own programs, so that no code of ours judges itself.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::{MISSING, Mosquitto, program};
use crate::patience::eventually;
use crate::processes::{self, Program};

/// How the subscriber prints a message: marked, so that its own words are told apart, the payload in hexadecimal, the
/// topic last, since it may have spaces.
const FORMAT: &str = "message %r %q %x %t";

/// A message as a subscriber got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
    /// Stored by the broker before the subscription began.
    pub retained: bool,
    pub qos: u8,
}

impl Message {
    /// The payload as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

impl Mosquitto {
    /// Publishes as anyone, or as the first user if the broker has users.
    pub fn publish(
        &self,
        topic: &str,
        payload: impl AsRef<[u8]>,
        retain: bool,
        qos: u8,
    ) -> Result<()> {
        self.publish_as(self.first_user(), topic, payload, retain, qos)
    }

    /// Publishes as this user. With QoS 1 it is an error when the access list forbids it.
    pub fn publish_as(
        &self,
        user: Option<&(String, String)>,
        topic: &str,
        payload: impl AsRef<[u8]>,
        retain: bool,
        qos: u8,
    ) -> Result<()> {
        let payload = payload.as_ref();
        let mut command = self.client("mosquitto_pub", user);
        command.args([
            "-t",
            topic,
            "-q",
            &qos.to_string(),
            if payload.is_empty() { "-n" } else { "-s" },
        ]);
        command.args(retain.then_some("-r"));
        let output = processes::run(command, payload)
            .with_context(|| format!("failed to publish on {topic}"))?;
        let words = String::from_utf8_lossy(&output.stderr);
        // The program takes a refusal for a success.
        ensure!(!words.contains("failed"), "failed to publish on {topic}: {}", words.trim());
        Ok(())
    }

    /// Subscribes as anyone, or as the first user if the broker has users. Returns when the broker has it.
    pub fn subscribe(&mut self, filter: &str) -> Result<Subscriber> {
        let user = self.first_user().cloned();
        self.subscribe_as(user.as_ref(), filter)
    }

    /// Subscribes as this user.
    pub fn subscribe_as(
        &mut self,
        user: Option<&(String, String)>,
        filter: &str,
    ) -> Result<Subscriber> {
        let id = client_id();
        let mut command = self.client("mosquitto_sub", user);
        command.args(["-i", &id, "-q", "1", "-F", FORMAT, "-t", filter]);
        let program = Program::start(command).context(MISSING)?;
        let broker = self.program()?;
        eventually(format!("the subscription to {filter}"), || {
            // "<id> <qos> <filter>" is how the broker's log has a subscription.
            let is_it = |line: &String| line.ends_with(&format!("{id} 1 {filter}"));
            broker.lines().iter().any(is_it).then_some(()).ok_or_else(|| program.lines().join("\n"))
        })?;
        Ok(Subscriber { program })
    }

    fn first_user(&self) -> Option<&(String, String)> {
        self.options.users.first()
    }

    fn client(&self, name: &str, user: Option<&(String, String)>) -> Command {
        let mut command = Command::new(program(name));
        // Version 5 tells why something was refused.
        command.args(["-V", "mqttv5", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if let Some((name, password)) = user {
            command.args(["-u", name, "-P", password]);
        }
        if let Some(authority) = self.authority() {
            command.arg("--cafile").arg(authority);
        }
        command
    }
}

/// A subscriber that keeps what it gets. It comes back by itself, with its subscription, when the broker does.
pub struct Subscriber {
    program: Program,
}

impl Subscriber {
    /// Every message so far.
    pub fn messages(&self) -> Vec<Message> {
        self.program.lines().iter().filter_map(|line| message(line)).collect()
    }

    /// The newest payload of a topic, as text.
    pub fn last(&self, topic: &str) -> Option<String> {
        let lines = self.program.lines();
        let mut newest = lines.iter().rev().filter_map(|line| message(line));
        newest.find(|message| message.topic == topic).map(|message| message.text())
    }

    /// Waits for a message; those that came before count too.
    pub fn wait_for(&self, is_it: impl Fn(&Message) -> bool) -> Result<Message> {
        let is_it = |line: &str| message(line).is_some_and(|message| is_it(&message));
        let line = self.program.wait_for_line(is_it)?;
        message(&line).context("a message that is none")
    }

    /// Waits until the newest payload of a topic is this text. Returns when that was seen.
    pub fn wait_for_last(&self, topic: &str, text: &str) -> Result<Instant> {
        eventually(format!("{text:?} on {topic}"), || {
            let last = self.last(topic);
            if last.as_deref() == Some(text) {
                Ok(Instant::now())
            } else {
                Err(format!("{last:?}"))
            }
        })
    }
}

fn message(line: &str) -> Option<Message> {
    let mut fields = line.strip_prefix("message ")?.splitn(4, ' ');
    let retained = fields.next()? == "1";
    let qos = fields.next()?.parse().ok()?;
    let payload = bytes(fields.next()?)?;
    Some(Message { topic: fields.next()?.to_owned(), payload, retained, qos })
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits = hexadecimal.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn client_id() -> String {
    static CLIENTS: AtomicU64 = AtomicU64::new(0);
    format!("heat-tests-{}-{}", std::process::id(), CLIENTS.fetch_add(1, Ordering::Relaxed))
}
