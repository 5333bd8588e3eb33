//! Tables for people, and the colours of a terminal.

use std::io::{IsTerminal, stdout};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::clean;

/// A column is not made narrower than this.
const NARROWEST: usize = 12;

/// What a cell is painted with, where there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Plain,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

/// Whether what is printed may have colours.
pub(crate) fn has_colours() -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    wanted && stdout().is_terminal()
}

/// A text in a colour. It must be harmless already.
pub(crate) fn painted(text: &str, colour: Colour, colours: bool) -> String {
    let code = match colour {
        Colour::Bold => 1,
        Colour::Dim => 2,
        Colour::Red => 31,
        Colour::Green => 32,
        Colour::Yellow => 33,
        Colour::Cyan => 36,
        Colour::Plain => return text.to_owned(),
    };
    if colours && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

struct Cell(String, Colour);

enum Row {
    Cells(Vec<Cell>),
    /// A line that belongs to the row above.
    Below(String),
}

/// Rows below a line of names. Columns in which nothing stands are left out.
pub(crate) struct Table {
    names: Vec<&'static str>,
    rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(names: &[&'static str]) -> Self {
        Self { names: names.to_vec(), rows: Vec::new() }
    }

    /// One cell for each name.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = (String, Colour)>) {
        let cells = cells.into_iter().map(|(text, colour)| Cell(clean::text(&text), colour));
        self.rows.push(Row::Cells(cells.collect()));
    }

    /// A row without colours.
    pub(crate) fn plain(&mut self, cells: impl IntoIterator<Item = String>) {
        self.row(cells.into_iter().map(|text| (text, Colour::Plain)));
    }

    pub(crate) fn below(&mut self, line: &str) {
        self.rows.push(Row::Below(clean::text(line)));
    }

    pub(crate) fn text(&self, colours: bool) -> String {
        let widths: Vec<usize> = (0..self.names.len()).map(|place| self.width(place)).collect();
        let names: Vec<Cell> =
            self.names.iter().map(|name| Cell((*name).to_owned(), Colour::Bold)).collect();
        let mut text = line(&widths, &names, colours);
        for row in &self.rows {
            match row {
                Row::Cells(cells) => text.push_str(&line(&widths, cells, colours)),
                Row::Below(below) => {
                    text.push_str("  ");
                    text.push_str(&painted(below, Colour::Cyan, colours));
                    text.push('\n');
                }
            }
        }
        text
    }

    /// The same, at most `most` characters wide: the widest cells continue on the next line.
    pub(crate) fn text_within(&self, most: usize, colours: bool) -> String {
        let mut widths: Vec<usize> = (0..self.names.len()).map(|place| self.width(place)).collect();
        let total = |widths: &[usize]| widths.iter().map(|it| it + 2).sum::<usize>();
        while total(&widths) > most + 2 {
            let Some(widest) = widths.iter_mut().max().filter(|it| **it > NARROWEST) else { break };
            *widest -= 1;
        }
        let mut wrapped = Self { names: self.names.clone(), rows: Vec::new() };
        for row in &self.rows {
            match row {
                Row::Cells(cells) => wrapped.rows.extend(wrap(cells, &widths)),
                Row::Below(below) => wrapped.rows.push(Row::Below(below.clone())),
            }
        }
        wrapped.text(colours)
    }

    /// How wide a column is; 0 when nothing stands in it.
    fn width(&self, place: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => Some(cells.get(place)?.0.width()),
            Row::Below(_) => None,
        });
        match cells.max().unwrap_or(0) {
            0 => 0,
            widest => widest.max(self.names[place].width()),
        }
    }
}

/// A row as several, in which no cell is wider than its column.
fn wrap(cells: &[Cell], widths: &[usize]) -> Vec<Row> {
    let parts: Vec<Vec<String>> =
        cells.iter().zip(widths).map(|(cell, width)| lines_of(&cell.0, *width)).collect();
    let height = parts.iter().map(Vec::len).max().unwrap_or(0);
    let part = |place: usize, line: usize| parts[place].get(line).cloned().unwrap_or_default();
    let row = |line| {
        let cells = cells.iter().enumerate().take(parts.len());
        Row::Cells(cells.map(|(place, cell)| Cell(part(place, line), cell.1)).collect())
    };
    (0..height).map(row).collect()
}

/// A text in lines that are no wider than this, broken between words where there are some.
fn lines_of(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let fits = lines.last().is_some_and(|line| line.width() + word.trim_end().width() <= width);
        if !fits && lines.last().is_some_and(|line| !line.is_empty()) {
            lines.push(String::new());
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if c != ' ' && lines.last().is_some_and(|line| line.width() + wide > width.max(2)) {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

fn line(widths: &[usize], cells: &[Cell], colours: bool) -> String {
    let mut line = String::new();
    // Spaces come before the next text, so that none stand at the end.
    let mut gap = 0;
    for (Cell(text, colour), width) in cells.iter().zip(widths) {
        if *width == 0 {
            continue;
        }
        if !text.is_empty() {
            line.push_str(&" ".repeat(gap));
            line.push_str(&painted(text, *colour, colours));
            gap = 0;
        }
        gap += width - text.width().min(*width) + 2;
    }
    line.push('\n');
    line
}

/// The first characters of a digest: as many as tell it from others.
pub(crate) fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["slot", "state", "differs", "failures"]);
        table.row([
            ("decay".to_owned(), Colour::Plain),
            ("live".to_owned(), Colour::Green),
            (String::new(), Colour::Plain),
            ("3".to_owned(), Colour::Plain),
        ]);
        table.below("shadow: decay 2");
        table.plain(["fäve\u{1b}[2J".to_owned(), "probation".to_owned(), String::new()]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let expected = "\
slot      state      failures
decay     live       3
  shadow: decay 2
fäve\u{FFFD}[2J  probation
";
        assert_eq!(table().text(false), expected);
    }

    #[test]
    fn wide_cells_go_on_below() {
        let mut table = Table::new(&["name", "what"]);
        table.plain(["cap".to_owned(), "one two three four five six".to_owned()]);
        table.plain(["x".repeat(5), "averyveryverylongword".to_owned()]);
        let expected = "\
name   what
cap    one two three
       four five six
xxxxx  averyveryveryl
       ongword
";
        let text = table.text_within(21, false);
        assert_eq!(text, expected);
        assert_eq!(table.text_within(100, false), table.text(false));
    }

    #[test]
    fn colours_change_no_width() {
        let text = table().text(true);
        assert!(text.contains("decay     \u{1b}[32mlive\u{1b}[0m       3\n"), "{text:?}");
    }
}
