//! The chat of the demo: quiet, excited, quiet again, for as long as it runs.

use std::time::Duration;

use heat_tests::twitch::Line;

/// People of the demo.
const PEOPLE: [&str; 8] = ["Ann", "Bob", "Cat", "Dan", "Eve", "Finn", "Gwen", "Hal"];

/// What they say when nothing happens.
const TALK: [&str; 10] = [
    "hello everyone",
    "what a song",
    "how long have you been live?",
    "lol",
    "turn it up!",
    "this is my jam",
    "brb, making tea",
    "first time here, hi",
    "who is this by?",
    "the drums 👏",
];

/// What they fave.
const SONGS: [&str; 3] = ["Plastic Love", "Midnight Pretenders", "Ride on Time"];

/// One round of the story: how long a part is, in seconds, its lines a second, and how many lines in a hundred are faves.
const PARTS: [(u64, f64, u64); 4] = [(4, 2.0, 5), (8, 7.0, 55), (3, 4.0, 30), (9, 1.5, 0)];

/// Who says what, and the line of chat that it makes.
pub(crate) struct Said {
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) line: Line,
}

/// Tells the story by the time since its start.
pub(crate) struct Story {
    channel: String,
    next: Duration,
    lines: u64,
    faves: u64,
    /// Message ids must be new in each run.
    run: u64,
    chance: u64,
}

impl Story {
    pub(crate) fn new(channel: &str) -> Self {
        let run = u64::from(std::process::id());
        Self {
            channel: channel.to_owned(),
            next: Duration::ZERO,
            lines: 0,
            faves: 0,
            run,
            chance: 1,
        }
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
    pub(crate) fn due(&mut self, now: Duration) -> Vec<Said> {
        let mut due = Vec::new();
        while self.next <= now {
            let (pace, faves) = part(self.next);
            due.push(self.line(faves));
            self.next += Duration::from_secs_f64(1.0 / pace);
        }
        due
    }

    fn line(&mut self, faves: u64) -> Said {
        self.lines += 1;
        let name = PEOPLE[self.below(PEOPLE.len() as u64) as usize];
        let text = if self.below(100) < faves {
            self.faves += 1;
            format!("?fave {}", SONGS[(self.lines / 60) as usize % SONGS.len()])
        } else {
            TALK[self.below(TALK.len() as u64) as usize].to_owned()
        };
        let id = format!("demo-{}-{}", self.run, self.lines);
        let line = Line::chat(&self.channel, &name.to_lowercase(), &text).name(name).id(&id);
        Said { name, text, line }
    }

    /// A number below another: the same story every time, which only looks like chance (xorshift).
    fn below(&mut self, limit: u64) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance % limit
    }
}

/// Lines a second and faves in a hundred, at this time of the story.
fn part(now: Duration) -> (f64, u64) {
    let round: u64 = PARTS.iter().map(|(seconds, ..)| seconds).sum();
    let mut at = now.as_secs() % round;
    for (seconds, pace, faves) in PARTS {
        if at < seconds {
            return (pace, faves);
        }
        at -= seconds;
    }
    (1.0, 0)
}
