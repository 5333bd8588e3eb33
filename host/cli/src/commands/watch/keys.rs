//! What keys do on the screen, and the thread that reads them.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context, Result};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// How many keys may wait while the screen is drawn.
const WAITING: usize = 64;

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyAction {
    Leave,
    /// So many pages up; down when below 0.
    Pages(i32),
    /// So many lines up; down when below 0.
    Lines(i32),
    Oldest,
    Newest,
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
        _ => None,
    }
}

fn action_of_key(key: &KeyEvent) -> Option<KeyAction> {
    Some(match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => KeyAction::Leave,
        KeyCode::Char('q') | KeyCode::Esc => KeyAction::Leave,
        KeyCode::Up | KeyCode::Char('k') => KeyAction::Lines(1),
        KeyCode::Down | KeyCode::Char('j') => KeyAction::Lines(-1),
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
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(key(KeyCode::PageUp, KeyModifiers::NONE), Some(KeyAction::Pages(1)));
    }
}
