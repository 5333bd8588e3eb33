//! `Get Users`: logins to ids and back.

use heat_engine::wit::Person;
use hyper::Method;
use serde::Deserialize;

use super::client::{Call, Helix, HelixError, HelixPage};

/// How many users one request can ask for.
const AT_ONCE: usize = 100;

#[derive(Deserialize)]
struct UserRow {
    id: String,
    login: String,
    #[serde(default)]
    display_name: String,
}

impl Helix {
    /// Who has this login now; none when Twitch knows nobody.
    pub(crate) async fn person(
        &self,
        account: &str,
        login: &str,
    ) -> Result<Option<Person>, HelixError> {
        Ok(self.people(account, &[login.to_owned()]).await?.into_iter().next())
    }

    /// The people who have these logins, as far as Twitch knows them. Who was asked for lately is not asked for again.
    pub(crate) async fn people(
        &self,
        account: &str,
        logins: &[String],
    ) -> Result<Vec<Person>, HelixError> {
        let (mut people, mut unknown) = (Vec::new(), Vec::new());
        for login in logins {
            match self.known.find(login) {
                Some(person) => people.push(person),
                None => unknown.push(login.clone()),
            }
        }
        let found = self.users(account, &unknown).await?;
        people.extend(found.into_iter().filter(|it| unknown.contains(&it.login)));
        Ok(people)
    }

    /// The people who have these logins now. One whom Twitch does not know is left out.
    async fn users(&self, account: &str, logins: &[String]) -> Result<Vec<Person>, HelixError> {
        let mut people = Vec::new();
        for some in logins.chunks(AT_ONCE) {
            let query: Vec<(&str, &str)> =
                some.iter().map(|login| ("login", login.as_str())).collect();
            let (method, path) = (Method::GET, "users");
            let page: HelixPage<UserRow> =
                self.call(Call { account, method, path, query: &query, body: None }).await?;
            people.extend(page.data.into_iter().map(|row| {
                let login = row.login.to_lowercase();
                let name =
                    if row.display_name.is_empty() { login.clone() } else { row.display_name };
                Person { id: row.id, login, name }
            }));
        }
        self.known.add(&people);
        Ok(people)
    }
}
