//! The screen of a terminal: what came is kept and drawn, and keys move in it.
//!
//! [`backlog`] keeps the lines and knows which are in view, [`filter`] what somebody looks for, [`prompt`] the line that is typed, [`overlay`] the help
//! and the story of a line; [`input`] is what keys do to all of them, [`draw`] draws them, and [`wrap`] breaks lines into rows.

mod backlog;
mod draw;
mod filter;
mod input;
mod overlay;
mod prompt;
mod wrap;

use std::io::stdout;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event,
};
use ratatui::crossterm::execute;
use ratatui::crossterm::style::force_color_output;

use super::acts::{Act, ActSender, Outcome};
use super::board::Board;
use super::entry::{Entry, What};
use super::keys;
use super::line::Line;
use super::look::Look;
use super::news::News;
use super::pictures::Pictures;
use super::source::{Next, Source};
use backlog::Backlog;
use filter::Term;
use overlay::Overlay;
use prompt::{Prompt, Purpose};

/// How often keys are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// How often the screen is drawn when nothing happens: times go on.
const IDLE: Duration = Duration::from_secs(1);

/// How many news are taken before keys are looked for again.
const TURN: usize = 256;

pub(crate) struct Screen {
    board: Board,
    backlog: Backlog,
    look: Look,
    connected: bool,
    /// Stays in sight below the head.
    sign: Option<String>,
    /// How many rows the lines have.
    height: usize,
    prompt: Option<Prompt>,
    /// What is asked before it is done, and the line that was typed for it.
    asked: Option<(Act, String)>,
    overlay: Option<Overlay>,
    /// What was searched last.
    searched: Option<Term>,
    /// What heatd has said to the last thing that was sent, until a key is pressed.
    said: Option<String>,
    /// Sends to heatd. None: there is none.
    sender: Option<ActSender>,
    /// How many entries of the past are still to come.
    past: u64,
    /// Of emotes. None: they are words.
    pictures: Option<Pictures>,
}

/// Until somebody leaves, or the news end. The terminal is what it was before, also after a panic.
pub(crate) fn run(
    source: Source,
    board: Board,
    look: Look,
    sender: Option<ActSender>,
    sign: Option<String>,
    stop: &AtomicBool,
) -> Result<()> {
    let mouse = look.settings.mouse;
    let mut screen = Screen { sign, sender, ..Screen::new(board, look) };
    // crossterm's own way to honour NO_COLOR takes bold and reversed text away too.
    force_color_output(true);
    let mut terminal = ratatui::try_init()
        .context("failed to take the terminal for a screen; --plain needs none")?;
    // A terminal that cannot do them ignores them.
    let _ = execute!(stdout(), EnableBracketedPaste);
    if mouse {
        let _ = execute!(stdout(), EnableMouseCapture);
    }
    // The terminal is asked what it can, so this comes before keys are read.
    screen.begin_pictures();
    let done = keys::read().and_then(|keys| show(&mut terminal, source, &mut screen, &keys, stop));
    let _ = execute!(stdout(), DisableBracketedPaste, DisableMouseCapture);
    // A terminal that is gone needs no restoring, and `ratatui::restore` would panic there.
    let _ = ratatui::try_restore();
    done
}

fn show(
    terminal: &mut DefaultTerminal,
    mut source: Source,
    screen: &mut Screen,
    keys: &Receiver<Event>,
    stop: &AtomicBool,
) -> Result<()> {
    let mut drawn: Option<Instant> = None;
    while !stop.load(Ordering::Relaxed) {
        let mut news = drawn.is_none_or(|drawn| drawn.elapsed() >= IDLE);
        for _ in 0..TURN {
            match source.next(Duration::ZERO)? {
                Next::News(News::Failed(reason)) => bail!(reason),
                Next::News(what) => screen.take(what),
                Next::Nothing => break,
                Next::End => return Ok(()),
            }
            news = true;
        }
        news |= screen.take_outcomes();
        news |= screen.pictures.as_mut().is_some_and(Pictures::take);
        if news {
            // This is where it is noticed that the terminal is gone.
            terminal.draw(|frame| screen.draw(frame))?;
            drawn = Some(Instant::now());
        }
        let mut wait = LOOK;
        loop {
            let event = match keys.recv_timeout(wait) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => break,
                // No key can be read any more, not even q.
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            wait = Duration::ZERO;
            if !screen.event(&event) {
                return Ok(());
            }
            drawn = None;
        }
    }
    Ok(())
}

