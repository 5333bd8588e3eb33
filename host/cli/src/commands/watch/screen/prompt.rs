//! The line in which somebody types: a search, a filter, or something to send.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// More than this is not taken, in characters: a line of Twitch chat has 500.
const LONGEST: usize = 500;

/// What the line is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    Search,
    Filter,
    /// A line to send, in answer to another one where there is an id.
    Send {
        answers: Option<(String, String)>,
    },
}

/// What a key did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    More,
    Done,
    Left,
}

/// The line, and what Tab would make of its last word.
#[derive(Debug)]
pub(crate) struct Prompt {
    pub(crate) purpose: Purpose,
    text: Vec<char>,
    /// Before which character the next one goes.
    place: usize,
    /// Why it was not taken.
    pub(crate) problem: Option<String>,
    /// Where the word begins that Tab completes, what was typed of it, and how many completions were shown.
    completing: Option<(usize, String, usize)>,
}

impl Prompt {
    pub(crate) fn new(purpose: Purpose, text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        Self { purpose, place: text.len(), text, problem: None, completing: None }
    }

    pub(crate) fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// What stands before the cursor.
    pub(crate) fn before(&self) -> String {
        self.text[..self.place].iter().collect()
    }

    /// What stands before the line, for people.
    pub(crate) fn label(&self) -> String {
        match &self.purpose {
            Purpose::Search => "search: ".to_owned(),
            Purpose::Filter => "show only: ".to_owned(),
            Purpose::Send { answers: None } => "say: ".to_owned(),
            Purpose::Send { answers: Some((_, name)) } => format!("answer {name}: "),
        }
    }

    /// A key was pressed. `words` are what Tab completes to, the best first.
    pub(crate) fn key(&mut self, key: &KeyEvent, words: impl FnOnce() -> Vec<String>) -> Typed {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if key.code != KeyCode::Tab {
            self.completing = None;
        }
        match key.code {
            KeyCode::Esc => return Typed::Left,
            KeyCode::Enter => return Typed::Done,
            KeyCode::Char('c') if control => return Typed::Left,
            KeyCode::Char('u') if control => self.remove(0, self.place),
            KeyCode::Char('w') if control => self.remove(self.word(), self.place),
            KeyCode::Char('a') if control => self.place = 0,
            KeyCode::Char('e') if control => self.place = self.text.len(),
            KeyCode::Char(c) if !control => self.insert(c),
            KeyCode::Backspace if self.place > 0 => self.remove(self.place - 1, self.place),
            KeyCode::Delete if self.place < self.text.len() => {
                self.remove(self.place, self.place + 1);
            }
            KeyCode::Left => self.place = self.place.saturating_sub(1),
            KeyCode::Right => self.place = (self.place + 1).min(self.text.len()),
            KeyCode::Home => self.place = 0,
            KeyCode::End => self.place = self.text.len(),
            KeyCode::Tab if matches!(self.purpose, Purpose::Send { .. }) => self.complete(&words()),
            _ => {}
        }
        Typed::More
    }

    /// Text that was pasted: line ends become spaces.
    pub(crate) fn paste(&mut self, text: &str) {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).for_each(|c| self.insert(c));
    }

    fn insert(&mut self, c: char) {
        if self.text.len() < LONGEST && !c.is_control() {
            self.text.insert(self.place, c);
            self.place += 1;
            self.problem = None;
        }
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.drain(from..to);
        self.place = from;
        self.problem = None;
    }

    /// Where the word before the cursor begins.
    fn word(&self) -> usize {
        let before = &self.text[..self.place];
        let end = before.iter().rposition(|c| *c != ' ').map_or(0, |place| place + 1);
        before[..end].iter().rposition(|c| *c == ' ').map_or(0, |place| place + 1)
    }

    fn complete(&mut self, words: &[String]) {
        let (start, typed, shown) = self.completing.take().unwrap_or_else(|| {
            let start = self.word().min(self.place);
            (start, self.text[start..self.place].iter().collect(), 0)
        });
        let (at, part) = match typed.strip_prefix('@') {
            Some(part) => ("@", part),
            None => ("", typed.as_str()),
        };
        let part = part.to_lowercase();
        let fits: Vec<&String> =
            words.iter().filter(|it| it.to_lowercase().starts_with(&part)).collect();
        if fits.is_empty() || part.is_empty() {
            return;
        }
        let word = format!("{at}{} ", fits[shown % fits.len()]);
        self.text.splice(start..self.place, word.chars());
        self.place = start + word.chars().count();
        self.completing = Some((start, typed, shown + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(prompt: &mut Prompt, codes: &[KeyCode]) {
        let words = || vec!["Anna".to_owned(), "ann".to_owned(), "Kappa".to_owned()];
        for code in codes {
            prompt.key(&KeyEvent::new(*code, KeyModifiers::NONE), words);
        }
    }

    #[test]
    fn a_line_is_edited_where_the_cursor_is() {
        let mut prompt = Prompt::new(Purpose::Search, "héllo");
        press(
            &mut prompt,
            &[KeyCode::Home, KeyCode::Delete, KeyCode::Char('J'), KeyCode::End, KeyCode::Backspace],
        );
        prompt.paste("a\nb\u{7}");
        assert_eq!(prompt.text(), "Jélla b ");
        let clear = KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL);
        prompt.key(&clear, Vec::new);
        assert_eq!(prompt.text(), "Jélla ");
        prompt.paste(&"x".repeat(999));
        assert_eq!(prompt.text().chars().count(), LONGEST);
    }

    #[test]
    fn tab_goes_through_what_fits() {
        let mut prompt = Prompt::new(Purpose::Send { answers: None }, "hi @AN");
        press(&mut prompt, &[KeyCode::Tab]);
        assert_eq!(prompt.text(), "hi @Anna ");
        press(&mut prompt, &[KeyCode::Tab]);
        assert_eq!(prompt.text(), "hi @ann ");
        press(&mut prompt, &[KeyCode::Char('k'), KeyCode::Tab]);
        assert_eq!(prompt.text(), "hi @ann Kappa ");
        press(&mut prompt, &[KeyCode::Char('z'), KeyCode::Tab]);
        assert_eq!(prompt.text(), "hi @ann Kappa z");
    }
}
