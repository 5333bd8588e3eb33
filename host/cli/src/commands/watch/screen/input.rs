//! What keys, the mouse and pasted text do on the screen.

use std::io::stdout;

use ratatui::crossterm::clipboard::CopyToClipboard;
use ratatui::crossterm::event::{Event, KeyCode, KeyEventKind};
use ratatui::crossterm::execute;

use super::super::acts::Act;
use super::super::keys::{KeyAction, key_action};
use super::Screen;
use super::filter::{Filter, Term};
use super::overlay::{Overlay, Story};
use super::prompt::{Prompt, Purpose, Typed};
use crate::terminal::clean;

impl Screen {
    /// A key, the mouse, or another size. False: somebody leaves.
    pub(super) fn event(&mut self, event: &Event) -> bool {
        match event {
            Event::Paste(text) => {
                if let Some(prompt) = &mut self.prompt {
                    prompt.paste(text);
                }
                true
            }
            // Windows tells of releases too.
            Event::Key(key) if key.kind == KeyEventKind::Release => true,
            Event::Key(key) if self.asked.is_some() => {
                self.agree(key.code == KeyCode::Char('y'));
                true
            }
            Event::Key(key) if self.prompt.is_some() => {
                let words = || self.backlog.words();
                match self.prompt.as_mut().map(|prompt| prompt.key(key, words)) {
                    Some(Typed::Done) => self.done(),
                    Some(Typed::Left) => self.prompt = None,
                    Some(Typed::More) | None => {}
                }
                true
            }
            event => {
                self.said = None;
                let action = key_action(event);
                let is_closing = self.overlay.take().is_some();
                match action {
                    Some(KeyAction::Leave) if !is_closing => false,
                    Some(action) if !is_closing => self.act(action),
                    _ => true,
                }
            }
        }
    }

    pub(super) fn act(&mut self, action: KeyAction) -> bool {
        match action {
            KeyAction::Leave => return false,
            KeyAction::Back if self.backlog.is_back() || self.backlog.chosen.is_some() => {
                self.backlog.newest();
            }
            KeyAction::Back if !self.backlog.filtered_by().is_empty() => {
                self.backlog.set_filter(Filter::default());
            }
            KeyAction::Back => return false,
            KeyAction::Pages(up) => {
                let page = i32::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(1);
                self.backlog.scroll(up * page);
            }
            KeyAction::Lines(up) => self.backlog.scroll(up),
            KeyAction::Choose { up } => self.backlog.choose(up),
            KeyAction::Oldest => self.backlog.oldest(),
            KeyAction::Newest => self.backlog.newest(),
            KeyAction::Tab(place) => self.turn_to(place),
            KeyAction::NextTab(step) => self.next_tab(step),
            KeyAction::Search => self.prompt = Some(Prompt::new(Purpose::Search, "")),
            KeyAction::Filter => {
                let prompt = Prompt::new(Purpose::Filter, self.backlog.filtered_by());
                self.prompt = Some(prompt);
            }
            KeyAction::Again { up } => self.find(up),
            KeyAction::Rules => self.backlog.toggle_rules(),
            KeyAction::Story => self.tell_story(),
            KeyAction::Copy => self.copy(),
            KeyAction::Write => self.write(None, ""),
            KeyAction::Answer => {
                let said = self.backlog.chosen_line().and_then(|line| line.said.as_ref());
                match said.filter(|said| !said.id.is_empty()) {
                    Some(said) => self.write(Some((said.id.clone(), said.name.clone())), ""),
                    None => self.said = Some("choose a line of chat first".to_owned()),
                }
            }
            KeyAction::Command(command) => self.write(None, command),
            KeyAction::Help => self.overlay = Some(Overlay::Help),
            KeyAction::Redraw => {}
        }
        true
    }

    fn turn_to(&mut self, place: usize) {
        match place.checked_sub(1) {
            None => self.backlog.turn_to(None),
            Some(place) => {
                if let Some(name) = self.board.channels.keys().nth(place) {
                    self.backlog.turn_to(Some(name.clone()));
                }
            }
        }
    }

