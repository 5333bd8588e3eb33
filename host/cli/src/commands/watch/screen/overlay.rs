//! What lies over the lines until a key is pressed: the help, and the story of one line.

use super::super::line::Line;
use super::backlog::Backlog;
use crate::terminal::clean;
use crate::when;

/// The keys.
const HELP: &str = "\
Keys
  Up Down, k j       choose a line         Enter    its story: raw, and what rules did
  PgUp PgDn, wheel   scroll                Home End the oldest, the newest
  Tab, 0 1 2 ...     all channels, or one  Esc      back to the newest; leaves
  /                  search; n N again     f        show only: words, /regex/, from:ann, kind:raid
  c                  show or hide rules    y        copy the chosen line
With heatd's account, for who may:
  i                  write a line          r        answer the chosen line
  x t b              remove it, time out or ban its person
  While writing: Tab completes names and emotes; /ban /timeout /unban /delete /heat
  q, Ctrl-C          leave

Marks before names: ~ owner, @ moderator, + VIP, $ subscriber";

/// The help, or the story of a line.
pub(super) enum Overlay {
    Help,
    Story(Story),
}

/// A line of chat or an event, whole.
pub(super) struct Story {
    /// Empty where it has none.
    pub(super) id: String,
    told: Vec<String>,
    raw: Option<Result<String, String>>,
}

impl Story {
    pub(super) fn of(line: &Line, backlog: &Backlog) -> Self {
        let mut told = Vec::new();
        let place =
            if line.channel.is_empty() { String::new() } else { format!(" in #{}", line.channel) };
        let time = line.at.map(|at| format!(" at {}", when::show(at))).unwrap_or_default();
        let Some(said) = &line.said else {
            told.push(format!(
                "{}{place}{time}",
                if line.event.is_empty() { "a note" } else { &line.event }
            ));
            told.push(line.text.clone());
            return Self { id: String::new(), told, raw: None };
        };
        told.push(format!("{} ({}){place}{time}", said.name, said.login));
        told.push(line.text.clone());
        if !said.badges.is_empty() {
            told.push(format!("badges: {}", clean::text(&said.badges.join(", "))));
        }
        if let Some(to) = &said.reply_to {
            told.push(format!("answers {to}"));
        }
        if said.first {
            told.push("the first line here ever".to_owned());
        }
        if line.is_struck {
            told.push("moderators have removed it".to_owned());
        }
        if !said.id.is_empty() {
            told.push(format!("id {}", clean::text(&said.id)));
        }
        let answers: Vec<String> =
            backlog.answers_to(&said.id).map(|line| format!("  {}", line.text)).collect();
        told.push(
            if answers.is_empty() { "no rule has answered it" } else { "what rules did:" }
                .to_owned(),
        );
        told.extend(answers);
        Self { id: said.id.clone(), told, raw: None }
    }

    pub(super) fn take_raw(&mut self, raw: Result<String, String>) {
        self.raw = Some(raw);
    }
}

impl Overlay {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Help => HELP.to_owned(),
            Self::Story(story) => {
                let raw = match &story.raw {
                    None => String::new(),
                    Some(Ok(raw)) => format!("\nas it came:\n{}", clean::text(raw)),
                    Some(Err(why)) => format!("\n{}", clean::text(why)),
                };
                format!("{}{raw}", story.told.join("\n"))
            }
        }
    }
}
