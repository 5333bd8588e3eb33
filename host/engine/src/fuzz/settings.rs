//! What people write: settings held against a schema, lengths of time, lines of cases.

use heat_tests::fuzz::{Choices, Target};

use crate::cases::{chat_line, embedded};
use crate::contract::settings::{Given, check_schema, parse_duration, resolve};
use crate::contract::{Happening, Setting, SettingKind, SettingValue};
use crate::error::LoadError;

const SETTINGS: Target = Target {
    name: "settings",
    run: settings,
    seeds: &[
        b"\x03abc\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07",
        b"\x05\x01a\x00\x00\x01\x01b\x00\x01\x05\x00\x00\x00\x09\x01c\x00\x02\x01d\x00\x03",
        b"\x02\x01a\x00\x04\x05hello\x00\x09\x01\x01a\x00\x04\x05hello",
        b"\x08\x01a\x00\x06\x01b\x00\x07\x01c\x00\x05\x03xyz\x00\x02\x01a\x00\x05",
    ],
    words: &["90s", "1h30m", "5m", "a", "b", "c"],
    recorded: &[],
    inputs: 20_000,
};

/// Names that collide now and then.
fn name(choices: &mut Choices<'_>) -> String {
    match choices.below(3) {
        0 => choices.pick(&["a", "b", "c", "half_life"]).to_owned(),
        1 => "a".to_owned(),
        _ => choices.text(),
    }
}

fn float(choices: &mut Choices<'_>) -> f64 {
    match choices.below(4) {
        0 => f64::from(choices.byte()),
        1 => choices.pick(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, 1e-300]),
        _ => f64::from_le_bytes(std::array::from_fn(|_| choices.byte())),
    }
}

fn texts(choices: &mut Choices<'_>) -> Vec<String> {
    let count = choices.pick(&[0, 1, 2, 3, 256, 257]);
    (0..count).map(|_| choices.text()).collect()
}

fn kind(choices: &mut Choices<'_>) -> SettingKind {
    use crate::contract::{
        ChoiceSetting, DurationSetting, IntegerSetting, NumberSetting, TextSetting,
    };
    let mut whole = || choices.number();
    let unsigned = |number: i64| number.unsigned_abs();
    let (default, min, max) = (whole(), whole(), whole());
    match choices.below(8) {
        0 => SettingKind::Boolean(choices.flag()),
        1 => SettingKind::Integer(IntegerSetting { default, min, max }),
        2 => {
            let (default, min, max) = (float(choices), float(choices), float(choices));
            SettingKind::Number(NumberSetting { default, min, max })
        }
        3 => {
            let (default, min, max) = (unsigned(default), unsigned(min), unsigned(max));
            SettingKind::Duration(DurationSetting { default, min, max })
        }
        4 => {
            let (default, max_length) = (choices.text(), u32::from(choices.byte()));
            SettingKind::Text(TextSetting { default, max_length })
        }
        5 => SettingKind::Choice(ChoiceSetting { choices: texts(choices) }),
        6 => SettingKind::Texts(texts(choices)),
        _ => {
            let names = texts(choices);
            SettingKind::Numbers(names.into_iter().map(|name| (name, float(choices))).collect())
        }
    }
}

/// A value as a configuration writes it, of any shape.
pub(super) fn given(choices: &mut Choices<'_>, depth: usize) -> Given {
    let most = if depth < 3 { 7 } else { 5 };
    match choices.below(most) {
        0 => Given::Boolean(choices.flag()),
        1 => Given::Integer(choices.number()),
        // A number that is none is not equal to itself, and no format of configurations that heatd reads has it in a setting that counts.
        2 => Given::Float(Some(float(choices)).filter(|it| !it.is_nan()).unwrap_or(0.5)),
        3 => Given::Text(format!("{}ms", choices.number().unsigned_abs())),
        4 => Given::Text(choices.text()),
        5 => Given::List((0..choices.below(4)).map(|_| given(choices, depth + 1)).collect()),
        _ => {
            let count = choices.below(4);
            Given::Table((0..count).map(|_| (choices.text(), given(choices, depth + 1))).collect())
        }
    }
}

