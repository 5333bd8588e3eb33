//! The screen: the stream's state above, what happens in between, the heat below.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ratatui::crossterm::event::Event;
use ratatui::crossterm::style::force_color_output;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;
use ratatui::{DefaultTerminal, Frame};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::board::{Board, Line, LineKind};
use super::entry::{Entry, What};
use super::keys::{self, KeyAction, key_action};
use super::news::News;
use super::source::{Next, Source};

/// How many lines are kept for who scrolls back.
const KEPT: usize = 2000;

/// How often keys are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// How often the screen is drawn when nothing happens: times go on.
const IDLE: Duration = Duration::from_secs(1);

/// How many news are taken before keys are looked for again.
const TURN: usize = 256;

/// The most gauges that are drawn.
const GAUGES: usize = 4;

pub(crate) struct Screen {
    board: Board,
    lines: VecDeque<Line>,
    /// How many rows above the newest one the lowest visible row is.
    back: usize,
    connected: bool,
    /// Stays in sight below the head.
    sign: Option<String>,
    colours: bool,
}

/// Until somebody leaves, or the news end. The terminal is what it was before, also after a panic.
pub(crate) fn run(
    source: Source,
    board: Board,
    sign: Option<String>,
    stop: &AtomicBool,
) -> Result<()> {
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut screen = Screen { sign, ..Screen::new(board, colours) };
    // crossterm's own way to honour NO_COLOR takes bold and reversed text away too.
    force_color_output(true);
    let mut terminal = ratatui::try_init()
        .context("failed to take the terminal for a screen; --plain needs none")?;
    let done = keys::read().and_then(|keys| show(&mut terminal, source, &mut screen, &keys, stop));
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
            match key_action(&event) {
                Some(KeyAction::Leave) => return Ok(()),
                Some(action) => {
                    screen.scroll(action, usize::from(terminal.size()?.height));
                    drawn = None;
                }
                None => {}
            }
        }
    }
    Ok(())
}

impl Screen {
    fn new(board: Board, colours: bool) -> Self {
        Self { board, lines: VecDeque::new(), back: 0, connected: false, sign: None, colours }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Entry(json) => {
                let Some(entry) = Entry::read(&json) else { return };
                if let What::Removed { id, login } = &entry.what {
                    for line in &mut self.lines {
                        line.strike(&entry.channel, id.as_deref(), login.as_deref());
                    }
                }
                self.board.take(&entry).into_iter().for_each(|line| self.push(line));
            }
            News::Note(text) => self.push(Line::note(&text)),
            News::Up => self.connected = true,
            News::Down => self.connected = false,
            News::Alive | News::Failed(_) => {}
        }
    }

    fn push(&mut self, line: Line) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
        // Who has scrolled back keeps what is read in view.
        if self.back > 0 {
            self.back += 1;
        }
    }

    fn scroll(&mut self, key_action: KeyAction, height: usize) {
        let page = height.saturating_sub(3).max(1);
        let step = |count: i32, size: usize| count.unsigned_abs() as usize * size;
        self.back = match key_action {
            KeyAction::Lines(up @ 0..) => self.back + step(up, 1),
            KeyAction::Lines(down) => self.back.saturating_sub(step(down, 1)),
            KeyAction::Pages(up @ 0..) => self.back + step(up, page),
            KeyAction::Pages(down) => self.back.saturating_sub(step(down, page)),
            KeyAction::Oldest => usize::MAX / 2,
            KeyAction::Newest => 0,
            KeyAction::Redraw | KeyAction::Leave => self.back,
        };
    }

    fn draw(&mut self, frame: &mut Frame<'_>) {
        let gauges = self.board.gauges().len().min(GAUGES) as u16;
        let width = usize::from(frame.area().width).max(1);
        let sign = self.sign.as_deref().map(|text| in_rows(text, width)).unwrap_or_default();
        let layout = [
            Constraint::Length(1),
            Constraint::Length(sign.len() as u16),
            Constraint::Min(0),
            Constraint::Length(gauges),
        ];
        let [head, below, log, foot] = Layout::vertical(layout).areas(frame.area());
        self.draw_head(frame, head);
        frame.render_widget(Paragraph::new(sign), below);
        self.draw_log(frame, log);
        self.draw_gauges(frame, foot);
    }

    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect) {
        let back = if self.back > 0 { "scrolled back, End returns  " } else { "" };
        let state = if self.connected { "q leaves" } else { "not connected, q leaves" };
        let right = format!("{back}{state}");
        let room = usize::from(area.width).saturating_sub(right.width() + 3);
        let left = cut(&self.board.streams(), room);
        let gap =
            " ".repeat(usize::from(area.width).saturating_sub(left.width() + right.width() + 2));
        let style = Style::new().add_modifier(Modifier::REVERSED);
        frame.render_widget(Paragraph::new(format!(" {left}{gap}{right} ")).style(style), area);
    }

    fn draw_log(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        // From the newest line upwards, only as many as are needed.
        let mut rows: VecDeque<Row<'static>> = VecDeque::new();
        for line in self.lines.iter().rev() {
            if rows.len() >= self.back.saturating_add(height) {
                break;
            }
            for row in wrap(line, width, self.style(line)).into_iter().rev() {
                rows.push_front(row);
            }
        }
        self.back = self.back.min(rows.len().saturating_sub(height));
        let end = rows.len() - self.back;
        let visible: Vec<_> = rows.drain(end.saturating_sub(height)..end).collect();
        frame.render_widget(Paragraph::new(visible), area);
    }

    fn draw_gauges(&self, frame: &mut Frame<'_>, area: Rect) {
        let style = self.coloured(Color::Yellow).add_modifier(Modifier::BOLD);
        let gauges = self.board.gauges();
        let rows = gauges.iter().take(GAUGES).map(|(text, gauge)| {
            let width = usize::from(area.width);
            let text = cut(text, width / 2);
            let bar = gauge.bar(width.saturating_sub(text.width() + 4));
            Row::styled(format!("▕{bar}▏ {text}"), style)
        });
        frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()), area);
    }

    fn style(&self, line: &Line) -> Style {
        match line.kind {
            LineKind::Chat if line.is_struck => {
                Style::new().add_modifier(Modifier::CROSSED_OUT | Modifier::DIM)
            }
            LineKind::Chat => Style::new(),
            LineKind::Event => self.coloured(Color::Magenta).add_modifier(Modifier::BOLD),
            LineKind::Rule => self.coloured(Color::Cyan),
            LineKind::Fault => self.coloured(Color::Red),
            LineKind::Note => self.coloured(Color::Yellow),
        }
    }

    fn coloured(&self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }
}

