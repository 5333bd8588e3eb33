//! What keys do on the screen, and the thread that reads them.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context, Result};
use ratatui::crossterm::event::{
    self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEventKind,
};

/// How many keys may wait while the screen is drawn.
const WAITING: usize = 64;

/// How many lines the wheel of the mouse scrolls.
const WHEEL: i32 = 3;

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyAction {
    Leave,
    /// Back to the newest line; leaves from there.
    Back,
    /// So many pages up; down when below 0.
    Pages(i32),
    /// So many lines up; down when below 0.
    Lines(i32),
    /// Chooses the next line.
    Choose {
        up: bool,
    },
    Oldest,
    Newest,
    /// All channels (0), or one.
    Tab(usize),
    /// So many channels on.
    NextTab(isize),
    Search,
    Filter,
    /// The next place that the search finds.
    Again {
        up: bool,
    },
    /// Shows or hides what rules answer.
    Rules,
    /// All about the chosen line.
    Story,
    Copy,
    Write,
    /// Writes in answer to the chosen line.
    Answer,
    /// Writes a command about the chosen line.
    Command(&'static str),
    Help,
    Redraw,
}

/// Reads keys in a thread of its own: in a terminal that is gone, reading never ends, and the screen must.
pub(crate) fn read() -> Result<Receiver<Event>> {
    let (sender, keys) = sync_channel(WAITING);
    let reader = thread::Builder::new().name("keys".to_owned());
    let read = move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                return;
            }
        }
    };
    reader.spawn(read).context("failed to start a thread")?;
    Ok(keys)
}

pub(crate) fn key_action(event: &Event) -> Option<KeyAction> {
    match event {
        // Windows tells of releases too.
        Event::Key(key) if key.kind != KeyEventKind::Release => action_of_key(key),
        Event::Resize(..) => Some(KeyAction::Redraw),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => Some(KeyAction::Lines(WHEEL)),
            MouseEventKind::ScrollDown => Some(KeyAction::Lines(-WHEEL)),
            _ => None,
        },
        _ => None,
    }
}

fn action_of_key(key: &KeyEvent) -> Option<KeyAction> {
    Some(match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => KeyAction::Leave,
        KeyCode::Char('q') => KeyAction::Leave,
        KeyCode::Esc => KeyAction::Back,
        KeyCode::Up | KeyCode::Char('k') => KeyAction::Choose { up: true },
        KeyCode::Down | KeyCode::Char('j') => KeyAction::Choose { up: false },
        KeyCode::Char(digit @ '0'..='9') => KeyAction::Tab(digit as usize - '0' as usize),
        KeyCode::Tab => KeyAction::NextTab(1),
        KeyCode::BackTab => KeyAction::NextTab(-1),
        KeyCode::Char('/') => KeyAction::Search,
        KeyCode::Char('f') => KeyAction::Filter,
        KeyCode::Char('n') => KeyAction::Again { up: true },
        KeyCode::Char('N') => KeyAction::Again { up: false },
        KeyCode::Char('c') => KeyAction::Rules,
        KeyCode::Char('y') => KeyAction::Copy,
        KeyCode::Char('i') => KeyAction::Write,
        KeyCode::Char('r') => KeyAction::Answer,
        KeyCode::Char('x') => KeyAction::Command("/delete"),
        KeyCode::Char('t') => KeyAction::Command("/timeout "),
        KeyCode::Char('b') => KeyAction::Command("/ban "),
        KeyCode::Char('?') => KeyAction::Help,
        KeyCode::Enter => KeyAction::Story,
        KeyCode::PageUp => KeyAction::Pages(1),
        KeyCode::PageDown => KeyAction::Pages(-1),
        KeyCode::Home => KeyAction::Oldest,
        KeyCode::End => KeyAction::Newest,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_and_ctrl_c_leave_and_a_plain_c_does_not() {
        let key = |code, modifiers| key_action(&Event::Key(KeyEvent::new(code, modifiers)));
        assert_eq!(key(KeyCode::Char('q'), KeyModifiers::NONE), Some(KeyAction::Leave));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(KeyAction::Leave));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), Some(KeyAction::Rules));
        assert_eq!(key(KeyCode::PageUp, KeyModifiers::NONE), Some(KeyAction::Pages(1)));
    }
}
