//! What a bench has measured: a value beside its floor, as one JSON object a line, which `cargo xtask bench` reads.
//!
//! A floor is the least that the same work can cost, measured in the same run; the ratio is the value divided by it.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Measurements of one thing, in one unit.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub fn push(&mut self, sample: f64) {
        self.0.push(sample);
    }

    pub fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    /// The value that this share of the samples does not exceed; 0 without any sample.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(place.saturating_sub(1)).copied().unwrap_or(0.0)
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(samples: I) -> Self {
        Self(samples.into_iter().collect())
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The part of the bench that it belongs to.
    pub part: String,
    pub name: String,
    pub unit: String,
    pub value: f64,
    /// Least and greatest of the rounds.
    pub spread: (f64, f64),
    /// What the floor is, and its value.
    pub floor: Option<(String, f64)>,
    /// The target in words, and whether it is met.
    pub target: Option<(String, bool)>,
}

impl Figure {
    /// A figure that was taken once.
    pub fn new(part: &str, name: &str, unit: &str, value: f64) -> Self {
        Self {
            part: part.to_owned(),
            name: name.to_owned(),
            unit: unit.to_owned(),
            value,
            spread: (value, value),
            floor: None,
            target: None,
        }
    }

    /// The median of several rounds.
    pub fn median(part: &str, name: &str, unit: &str, rounds: &Samples) -> Self {
        let spread = (rounds.quantile(0.0), rounds.quantile(1.0));
        Self { spread, ..Self::new(part, name, unit, rounds.median()) }
    }

    pub fn floor(mut self, what: &str, value: f64) -> Self {
        self.floor = Some((what.to_owned(), value));
        self
    }

    /// A target that is met when this holds.
    pub fn target(mut self, words: &str, met: bool) -> Self {
        self.target = Some((words.to_owned(), met));
        self
    }

    /// A target that is met by a value of no more than this.
    pub fn at_most(self, most: f64) -> Self {
        let (words, met) = (format!("≤ {} {}", number(most), self.unit), self.value <= most);
        self.target(words.trim_end(), met)
    }

    /// The value divided by the floor.
    pub fn ratio(&self) -> Option<f64> {
        self.floor.as_ref().filter(|(_, floor)| *floor > 0.0).map(|(_, floor)| self.value / floor)
    }

    /// As it is printed.
    pub fn to_json(&self) -> Value {
        json!({
            "part": self.part,
            "figure": self.name,
            "unit": self.unit,
            "value": self.value,
            "least": self.spread.0,
            "greatest": self.spread.1,
            "floor": self.floor.as_ref().map(|(_, value)| value),
            "floor_is": self.floor.as_ref().map(|(what, _)| what),
            "ratio": self.ratio(),
            "target": self.target.as_ref().map(|(words, _)| words),
            "met": self.target.as_ref().map(|(_, met)| met),
        })
    }

    /// Reads what `to_json` made.
    pub fn from_json(value: &Value) -> Result<Self> {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let number = |name: &str| value[name].as_f64();
        let missing = "a figure lacks a field";
        Ok(Self {
            part: text("part").context(missing)?,
            name: text("figure").context(missing)?,
            unit: text("unit").context(missing)?,
            value: number("value").context(missing)?,
            spread: (number("least").context(missing)?, number("greatest").context(missing)?),
            floor: text("floor_is").zip(number("floor")),
            target: text("target").zip(value["met"].as_bool()),
        })
    }

    /// Prints the figure for `cargo xtask bench`.
    pub fn print(&self) -> Result<()> {
        print(&self.to_json())
    }
}

/// Something that could not be measured here, with the reason: never left out silently.
pub fn not_measured(what: &str, why: &str) -> Result<()> {
    print(&json!({ "not_measured": what, "why": why }))
}

/// A number with as many digits as say something.
pub fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 1000.0 => {
            let digits = format!("{value:.0}");
            let mut grouped = String::new();
            for (place, digit) in digits.chars().enumerate() {
                if place > 0 && (digits.len() - place).is_multiple_of(3) {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            grouped
        }
        large if large >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        large if large >= 10.0 => format!("{value:.1}"),
        large if large >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn print(line: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples_that_were_taken() {
        let samples: Samples = [5.0, 1.0, 4.0, 2.0, 3.0].into_iter().collect();
        assert_eq!([0.0, 0.5, 0.9, 1.0].map(|share| samples.quantile(share)), [1.0, 3.0, 5.0, 5.0]);
        assert_eq!(Samples::default().median(), 0.0);
    }

    #[test]
    fn a_figure_is_read_as_it_was_printed() -> Result<()> {
        let rounds = [2.0, 3.0, 9.0].into_iter().collect();
        let figure = Figure::median("chat", "time", "ms", &rounds).floor("bare", 1.5).at_most(4.0);
        assert_eq!(
            (figure.ratio(), figure.target.clone()),
            (Some(2.0), Some(("≤ 4 ms".to_owned(), true)))
        );
        assert_eq!(Figure::from_json(&figure.to_json())?, figure);
        assert!(Figure::from_json(&json!({ "part": "chat" })).is_err());
        Ok(())
    }

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        assert_eq!(
            [1_234_567.8, 123.45, 12.345, 1.2345, 0.012_34, 4.0].map(number),
            ["1,234,568", "123", "12.3", "1.23", "0.012", "4"]
        );
    }
}