/// A line as rows of the screen; what does not fit goes on below its text.
fn wrap(line: &Line, width: usize, style: Style) -> Vec<Row<'static>> {
    let lead = format!("{} ", line.lead);
    let indent = lead.width().min(width / 2);
    let bold = style.add_modifier(Modifier::BOLD);
    let mut rows = Vec::new();
    let mut row = vec![Span::styled(lead.clone(), bold)];
    let mut room = width.saturating_sub(lead.width());
    let mut piece = String::new();
    for word in line.text.split_inclusive(' ') {
        for part in parts(word, width.saturating_sub(indent).max(1)) {
            let needed = part.trim_end().width();
            if needed > room {
                row.push(Span::styled(std::mem::take(&mut piece), style));
                rows.push(Row::from(std::mem::replace(
                    &mut row,
                    vec![Span::raw(" ".repeat(indent))],
                )));
                room = width.saturating_sub(indent);
            }
            room = room.saturating_sub(part.width());
            piece.push_str(&part);
        }
    }
    row.push(Span::styled(piece, style));
    rows.push(Row::from(row));
    rows
}

/// A word in pieces that are no wider than this.
fn parts(word: &str, width: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut used = 0;
    for c in word.chars() {
        let wide = if c == ' ' { 0 } else { c.width().unwrap_or(0) };
        if used + wide > width {
            parts.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

/// The beginning of a text, as much as fits.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        if cut.width() + c.width().unwrap_or(0) + 1 > width {
            break;
        }
        cut.push(c);
    }
    cut.push('…');
    cut
}