fn settings(input: &[u8]) {
    let mut choices = Choices::of(input);
    let count = choices.below(6);
    let schema: Vec<Setting> = (0..count)
        .map(|_| Setting {
            name: name(&mut choices),
            kind: kind(&mut choices),
            help: choices.text(),
        })
        .collect();
    if check_schema(&schema).is_err() {
        return;
    }
    let defaults = resolve(&schema, &[]).expect("a schema that was checked has defaults that fit");
    fits(&schema, &defaults);
    // What is in force can be written down as a configuration, and means the same.
    let written: Vec<_> =
        defaults.iter().map(|(name, value)| (name.clone(), Given::of(value))).collect();
    assert_eq!(resolve(&schema, &written).expect("what is in force fits"), defaults);
    let count = choices.below(4);
    let wanted: Vec<(String, Given)> =
        (0..count).map(|_| (name(&mut choices), given(&mut choices, 0))).collect();
    match resolve(&schema, &wanted) {
        Ok(settings) => {
            fits(&schema, &settings);
            assert!(wanted.iter().all(|(name, _)| schema.iter().any(|it| it.name == *name)));
        }
        Err(LoadError::Settings(mistakes)) => {
            assert!(!mistakes.is_empty());
            for (name, problem) in mistakes {
                assert!(wanted.iter().any(|(wanted, _)| *wanted == name), "{name}: {problem}");
            }
        }
        Err(other) => panic!("{other}"),
    }
}

/// Every setting of the schema has a value of its kind, within its bounds.
fn fits(schema: &[Setting], settings: &[(String, SettingValue)]) {
    assert_eq!(schema.len(), settings.len());
    for (setting, (name, value)) in schema.iter().zip(settings) {
        assert_eq!(&setting.name, name);
        let fits = match (&setting.kind, value) {
            (SettingKind::Boolean(_), SettingValue::Boolean(_)) => true,
            (SettingKind::Integer(it), SettingValue::Integer(value)) => {
                (it.min..=it.max).contains(value)
            }
            (SettingKind::Number(it), SettingValue::Number(value)) => {
                (it.min..=it.max).contains(value) && value.is_finite()
            }
            (SettingKind::Duration(it), SettingValue::Duration(value)) => {
                (it.min..=it.max).contains(value)
            }
            (SettingKind::Text(it), SettingValue::Text(text)) => {
                text.chars().count() <= it.max_length as usize
            }
            (SettingKind::Choice(it), SettingValue::Text(text)) => it.choices.contains(text),
            (SettingKind::Texts(_), SettingValue::Texts(_)) => true,
            (SettingKind::Numbers(_), SettingValue::Numbers(numbers)) => {
                numbers.iter().all(|(_, number)| number.is_finite())
            }
            _ => false,
        };
        assert!(fits, "{setting:?}: {value:?}");
    }
}

const TIMES: Target = Target {
    name: "durations",
    run: durations,
    seeds: &[b"500ms", b"90s", b"10m", b"1h30m", b" 2d ", b"1 d 2 h", "5\u{a0}s".as_bytes()],
    words: &["ms", "s", "m", "h", "d", " ", "0", "18446744073709551615", "\u{0663}"],
    recorded: &[],
    inputs: 20_000,
};

fn durations(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match parse_duration(&text) {
        Ok(time) => {
            assert_eq!(parse_duration(&format!("{time}ms")), Ok(time));
            assert_eq!(parse_duration(&format!(" {text}\n")), Ok(time));
            if let Some(more) = time.checked_add(1_000) {
                assert_eq!(parse_duration(&format!("{text}1s")), Ok(more), "{text}");
            }
        }
        Err(problem) => assert!(problem.contains("no length of time"), "{problem}"),
    }
}

const LINES: Target = Target {
    name: "case_lines",
    run: case_lines,
    seeds: &[
        b"ann: ?fave pie",
        b"ann (moderator, tier two, first, bits 100, emote Kappa, shared beach): Kappa and Kappa",
        b"+1h30m",
        b"mqtt new-heat (retained): Song: by somebody",
        b"* raid bob 120",
        b"* gift nobody 5 two",
        b"* hype-train t1 progress 2 100 500",
        b"set levels = { warm = 10, hot = 25.5 }",
        b"set words = [\"a\", \"b\"]",
    ],
    words: &[
        "* ",
        ": ",
        " (",
        ")",
        ", ",
        "mqtt ",
        "set ",
        " = ",
        "emote ",
        "tier three",
        "bits 4294967295",
        "\r",
        "\n",
        "\u{1F525}",
        "'''",
        "1979-05-27",
        "nan",
        "stream start",
        "cheer nobody 1",
        "[",
        "]",
        "{",
        "}",
    ],
    recorded: &[],
    inputs: 20_000,
};

