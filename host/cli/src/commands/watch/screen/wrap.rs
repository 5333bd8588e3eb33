//! Breaks a line into rows of the screen, between words where that is possible. What people see as one letter is never broken.

use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};
use unicode_width::UnicodeWidthStr;

/// How many code points one letter may have. A letter with hundreds of marks would reach over its neighbours.
const LONGEST_LETTER: usize = 12;

/// A line as rows: what does not fit goes on below the body's beginning.
pub(super) fn wrap(lead: Vec<Span<'static>>, body: &[Span<'_>], width: usize) -> Vec<Row<'static>> {
    let width = width.max(1);
    let lead_width: usize = lead.iter().map(|span| span.content.width()).sum();
    let indent = lead_width.min(width / 2);
    let mut rows =
        Rows { done: Vec::new(), row: lead, used: lead_width, indent, width, has_body: false };
    let mut word: Vec<(String, Style, usize)> = Vec::new();
    for (letter, style) in letters(body) {
        let wide = letter.width();
        let is_space = letter == " ";
        word.push((letter, style, wide));
        if is_space {
            rows.push(&mut word);
        }
    }
    rows.push(&mut word);
    rows.end()
}

fn letters<'a>(body: &'a [Span<'_>]) -> impl Iterator<Item = (String, Style)> + 'a {
    body.iter()
        .flat_map(|span| span.styled_graphemes(Style::default()))
        .map(|letter| (letter.symbol.chars().take(LONGEST_LETTER).collect(), letter.style))
}

struct Rows {
    done: Vec<Row<'static>>,
    row: Vec<Span<'static>>,
    used: usize,
    indent: usize,
    width: usize,
    /// The row has something behind the lead or the indent.
    has_body: bool,
}

impl Rows {
    /// Appends a word, with the space behind it, which may stand beyond the edge.
    fn push(&mut self, word: &mut Vec<(String, Style, usize)>) {
        let seen = word.iter().filter(|(letter, ..)| letter != " ").map(|it| it.2).sum::<usize>();
        let fits_below = self.used > self.indent && seen <= self.width - self.indent;
        if self.used + seen > self.width && (self.has_body || fits_below) {
            self.next();
        }
        for (letter, style, wide) in word.drain(..) {
            if letter == " " && self.used >= self.width {
                continue;
            }
            if self.used + wide > self.width && self.used > self.indent {
                self.next();
            }
            self.used += wide;
            match self.row.last_mut() {
                Some(last) if last.style == style && self.has_body => {
                    last.content.to_mut().push_str(&letter);
                }
                _ => self.row.push(Span::styled(letter, style)),
            }
            self.has_body = true;
        }
    }

    fn next(&mut self) {
        let indent = vec![Span::raw(" ".repeat(self.indent))];
        self.done.push(Row::from(std::mem::replace(&mut self.row, indent)));
        (self.used, self.has_body) = (self.indent, false);
    }

    fn end(mut self) -> Vec<Row<'static>> {
        self.done.push(Row::from(self.row));
        self.done
    }
}

/// The beginning of a text, as much as fits.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for letter in Span::raw(text).styled_graphemes(Style::default()) {
        if cut.width() + letter.symbol.width() + 1 > width {
            break;
        }
        cut.push_str(letter.symbol);
    }
    cut.push('…');
    cut
}

/// A text in rows of this width, wherever that breaks it: a link has no spaces.
pub(super) fn in_rows(text: &str, width: usize) -> Vec<Row<'static>> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(width.max(1)).map(|row| Row::from(row.iter().collect::<String>())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::clean;

    /// Rows as text.
    fn rows(lead: &str, text: &str, width: usize) -> Vec<String> {
        let rows = wrap(vec![Span::raw(lead.to_owned())], &[Span::raw(text)], width);
        rows.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn words_go_on_below_the_text_and_long_ones_are_broken() {
        assert_eq!(rows("ann: ", "one two three", 13), ["ann: one two ", "     three"]);
        assert_eq!(rows("ann: ", "abcdefghijkl", 10), ["ann: abcde", "     fghij", "     kl"]);
        assert_eq!(rows("日本: ", "日本語日本", 11), ["日本: 日本", "     語日本"]);
    }

    /// Any text: scripts from right to left, joined emoji, marks without end, tabs, sequences that play with a terminal.
    #[test]
    fn no_text_breaks_the_frame_or_reaches_the_terminal_as_a_sequence() {
        let marks = "\u{301}".repeat(500);
        let parts = [
            "שלום",
            "👨‍👩‍👧‍👦",
            "a",
            &marks,
            "\t",
            "\u{1b}[2J",
            "日本語",
            " ",
            "🇩🇪",
            "\u{202E}",
            "é",
            "\u{200D}",
            "ﷺ",
        ];
        let mut dice = 7_u64;
        for round in 0..2_000 {
            let mut text = String::new();
            for _ in 0..round % 40 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push_str(parts[(dice >> 33) as usize % parts.len()]);
            }
            let width = 1 + round % 70;
            for row in rows("ann: ", &clean::text(&text), width).iter().skip(1) {
                assert!(row.width() <= width.max(4), "{width}: {row:?}");
                assert!(!row.chars().any(char::is_control), "{row:?}");
            }
        }
    }
}
