//! The chat of the demo, for as long as it runs: a quiet start, a song change, a raid, a gift storm, a lull, and again.

use std::collections::VecDeque;
use std::time::Duration;

use heat_tests::twitch::Line;

/// People of the demo.
const PEOPLE: [&str; 8] = ["Ann", "Bob", "Cat", "Dan", "Eve", "Finn", "Gwen", "Hal"];

/// Who come along with the raid.
const RAIDERS: [&str; 4] = ["Ida", "Jon", "Kit", "Lea"];

/// The channel's moderator.
const MODERATOR: &str = "Mia";

/// What people say when nothing happens.
const TALK: [&str; 12] = [
    "hello everyone",
    "what a song",
    "how long have you been live?",
    "LUL",
    "turn it up! PogChamp",
    "this is my jam",
    "brb, making tea",
    "first time here, hi",
    "who is this by?",
    "the drums 👏 PogChamp PogChamp",
    "not again LUL LUL",
    "best stream Kappa",
];

/// What Twitch would mark in it.
const EMOTES: [(&str, &str); 3] = [("Kappa", "25"), ("LUL", "425618"), ("PogChamp", "305954156")];

/// What they fave.
const SONGS: [&str; 3] = ["Plastic Love", "Midnight Pretenders", "Ride on Time"];

/// One part of the story.
struct Scene {
    what: What,
    seconds: u64,
    lines_per_second: f64,
    faves_in_hundred: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Quiet,
    SongChange,
    Raid,
    GiftStorm,
    Lull,
}

const SCENES: [Scene; 5] = [
    Scene { what: What::Quiet, seconds: 5, lines_per_second: 2.0, faves_in_hundred: 15 },
    Scene { what: What::SongChange, seconds: 8, lines_per_second: 4.0, faves_in_hundred: 55 },
    Scene { what: What::Raid, seconds: 8, lines_per_second: 7.0, faves_in_hundred: 40 },
    Scene { what: What::GiftStorm, seconds: 6, lines_per_second: 6.0, faves_in_hundred: 35 },
    Scene { what: What::Lull, seconds: 13, lines_per_second: 0.8, faves_in_hundred: 0 },
];

/// How many subscriptions are given in the storm.
const GIFTS: u32 = 10;

/// Tells the story by the time since its start.
pub(crate) struct Story {
    channel: String,
    scene: usize,
    /// When the scene ends, and when its next line is due.
    ends: Duration,
    next: Duration,
    /// Lines that open the scene, before anything else is said.
    opening: VecDeque<Line>,
    song: usize,
    lines: u64,
    faves: u64,
    /// Message ids must be new in each run.
    run: u64,
    chance: u64,
}

impl Story {
    pub(crate) fn new(channel: &str) -> Self {
        let run = u64::from(std::process::id());
        let mut story = Self {
            channel: channel.to_owned(),
            scene: 0,
            ends: Duration::from_secs(SCENES[0].seconds),
            next: Duration::ZERO,
            opening: VecDeque::new(),
            song: 0,
            lines: 0,
            faves: 0,
            run,
            chance: 1,
        };
        let start = story.by_moderator("?stream start");
        story.opening.push_back(start);
        story
    }

    /// How many lines there were.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// How many of them were faves.
    pub(crate) fn faves(&self) -> u64 {
        self.faves
    }

    /// The lines that are due by now.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<Line> {
        let mut due = Vec::new();
        while self.next <= now {
            while self.next >= self.ends {
                self.change_scene();
            }
            let line = self.opening.pop_front().unwrap_or_else(|| self.talk());
            self.lines += 1;
            due.push(line.id(&format!("demo-{}-{}", self.run, self.lines)));
            self.next += Duration::from_secs_f64(1.0 / SCENES[self.scene].lines_per_second);
        }
        due
    }

    fn change_scene(&mut self) {
        self.scene = (self.scene + 1) % SCENES.len();
        self.ends += Duration::from_secs(SCENES[self.scene].seconds);
        match SCENES[self.scene].what {
            What::Quiet | What::Lull => {}
            What::SongChange => {
                self.song = (self.song + 1) % SONGS.len();
                let line = self.by_moderator(&format!("♪ now: {}", SONGS[self.song]));
                self.opening.push_back(line);
            }
            What::Raid => self.opening.push_back(Line::raid(&self.channel, "harbour", 120)),
            What::GiftStorm => self.opening.push_back(self.gifts()),
        }
    }

    /// Many subscriptions given at once; Twitch tells each of them after this line, which counts nothing more.
    fn gifts(&self) -> Line {
        Line::user_notice(&self.channel, "dan", "submysterygift")
            .name("Dan")
            .tag("msg-param-mass-gift-count", &GIFTS.to_string())
            .tag("msg-param-origin-id", &format!("demo-{}-{}", self.run, self.lines))
            .tag("msg-param-sub-plan", "1000")
    }

    fn by_moderator(&self, text: &str) -> Line {
        let login = MODERATOR.to_lowercase();
        Line::chat(&self.channel, &login, text).name(MODERATOR).badge("moderator/1")
    }

    /// A line of somebody: talk, or a fave of the song.
    fn talk(&mut self) -> Line {
        let scene = &SCENES[self.scene];
        let stranger = scene.what == What::Raid && self.below(2) == 0;
        let people: &[&str] = if stranger { &RAIDERS } else { &PEOPLE };
        let name = people[self.below(people.len() as u64) as usize];
        let text = if self.below(100) < scene.faves_in_hundred {
            self.faves += 1;
            format!("?fave {}", SONGS[self.song])
        } else if stranger {
            "harbour raid! 🚢".to_owned()
        } else {
            TALK[self.below(TALK.len() as u64) as usize].to_owned()
        };
        let line = Line::chat(&self.channel, &name.to_lowercase(), &text).name(name);
        let line = EMOTES.iter().fold(line, |line, (name, id)| line.emote(id, name));
        // Some have been here for longer than others.
        if matches!(name, "Ann" | "Dan") { line.badge("subscriber/2012") } else { line }
    }

    /// A number below another: the same story every time, which only looks like chance (xorshift).
    fn below(&mut self, limit: u64) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance % limit
    }
}
