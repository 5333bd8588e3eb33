//! What stands, and which lines each entry becomes on a screen or in a file.

use std::collections::BTreeMap;

use super::entry::{Entry, What};
use super::gauge::Gauge;
use super::line::{Line, LineKind};
use crate::terminal::clean;
use crate::terminal::words::{ago, count};

/// The outputs that stand beside the heat: the name of its level, and the hype train while one runs.
const LEVEL: &str = "level";
const TRAIN: &str = "hype-train";

/// What stands in one channel.
#[derive(Debug, Default)]
pub(crate) struct BoardChannel {
    pub(crate) gauge: Gauge,
    /// Empty below the first level.
    level: String,
    /// Of the train that runs.
    train: Option<Gauge>,
    state: String,
    since: Option<u64>,
}

pub(crate) struct Board {
    output: String,
    has_heat: bool,
    pub(crate) channels: BTreeMap<String, BoardChannel>,
}

impl BoardChannel {
    fn show(&mut self, is_heat: bool, output: &str, text: &str) {
        let text = clean::text(text);
        if is_heat {
            self.gauge.show(&text);
        } else if output == LEVEL {
            self.level = text;
        } else if output == TRAIN {
            self.train = Gauge::of_train(&text);
        }
    }
}

impl Board {
    /// `output` is drawn as a gauge.
    pub(crate) fn new(output: &str, has_heat: bool) -> Self {
        Self { output: output.to_owned(), has_heat, channels: BTreeMap::new() }
    }

    /// Takes note of an entry, and returns the lines that it is.
    pub(crate) fn take(&mut self, entry: &Entry) -> Vec<Line> {
        let name = &entry.channel;
        match &entry.what {
            What::Hello { channels, .. } => {
                self.channels.retain(|name, _| channels.contains(name));
                for name in channels {
                    self.channels.entry(name.clone()).or_default();
                }
                Vec::new()
            }
            What::Chat(chat) => {
                vec![Line { tag: self.tag(name), ..Line::chat(name, chat) }]
            }
            What::Event { event, at, text } => {
                let channel = self.channels.entry(name.clone()).or_default();
                match event.as_str() {
                    // The state follows as an entry of its own, and is no news then.
                    "stream-start" => channel.state = "live".to_owned(),
                    "stream-end" => channel.state = "offline".to_owned(),
                    _ => {}
                }
                let line = self.line(name, LineKind::Event, "*", text);
                vec![Line { event: event.clone(), at: *at, ..line }]
            }
            What::Rule { slot, effects, of } => {
                let effects = effects.iter().map(|effect| format!("{slot} → {effect}"));
                let line = |text: String| self.line(name, LineKind::Rule, "", &text);
                effects.map(|text| Line { of: of.clone(), ..line(text) }).collect()
            }
            What::Fault { slot, text, of } => {
                let text = format!("{slot} failed: {text}");
                vec![Line { of: of.clone(), ..self.line(name, LineKind::Fault, "!", &text) }]
            }
            What::Output { name: output, text } => {
                let channel = self.channels.entry(name.clone()).or_default();
                channel.show(output == &self.output, output, text.as_deref().unwrap_or_default());
                Vec::new()
            }
            What::Stream { state, since } => {
                let channel = self.channels.entry(name.clone()).or_default();
                channel.since = *since;
                let news = channel.state != *state && state != "unknown";
                channel.state.clone_from(state);
                let text = format!("the stream is {state}");
                if news { vec![self.line(name, LineKind::Event, "*", &text)] } else { Vec::new() }
            }
            What::Removed { id, login } => {
                let what = match (id, login) {
                    (Some(_), _) => "a moderator has removed a line".to_owned(),
                    (None, Some(login)) => format!("a moderator has removed what {login} wrote"),
                    (None, None) => "a moderator has cleared chat".to_owned(),
                };
                vec![self.line(name, LineKind::Event, "*", &what)]
            }
            What::Missed { entries } => {
                let missed = count(*entries);
                vec![Line::note(&format!("too much at once: {missed} entries are left out here"))]
            }
            What::Past { .. } | What::Unknown => Vec::new(),
        }
    }

    fn line(&self, channel: &str, kind: LineKind, lead: &str, text: &str) -> Line {
        Line { tag: self.tag(channel), ..Line::new(kind, channel, lead, text) }
    }

    /// The channel before a text, where there are several.
    fn tag(&self, channel: &str) -> String {
        if self.channels.len() > 1 { clean::text(&format!("#{channel} ")) } else { String::new() }
    }

    /// The gauges that there are, each with what stands beside it.
    pub(crate) fn gauges(&self) -> Vec<(String, &Gauge)> {
        if !self.has_heat {
            return Vec::new();
        }
        let several = self.channels.len() > 1;
        let mut gauges = Vec::new();
        for (name, channel) in &self.channels {
            let name = if several { format!("#{name} ") } else { String::new() };
            let text = if channel.gauge.text.is_empty() { "–" } else { &channel.gauge.text };
            let level = if channel.level.is_empty() { "" } else { " · " };
            let heat = format!("{name}{} {text}{level}{}", self.output, channel.level);
            gauges.push((clean::text(&heat), &channel.gauge));
            let train = channel.train.as_ref();
            gauges.extend(train.map(|it| (clean::text(&format!("{name}train {}", it.text)), it)));
        }
        gauges
    }

