//! The screen, drawn for terminals of several sizes, and what keys do in it.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::super::keys::KeyAction;
use super::*;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};

use super::super::colours::Theme;
use super::super::look::Settings;

fn screen(entries: &[&str]) -> Screen {
    let settings = Settings { times: false, ..Settings::default() };
    let look = Look { settings, colours: true, in_full: true, ..Look::default() };
    let mut screen = Screen::new(Board::new("heat", true), look);
    screen.take(News::Up);
    screen.take(News::Entry(r#"{"kind":"hello","version":"1","channels":["seaside"]}"#.to_owned()));
    entries.iter().for_each(|json| screen.take(News::Entry((*json).to_owned())));
    screen
}

fn draw(screen: &mut Screen, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| screen.draw(frame)).unwrap();
    terminal
}

fn chat(text: &str) -> String {
    format!(r#"{{"channel":"seaside","kind":"chat","name":"Ann","login":"ann","text":"{text}"}}"#)
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
    screen.act(KeyAction::Lines(1));
    let top = draw(&mut screen, 28, 4);
    let rows = rows(top.backend());
    assert!(rows[1].contains("first") && rows[0].contains('…'), "{rows:?}");
    screen.act(KeyAction::Newest);
    assert!(!screen.backlog.is_back());
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
    let struck: Vec<bool> = screen.backlog.upwards().map(|stored| stored.line.is_struck).collect();
    assert_eq!(struck, [false, false, true, false, true]);
    let terminal = draw(&mut screen, 60, 8);
    let crossed = |y| terminal.backend().buffer()[(13, y)].modifier.contains(Modifier::CROSSED_OUT);
    assert!(crossed(1) && !crossed(2) && crossed(3));
}

#[test]
fn without_colours_there_are_none() {
    let mut screen = screen(&[r#"{"channel":"seaside","kind":"fault","slot":"bad","text":"x"}"#]);
    let coloured = |screen: &mut Screen| {
        let terminal = draw(screen, 40, 4);
        let cells = terminal.backend().buffer().content().iter();
        cells.filter(|cell| cell.fg != Color::Reset).count()
    };
    assert!(coloured(&mut screen) > 0);
    screen.look.colours = false;
    assert_eq!(coloured(&mut screen), 0);
}

#[test]
fn a_lost_connection_is_seen() {
    let mut screen = screen(&[]);
    screen.take(News::Down);
    screen.take(News::Note("heatd has stopped; waiting until it is back".to_owned()));
    let terminal = draw(&mut screen, 80, 4);
    let rows = rows(terminal.backend());
    assert!(rows[0].contains("not connected") && rows[1].contains("heatd has stopped"), "{rows:?}");
}

fn press(screen: &mut Screen, keys: &[KeyCode]) -> bool {
    keys.iter().all(|code| screen.event(&Event::Key(KeyEvent::new(*code, KeyModifiers::NONE))))
}

fn typed(screen: &mut Screen, text: &str) {
    assert!(text.chars().all(|c| press(screen, &[KeyCode::Char(c)])));
}

const TWO: &str = r#"{"kind":"hello","version":"1","channels":["harbour","seaside"]}"#;

#[test]
fn names_have_their_colours_marks_and_emotes_and_stay_readable() {
    let json = r##"{"channel":"seaside","kind":"chat","id":"1","name":"Ann","login":"ann","text":"hi Kappa","colour":"#0000FF","badges":["moderator","subscriber"],"emotes":[{"from":3,"to":8,"provider":"twitch","id":"25"}],"first":true,"reply_to":"ben"}"##;
    let mut screen = screen(&[json]);
    let terminal = draw(&mut screen, 60, 3);
    let row = rows(terminal.backend())[1].clone();
    assert!(row.starts_with("      @$Ann: ↪ben hi Kappa (first line)"), "{row:?}");
    let colour = |x: u16| terminal.backend().buffer()[(x, 1)].fg;
    let blue = super::super::colours::Rgb::read("#0000FF").unwrap();
    assert_eq!(colour(8), blue.readable(Theme::Dark).shown(true));
    assert_ne!(colour(8), blue.shown(true));
    assert_eq!((colour(18), colour(21)), (Color::Reset, Color::LightYellow));
}

#[test]
fn channels_have_keys_and_what_is_unread() {
    let mut screen = screen(&[TWO, &chat("one")]);
    press(&mut screen, &[KeyCode::Char('1')]);
    screen.take(News::Entry(chat("two")));
    let top = rows(draw(&mut screen, 60, 6).backend());
    assert!(top[1].starts_with(" 0 all  1 #harbour  2 #seaside (1) "), "{top:?}");
    assert!(!top.concat().contains("two"), "{top:?}");
    press(&mut screen, &[KeyCode::Tab]);
    let top = rows(draw(&mut screen, 60, 6).backend());
    assert!(top[1].contains("2 #seaside ") && top.concat().contains("Ann: two"), "{top:?}");
    press(&mut screen, &[KeyCode::Tab]);
    assert!(rows(draw(&mut screen, 60, 6).backend()).concat().contains("#seaside two"));
}

#[test]
fn a_search_goes_up_and_a_filter_leaves_out_the_rest() {
    let lines: Vec<String> = (0..30).map(|number| chat(&format!("line {number}"))).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut screen = screen(&lines);
    draw(&mut screen, 60, 8);
    press(&mut screen, &[KeyCode::Char('/')]);
    typed(&mut screen, "line 2");
    press(&mut screen, &[KeyCode::Enter, KeyCode::Char('n'), KeyCode::Char('n')]);
    let found = |screen: &Screen| screen.backlog.chosen_line().map(|line| line.text.clone());
    assert_eq!(found(&screen).as_deref(), Some("line 27"));
    press(&mut screen, &[KeyCode::Char('N')]);
    assert_eq!(found(&screen).as_deref(), Some("line 28"));
    press(&mut screen, &[KeyCode::Char('f')]);
    typed(&mut screen, "/a(/");
    press(&mut screen, &[KeyCode::Enter]);
    let shown = rows(draw(&mut screen, 60, 8).backend()).concat();
    assert!(shown.contains("unclosed group") && shown.contains("show only: /a(/"), "{shown}");
    press(
        &mut screen,
        &[KeyCode::Backspace, KeyCode::Backspace, KeyCode::Char('/'), KeyCode::Enter],
    );
    assert_eq!(screen.backlog.upwards().count(), 0);
    press(&mut screen, &[KeyCode::Esc]);
    assert_eq!(screen.backlog.upwards().count(), 30);
    assert!(!press(&mut screen, &[KeyCode::Esc]), "there is nothing left to go back from");
}

#[test]
fn a_line_has_its_story_with_what_rules_did() {
    let json = r#"{"channel":"seaside","kind":"chat","id":"m1","name":"Ann","login":"ann","text":"?fave pie"}"#;
    let rule = r#"{"channel":"seaside","kind":"rule","slot":"fave","effects":["fave ann \"pie\" 1"],"of":"m1"}"#;
    let mut screen = screen(&[json, rule]);
    press(&mut screen, &[KeyCode::Up, KeyCode::Up, KeyCode::Enter]);
    let shown = rows(draw(&mut screen, 60, 14).backend()).join("\n");
    assert!(shown.contains("Ann (ann) in #seaside") && shown.contains("id m1"), "{shown}");
    assert!(shown.contains("  fave → fave ann \"pie\" 1"), "{shown}");
    press(&mut screen, &[KeyCode::Esc]);
    assert!(screen.overlay.is_none());
    press(&mut screen, &[KeyCode::Char('i')]);
    let shown = rows(draw(&mut screen, 60, 14).backend()).concat();
    assert!(shown.contains("writing needs heatd"), "{shown}");
}

fn rows(backend: &TestBackend) -> Vec<String> {
    let buffer = backend.buffer();
    let row = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..buffer.area.height).map(row).collect()
}

#[test]
fn the_last_row_has_no_pictures_that_scroll() {
    use ratatui_image::picker::{Picker, ProtocolType};
    let mut screen = Screen { board: Board::new("heat", false), ..screen(&[]) };
    let entry = r#"{"kind":"hello","version":"1","channels":["seaside"]}"#;
    screen.take(News::Entry(entry.to_owned()));
    (0..9).for_each(|number| screen.take(News::Entry(chat(&format!("line {number}")))));
    let last = |screen: &mut Screen| rows(draw(screen, 30, 5).backend()).last().cloned();
    assert_eq!(last(&mut screen).unwrap().trim(), "Ann: line 8");
    for (protocol, expected) in [(ProtocolType::Sixel, ""), (ProtocolType::Kitty, "Ann: line 8")] {
        let mut picker = Picker::halfblocks();
        picker.set_protocol_type(protocol);
        screen.pictures = Pictures::with(picker, Theme::Dark, None).ok();
        assert_eq!(last(&mut screen).unwrap().trim(), expected);
    }
}
