//! A bar on the terminal for what is sent or fetched. Where there is no terminal, there is none.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::clean;

pub(crate) struct Bar(Option<ProgressBar>);

impl Bar {
    /// So much is to be done; 0: nobody knows.
    pub(crate) fn new(what: &str, of: u64) -> Self {
        if !stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        let template = match of {
            0 => "{spinner} {msg}, {human_pos}",
            _ => "{bar:30} {percent:>3}% {msg}, {human_pos} of {human_len}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("█▌░").tick_chars("|/-\\ "));
        }
        bar.set_length(of);
        bar.set_message(clean::text(what));
        Self(Some(bar))
    }

    /// Nobody knows how long it takes, and there is nothing to count.
    pub(crate) fn waiting(what: &str) -> Self {
        let mut bar = Self::new(what, 0);
        if let (Some(bar), Ok(style)) =
            (&mut bar.0, ProgressStyle::with_template("{spinner} {msg}"))
        {
            bar.set_style(style.tick_chars("|/-\\ "));
            bar.tick();
        }
        bar
    }

    /// It is known now how much there is to do.
    pub(crate) fn of(&mut self, what: &str, of: u64) {
        self.end();
        *self = Self::new(what, of);
    }

    pub(crate) fn at(&self, position: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(position);
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}
