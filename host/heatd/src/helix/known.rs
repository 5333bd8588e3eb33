//! Logins whose ids were asked for lately.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use heat_engine::wit::Person;
use parking_lot::Mutex;

/// For how long the id of a login is remembered: names change seldom, and a login that was given up is not given again for half a year.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// How many are remembered.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct KnownUsers(Mutex<HashMap<String, (Person, Instant)>>);

impl KnownUsers {
    pub(super) fn find(&self, login: &str) -> Option<Person> {
        let known = self.0.lock();
        let (person, at) = known.get(login)?;
        (at.elapsed() < REMEMBERED).then(|| person.clone())
    }

    pub(super) fn add(&self, people: &[Person]) {
        let mut known = self.0.lock();
        if known.len() + people.len() > MOST {
            known.clear();
        }
        known.extend(people.iter().map(|it| (it.login.clone(), (it.clone(), Instant::now()))));
    }
}
