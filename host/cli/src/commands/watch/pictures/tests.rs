//! Pictures as a terminal gets them, from a provider that is scripted.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Instant;

use image::{ImageFormat, RgbaImage};
use ratatui::text::Line as Row;

use super::*;

/// A picture so large.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let picture = RgbaImage::from_pixel(width, height, image::Rgba([250, 100, 0, 255]));
    DynamicImage::from(picture).write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// A provider that answers so many requests: ids that begin with `wide` or `square` have a picture, `broken` has none that can be read.
fn provider(requests: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().take(requests) {
            let mut stream = stream.unwrap();
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).unwrap();
            let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
            let (status, body) = match asked.split('/').nth(2).unwrap_or_default() {
                id if id.starts_with("wide") => ("200 OK", png(84, 28)),
                id if id.starts_with("square") => ("200 OK", png(28, 28)),
                id if id.starts_with("broken") => ("200 OK", b"\x89PNG\r\n\x1a\nno".to_vec()),
                _ => ("404 Not Found", Vec::new()),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
        }
    });
    address
}

fn emote(id: &str) -> EmoteId {
    EmoteId { provider: "twitch".to_owned(), id: id.to_owned() }
}

fn pictures(protocol: ProtocolType, from: String) -> Pictures {
    let mut picker = Picker::halfblocks();
    picker.set_protocol_type(protocol);
    Pictures::with(picker, Theme::Dark, Some(from)).unwrap()
}

/// Waits until something is known of all of these.
fn settle(pictures: &mut Pictures, emotes: &[EmoteId]) {
    let began = Instant::now();
    loop {
        emotes.iter().for_each(|it| drop(pictures.stand_in(it)));
        pictures.take();
        let known = pictures.known.borrow();
        if emotes.iter().all(|it| known.get(it).is_some_and(|it| !matches!(it, Known::Asked))) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the provider is not asked");
        drop(known);
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_picture_is_drawn_where_its_emote_stands_in_each_protocol() {
    for (protocol, begins) in [
        (ProtocolType::Kitty, "\u{1b}_G"),
        (ProtocolType::Iterm2, "\u{1b}]1337;File="),
        (ProtocolType::Sixel, "\u{1b}P"),
    ] {
        let emotes = ["square", "wide", "broken", "none"].map(emote);
        let mut pictures = pictures(protocol, provider(4));
        assert_eq!(pictures.scroll_the_last_row(), protocol != ProtocolType::Kitty);
        settle(&mut pictures, &emotes);
        let widths = emotes.iter().map(|it| pictures.stand_in(it).map(|it| it.width()));
        assert_eq!(widths.collect::<Vec<_>>(), [Some(2), Some(6), None, None], "{protocol:?}");

        let area = Rect::new(0, 0, 12, 1);
        let mut buffer = Buffer::empty(area);
        let spans = [Span::raw("hi "), pictures.stand_in(&emotes[0]).unwrap(), Span::raw(" ho")];
        Row::from(spans.to_vec()).render(area, &mut buffer);
        pictures.draw(&mut buffer, area);
        let drawn: String = buffer.content().iter().map(|cell| cell.symbol()).collect();
        assert!(drawn.starts_with("hi ") && drawn.contains(" ho"), "{drawn:?}");
        assert!(drawn.contains(begins), "{drawn:?}");
        assert!(!drawn.contains('\u{F0000}'), "{drawn:?}");
    }
}

#[test]
fn letters_of_chat_that_look_like_stand_ins_are_letters() {
    let mut pictures = pictures(ProtocolType::Kitty, provider(1));
    settle(&mut pictures, &[emote("square")]);
    let area = Rect::new(0, 0, 4, 1);
    let mut buffer = Buffer::empty(area);
    Row::from("\u{F0000}\u{F0000}").render(area, &mut buffer);
    let before = buffer.clone();
    pictures.draw(&mut buffer, area);
    assert_eq!(buffer, before);
}

#[test]
fn a_picture_at_the_edge_is_left_out_and_breaks_nothing() {
    let mut pictures = pictures(ProtocolType::Sixel, provider(1));
    settle(&mut pictures, &[emote("wide")]);
    let area = Rect::new(0, 0, 3, 1);
    let mut buffer = Buffer::empty(area);
    Row::from(pictures.stand_in(&emote("wide")).unwrap()).render(area, &mut buffer);
    pictures.draw(&mut buffer, area);
    assert!(buffer.content().iter().all(|cell| cell.symbol() == " "));
}

#[test]
fn addresses_are_of_the_four_providers_and_of_no_other_file() {
    let providers = Providers::new(Theme::Light, None);
    let address = |provider: &str, id: &str| {
        providers.address(&EmoteId { provider: provider.to_owned(), id: id.to_owned() })
    };
    let twitch = "https://static-cdn.jtvnw.net/emoticons/v2/25/default/light/2.0";
    assert_eq!(address("twitch", "25").as_deref(), Some(twitch));
    assert!(address("7tv", "01ABC").unwrap().starts_with("https://cdn.7tv.app/emote/01ABC/"));
    for (provider, id) in [("twitch", "../25"), ("twitch", ""), ("twitch", "a/b"), ("mine", "25")] {
        assert_eq!(address(provider, id), None);
    }
}

#[test]
fn a_picture_that_is_too_large_is_none() {
    assert!(picture(png(28, 28)).is_ok());
    assert!(picture(png(28, LONGEST_SIDE + 1)).is_err());
    assert!(picture(b"GIF89a".to_vec()).is_err());
}