    fn next_tab(&mut self, step: isize) {
        let names: Vec<&String> = self.board.channels.keys().collect();
        let open = self.backlog.tab.as_ref();
        let place =
            open.and_then(|tab| names.iter().position(|it| *it == tab)).map_or(0, |it| it + 1);
        let tabs = names.len() + 1;
        let next = (place + tabs).saturating_add_signed(step) % tabs;
        self.turn_to(next);
    }

    /// Goes on with the last search.
    fn find(&mut self, up: bool) {
        let Some(term) = &self.searched else {
            self.prompt = Some(Prompt::new(Purpose::Search, ""));
            return;
        };
        if !self.backlog.find(term, up) {
            let way = if up { "further up" } else { "further down" };
            self.said = Some(format!("it is not found {way}"));
        }
    }

    fn tell_story(&mut self) {
        let Some(line) = self.backlog.chosen_line() else {
            self.said = Some("choose a line first, with the arrow keys".to_owned());
            return;
        };
        let story = Story::of(line, &self.backlog);
        if let (Some(sender), false) = (&self.sender, story.id.is_empty()) {
            // Without a thread the story is told without it.
            let _ = sender.look_up(line.channel.clone(), story.id.clone());
        }
        self.overlay = Some(Overlay::Story(story));
    }

    fn copy(&mut self) {
        let Some(line) = self.backlog.chosen_line() else {
            self.said = Some("choose a line first, with the arrow keys".to_owned());
            return;
        };
        let text = format!("{} {}", line.lead.trim(), line.text);
        let copied = execute!(stdout(), CopyToClipboard::to_clipboard_from(text));
        self.said = Some(match copied {
            Ok(()) => "copied, where the terminal allows it (OSC 52)".to_owned(),
            Err(error) => format!("it cannot be copied: {error}"),
        });
    }

    /// Begins a line to send.
    fn write(&mut self, answers: Option<(String, String)>, text: &str) {
        if self.sender.is_none() {
            self.said = Some("writing needs heatd, logged in to Twitch: heat login".to_owned());
        } else if self.channel().is_none() {
            self.said = Some("choose a channel first: Tab, or its number".to_owned());
        } else {
            self.prompt = Some(Prompt::new(Purpose::Send { answers }, text));
        }
    }

    /// The channel that is written to: of the chosen line, of what is looked at, or the only one.
    fn channel(&self) -> Option<String> {
        let chosen = self.backlog.chosen_line().map(|line| line.channel.clone());
        let chosen = chosen.filter(|channel| !channel.is_empty());
        let only = || {
            let mut names = self.board.channels.keys();
            names.next().filter(|_| names.next().is_none()).cloned()
        };
        chosen.or_else(|| self.backlog.tab.clone()).or_else(only)
    }

    /// Enter was pressed in the line.
    fn done(&mut self) {
        let Some(mut prompt) = self.prompt.take() else { return };
        let text = prompt.text();
        let refused = match &prompt.purpose {
            Purpose::Search if text.is_empty() => Ok(()),
            Purpose::Search => Term::read(&text).map(|term| {
                self.searched = Some(term);
                self.backlog.newest();
                self.find(true);
            }),
            Purpose::Filter => Filter::read(&text).map(|filter| self.backlog.set_filter(filter)),
            Purpose::Send { answers } => {
                let answers = answers.as_ref().map(|(id, _)| id.clone());
                let said = self.backlog.chosen_line().and_then(|line| line.said.as_ref());
                let chosen = said.map(|said| (said.id.as_str(), said.login.as_str()));
                Act::read(&text, answers, chosen).map(|act| match act.question() {
                    Some(_) => self.asked = Some((act, text.clone())),
                    None => self.send(act),
                })
            }
        };
        if let Err(why) = refused {
            prompt.problem = Some(clean::text(&why));
            self.prompt = Some(prompt);
        }
    }

    /// The question was answered.
    fn agree(&mut self, agreed: bool) {
        let Some((act, typed)) = self.asked.take() else { return };
        if agreed {
            self.send(act);
        } else {
            self.prompt = Some(Prompt::new(Purpose::Send { answers: None }, &typed));
        }
    }

    fn send(&mut self, act: Act) {
        let (Some(sender), Some(channel)) = (&self.sender, self.channel()) else { return };
        if let Err(error) = sender.send(channel, act) {
            self.said = Some(format!("it cannot be sent: {error}"));
        }
    }
}