/// A text in rows of this width, wherever that breaks it: a link has no spaces.
fn in_rows(text: &str, width: usize) -> Vec<Row<'static>> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(width).map(|row| Row::from(row.iter().collect::<String>())).collect()
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn screen(entries: &[&str]) -> Screen {
        let mut screen = Screen::new(Board::new("heat", true), true);
        screen.take(News::Up);
        screen.take(News::Entry(
            r#"{"kind":"hello","version":"1","channels":["seaside"]}"#.to_owned(),
        ));
        entries.iter().for_each(|json| screen.take(News::Entry((*json).to_owned())));
        screen
    }

    fn draw(screen: &mut Screen, width: u16, height: u16) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| screen.draw(frame)).unwrap();
        terminal
    }

    fn chat(text: &str) -> String {
        format!(
            r#"{{"channel":"seaside","kind":"chat","name":"Ann","login":"ann","text":"{text}"}}"#
        )
    }

    #[test]
    fn state_above_lines_between_heat_below() {
        let mut screen = screen(&[
            &chat("?fave pie"),
            r#"{"channel":"seaside","kind":"rule","slot":"decay","effects":["show heat \"15\""]}"#,
            r#"{"channel":"seaside","kind":"output","name":"heat","text":"15"}"#,
        ]);
        let expected = [
            " #seaside: stream unknown        q leaves ",
            "        Ann: ?fave pie                    ",
            "             decay → show heat \"15\"       ",
            "                                          ",
            "▕████████████████░░░░░░░░░░░░░░░▏ heat 15 ",
        ];
        assert_eq!(rows(draw(&mut screen, 42, 5).backend()), expected);
    }

    #[test]
    fn a_sign_stays_below_the_head_whatever_happens() {
        let mut screen = screen(&[&chat("one"), &chat("two")]);
        screen.sign = Some("the page http://127.0.0.1:1/#token=2".to_owned());
        let expected = [
            " #seaside: stream… q leaves ",
            "the page http://127.0.0.1:1/",
            "#token=2                    ",
            "        Ann: two            ",
            "▕░░░░░░░░░░░░░░░░░░▏ heat – ",
        ];
        assert_eq!(rows(draw(&mut screen, 28, 5).backend()), expected);
    }

    #[test]
    fn long_lines_go_on_below_their_text_and_the_newest_are_seen() {
        let mut screen = screen(&[&chat("first"), &chat("one two three four five")]);
        let expected = [
            " #seaside: stream… q leaves ",
            "        Ann: one two three  ",
            "             four five      ",
            "▕░░░░░░░░░░░░░░░░░░▏ heat – ",
        ];
        assert_eq!(rows(draw(&mut screen, 28, 4).backend()), expected);
        screen.scroll(KeyAction::Pages(1), 4);
        let top = draw(&mut screen, 28, 4);
        let rows = rows(top.backend());
        assert!(rows[1].contains("first") && rows[0].contains('…'), "{rows:?}");
        screen.scroll(KeyAction::Newest, 4);
        assert_eq!(screen.back, 0);
    }

    #[test]
    fn no_size_is_too_small() {
        let mut screen = screen(&[&chat("a very long line without end and with 日本語 in it")]);
        for (width, height) in [(1, 1), (2, 2), (5, 3), (13, 3), (14, 4), (300, 2)] {
            draw(&mut screen, width, height);
        }
    }

    #[test]
    fn what_moderators_remove_is_struck() {
        let said = |id: &str, login: &str, text: &str| {
            format!(
                r#"{{"channel":"seaside","kind":"chat","id":"{id}","name":"{login}","login":"{login}","text":"{text}"}}"#
            )
        };
        let mut screen = screen(&[
            &said("m1", "ann", "bad"),
            &said("m2", "ann", "good"),
            &said("m3", "bob", "spam"),
        ]);
        screen.take(News::Entry(
            r#"{"channel":"seaside","kind":"removed","id":"m1","login":null}"#.to_owned(),
        ));
        screen.take(News::Entry(
            r#"{"channel":"seaside","kind":"removed","id":null,"login":"bob"}"#.to_owned(),
        ));
        let struck: Vec<bool> = screen.lines.iter().map(|line| line.is_struck).collect();
        assert_eq!(struck, [true, false, true, false, false]);
        let terminal = draw(&mut screen, 60, 8);
        let crossed =
            |y| terminal.backend().buffer()[(13, y)].modifier.contains(Modifier::CROSSED_OUT);
        assert!(crossed(1) && !crossed(2) && crossed(3));
    }

    #[test]
    fn without_colours_there_are_none() {
        let mut screen =
            screen(&[r#"{"channel":"seaside","kind":"fault","slot":"bad","text":"x"}"#]);
        let coloured = |screen: &mut Screen| {
            let terminal = draw(screen, 40, 4);
            let cells = terminal.backend().buffer().content().iter();
            cells.filter(|cell| cell.fg != Color::Reset).count()
        };
        assert!(coloured(&mut screen) > 0);
        screen.colours = false;
        assert_eq!(coloured(&mut screen), 0);
    }

    #[test]
    fn a_lost_connection_is_seen() {
        let mut screen = screen(&[]);
        screen.take(News::Down);
        screen.take(News::Note("heatd has stopped; waiting until it is back".to_owned()));
        let terminal = draw(&mut screen, 80, 4);
        let rows = rows(terminal.backend());
        assert!(
            rows[0].contains("not connected") && rows[1].contains("heatd has stopped"),
            "{rows:?}"
        );
    }

    fn rows(backend: &TestBackend) -> Vec<String> {
        let buffer = backend.buffer();
        let row = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..buffer.area.height).map(row).collect()
    }
}
