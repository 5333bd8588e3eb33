//! What keys do on the screen.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Leave,
    /// So many pages up; down when below 0.
    Pages(i32),
    /// So many lines up; down when below 0.
    Lines(i32),
    Oldest,
    Newest,
    Redraw,
}

pub(crate) fn wish(event: &Event) -> Option<Wish> {
    match event {
        // Windows tells of releases too.
        Event::Key(key) if key.kind != KeyEventKind::Release => key_wish(key),
        Event::Resize(..) => Some(Wish::Redraw),
        _ => None,
    }
}

fn key_wish(key: &KeyEvent) -> Option<Wish> {
    Some(match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Wish::Leave,
        KeyCode::Char('q') | KeyCode::Esc => Wish::Leave,
        KeyCode::Up | KeyCode::Char('k') => Wish::Lines(1),
        KeyCode::Down | KeyCode::Char('j') => Wish::Lines(-1),
        KeyCode::PageUp => Wish::Pages(1),
        KeyCode::PageDown => Wish::Pages(-1),
        KeyCode::Home => Wish::Oldest,
        KeyCode::End => Wish::Newest,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_and_ctrl_c_leave_and_a_plain_c_does_not() {
        let key = |code, modifiers| wish(&Event::Key(KeyEvent::new(code, modifiers)));
        assert_eq!(key(KeyCode::Char('q'), KeyModifiers::NONE), Some(Wish::Leave));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Wish::Leave));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(key(KeyCode::PageUp, KeyModifiers::NONE), Some(Wish::Pages(1)));
    }
}
