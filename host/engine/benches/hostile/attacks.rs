//! Each attack many times, with a fave of another channel behind each.

use anyhow::{Result, ensure};
use heat_tests::figures::Samples;
use serde_json::json;

use crate::Setup;
use crate::stage::Stage;

/// People, and items, that the channel has counted: what `top-items` reads.
const CROWD: u64 = 20_000;

/// Name, commands that prepare it in the same instance, and the command.
type Attack = (&'static str, &'static [&'static str], &'static str);

/// Where the rule keeps nothing but a key or two.
const ANYWHERE: [Attack; 34] = [
    ("endless loop", &[], "spin"),
    ("endless divisions", &[], "divide"),
    ("endless remainders", &[], "remainder"),
    ("endless square roots", &[], "root"),
    ("loads all over 8 MiB", &["chase"], "chase"),
    ("stores all over 8 MiB", &["scatter"], "scatter"),
    ("memory.fill of 1 MiB, endlessly", &[], "fill"),
    ("memory.copy of 512 KiB, endlessly", &[], "copy"),
    ("memory.grow by nothing, endlessly", &[], "grow-nothing"),
    ("memory.grow by far too much", &[], "grow-refused"),
    ("memory.grow page by page", &[], "grow-little"),
    ("endless recursion", &[], "recurse"),
    ("64 MiB at once", &[], "allocate"),
    ("memory without end", &[], "leak"),
    ("200,000 effects", &[], "million"),
    ("a list that claims 100,000,000 effects", &[], "claim-effects"),
    ("a text that claims 1 GiB", &[], "claim-text"),
    ("an error that claims 1 GiB", &[], "error-claimed"),
    ("text that is not UTF-8", &[], "not-utf8"),
    ("a trap", &[], "trap"),
    ("a trap far down the stack", &[], "deep-trap"),
    ("reads of keys that are not there", &[], "get-missing"),
    ("reads of keys of 200 KB", &[], "get-long"),
    ("counts of items that nobody faved", &[], "item"),
    ("counts of items of 200 KB", &[], "item-long"),
    ("counts of a person's items", &[], "person-item"),
    ("the top 10 of 20,000 items, endlessly", &[], "top-items"),
    ("all of 20,000 items, endlessly", &[], "top-items-all"),
    ("all of 20,000 people, endlessly", &[], "top-people"),
    ("settings, endlessly", &[], "config"),
    ("settings with names of 200 KB", &[], "config-long"),
    ("log lines, endlessly", &[], "log"),
    ("log lines of 200 KB", &[], "log-long"),
    ("a topic that is not granted", &[], "publish door/open"),
];

/// Where the rule keeps 15 MiB in large values.
const OVER_BYTES: [Attack; 3] = [
    ("a scan of 15 MiB of state", &[], "scan"),
    ("reads of a value of 60 KB, endlessly", &[], "get-known"),
    ("scans for one key among large values", &[], "scan-one"),
];

/// Where the rule keeps as many keys as it may.
const OVER_KEYS: [Attack; 4] = [
    ("a scan of 100,000 keys", &[], "scan"),
    ("scans for one key of 100,000", &[], "scan-one"),
    ("scans for a key that is not there", &[], "scan-nothing"),
    ("more than 100,000 keys", &[], "keys"),
];

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let mut stage = Stage::new(setup)?;
    stage.crowd(CROWD)?;
    for attack in &ANYWHERE {
        measure(setup, &mut stage, attack)?;
    }
    let mut stage = Stage::new(setup)?;
    fill(&mut stage, &["big"; 1])?;
    fill(&mut stage, &["state"; 18])?;
    for attack in &OVER_BYTES {
        measure(setup, &mut stage, attack)?;
    }
    let mut stage = Stage::new(setup)?;
    fill(&mut stage, &["keys"; 399])?;
    for attack in &OVER_KEYS[..3] {
        measure(setup, &mut stage, attack)?;
    }
    fill(&mut stage, &["keys"; 1]).ok();
    measure(setup, &mut stage, &OVER_KEYS[3])?;
    hidden(setup, &mut stage)
}

/// Keeps state, a millisecond apart so that its keys differ.
fn fill(stage: &mut Stage, commands: &[&str]) -> Result<()> {
    for command in commands {
        stage.wait(1);
        let attacked = stage.attack(command)?;
        ensure!(attacked.answer.starts_with("nothing"), "{command}: {}", attacked.answer);
        stage.engine.commit()?;
    }
    stage.wait(1);
    Ok(())
}

/// Scans over keys that were deleted a moment ago, and are still in the store below.
fn hidden(setup: &Setup, stage: &mut Stage) -> Result<()> {
    for _ in 0..300 {
        stage.wait(1);
        stage.attack("keys")?;
        stage.attack("delete-keys")?;
    }
    measure(setup, stage, &("scans over 75,000 keys deleted a moment ago", &[], "scan-nothing"))
}

fn measure(setup: &Setup, stage: &mut Stage, attack: &Attack) -> Result<()> {
    let (name, prepare, command) = attack;
    if setup.only.as_deref().is_some_and(|only| !name.contains(only)) {
        return Ok(());
    }
    let (mut delays, mut answer) = (Samples::default(), String::new());
    let before = stage.kept()?;
    let mut usual = Samples::default();
    for _ in 0..setup.rounds {
        usual.push(stage.fave()?.as_secs_f64() * 1e3);
        for command in *prepare {
            stage.attack(command)?;
        }
        let attacked = stage.attack(command)?;
        // What stands in the queue behind the attack waits for as long as the engine is busy with it.
        delays.push((attacked.took + stage.fave()?).as_secs_f64() * 1e3 - usual.median());
        answer = attacked.answer;
    }
    let unharmed = before == stage.kept()?;
    let row = json!({
        "attack": name,
        "stopped": !answer.starts_with("nothing"),
        "by": stopper(&answer),
        "how": answer,
        "least_ms": delays.quantile(0.0),
        "median_ms": delays.median(),
        "max_ms": delays.quantile(1.0),
        "unharmed": unharmed,
    });
    print(&row)
}

/// Which limit it was, by the words of the fault.
fn stopper(fault: &str) -> &'static str {
    let known = [
        ("units of fuel", "fuel"),
        ("bytes of memory", "memory"),
        ("bytes of stack", "stack"),
        ("ran for longer", "wall clock"),
        ("handed over", "hand-over"),
        ("cannot be taken", "check of effects"),
        ("trapped", "sandbox"),
    ];
    known.iter().find(|(words, _)| fault.contains(words)).map_or("nothing", |(_, limit)| limit)
}

#[expect(clippy::print_stdout, reason = "rows go to whoever runs the bench")]
pub(crate) fn print(row: &serde_json::Value) -> Result<()> {
    println!("{row}");
    Ok(())
}
