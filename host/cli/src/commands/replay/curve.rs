//! An output over time: what it shows holds until the next change.

use serde::Deserialize;
use serde_json::Value;

/// Times in milliseconds since 1970 and values, in order.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Curve(Vec<(u64, Value)>);

/// What it showed within a part of the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub(super) first: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) last: f64,
}

impl Extent {
    fn of(value: f64) -> Self {
        Self { first: value, low: value, high: value, last: value }
    }

    fn goes_on(self, value: f64) -> Self {
        Self { low: self.low.min(value), high: self.high.max(value), last: value, ..self }
    }
}

impl Curve {
    /// The numbers that it shows; a text that is none takes the curve away until the next one.
    fn numbers(&self) -> impl Iterator<Item = (u64, Option<f64>)> {
        self.0.iter().map(|(at, value)| (*at, number(value)))
    }

    /// When it was highest for the first time.
    pub(super) fn highest(&self) -> Option<(u64, f64)> {
        let numbers = self.numbers().filter_map(|(at, value)| Some((at, value?)));
        numbers.reduce(|highest, next| if next.1 > highest.1 { next } else { highest })
    }

    pub(super) fn lowest(&self) -> Option<f64> {
        self.numbers().filter_map(|(_, value)| value).reduce(f64::min)
    }

    pub(super) fn last(&self) -> Option<String> {
        self.texts().last().map(|(_, text)| text)
    }

    /// Everything that it shows, as text, whenever that changes.
    pub(super) fn texts(&self) -> impl Iterator<Item = (u64, String)> {
        let mut before = None;
        let changes = self.0.iter().filter(move |(_, value)| before.replace(value) != Some(value));
        changes.map(|(at, value)| match value {
            Value::String(text) => (*at, text.clone()),
            Value::Null => (*at, "–".to_owned()),
            // 28.0 is 28 for people.
            other => (*at, number(other).map_or_else(|| other.to_string(), |it| it.to_string())),
        })
    }

    /// Splits the time into equal parts, and says what the output showed in each.
    pub(super) fn extents(&self, (from, to): (u64, u64), parts: usize) -> Vec<Option<Extent>> {
        let long = to.saturating_sub(from).max(1) as f64;
        let mut extents = Vec::with_capacity(parts);
        let mut numbers = self.numbers().peekable();
        let mut value: Option<f64> = None;
        for part in 0..parts {
            // A time of some years in milliseconds is exact in a float.
            let start = from as f64 + long * part as f64 / parts as f64;
            let end = from as f64 + long * (part + 1) as f64 / parts as f64;
            while let Some((_, next)) = numbers.next_if(|(at, _)| *at as f64 <= start) {
                value = next;
            }
            let mut extent = value.map(Extent::of);
            let is_last = part + 1 == parts;
            while let Some((_, next)) =
                numbers.next_if(|(at, _)| (*at as f64) < end || (is_last && *at as f64 <= end))
            {
                value = next;
                extent = match (extent, next) {
                    (Some(extent), Some(next)) => Some(extent.goes_on(next)),
                    (None, Some(next)) => Some(Extent::of(next)),
                    (extent, None) => extent,
                };
            }
            extents.push(extent);
        }
        extents
    }
}

/// A number, also one that is written as a text.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// The values on an axis for these curves: from the first to the last, in round steps.
pub(super) fn ticks(curves: [&Curve; 2], wanted: usize) -> Option<Vec<f64>> {
    let high = curves
        .iter()
        .filter_map(|curve| curve.highest())
        .map(|(_, value)| value)
        .reduce(f64::max)?;
    let low = curves.iter().filter_map(|curve| curve.lowest()).reduce(f64::min)?.min(0.0);
    let rough = (high.max(low + 1.0) - low) / wanted as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|round| round * power).into_iter().find(|step| *step >= rough)?;
    let (first, last) = ((low / step).floor(), (high.max(low + 1.0) / step).ceil());
    // So few steps that their number is exact.
    let steps = (last - first) as usize;
    Some((0..=steps.min(4 * wanted)).map(|place| (first + place as f64) * step).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn curve(value: Value) -> Curve {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_value_holds_until_the_next() {
        let curve = curve(json!([[10, 4], [12, "8"], [13, 2], [25, "cold"]]));
        let extents = curve.extents((0, 40), 4);
        assert_eq!(extents[0], None);
        assert_eq!(extents[1], Some(Extent { first: 4.0, low: 2.0, high: 8.0, last: 2.0 }));
        assert_eq!(extents[2], Some(Extent::of(2.0)));
        assert_eq!(extents[3], None);
        assert_eq!((curve.highest(), curve.lowest()), (Some((12, 8.0)), Some(2.0)));
        assert_eq!(curve.last().as_deref(), Some("cold"));
    }

    #[test]
    fn the_value_of_the_last_moment_is_seen() {
        let extents = curve(json!([[0, 1], [40, 9]])).extents((0, 40), 4);
        assert_eq!(extents[3].map(|extent| extent.last), Some(9.0));
    }

    #[test]
    fn axes_have_round_steps_around_everything() {
        let axis = |value| ticks([&curve(value), &Curve::default()], 4);
        assert_eq!(axis(json!([[0, 48]])), Some(vec![0.0, 20.0, 40.0, 60.0]));
        assert_eq!(axis(json!([[0, -3], [1, 5]])), Some(vec![-4.0, -2.0, 0.0, 2.0, 4.0, 6.0]));
        assert_eq!(axis(json!([[0, 0]])), Some(vec![0.0, 0.5, 1.0]));
        assert_eq!(axis(json!([[0, "cold"]])), None);
    }
}
