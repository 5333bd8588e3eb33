//! Commands and titles, paired in the order in which they came.
//!
//! A bot reads the same `?fave` as heatd does and answers it with the title of the song, so commands and titles come in the same
//! order, but by two ways of different length: usually the command is first. Whatever is first waits under a key that starts with
//! its time; what waits too long is reported and forgotten. A title also comes when the song changes, without a command.

use heat_rule::{Call, Command, MqttMessage, Person, Timestamp, state};

use crate::{SongFaves, fave, report, title};

/// A line of people or titles, oldest first. Its name is the prefix of its keys, and the name of its timer.
struct Queue {
    name: &'static str,
    /// The setting that says how long an entry waits.
    patience: &'static str,
}

/// Commands that wait for their title. The value is the person.
const COMMANDS: Queue = Queue { name: "command", patience: "window" };

/// Titles that came before their command. The value is the title; empty for a message without a usable one, since the bot has
/// answered a command with that as well.
const TITLES: Queue = Queue { name: "title", patience: "early" };

/// The key of the number of the last entry, which orders those of one millisecond.
const NUMBER: &str = "number";

/// How many entries one timer forgets; if there are more, it comes again at once.
const AT_ONCE: u32 = 64;

/// A person as it is kept: id, login, name.
type Kept = (String, (String, String));

/// What waits, and since when.
struct Waiting<V> {
    key: String,
    since: Timestamp,
    value: V,
}

/// A `?fave`: for the title that came just before, or it waits for one.
pub(crate) fn take_command(call: &mut Call<SongFaves>, command: &Command) {
    let person = &command.line.person;
    match TITLES.oldest::<String>(call) {
        Some(early) => {
            call.delete(early.key);
            pair(call, person, &early.value);
        }
        None => {
            let kept: Kept = (person.id.clone(), (person.login.clone(), person.name.clone()));
            COMMANDS.add(call, kept);
        }
    }
}

/// A title: for the oldest `?fave` that waits, or it waits for one.
pub(crate) fn take_title(call: &mut Call<SongFaves>, message: &MqttMessage) {
    if message.retained {
        // Nobody knows when it was sent, and it comes again with every connection.
        return report("a retained title counts nothing: it may be old");
    }
    let title = title(message).unwrap_or_else(|problem| {
        report(&problem);
        ""
    });
    match COMMANDS.oldest::<Kept>(call) {
        Some(waiting) => {
            call.delete(waiting.key);
            let (id, (login, name)) = waiting.value;
            pair(call, &Person { id, login, name }, title);
        }
        None if TITLES.patience(call) == 0 => report_lone_titles(&[title.to_owned()]),
        None => TITLES.add(call, title.to_owned()),
    }
}

fn pair(call: &mut Call<SongFaves>, person: &Person, title: &str) {
    if title.is_empty() {
        report(&format!(
            "the fave of {} counts nothing: it was answered without a title",
            person.login
        ));
    } else {
        fave(call, person, title);
    }
}

/// A timer: what has waited too long is reported and forgotten.
pub(crate) fn expire(call: &mut Call<SongFaves>, timer: &str) {
    if timer == COMMANDS.name {
        let people: Vec<String> =
            COMMANDS.expire::<Kept>(call).into_iter().map(|(_, (login, _))| login).collect();
        if !people.is_empty() {
            let window = COMMANDS.patience(call);
            report(&format!(
                "no title came within {window} ms for the fave of {}; it counts nothing",
                people.join(", ")
            ));
        }
    } else {
        report_lone_titles(&TITLES.expire::<String>(call));
    }
}

fn report_lone_titles(titles: &[String]) {
    for title in titles.iter().filter(|title| !title.is_empty()) {
        report(&format!(
            "no command belongs to the title {title:?}, as when the song changes; it counts nothing"
        ));
    }
}

impl Queue {
    /// How long an entry of this queue waits, in milliseconds.
    fn patience(&self, call: &Call<SongFaves>) -> u64 {
        call.settings().duration(self.patience)
    }

    /// What every key of this time starts with.
    fn start_of_key(&self, since: Timestamp) -> String {
        format!("{} {since:015}", self.name)
    }

    fn add(&self, call: &mut Call<SongFaves>, value: impl state::Stored) {
        let number = state::get::<u64>(NUMBER).unwrap_or_default() + 1;
        call.put(NUMBER, number);
        call.put(format!("{} {number:015}", self.start_of_key(call.now())), value);
        // The timer is for the oldest entry; if there is one, it has been set for that.
        if state::scan(&self.prefix(), None, 1).is_empty() {
            call.wake_at(self.name, call.now() + self.patience(call));
        }
    }

    /// The oldest entry that has not waited too long.
    fn oldest<V: state::Stored>(&self, call: &Call<SongFaves>) -> Option<Waiting<V>> {
        // "~" is behind the space of a key, so this is behind all entries of that time.
        let expired = call.now().saturating_sub(self.patience(call));
        let after = format!("{}~", self.start_of_key(expired));
        self.read(state::scan(&self.prefix(), Some(&after), 1)).pop()
    }

    /// Takes out what has waited too long, and sets the timer for what has not.
    fn expire<V: state::Stored>(&self, call: &mut Call<SongFaves>) -> Vec<V> {
        let mut expired = Vec::new();
        for entry in self.read(state::scan(&self.prefix(), None, AT_ONCE)) {
            let end = entry.since + self.patience(call);
            if end > call.now() {
                call.wake_at(self.name, end);
                return expired;
            }
            call.delete(entry.key);
            expired.push(entry.value);
        }
        if expired.len() == AT_ONCE as usize {
            call.wake_at(self.name, call.now());
        }
        expired
    }

    fn prefix(&self) -> String {
        format!("{} ", self.name)
    }

    fn read<V: state::Stored>(&self, entries: Vec<heat_rule::Entry>) -> Vec<Waiting<V>> {
        let read = |entry: heat_rule::Entry| {
            let since = entry.key.split(' ').nth(1)?.parse().ok()?;
            let value = V::from_bytes(&entry.value)?;
            Some(Waiting { key: entry.key, since, value })
        };
        entries.into_iter().filter_map(read).collect()
    }
}
