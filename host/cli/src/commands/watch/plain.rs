//! Plain lines, for files and pipes: what happens, and a line of the gauge whenever it changes.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};

use super::board::Board;
use super::entry::Entry;
use super::news::News;
use super::source::{Next, Source};
use crate::terminal::{clean, note};

/// How wide a bar is.
const BAR: usize = 30;

/// How often a wait looks whether it shall end.
const LOOK: Duration = Duration::from_millis(100);

/// How entries are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineFormat {
    Lines,
    Json,
}

/// Until the end of the news, or until somebody stops it, or nobody reads it.
pub(crate) fn run(
    mut source: Source,
    mut board: Board,
    style: LineFormat,
    stop: &AtomicBool,
) -> Result<()> {
    let mut printer = Printer { style, gauges: Vec::new(), out: io::stdout().lock() };
    while !stop.load(Ordering::Relaxed) {
        let printed = match source.next(LOOK)? {
            Next::End => break,
            Next::News(News::Entry(json)) => printer.entry(&json, &mut board),
            Next::News(News::Note(text)) => {
                note(&text);
                Ok(())
            }
            Next::News(News::Failed(reason)) => bail!(reason),
            Next::News(News::Up | News::Down | News::Alive) | Next::Nothing => Ok(()),
        };
        match printed {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
            printed => printed?,
        }
    }
    Ok(())
}

struct Printer<W> {
    style: LineFormat,
    /// As they were printed last.
    gauges: Vec<String>,
    out: W,
}

impl<W: Write> Printer<W> {
    fn entry(&mut self, json: &str, board: &mut Board) -> io::Result<()> {
        if self.style == LineFormat::Json {
            writeln!(self.out, "{}", clean::json(json))?;
            return self.out.flush();
        }
        let Some(entry) = Entry::read(json) else { return Ok(()) };
        for line in board.take(&entry) {
            writeln!(self.out, "{} {}{}", line.lead, line.tag, line.text)?;
        }
        let gauges = board.gauges();
        let gauges: Vec<String> = gauges
            .iter()
            .map(|(text, gauge)| {
                // Before it shows anything there is nothing to see.
                let empty = gauge.text.is_empty();
                if empty { String::new() } else { format!("▕{}▏ {text}", gauge.bar(BAR)) }
            })
            .collect();
        for (place, gauge) in gauges.iter().enumerate() {
            if !gauge.is_empty() && self.gauges.get(place) != Some(gauge) {
                writeln!(self.out, "{gauge}")?;
            }
        }
        self.gauges = gauges;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(style: LineFormat, entries: &[&str]) -> String {
        let mut board = Board::new("heat", true);
        let mut printer = Printer { style, gauges: Vec::new(), out: Vec::new() };
        for json in entries {
            printer.entry(json, &mut board).unwrap();
        }
        String::from_utf8(printer.out).unwrap()
    }

    const ENTRIES: [&str; 5] = [
        r#"{"kind":"hello","version":"1","channels":["seaside"]}"#,
        r#"{"channel":"seaside","kind":"chat","name":"Ann","login":"ann","text":"?fave"}"#,
        r#"{"channel":"seaside","kind":"rule","slot":"decay","effects":["show heat \"15\""]}"#,
        r#"{"channel":"seaside","kind":"output","name":"heat","text":"15"}"#,
        r#"{"channel":"seaside","kind":"output","name":"heat","text":"15"}"#,
    ];

    #[test]
    fn the_gauge_is_printed_when_it_changes() {
        let printed = print(LineFormat::Lines, &ENTRIES);
        let (full, empty) = ("█".repeat(15), "░".repeat(15));
        let expected = format!(
            "        Ann: ?fave\n             decay → show heat \"15\"\n▕{full}{empty}▏ heat 15\n"
        );
        assert_eq!(printed, expected);
    }

    #[test]
    fn json_is_passed_on_harmless() {
        let raw = "{\"channel\":\"x\",\"kind\":\"chat\",\"name\":\"a\",\"login\":\"a\",\"text\":\"\u{202E}\"}";
        assert_eq!(
            print(LineFormat::Json, &[raw]),
            format!("{}\n", raw.replace('\u{202E}', "\\u202e"))
        );
    }
}