impl Screen {
    fn new(board: Board, look: Look) -> Self {
        let backlog = Backlog::new(look.settings.lines, !look.settings.rules);
        Self {
            board,
            backlog,
            look,
            connected: false,
            sign: None,
            height: 1,
            prompt: None,
            asked: None,
            overlay: None,
            searched: None,
            said: None,
            sender: None,
            past: 0,
            pictures: None,
        }
    }

    /// Sees whether this terminal shows pictures, where they are wished.
    fn begin_pictures(&mut self) {
        let settings = &self.look.settings;
        match Pictures::begin(settings.pictures, settings.theme, self.look.pictures_from.clone()) {
            Ok(pictures) => self.pictures = pictures,
            Err(why) => self.backlog.push(Line::note(&format!("emotes are words: {why:#}"))),
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Entry(json) => {
                let Some(entry) = Entry::read(&json) else { return };
                self.take_entry(&entry);
            }
            News::Note(text) => self.backlog.push(Line::note(&text)),
            News::Up => self.connected = true,
            News::Down => self.connected = false,
            News::Alive | News::Failed(_) => {}
        }
    }

    fn take_entry(&mut self, entry: &Entry) {
        match &entry.what {
            What::Removed { id, login } => {
                self.backlog.strike(&entry.channel, id.as_deref(), login.as_deref());
            }
            What::Past { entries } => {
                self.past = *entries;
                self.backlog.expect_past();
            }
            _ => {}
        }
        for line in self.board.take(entry) {
            if !self.look.settings.hide.contains(&line.event) || line.event.is_empty() {
                self.backlog.push(line);
            }
        }
        if self.past > 0 && !matches!(entry.what, What::Past { .. }) {
            self.past -= 1;
            if self.past == 0 {
                self.backlog.past_is_over();
            }
        }
        let is_gone = |tab: &String| !self.board.channels.contains_key(tab);
        if matches!(entry.what, What::Hello { .. })
            && self.backlog.tab.as_ref().is_some_and(is_gone)
        {
            self.backlog.turn_to(None);
        }
    }

    /// What became of what was sent. Whether there was any.
    fn take_outcomes(&mut self) -> bool {
        let mut any = false;
        while let Some(outcome) = self.sender.as_ref().and_then(ActSender::outcome) {
            any = true;
            match outcome {
                Outcome::Raw { id, raw } => {
                    if let Some(Overlay::Story(story)) = &mut self.overlay
                        && story.id == id
                    {
                        story.take_raw(raw);
                    }
                }
                Outcome::Done { done: Ok(message), .. } => {
                    if !message.is_empty() {
                        self.backlog.push(Line::note(&message));
                    }
                }
                // The line comes back with the reason, unless something else is typed by now.
                Outcome::Done { act, done: Err(why) } => {
                    let why = crate::terminal::clean::text(&why);
                    match (&act, &self.prompt) {
                        (Act::Say { text, answers }, None) => {
                            let answers = answers.clone().map(|id| (id, String::new()));
                            let mut prompt = Prompt::new(Purpose::Send { answers }, text);
                            prompt.problem = Some(why);
                            self.prompt = Some(prompt);
                        }
                        _ => self.said = Some(why),
                    }
                }
            }
        }
        any
    }
}

#[cfg(test)]
mod tests;
