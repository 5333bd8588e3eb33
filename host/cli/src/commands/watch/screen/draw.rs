//! Draws the screen: the stream's state and the channels above, what happens in between, heat and prompt below.

use std::collections::VecDeque;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Clear, Paragraph, Wrap};
use unicode_width::UnicodeWidthStr;

use super::super::colours::{Rgb, Theme};
use super::super::line::{Line, LineKind, NAME, Said};
use super::super::pictures::Pictures;
use super::Screen;
use super::backlog::Stored;
use super::wrap::{cut, in_rows, wrap};
use crate::when;

/// The most gauges that are drawn.
const GAUGES: usize = 4;

/// In fewer columns than this there are no times.
const WIDE: usize = 50;

impl Screen {
    pub(super) fn draw(&mut self, frame: &mut Frame<'_>) {
        let gauges = self.board.gauges().len().min(GAUGES) as u16;
        let width = usize::from(frame.area().width).max(1);
        let sign = self.sign.as_deref().map(|text| in_rows(text, width)).unwrap_or_default();
        let tabs = u16::from(self.board.channels.len() > 1);
        let below = self.prompt_rows(width);
        // The last row has no pictures.
        let is_last = gauges == 0 && below.is_empty();
        let spare = is_last && self.pictures.as_ref().is_some_and(Pictures::scroll_the_last_row);
        let layout = [
            Constraint::Length(1),
            Constraint::Length(tabs),
            Constraint::Length(sign.len() as u16),
            Constraint::Min(0),
            Constraint::Length(gauges),
            Constraint::Length(below.len() as u16),
            Constraint::Length(u16::from(spare)),
        ];
        let [head, channels, under, log, foot, prompt, _] =
            Layout::vertical(layout).areas(frame.area());
        self.draw_head(frame, head);
        frame.render_widget(Paragraph::new(self.tabs()), channels);
        frame.render_widget(Paragraph::new(sign), under);
        self.height = usize::from(log.height);
        self.draw_log(frame, log);
        self.draw_gauges(frame, foot);
        frame.render_widget(Paragraph::new(below), prompt);
        self.place_cursor(frame, prompt);
        if let Some(overlay) = &self.overlay {
            frame.render_widget(Clear, log);
            let text = Paragraph::new(overlay.text()).wrap(Wrap { trim: false });
            frame.render_widget(text, log);
        }
    }

    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect) {
        let mut right = String::new();
        if !self.backlog.filtered_by().is_empty() {
            right.push_str(&format!("only {}  ", cut(self.backlog.filtered_by(), 20)));
        }
        right.push_str(if self.backlog.is_back() { "scrolled back, End returns  " } else { "" });
        right.push_str(if self.connected { "q leaves" } else { "not connected, q leaves" });
        let room = usize::from(area.width).saturating_sub(right.width() + 3);
        let left = cut(&self.board.streams(), room);
        let gap =
            " ".repeat(usize::from(area.width).saturating_sub(left.width() + right.width() + 2));
        let style = Style::new().add_modifier(Modifier::REVERSED);
        frame.render_widget(Paragraph::new(format!(" {left}{gap}{right} ")).style(style), area);
    }

    /// The channels, each with its key and what is unread.
    fn tabs(&self) -> Row<'static> {
        let mut spans = vec![self.tab_span(" 0 all ".to_owned(), None)];
        for (place, name) in self.board.channels.keys().enumerate() {
            let unread = match self.backlog.unread.get(name) {
                Some(unread) => format!(" ({unread})"),
                None => String::new(),
            };
            let key = if place < 9 { format!("{} ", place + 1) } else { String::new() };
            spans.push(self.tab_span(format!(" {key}#{name}{unread} "), Some(name)));
        }
        Row::from(spans)
    }

    fn tab_span(&self, text: String, name: Option<&String>) -> Span<'static> {
        let is_open = self.backlog.tab.as_ref() == name;
        let style =
            if is_open { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        Span::styled(crate::terminal::clean::text(&text), style)
    }

    fn draw_log(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let (mut rows, mut lowest) = self.rows_upwards(width, height);
        let is_above = |chosen: &u64| rows.front().is_some_and(|(number, _)| chosen < number);
        if let Some(chosen) = self.backlog.chosen.filter(is_above) {
            (rows, lowest) = (VecDeque::new(), Some(chosen.saturating_sub(1)));
        }
        if rows.len() < height && (self.backlog.is_back() || rows.is_empty()) {
            lowest = self.add_below(&mut rows, lowest, width, height).or(lowest);
            if let Some(lowest) = lowest {
                self.backlog.settle(lowest);
            }
        }
        let visible: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
        let visible = visible.into_iter().take(height).collect::<Vec<_>>();
        frame.render_widget(Paragraph::new(visible), area);
        if let Some(pictures) = &self.pictures {
            pictures.draw(frame.buffer_mut(), area);
        }
    }

    /// From the lowest line in view upwards, only as many rows as are needed; and the number of that line.
    fn rows_upwards(
        &self,
        width: usize,
        height: usize,
    ) -> (VecDeque<(u64, Row<'static>)>, Option<u64>) {
        let (mut rows, mut lowest) = (VecDeque::new(), None);
        for stored in self.backlog.upwards() {
            if rows.len() >= height {
                break;
            }
            lowest = lowest.or(Some(stored.number));
            for row in self.rows(stored, width).into_iter().rev() {
                rows.push_front((stored.number, row));
            }
        }
        rows.drain(..rows.len().saturating_sub(height));
        (rows, lowest)
    }

    /// Fills the page with what comes below a line. Says which line is the lowest then.
    fn add_below(
        &self,
        rows: &mut VecDeque<(u64, Row<'static>)>,
        below: Option<u64>,
        width: usize,
        height: usize,
    ) -> Option<u64> {
        let mut lowest = None;
        for stored in self.backlog.from(below.map_or(0, |below| below + 1)) {
            if rows.len() >= height {
                break;
            }
            lowest = Some(stored.number);
            rows.extend(self.rows(stored, width).into_iter().map(|row| (stored.number, row)));
        }
        lowest
    }

    fn rows(&self, stored: &Stored, width: usize) -> Vec<Row<'static>> {
        let line = &stored.line;
        let is_chosen = self.backlog.chosen == Some(stored.number);
        let style = self.style(line);
        let dim = Style::new().add_modifier(Modifier::DIM);
        let mut lead = Vec::new();
        if self.look.settings.times && width >= WIDE {
            let time = line.at.map(|at| when::tick(at, 3_600_000)).unwrap_or_default();
            lead.push(Span::styled(format!("{time:5} "), dim));
        }
        match &line.said {
            Some(said) => lead.extend(self.name(line, said, style)),
            None => lead
                .push(Span::styled(format!("{} ", line.lead), style.add_modifier(Modifier::BOLD))),
        }
        let mut body = Vec::new();
        if self.backlog.tab.is_none() && !line.tag.is_empty() {
            body.push(Span::styled(line.tag.clone(), dim));
        }
        match &line.said {
            Some(said) => self.words(line, said, style, &mut body),
            None => body.push(Span::styled(line.text.clone(), style)),
        }
        if is_chosen {
            let reversed = |span: Span<'static>| span.add_modifier(Modifier::REVERSED);
            lead = lead.into_iter().map(reversed).collect();
            body = body.into_iter().map(reversed).collect();
        }
        wrap(lead, &body, width)
    }

    /// The name, right of its marks.
    fn name(&self, line: &Line, said: &Said, style: Style) -> Vec<Span<'static>> {
        let name = line.lead.trim_start();
        let marks = if self.look.settings.badges { marks(said) } else { String::new() };
        let pad = " ".repeat(NAME.saturating_sub(name.width() + marks.width()));
        let colour = said.colour.unwrap_or_else(|| Rgb::usual(&said.login));
        let colour = colour.readable(self.look.settings.theme).shown(self.look.in_full);
        let named = if line.is_struck { style } else { self.coloured(colour) };
        vec![
            Span::raw(pad),
            Span::styled(marks, self.coloured(self.shade(Color::Green, Color::Green))),
            Span::styled(format!("{name} "), named.add_modifier(Modifier::BOLD)),
        ]
    }

    /// What was said, with its emotes told apart.
    fn words(&self, line: &Line, said: &Said, style: Style, body: &mut Vec<Span<'static>>) {
        if let Some(to) = &said.reply_to {
            body.push(Span::styled(format!("↪{to} "), Style::new().add_modifier(Modifier::DIM)));
        }
        let emote = match self.look.colours {
            true => style.patch(self.coloured(self.shade(Color::LightYellow, Color::Blue))),
            false => style.add_modifier(Modifier::UNDERLINED),
        };
        let mut done = 0;
        for (place, id) in &said.emotes {
            body.push(Span::styled(line.text[done..place.start].to_owned(), style));
            let picture = self.pictures.as_ref().and_then(|pictures| pictures.stand_in(id));
            body.push(
                picture.unwrap_or_else(|| Span::styled(line.text[place.clone()].to_owned(), emote)),
            );
            done = place.end;
        }
        body.push(Span::styled(line.text[done..].to_owned(), style));
        if said.first {
            let new = self.coloured(self.shade(Color::LightGreen, Color::Green));
            body.push(Span::styled(" (first line)", new));
        }
    }

    fn draw_gauges(&self, frame: &mut Frame<'_>, area: Rect) {
        let colour = self.shade(Color::Yellow, Color::Red);
        let style = self.coloured(colour).add_modifier(Modifier::BOLD);
        let gauges = self.board.gauges();
        let rows = gauges.iter().take(GAUGES).map(|(text, gauge)| {
            let width = usize::from(area.width);
            let text = cut(text, width / 2);
            let bar = gauge.bar(width.saturating_sub(text.width() + 4));
            Row::styled(format!("▕{bar}▏ {text}"), style)
        });
        frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()), area);
    }

    /// The question or the line that is typed, with what was wrong with it.
    fn prompt_rows(&self, width: usize) -> Vec<Row<'static>> {
        let red = self.coloured(self.shade(Color::LightRed, Color::Red));
        if let Some((act, _)) = &self.asked {
            let question = act.question().unwrap_or_default();
            return vec![Row::styled(
                cut(&format!("{question} y does it, any other key does not"), width),
                red,
            )];
        }
        let Some(prompt) = &self.prompt else {
            let said = self.said.iter().map(|said| Row::styled(cut(said, width), red));
            return said.collect();
        };
        let problem = prompt.problem.iter().map(|problem| Row::styled(cut(problem, width), red));
        let line = format!("{}{}", prompt.label(), self.shown_text(width));
        problem.chain([Row::from(line)]).collect()
    }

    /// As much of the typed line as fits, up to the cursor at least.
    fn shown_text(&self, width: usize) -> String {
        let Some(prompt) = &self.prompt else { return String::new() };
        let room = width.saturating_sub(prompt.label().width() + 1);
        let mut shown = prompt.text();
        let mut before = prompt.before();
        while before.width() > room && !shown.is_empty() {
            shown.remove(0);
            before.remove(0);
        }
        shown
    }

    fn place_cursor(&self, frame: &mut Frame<'_>, area: Rect) {
        let Some(prompt) = self.prompt.as_ref().filter(|_| area.height > 0) else { return };
        let width = usize::from(area.width);
        let room = width.saturating_sub(prompt.label().width() + 1);
        let column = prompt.label().width() + prompt.before().width().min(room);
        let column = column.min(width.saturating_sub(1)) as u16;
        frame.set_cursor_position(Position::new(area.x + column, area.y + area.height - 1));
    }

    fn style(&self, line: &Line) -> Style {
        match line.kind {
            LineKind::Chat if line.is_struck => {
                Style::new().add_modifier(Modifier::CROSSED_OUT | Modifier::DIM)
            }
            LineKind::Chat => Style::new(),
            LineKind::Event => self
                .coloured(self.shade(Color::LightMagenta, Color::Magenta))
                .add_modifier(Modifier::BOLD),
            LineKind::Rule => self.coloured(self.shade(Color::Cyan, Color::Blue)),
            LineKind::Fault => self.coloured(self.shade(Color::LightRed, Color::Red)),
            LineKind::Note => self.coloured(self.shade(Color::Yellow, Color::Red)),
        }
    }

    fn coloured(&self, colour: Color) -> Style {
        if self.look.colours { Style::new().fg(colour) } else { Style::new() }
    }

    fn shade(&self, dark: Color, light: Color) -> Color {
        if self.look.settings.theme == Theme::Dark { dark } else { light }
    }
}

/// What the person is in the channel.
fn marks(said: &Said) -> String {
    let mark = |badge: &String| match badge.as_str() {
        "broadcaster" => Some('~'),
        "moderator" => Some('@'),
        "vip" => Some('+'),
        "subscriber" => Some('$'),
        _ => None,
    };
    said.badges.iter().filter_map(mark).collect()
}
