//! The screen of the demo: chat, what each rule did, and the heat as a gauge on the last line. Plain lines when piped.

use std::io::{IsTerminal, Write};

use serde_json::Value;

/// How many degrees the gauge has room for.
const WIDTH: usize = 30;

pub(crate) struct Screen {
    terminal: bool,
    shown: String,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { terminal: std::io::stdout().is_terminal() && colours, shown: String::new() }
    }

    /// Somebody says something.
    pub(crate) fn chat(&mut self, name: &str, text: &str) {
        self.line("2", &format!("{name:>6}: {text}"));
    }

    /// A line of heatd's log: what a rule did is shown, and what went wrong; connections are not.
    pub(crate) fn log(&mut self, line: &str) {
        let Ok(entry) = serde_json::from_str::<Value>(line) else { return };
        let field = |name: &str| entry["fields"][name].as_str().unwrap_or_default();
        if field("message") == "rule answered" {
            let (rule, effects) = (field("rule"), field("effects"));
            let visible = effects
                .split("; ")
                .filter(|effect| !effect.starts_with("put ") && !effect.starts_with("wake "));
            for effect in visible {
                self.line("36", &format!("        {rule} → {effect}"));
            }
        } else if entry["level"] == "WARN" || entry["level"] == "ERROR" {
            self.line("31", &format!("        {} {}", field("message"), entry["fields"]));
        }
    }

    /// The text of the file, with a bar as long as its number.
    pub(crate) fn gauge(&mut self, text: &str) {
        if text == self.shown {
            return;
        }
        self.shown = text.to_owned();
        if self.terminal {
            self.draw_gauge();
        } else {
            self.write(&format!("{}\n", bar(text)));
        }
    }

    /// Leaves the cursor below everything.
    pub(crate) fn leave(&mut self) {
        if self.terminal {
            self.write("\n");
        }
    }

    fn line(&mut self, colour: &str, text: &str) {
        if self.terminal {
            self.write(&format!("\r\x1b[2K\x1b[{colour}m{text}\x1b[0m\n"));
            self.draw_gauge();
        } else {
            self.write(&format!("{text}\n"));
        }
    }

    fn draw_gauge(&mut self) {
        let gauge = format!("\r\x1b[2K\x1b[1;33m{}\x1b[0m", bar(&self.shown));
        self.write(&gauge);
    }

    /// Where nobody reads any more, the demo goes on: it is ended by Ctrl-C or by its time.
    fn write(&mut self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

fn bar(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let degrees = digits.parse::<usize>().unwrap_or(0).min(WIDTH);
    format!("▕{}{}▏ {text}", "█".repeat(degrees), "░".repeat(WIDTH - degrees))
}