    /// Each channel, and what is known of its stream.
    pub(crate) fn streams(&self) -> String {
        let stream = |(name, channel): (&String, &BoardChannel)| {
            let since = channel.since.map(|since| format!(" for {}", ago(since)));
            match (self.has_heat, channel.state.as_str()) {
                (false, _) => format!("#{name}"),
                (true, "" | "unknown") => format!("#{name}: stream unknown"),
                (true, state) => format!("#{name}: {state}{}", since.unwrap_or_default()),
            }
        };
        let streams: Vec<String> = self.channels.iter().map(stream).collect();
        clean::text(&streams.join("  "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> Board {
        let mut board = Board::new("heat", true);
        take(&mut board, r#"{"kind":"hello","version":"1","channels":["seaside"]}"#);
        board
    }

    fn take(board: &mut Board, json: &str) -> Vec<String> {
        let lines = board.take(&Entry::read(json).unwrap());
        lines.into_iter().map(|line| format!("{} {}{}", line.lead, line.tag, line.text)).collect()
    }

    #[test]
    fn chat_and_what_rules_did_stand_below_each_other() {
        let mut board = board();
        let chat =
            r#"{"channel":"seaside","kind":"chat","name":"Ann","login":"ann","text":"?fave pie"}"#;
        assert_eq!(take(&mut board, chat), ["        Ann: ?fave pie"]);
        let wide =
            r#"{"channel":"seaside","kind":"chat","name":"日本","login":"nihon","text":"hi"}"#;
        assert_eq!(take(&mut board, wide), ["日本 (nihon): hi"]);
        let rule = r#"{"channel":"seaside","kind":"rule","slot":"decay","effects":["show heat \"7\"","clip \"x\" 30 s"]}"#;
        assert_eq!(
            take(&mut board, rule),
            ["             decay → show heat \"7\"", "             decay → clip \"x\" 30 s"]
        );
        let fault = r#"{"channel":"seaside","kind":"fault","slot":"bad","text":"it trapped"}"#;
        assert_eq!(take(&mut board, fault), ["           ! bad failed: it trapped"]);
    }

    #[test]
    fn the_gauge_follows_its_output_and_no_other() {
        let mut board = board();
        assert_eq!(board.gauges()[0].0, "heat –");
        for (name, text) in [("heat", "19"), ("title", "Pie")] {
            let json = format!(
                r#"{{"channel":"seaside","kind":"output","name":"{name}","text":"{text}"}}"#
            );
            assert!(take(&mut board, &json).is_empty());
        }
        assert_eq!(board.gauges()[0].0, "heat 19");
        take(&mut board, r#"{"channel":"seaside","kind":"output","name":"heat","text":null}"#);
        assert_eq!(board.gauges()[0].0, "heat –");
        assert!(Board::new("heat", false).gauges().is_empty());
    }

    #[test]
    fn the_level_stands_beside_the_heat_and_a_train_below_it_while_it_runs() {
        let mut board = board();
        let show = |board: &mut Board, name: &str, text: &str| {
            let entry = serde_json::json!({ "channel": "seaside", "kind": "output", "name": name, "text": text });
            take(board, &entry.to_string());
        };
        for (name, text) in
            [("heat", "19"), ("level", "hot"), ("hype-train", "Level 2: 640 of 2500")]
        {
            show(&mut board, name, text);
        }
        let gauges = board.gauges();
        assert_eq!(gauges[0].0, "heat 19 · hot");
        assert_eq!(gauges[1].0, "train Level 2: 640 of 2500");
        assert_eq!(gauges[1].1.bar(100).matches('█').count(), 26);
        let json = r#"{"value":2,"level":"Full steam","points":1000,"goal":2000,"source":"own"}"#;
        show(&mut board, "hype-train", json);
        assert_eq!(board.gauges()[1].0, "train Level Full steam: 1000 of 2000");
        show(&mut board, "hype-train", "");
        assert_eq!(board.gauges().len(), 1);
    }

    #[test]
    fn a_stream_that_starts_is_told_once() {
        let mut board = board();
        let unknown = r#"{"channel":"seaside","kind":"stream","state":"unknown","since":null}"#;
        assert!(take(&mut board, unknown).is_empty());
        assert_eq!(board.streams(), "#seaside: stream unknown");
        let start = r#"{"channel":"seaside","kind":"event","event":"stream-start","text":"the stream starts"}"#;
        assert_eq!(take(&mut board, start), ["           * the stream starts"]);
        let live = r#"{"channel":"seaside","kind":"stream","state":"live","since":1}"#;
        assert!(take(&mut board, live).is_empty());
        assert!(board.streams().starts_with("#seaside: live for "), "{}", board.streams());
        let offline = r#"{"channel":"seaside","kind":"stream","state":"offline","since":2}"#;
        assert_eq!(take(&mut board, offline), ["           * the stream is offline"]);
    }

    #[test]
    fn with_several_channels_each_line_says_which() {
        let mut board = Board::new("heat", true);
        take(&mut board, r#"{"kind":"hello","version":"1","channels":["a","b"]}"#);
        let chat = r#"{"channel":"b","kind":"chat","name":"Ann","login":"ann","text":"hi"}"#;
        assert_eq!(take(&mut board, chat), ["        Ann: #b hi"]);
        let gauges: Vec<String> = board.gauges().into_iter().map(|(text, _)| text).collect();
        assert_eq!(gauges, ["#a heat –", "#b heat –"]);
    }

    #[test]
    fn strangers_reach_no_terminal() {
        let mut board = board();
        let chat = r#"{"channel":"seaside","kind":"chat","name":"A\u001b[2Jnn","login":"ann","text":"\u202ehi\u0007"}"#;
        let lines = take(&mut board, chat).concat();
        assert!(!lines.contains(['\u{1b}', '\u{7}', '\u{202E}']), "{lines:?}");
        take(
            &mut board,
            r#"{"channel":"seaside","kind":"output","name":"heat","text":"\u001b[2J7"}"#,
        );
        assert!(!board.gauges()[0].0.contains('\u{1b}'));
    }
}
