//! The floor of a fave that comes alone, which `cargo xtask bench lone` holds heatd against: one durable transaction of the rows that the
//! engine wrote for it, a call of each rule in an instance that is there, and one message on a connection of this machine.
//!
//! `engine --lone FAVES --rules FOLDER --scratch FOLDER` prints the milliseconds of processor time that one of them takes.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use heat_engine::Store;

use crate::Setup;
use crate::bare::{BareInstance, BareRule};
use crate::call::{command, plain};
use crate::faves::CHAIN;
use crate::floor::{BareStore, Kept};
use crate::generated::heat::rules::events::{Event, Fave, Happening};
use crate::stage::{self, REGULARS};

/// As many bytes as heatd's message with a new heat has.
const MESSAGE: [u8; 40] = [7; 40];

/// As many as its acknowledgement.
const ACKNOWLEDGEMENT: [u8; 4] = [7; 4];

pub(crate) fn run(setup: &Setup, faves: u64, pause: Duration) -> Result<()> {
    let folder = tempfile::tempdir_in(&setup.scratch)?;
    let file = folder.path().join("engine.redb");
    by_engine(setup, &file, faves)?;
    let kept = Kept::read(&file)?;
    let bare = folder.path().join("bare.redb");
    let mut store = BareStore::create(&bare, REGULARS, &kept, faves)?;
    let mut rules = Rules::new(setup)?;
    let mut broker = Broker::connect()?;
    let before = processor_ms()?;
    for number in 0..faves {
        // Chat has pauses. In a pause all threads sleep, and waking them is part of the cost.
        thread::sleep(pause);
        rules.call(number).map_err(plain)?;
        store.count(number..number + 1);
        store.write(number)?;
        broker.publish()?;
    }
    print((processor_ms()? - before) / faves as f64)
}

/// One commit for each fave, as heatd has it where they come alone.
fn by_engine(setup: &Setup, file: &std::path::Path, faves: u64) -> Result<()> {
    let mut engine = stage::engine(&setup.rules, &CHAIN, Store::open(file)?)?;
    for number in 0..faves {
        let decision = engine.handle(stage::now(number), stage::event(REGULARS, number))?;
        ensure!(decision.faves.len() == 1, "a fave was not counted");
        engine.commit()?;
    }
    Ok(())
}

/// Instances of all rules of the chain.
struct Rules {
    handler: BareInstance,
    others: Vec<BareInstance>,
}

impl Rules {
    fn new(setup: &Setup) -> Result<Self> {
        let mut instances = Vec::new();
        for name in CHAIN {
            let bytes = stage::component(&setup.rules, name)?;
            let rule = BareRule::new(&bytes).map_err(plain)?;
            instances.push(rule.instance().map_err(plain)?);
        }
        let handler = instances.remove(0);
        Ok(Self { handler, others: instances })
    }

    /// Calls the first for the command, and the others for its fave.
    fn call(&mut self, number: u64) -> wasmtime::Result<()> {
        let (now, command) = (stage::now(number), command(number));
        let fave = fave(&command);
        let asked = self.handler.call(now, &command)?;
        wasmtime::ensure!(asked.is_ok_and(|effects| effects.len() == 1), "a call without a fave");
        for rule in &mut self.others {
            let answer = rule.call(now, &fave)?;
            wasmtime::ensure!(answer.is_ok(), "a rule refused a fave");
        }
        Ok(())
    }
}

fn fave(command: &Event) -> Event {
    let Happening::Command(line) = &command.what else { return command.clone() };
    let what = Happening::Fave(Fave {
        person: line.line.person.clone(),
        standing: Some(line.line.standing),
        bits: 0,
        item: line.arguments.clone(),
        weight: 1000,
    });
    Event { what, ..command.clone() }
}

/// A connection to somebody who takes and acknowledges messages on a thread of its own, which is not measured.
struct Broker(TcpStream);

impl Broker {
    fn connect() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let stream = TcpStream::connect(listener.local_addr()?)?;
        stream.set_nodelay(true)?;
        let (mut other, _) = listener.accept()?;
        thread::spawn(move || {
            let mut message = MESSAGE;
            while other.read_exact(&mut message).is_ok() {
                if other.write_all(&ACKNOWLEDGEMENT).is_err() {
                    return;
                }
            }
        });
        Ok(Self(stream))
    }

    fn publish(&mut self) -> Result<()> {
        self.0.write_all(&MESSAGE)?;
        let mut acknowledgement = ACKNOWLEDGEMENT;
        self.0.read_exact(&mut acknowledgement)?;
        Ok(())
    }
}

/// What this thread has taken of a processor.
fn processor_ms() -> Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().unwrap_or_default();
    Ok(first.parse::<u64>().context("schedstat has no number")? as f64 / 1e6)
}

#[expect(clippy::print_stdout, reason = "the answer of the program")]
fn print(figure: f64) -> Result<()> {
    println!("{figure}");
    Ok(())
}