fn case_lines(input: &[u8]) {
    use crate::cases::{Line, read_line as read, read_setting as setting};
    let text = String::from_utf8_lossy(input);
    for line in text.lines() {
        match read(line) {
            Ok(Line::Happens(what)) => {
                if let Happening::Chat(line) = *what {
                    marked(&line);
                }
            }
            Ok(Line::Pass(_) | Line::Silent) => {}
            Err(problem) => assert!(!problem.is_empty()),
        }
        if let Some(rest) = line.strip_prefix("set ")
            && let Ok((name, given)) = setting(rest)
        {
            assert_eq!(setting(rest).map(|(again, _)| again), Ok(name));
            drop(given);
        }
        if let Some((who, said)) = line.split_once(": ")
            && let Ok(line) = chat_line(who, said)
        {
            marked(&line);
        }
    }
}

/// Emotes of a case stand where the text has them.
fn marked(line: &crate::contract::ChatLine) {
    let characters: Vec<char> = line.text.chars().collect();
    for emote in &line.emotes {
        let name = characters.get(emote.start as usize..emote.end as usize);
        assert_eq!(name.expect("an emote beyond the text").iter().collect::<String>(), emote.name);
    }
}

const SECTIONS: Target = Target {
    name: "components",
    run: components,
    seeds: &[
        b"\0asm\x0d\0\x01\0",
        b"\0asm\x0d\0\x01\0\0\x16\x0aheat:cases[[\"a\",\"b\"]]",
        b"\0asm\x0d\0\x01\0\x04\x08\0asm\x0d\0\x01\0\x05\x03\x01\0\0\0",
        b"\0asm\x0d\0\x01\0\x01\x10\0asm\x01\0\0\0\x05\x03\x01\0\x01\x00\x01\x00\x02\x04\x01\0\0\0",
        b"\0asm\x01\0\0\0\x0b\x03\x01\x01\0",
    ],
    words: &["\0asm\u{d}\0\u{1}\0", "\0asm\u{1}\0\0\0", "heat:cases", "[[\"", "\",\"", "\"]]"],
    recorded: &[],
    inputs: 20_000,
};

/// What is asked of a component before the compiler sees it.
fn components(input: &[u8]) {
    let cases = embedded(input);
    let limits = crate::contract::limits::Limits::default();
    let _ = crate::guest::weight::may_weigh(input, &limits);
    if crate::guest::bounds::check(input).is_ok() {
        bounded(input);
    }
    if !cases.is_empty() {
        assert!(input.starts_with(b"\0asm\x0d\0\x01\0"));
        let long: usize = cases.iter().map(|case| case.name.len() + case.text.len()).sum();
        // Six bytes of JSON are at least one of a text; and three of UTF-8 may be one byte less of it.
        assert!(long <= input.len(), "{long} bytes of cases in {}", input.len());
    }
}

/// The parser, which recurses, finds types no deeper than they were found without recursion.
fn bounded(component: &[u8]) {
    use wasmparser::{ComponentTypeDeclaration, InstanceTypeDeclaration, Parser, Payload};
    fn depth(of: &wasmparser::ComponentType<'_>) -> usize {
        let inner = match of {
            wasmparser::ComponentType::Component(all) => all.iter().map(|it| match it {
                ComponentTypeDeclaration::Type(of) => depth(of),
                _ => 0,
            }),
            wasmparser::ComponentType::Instance(all) => {
                let inner = all.iter().map(|it| match it {
                    InstanceTypeDeclaration::Type(of) => depth(of),
                    _ => 0,
                });
                return 1 + inner.max().unwrap_or(0);
            }
            _ => return 0,
        };
        1 + inner.max().unwrap_or(0)
    }
    for payload in Parser::new(0).parse_all(component) {
        let Ok(Payload::ComponentTypeSection(section)) = payload else { continue };
        for of in section {
            // What stands behind the types of a section is for the compiler to refuse.
            let Ok(of) = of else { break };
            assert!(depth(&of) <= 32);
        }
    }
}

#[test]
fn settings_that_are_taken_fit_their_schema() {
    SETTINGS.check();
}

#[test]
fn lengths_of_time_add_up() {
    TIMES.check();
}

#[test]
fn lines_of_cases_are_read_or_refused() {
    LINES.check();
}

#[test]
fn what_a_component_weighs_and_brings_along_is_found_without_a_panic() {
    SECTIONS.check();
}
