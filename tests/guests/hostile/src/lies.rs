//! What a rule may say of itself that is not so, or too much.

use std::hint::black_box;

use heat_rule::bindings::heat::rules::about::{
    ChoiceSetting, IntegerSetting, NumberSetting, Role, Setting, SettingKind, SettingValue,
    TextSetting,
};
use heat_rule::bindings::{Description, Interests, Settings};
use heat_rule::{Entry, Kind};

/// The mark: whoever loads the component overwrites what stands behind the colon.
static MARK: [u8; 32] = *b"HOSTILE-MODE:plain              ";

/// Which lie is told.
pub(crate) fn mode() -> &'static str {
    let mark: &'static [u8; 32] = black_box(&MARK);
    std::str::from_utf8(&mark[13..]).unwrap_or_default().trim_end()
}

pub(crate) fn describe(mode: &str) -> Description {
    let mut about = Description {
        name: "hostile".to_owned(),
        version: "1.0.0".to_owned(),
        summary: "Attacks its host on command.".to_owned(),
        role: Role::Formula,
        state_version: u32::from(mode.starts_with("migrate")),
        settings: vec![setting("topics", SettingKind::Texts(Vec::new()))],
    };
    match mode {
        "long-name" => about.name = "n".repeat(100_000),
        "path-name" => about.name = "../../etc".to_owned(),
        "no-name" => about.name = String::new(),
        "control-summary" => about.summary = "\u{1b}[2J a clean screen\n".to_owned(),
        "long-summary" => about.summary = "s".repeat(100_000),
        "long-version" => about.version = "1".repeat(100_000),
        "not-utf8" => {
            // SAFETY: none; the host has to find out.
            about.name = unsafe { String::from_utf8_unchecked(vec![0xff, 0xfe, b'x']) };
        }
        "claimed-length" => about.summary = claimed_string(1 << 30),
        "many-settings" => {
            about.settings = (0..5000).map(|number| boolean(&format!("s{number}"))).collect();
        }
        "twice" => about.settings = vec![boolean("same"), boolean("same")],
        "control-setting" => about.settings = vec![boolean("a\nb")],
        "control-help" => about.settings[0].help = "\u{1b}]0;title\u{7}".to_owned(),
        "long-help" => about.settings[0].help = "h".repeat(50_000),
        "nan-bounds" => {
            let kind = NumberSetting { default: f64::NAN, min: f64::NAN, max: f64::NAN };
            about.settings.push(setting("number", SettingKind::Number(kind)));
        }
        "turned-bounds" => {
            let kind = IntegerSetting { default: 5, min: 10, max: 1 };
            about.settings.push(setting("integer", SettingKind::Integer(kind)));
        }
        "long-default" => {
            let kind = TextSetting { default: "d".repeat(500_000), max_length: u32::MAX };
            about.settings.push(setting("text", SettingKind::Text(kind)));
        }
        "many-choices" => {
            let choices = (0..5_000).map(|number| number.to_string()).collect();
            about.settings.push(setting("choice", SettingKind::Choice(ChoiceSetting { choices })));
        }
        "many-texts" => {
            let texts = (0..5_000).map(|number| number.to_string()).collect();
            about.settings.push(setting("list", SettingKind::Texts(texts)));
        }
        "spin-describe" => spin(),
        "trap-describe" => std::process::abort(),
        _ => {}
    }
    about
}

pub(crate) fn takes(mode: &str, settings: Settings) -> Result<Interests, String> {
    let mut takes = Interests {
        commands: vec!["!attack".to_owned()],
        words: Vec::new(),
        topics: settings.into_iter().find_map(texts).unwrap_or_default(),
        kinds: Vec::new(),
        needs: Vec::new(),
    };
    match mode {
        "takes-commands" => takes.commands = (0..5000).map(|number| format!("!{number}")).collect(),
        "takes-long" => takes.words = vec!["w".repeat(200_000)],
        "takes-control" => takes.commands = vec!["!a\u{1b}[2J".to_owned()],
        "takes-word-control" => takes.words = vec!["a\u{7}".to_owned()],
        "takes-filter" => takes.topics = vec!["a/#/b".to_owned()],
        "takes-nul" => takes.topics = vec!["a\0b".to_owned()],
        "takes-shared" => takes.topics = vec!["$share/all/#".to_owned()],
        "takes-kinds" => takes.kinds = vec![Kind::Chat; 100_000],
        "takes-spin" => spin(),
        "takes-trap" => std::process::abort(),
        "takes-refusal" => return Err("no\u{1b}[2J".repeat(50_000)),
        _ => {}
    }
    Ok(takes)
}

pub(crate) fn migrate(mode: &str, key: String, value: Vec<u8>) -> Result<Vec<Entry>, String> {
    let entry = |key: String, value: Vec<u8>| Entry { key, value };
    Ok(match mode {
        // Each key stays within the limits of one call.
        "migrate-slow" => {
            (0..300_000u32).for_each(|number| {
                black_box(number);
            });
            vec![entry(key, value)]
        }
        "migrate-spin" => {
            spin();
            Vec::new()
        }
        "migrate-much" => {
            (0..15).map(|number| entry(format!("{key}-{number}"), vec![0; 60_000])).collect()
        }
        "migrate-twice" => vec![entry(key.clone(), Vec::new()), entry(key, Vec::new())],
        "migrate-long" => vec![entry("k".repeat(5_000), Vec::new())],
        _ => vec![entry(key, value)],
    })
}

fn texts((name, value): (String, SettingValue)) -> Option<Vec<String>> {
    match value {
        SettingValue::Texts(texts) if name == "topics" => Some(texts),
        _ => None,
    }
}

fn boolean(name: &str) -> Setting {
    setting(name, SettingKind::Boolean(false))
}

fn setting(name: &str, kind: SettingKind) -> Setting {
    Setting { name: name.to_owned(), kind, help: "A setting.".to_owned() }
}

fn spin() {
    while black_box(true) {}
}

/// A text that claims more bytes than there are.
pub(crate) fn claimed_string(length: usize) -> String {
    // SAFETY: none; nobody in here reads or frees it, and the host has to find out.
    unsafe { String::from_raw_parts(std::ptr::without_provenance_mut(1024), length, length) }
}
