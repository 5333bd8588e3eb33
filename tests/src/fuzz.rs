//! Fuzz targets: functions that assert properties of what becomes of any bytes.
//!
//! A target is a function, seeds and words, and lives beside the code that it is about, in a module `fuzz` of the tests of that crate. As
//! an ordinary test it is run on its seeds, on every finding that is kept in `tests/findings`, and on so many mutations of these,
//! the same each time. `cargo xtask fuzz` builds the same test programs with counters in the code, and lets libFuzzer lead.

pub mod allocations;
mod choices;
#[cfg(feature = "fuzzing")]
mod guided;
mod minimise;
mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

pub use choices::Choices;
use mutate::Mutator;

/// One function that takes any bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of its test, and of its folder of findings.
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub run: fn(&[u8]),
    /// Inputs to begin from.
    pub seeds: &'static [&'static [u8]],
    /// What inputs are made of, for mutations.
    pub words: &'static [&'static str],
    /// Recordings whose lines are seeds too, where `HEAT_RECORDINGS` names a folder: the ends of their paths.
    pub recorded: &'static [&'static str],
    /// How many mutations the ordinary test tries.
    pub inputs: u32,
}

impl Target {
    /// Tries seeds, findings and mutations; as long as asked for and led by coverage when `cargo xtask fuzz` runs this.
    pub fn check(&self) {
        #[cfg(feature = "fuzzing")]
        if let Some(orders) = guided::Orders::of_this_process() {
            guided::run(self, &orders);
        }
        let findings = self.findings();
        for (name, input) in &findings {
            self.attempt(name, input);
        }
        for seed in self.seeds {
            self.attempt("a seed", seed);
        }
        let known: Vec<&[u8]> = self
            .seeds
            .iter()
            .copied()
            .chain(findings.iter().map(|(_, it)| it.as_slice()))
            .collect();
        let mut mutator = Mutator::new(self.name, known, self.words);
        for number in 0..self.inputs {
            self.attempt(&format!("mutation {number}"), &mutator.next());
        }
    }

    /// Runs the target; when that panics, looks for a smaller input that does, and says both.
    fn attempt(&self, what: &str, input: &[u8]) {
        let fails = |input: &[u8]| catch_unwind(AssertUnwindSafe(|| (self.run)(input))).is_err();
        if fails(input) {
            let least = minimise::minimise(input, fails);
            panic!(
                "{}: {what} breaks a promise, as said above. The least input that does so, to be kept in {}: b\"{}\"",
                self.name,
                self.folder().display(),
                least.escape_ascii()
            );
        }
    }

    fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("findings").join(self.name)
    }

    /// What was found once, with the names of the files, in their order.
    fn findings(&self) -> Vec<(String, Vec<u8>)> {
        // Most targets have none.
        let Ok(folder) = self.folder().read_dir() else { return Vec::new() };
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry?.path();
            Ok((path.display().to_string(), std::fs::read(&path)?))
        };
        let mut found: Vec<_> =
            folder.map(read).collect::<std::io::Result<_>>().expect("a finding can be read");
        found.sort();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_heat(input: &[u8]) {
        assert!(!input.windows(4).any(|it| it == b"heat"), "it is hot");
    }

    const COLD: Target = Target {
        name: "no_heat",
        run: no_heat,
        seeds: &[b"warm and cold"],
        words: &[],
        recorded: &[],
        inputs: 300,
    };

    #[test]
    fn what_breaks_a_promise_is_found_and_made_small() {
        COLD.check();
        let hot = Target { words: &["heat"], ..COLD };
        let said = catch_unwind(|| hot.check()).expect_err("it was not found");
        let said = said.downcast_ref::<String>().expect("a panic with words");
        assert!(said.ends_with("b\"heat\""), "{said}");
    }

    #[test]
    fn mutations_are_the_same_each_time_and_differ() {
        let inputs = |name| {
            let mut mutator = Mutator::new(name, vec![b"warm", b"cold"], &["heat"]);
            (0..200).map(|_| mutator.next()).collect::<Vec<_>>()
        };
        assert_eq!(inputs("a"), inputs("a"));
        assert_ne!(inputs("a"), inputs("b"));
        let distinct: std::collections::BTreeSet<_> = inputs("a").into_iter().collect();
        assert!(distinct.len() > 150, "{}", distinct.len());
    }
}
