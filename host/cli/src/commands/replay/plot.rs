//! Two curves drawn with characters: in the dots of Braille on a terminal with colours, otherwise in plain ones.

use std::io::{IsTerminal, stdout};

use super::curve::{Curve, ticks};
use crate::terminal::clean;
use crate::terminal::table::{Colour, has_colours, painted};
use crate::when;

/// How wide a plot is where there is no terminal.
const WIDTH: usize = 80;

/// How many rows the curves have.
const HEIGHT: usize = 16;

const LIVE: u8 = 1;
const CANDIDATE: u8 = 2;

/// What it is drawn for.
pub(super) struct PlotStyle {
    width: usize,
    colours: bool,
}

impl PlotStyle {
    pub(super) fn of_stdout() -> Self {
        let size = if stdout().is_terminal() { crossterm::terminal::size().ok() } else { None };
        let width = size.map_or(WIDTH, |(columns, _)| usize::from(columns).clamp(40, 160));
        Self { width, colours: has_colours() }
    }

    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Self { width: WIDTH, colours: false }
    }

    /// Dots in a character: columns and rows.
    fn dots(&self) -> (usize, usize) {
        if self.colours { (2, 4) } else { (1, 1) }
    }
}

/// Which curve goes through each dot.
struct Raster {
    width: usize,
    dots: Vec<u8>,
}

/// The curves of an output over a time; none when it shows no number.
pub(super) fn plot(
    output: &str,
    curves: [&Curve; 2],
    span: (u64, u64),
    look: &PlotStyle,
) -> Option<String> {
    let ticks = ticks(curves, 4)?;
    let (low, high) = (*ticks.first()?, *ticks.last()?);
    let labels: Vec<String> = ticks.iter().map(|tick| tick.to_string()).collect();
    let margin = labels.iter().map(String::len).max()?.max(3) + 1;
    let columns = look.width.saturating_sub(margin + 2).max(10);
    let (wide, tall) = look.dots();
    let raster = Raster::of(curves, span, (low, high), (columns * wide, HEIGHT * tall));
    let row_of = |value: f64| row(value, (low, high), HEIGHT);
    let mut text = clean::text(output) + "\n";
    for place in 0..HEIGHT {
        let tick = ticks.iter().position(|tick| row_of(*tick) == place);
        let label = tick.map_or("", |tick| &labels[tick]);
        let edge = match (look.colours, tick.is_some()) {
            (true, true) => '┤',
            (true, false) => '│',
            (false, true) => '+',
            (false, false) => '|',
        };
        let cells: String = (0..columns).map(|column| raster.cell(column, place, look)).collect();
        text.push_str(&format!("{label:>margin$}{edge}{}\n", cells.trim_end()));
    }
    text.push_str(&foot(margin, columns, span, look));
    text.push_str(&legend(margin, look));
    Some(text)
}

impl Raster {
    fn of(
        curves: [&Curve; 2],
        span: (u64, u64),
        range: (f64, f64),
        (width, height): (usize, usize),
    ) -> Self {
        let mut raster = Self { width, dots: vec![0; width * height] };
        for (curve, mark) in curves.into_iter().zip([LIVE, CANDIDATE]) {
            let mut before = None;
            for (column, extent) in curve.extents(span, width).into_iter().enumerate() {
                let Some(extent) = extent else {
                    before = None;
                    continue;
                };
                // The line goes up and down where the value jumps.
                let low = before.map_or(extent.low, |before: f64| before.min(extent.low));
                let high = before.map_or(extent.high, |before: f64| before.max(extent.high));
                for place in row(high, range, height)..=row(low, range, height) {
                    raster.dots[place * width + column] |= mark;
                }
                before = Some(extent.last);
            }
        }
        raster
    }

