//! Figures as a table: for the terminal, and between the marks of docs/bench.md.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use heat_tests::figures::{Figure, number};

use super::Measured;

/// What the table stands between.
const BEGIN: &str = "<!-- written by `cargo xtask bench --write`: -->";
const END: &str = "<!-- until here -->";

/// One figure as a line, while the bench goes on.
pub(crate) fn line(figure: &Figure) -> String {
    let floor = figure.floor.as_ref().map_or_else(String::new, |(what, floor)| {
        format!("; floor {} ({what}), ratio {}", number(*floor), ratio(figure))
    });
    let target = match &figure.target {
        Some((words, true)) => format!("; {words}: met"),
        Some((words, false)) => format!("; {words}: MISSED"),
        None => String::new(),
    };
    format!("{}: {}: {}{floor}{target}", figure.part, figure.name, value(figure))
}

/// All figures as a Markdown table, with the machine and what was not measured.
pub(crate) fn markdown(measured: &Measured, machine: &str, quick: bool) -> String {
    let mut text = format!("{machine}\n\n");
    if quick {
        text += "A quick run, with no figure to quote.\n\n";
    }
    text += "| part | figure | value | least to greatest | floor | ratio | target | met |\n";
    text += "|---|---|---|---|---|---|---|---|\n";
    for figure in &measured.figures {
        let floor = figure.floor.as_ref();
        let floor =
            floor.map_or_else(String::new, |(what, value)| format!("{}: {what}", number(*value)));
        let (least, greatest) = figure.spread;
        let spread = match least < greatest {
            true => format!("{} to {}", number(least), number(greatest)),
            false => String::new(),
        };
        let (target, met) = match &figure.target {
            Some((words, met)) => (words.as_str(), if *met { "yes" } else { "**no**" }),
            None => ("", ""),
        };
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {spread} | {floor} | {} | {target} | {met} |",
            figure.part,
            figure.name,
            value(figure),
            ratio(figure),
        );
    }
    for (what, why) in &measured.missing {
        let _ = writeln!(text, "\nNOT MEASURED: {what}, because {why}.");
    }
    text
}

/// Puts the table between its marks.
pub(crate) fn write(file: &Path, table: &str) -> Result<()> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("failed to read {name}"))?;
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("{name} lacks {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{name} lacks {END}"))?;
    std::fs::write(file, format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
        .with_context(|| format!("failed to write {name}"))
}

fn value(figure: &Figure) -> String {
    format!("{} {}", number(figure.value), figure.unit)
}

fn ratio(figure: &Figure) -> String {
    figure.ratio().map_or_else(String::new, number)
}
