//! Fuzz target of the configuration: any text is read to its end, and each mistake has a line.

use std::path::Path;

use heat_tests::fuzz::Target;

use super::{Config, Mistakes};

const TEXT: Target = Target {
    name: "config_text",
    run: config_text,
    seeds: &[
        include_bytes!("../../heatd.toml"),
        include_bytes!("../offline/init/heatd.toml"),
        b"[twitch]\nchannels = [\"seaside\"]\n[[rule]]\nfile = \"rules/fave.wasm\"\n",
        b"data = \"x\"\nflush = \"1s\"\n[twitch]\nchannels = [\"a\", \"#B\"]\nserver = \"localhost:1\"\ntls = false\nping = \"1s\"\n[stream]\ncommand = \"?s\"\ntopic = \"s/{channel}\"\nsilence = \"10m\"\n[http]\nlisten = \"[::1]:1\"\n[[rule]]\nslot = \"s\"\nfile = \"f.wasm\"\nchannels = [\"b\"]\nsource = \"file\"\npublish = [\"lights/#\"]\nmemory = \"64 MiB\"\n[rule.settings]\na = [1, 2.5, { b = true }]\n",
        b"[twitch]\nchannels = [\"a\"]\n[mqtt]\nhost = \"pi\"\n[mqtt.embedded]\nlisten = \"0.0.0.0:1883\"\n[[mqtt.embedded.user]]\nname = \"x\"\npassword = \"y\"\n[[rule]]\nfile = \"x.wasm\"\n",
    ],
    words: &[
        "[", "]", "[[", "]]", "{", "}", "=", "\"", "\"\"\"", "'''", "\\u0007", "\\", "\n", "#", "\u{1F525}",
        "[twitch]\n", "[mqtt]\n", "[stream]\n", "[http]\n", "[[rule]]\n", "[rule.settings]\n", "[series.kept]\n1s = ",
        "[mqtt.embedded]\n", "[mqtt.anonymous]\n", "channels = ", "file = ", "slot = ", "listen = ",
        "flush = ", "\"1h\"", "true", "0x7fffffffffffffff", "1e400", "nan", "1979-05-27", "log = ",
        "\"heatd=debug,\"", "memory = \"1 MiB\"", "publish = [\"a/#/b\"]", "host = ", "url = ",
        "password = ", "user = ", "topics = ", "prefix = ", "undo_command = ", "keep_log = ",
    ],
    recorded: &[],
    inputs: 3_000,
};

fn config_text(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let file = Path::new("heatd.toml");
    let mistakes = Mistakes::new(file, &text);
    let config = Config::read(&text, file, &mistakes);
    let told = mistakes.to_string();
    assert_eq!(told.is_empty(), mistakes.is_empty());
    assert!(!told.contains(|c: char| c.is_control() && c != '\n'), "{told:?}");
    if mistakes.is_empty() {
        usable(&config);
        return;
    }
    let lines = text.matches('\n').count() + 1;
    let mut before = 1;
    let mut named = 0;
    for line in told.lines().filter(|line| !line.starts_with("    ")) {
        let (number, problem) = line
            .strip_prefix("heatd.toml:")
            .and_then(|rest| rest.split_once(": "))
            .unwrap_or_else(|| panic!("a mistake without a place: {line:?}"));
        let number: usize = number.parse().expect("a number of a line");
        assert!((before..=lines).contains(&number), "line {number} of {lines}: {problem}");
        assert!(!problem.trim().is_empty());
        (before, named) = (number, named + 1);
    }
    assert_eq!(named, mistakes.count(), "{told}");
}

/// What holds of a configuration without mistakes.
fn usable(config: &Config) {
    assert!(!config.twitch.channels.is_empty() && !config.rules.is_empty());
    assert!(config.http.listen.ip().is_loopback());
    assert!((100..=60_000).contains(&config.flush));
    for rule in &config.rules {
        assert!(rule.channels.iter().flatten().all(|it| config.twitch.channels.contains(it)));
        assert!(rule.publish.len() <= 64);
        let fitting = 1..=32;
        assert!(fitting.contains(&rule.slot.len()), "{:?}", rule.slot);
    }
    for channel in &config.twitch.channels {
        let of_it = config.rules.iter().filter(|rule| rule.is_for(channel));
        let mut slots: Vec<&str> = of_it.map(|rule| rule.slot.as_str()).collect();
        let all = slots.len();
        slots.sort_unstable();
        slots.dedup();
        assert_eq!(slots.len(), all, "two rules in one slot of {channel}");
    }
}

#[test]
fn a_configuration_of_any_text_is_usable_or_says_where_it_is_not() {
    TEXT.check();
}
