//! The heat as a bar, whatever its text: the bar is as long as the first number in it. And a hype train, as far as it has come in its level.

use serde::Deserialize;

/// Full bars, one of which is just long enough for the highest heat so far.
const SCALES: [f64; 4] = [30.0, 50.0, 100.0, 200.0];

/// What one output shows, and how high it has been.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Gauge {
    /// Empty while it shows nothing.
    pub(crate) text: String,
    value: f64,
    highest: f64,
    /// What fills the bar, where that is told.
    goal: Option<f64>,
}

/// A train as its rule shows it with `format = "json"`.
#[derive(Deserialize)]
struct TrainJson {
    level: String,
    points: f64,
    goal: f64,
}

impl Gauge {
    pub(crate) fn show(&mut self, text: &str) {
        self.text = text.to_owned();
        self.value = number(text).unwrap_or(0.0);
        self.highest = self.highest.max(self.value);
    }

    /// Of what the rule `hype-train` shows: "Level 2: 640 of 2500", or the same as JSON. None: no train runs.
    pub(crate) fn of_train(shown: &str) -> Option<Self> {
        let text = match serde_json::from_str::<TrainJson>(shown) {
            Ok(TrainJson { level, points, goal }) => format!("Level {level}: {points} of {goal}"),
            Err(_) => shown.to_owned(),
        };
        if text.is_empty() {
            return None;
        }
        // A level may have any name; what counts stands behind it.
        let counts = text.rsplit_once(": ").and_then(|(_, counts)| counts.split_once(" of "));
        let numbers = counts.and_then(|(points, goal)| Some((number(points)?, number(goal)?)));
        let (points, goal) = numbers?;
        Some(Self { value: points, highest: points, goal: Some(goal), text })
    }

    /// A bar so wide, without its ends.
    pub(crate) fn bar(&self, width: usize) -> String {
        let scale = self.goal.filter(|goal| *goal > 0.0).unwrap_or_else(|| self.scale());
        let share = (self.value / scale).clamp(0.0, 1.0);
        // A share of 0 to 1 of a screen's width is a small whole number.
        let full = (share * width as f64).round() as usize;
        format!("{}{}", "█".repeat(full), "░".repeat(width - full.min(width)))
    }

    fn scale(&self) -> f64 {
        let fits = SCALES.iter().copied().find(|scale| *scale >= self.highest);
        fits.unwrap_or_else(|| 10f64.powf(self.highest.log10().ceil()))
    }
}

/// The first number in a text: the heat of "🔥 19.5°".
fn number(text: &str) -> Option<f64> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let end = text[start..].find(|c: char| !c.is_ascii_digit() && c != '.');
    let digits = &text[start..end.map_or(text.len(), |end| start + end)];
    let value: f64 = digits.trim_end_matches('.').parse().ok()?;
    Some(if text[..start].ends_with(['-', '−']) { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_as_long_as_the_number() {
        let mut gauge = Gauge::default();
        assert_eq!(gauge.bar(3), "░░░");
        gauge.show("🔥 19.5°");
        assert_eq!(gauge.bar(30), format!("{}{}", "█".repeat(20), "░".repeat(10)));
        gauge.show("-3");
        assert_eq!(gauge.bar(2), "░░");
        gauge.show("cold");
        assert_eq!(gauge.bar(2), "░░");
    }

    #[test]
    fn the_scale_grows_with_the_heat_and_stays() {
        let mut gauge = Gauge::default();
        gauge.show("1000");
        assert_eq!(gauge.bar(4), "████");
        gauge.show("500");
        assert_eq!(gauge.bar(4), "██░░");
        gauge.show("99999999999999999999999");
        assert_eq!(gauge.bar(2), "██");
    }
}
