//! Two curves as a picture: one file that needs nothing else, to be read on light and on dark.

use std::fmt::Write as _;

use super::curve::{Curve, ticks};
use crate::terminal::clean;
use crate::when;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 400.0;

/// Where the curves are: room for values at the left, for times below, for names above.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 940.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 360.0;

/// How many times stand below.
const TIMES: u64 = 6;

const HEAD: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 400" width="960" height="400" role="img" aria-labelledby="title">
<style>
  .paper { fill: #ffffff } text { fill: #30343b; font: 13px system-ui, sans-serif } .grid { stroke: #dcdfe4; stroke-width: 1 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round } .live { stroke: #2a6fb0 } .candidate { stroke: #c2570c }
  .name { font-weight: 600; font-size: 15px } .value { text-anchor: end } .time { text-anchor: middle }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #1e222a } text { fill: #d8dee9 } .grid { stroke: #3b414c } .live { stroke: #6cb2f2 } .candidate { stroke: #ffa45c }
  }
</style>
"##;

/// The picture; none when the output shows no number.
pub(super) fn picture(output: &str, curves: [&Curve; 2], span: (u64, u64)) -> Option<String> {
    let ticks = ticks(curves, 4)?;
    let range = (*ticks.first()?, *ticks.last()?);
    let name = escaped(output);
    let mut svg = HEAD.to_owned();
    // Writing into a string does not fail.
    let _ = writeln!(svg, "<title id=\"title\">{name}, live and candidate</title>");
    let _ = writeln!(svg, "<rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/>");
    let _ = writeln!(svg, "<text class=\"name\" x=\"{LEFT}\" y=\"34\">{name}</text>");
    for tick in &ticks {
        let y = height(*tick, range);
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
        let (x, y) = (LEFT - 8.0, y + 4.5);
        let _ = writeln!(svg, "<text class=\"value\" x=\"{x}\" y=\"{y:.1}\">{tick}</text>");
    }
    svg.push_str(&times(span));
    for (curve, class) in curves.into_iter().zip(["live", "candidate"]) {
        let line = path(curve, span, range);
        let _ = writeln!(svg, "<path class=\"line {class}\" d=\"{line}\"/>");
    }
    for (class, x) in [("live", RIGHT - 180.0), ("candidate", RIGHT - 104.0)] {
        let _ = writeln!(svg, "<path class=\"line {class}\" d=\"M{x} 30h22\"/>");
        let _ = writeln!(svg, "<text x=\"{}\" y=\"34.5\">{class}</text>", x + 28.0);
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

fn times((from, to): (u64, u64)) -> String {
    let mut text = String::new();
    for place in 0..=TIMES {
        let at = from + (to - from) * place / TIMES;
        let x = LEFT + (RIGHT - LEFT) * place as f64 / TIMES as f64;
        let _ = writeln!(text, "<path class=\"grid\" d=\"M{x:.1} {BOTTOM}v6\"/>");
        // The last one would stand out of the picture.
        let (x, anchor) = match place {
            TIMES => (RIGHT + 12.0, " style=\"text-anchor: end\""),
            _ => (x, ""),
        };
        let time = escaped(&when::tick(at, to - from));
        let y = BOTTOM + 24.0;
        let _ = writeln!(text, "<text class=\"time\" x=\"{x:.1}\" y=\"{y}\"{anchor}>{time}</text>");
    }
    text
}

/// The line, of no more points than can be seen.
fn path(curve: &Curve, span: (u64, u64), range: (f64, f64)) -> String {
    let parts = (RIGHT - LEFT) as usize;
    let mut path = String::new();
    let mut pen: Option<f64> = None;
    for (place, extent) in curve.extents(span, parts).into_iter().enumerate() {
        let x = LEFT + place as f64;
        let Some(extent) = extent else {
            if pen.take().is_some() {
                let _ = write!(path, "H{x:.0}");
            }
            continue;
        };
        let y = |value| height(value, range);
        match pen {
            None => {
                let _ = write!(path, "M{x:.0} {:.1}", y(extent.first));
            }
            Some(before) if before == extent.low && before == extent.high => continue,
            Some(_) => {
                let _ = write!(path, "H{x:.0}V{:.1}", y(extent.first));
            }
        }
        let mut at = extent.first;
        for value in [extent.low, extent.high, extent.last] {
            if value != at {
                let _ = write!(path, "V{:.1}", y(value));
                at = value;
            }
        }
        pen = Some(extent.last);
    }
    if pen.is_some() {
        let _ = write!(path, "H{RIGHT}");
    }
    path
}

fn height(value: f64, (low, high): (f64, f64)) -> f64 {
    BOTTOM - (BOTTOM - TOP) * ((value - low) / (high - low)).clamp(0.0, 1.0)
}

/// A text within XML.
fn escaped(text: &str) -> String {
    clean::text(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn curve(value: serde_json::Value) -> Curve {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_step_is_drawn_as_a_step() {
        let line = path(&curve(json!([[0, 0], [50, 10]])), (0, 100), (0.0, 10.0));
        assert_eq!(line, "M64 360.0H502V56.0H940");
        assert_eq!(path(&Curve::default(), (0, 100), (0.0, 10.0)), "");
    }

    #[test]
    fn many_points_are_no_more_than_can_be_seen() {
        let points: Vec<_> = (0..100_000).map(|at| json!([at, at % 7])).collect();
        let line = path(&curve(points.into()), (0, 100_000), (0.0, 10.0));
        assert!(line.len() < 40_000, "{}", line.len());
    }

    #[test]
    fn the_picture_stands_alone() {
        let (live, candidate) = (curve(json!([[0, 1]])), curve(json!([[0, 2]])));
        let svg = picture("<heat>&\u{1b}", [&live, &candidate], (0, 1000)).unwrap();
        assert!(svg.contains("&lt;heat&gt;&amp;\u{FFFD}") && !svg.contains("href"), "{svg}");
        assert!(svg.contains("prefers-color-scheme: dark") && svg.ends_with("</svg>\n"), "{svg}");
        assert!(picture("x", [&Curve::default(), &Curve::default()], (0, 1)).is_none());
    }
}
