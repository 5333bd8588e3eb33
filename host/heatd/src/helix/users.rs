//! `Get Users`: logins to ids and back.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use heat_engine::wit::Person;
use hyper::Method;
use serde::Deserialize;

use super::client::{Call, Helix, HelixError, Page};

/// How many users one request can ask for.
const AT_ONCE: usize = 100;

#[derive(Deserialize)]
struct UserRow {
    id: String,
    login: String,
    #[serde(default)]
    display_name: String,
}

/// For how long the id of a login is remembered: names change seldom, and a login that was given up is not given again for half a year.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// How many are remembered.
const MOST: usize = 10_000;

/// Logins whose ids were asked for lately.
pub(super) type KnownUsers = HashMap<String, (Person, Instant)>;

impl Helix {
    /// Who has this login now; none when Twitch knows nobody.
    pub(crate) async fn person(
        &self,
        account: &str,
        login: &str,
    ) -> Result<Option<Person>, HelixError> {
        if let Some((person, at)) = self.known.lock().get(login)
            && at.elapsed() < REMEMBERED
        {
            return Ok(Some(person.clone()));
        }
        let found = self.users(account, &[login.to_owned()]).await?;
        Ok(found.into_iter().find(|it| it.login == login))
    }

    /// The people who have these logins now. One whom Twitch does not know is left out.
    pub(crate) async fn users(
        &self,
        account: &str,
        logins: &[String],
    ) -> Result<Vec<Person>, HelixError> {
        let mut people = Vec::new();
        for some in logins.chunks(AT_ONCE) {
            let query: Vec<(&str, &str)> =
                some.iter().map(|login| ("login", login.as_str())).collect();
            let (method, path) = (Method::GET, "users");
            let page: Page<UserRow> =
                self.call(Call { account, method, path, query: &query, body: None }).await?;
            people.extend(page.data.into_iter().map(|row| {
                let login = row.login.to_lowercase();
                let name = if row.display_name.is_empty() { login.clone() } else { row.display_name };
                Person { id: row.id, login, name }
            }));
        }
        let mut known = self.known.lock();
        if known.len() + people.len() > MOST {
            known.clear();
        }
        known.extend(people.iter().map(|it| (it.login.clone(), (it.clone(), Instant::now()))));
        drop(known);
        Ok(people)
    }
}