    fn cell(&self, column: usize, place: usize, look: &PlotStyle) -> String {
        if !look.colours {
            return match self.dots[place * self.width + column] {
                LIVE => '.',
                CANDIDATE => '*',
                0 => ' ',
                _ => '#',
            }
            .to_string();
        }
        // Unicode, Braille patterns: the bits of the dots, row by row.
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let (mut bits, mut marks) = (0, 0);
        for (below, row) in BITS.iter().enumerate() {
            for (right, bit) in row.iter().enumerate() {
                let dot = self.dots[(place * 4 + below) * self.width + column * 2 + right];
                marks |= dot;
                bits |= if dot == 0 { 0 } else { *bit };
            }
        }
        let dots = char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ').to_string();
        match marks {
            0 => " ".to_owned(),
            LIVE => painted(&dots, Colour::Cyan, true),
            _ => painted(&dots, Colour::Yellow, true),
        }
    }
}

/// The row of a value, from above.
fn row(value: f64, (low, high): (f64, f64), height: usize) -> usize {
    let share = ((high - value) / (high - low)).clamp(0.0, 1.0);
    // At most the height of the plot.
    (share * (height - 1) as f64).round() as usize
}

/// The axis of time, with a time every so often.
fn foot(margin: usize, columns: usize, (from, to): (u64, u64), look: &PlotStyle) -> String {
    let every = 20;
    let (corner, dash, mark) = if look.colours { ('└', '─', '┬') } else { ('+', '-', '+') };
    let axis: String =
        (0..columns).map(|column| if column % every == 0 { mark } else { dash }).collect();
    let mut times = String::new();
    for column in (0..columns).step_by(every) {
        let at = from as f64 + (to - from) as f64 * column as f64 / columns as f64;
        // Between two times that are whole numbers.
        let time = when::tick(at as u64, to - from);
        if column + time.len() <= columns {
            times.push_str(&format!("{time:<every$}"));
        }
    }
    format!("{:margin$}{corner}{axis}\n{:margin$} {}\n", "", "", times.trim_end())
}

fn legend(margin: usize, look: &PlotStyle) -> String {
    let (live, candidate) = match look.colours {
        true => {
            (painted("⣀⣀ live", Colour::Cyan, true), painted("⣀⣀ candidate", Colour::Yellow, true))
        }
        false => (".. live".to_owned(), "** candidate   ## both".to_owned()),
    };
    format!("{:margin$} {live}   {candidate}\n", "")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn curve(value: serde_json::Value) -> Curve {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn both_curves_are_told_apart_without_colours() {
        let live = curve(json!([[0, 0], [30_000, 10]]));
        let candidate = curve(json!([[0, 0], [30_000, 20]]));
        let look = PlotStyle { width: 46, colours: false };
        let text = plot("heat", [&live, &candidate], (0, 60_000), &look).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0], "heat");
        assert_eq!(rows[1], format!("  20+{}{}", " ".repeat(20), "*".repeat(20)), "{text}");
        assert_eq!(rows[16], format!("   0+{}", "#".repeat(21)), "{text}");
        assert_eq!(
            rows[17],
            format!("    +{}", format!("+{}", "-".repeat(19)).repeat(2)),
            "{text}"
        );
        assert!(text.contains(&format!("#{}", ".".repeat(19))), "{text}");
        assert!(text.ends_with(".. live   ** candidate   ## both\n"), "{text}");
        assert!(text.is_ascii(), "{text}");
    }

    #[test]
    fn colours_and_dots_are_for_terminals() {
        let live = curve(json!([[0, 0], [30_000, 10]]));
        let look = PlotStyle { width: 60, colours: true };
        let text = plot("heat\u{1b}[2J", [&live, &Curve::default()], (0, 60_000), &look).unwrap();
        assert!(text.contains('⠁') || text.contains('⠉'), "{text}");
        assert!(text.starts_with("heat\u{FFFD}[2J\n"), "{text}");
    }

    #[test]
    fn no_numbers_make_no_plot() {
        let cold = curve(json!([[0, "cold"]]));
        assert!(plot("level", [&cold, &cold], (0, 1), &PlotStyle::plain()).is_none());
        let point = curve(json!([[5, 3]]));
        assert!(plot("heat", [&point, &point], (5, 6), &PlotStyle::plain()).is_some());
    }
}
