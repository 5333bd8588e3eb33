//! Lists of people in settings: by login, which may change, or by id, which does not.

use crate::{Person, Settings};

/// What an id begins with in such a list. A login may be of digits alone, so digits say nothing.
const ID: &str = "id:";

/// Accounts that write in many channels and mean nothing by it: the default of settings such as `bots`.
pub const BOTS: &[&str] = &[
    "nightbot",
    "streamelements",
    "streamlabs",
    "moobot",
    "fossabot",
    "wizebot",
    "sery_bot",
    "soundalerts",
    "botrixoficial",
    "streamstickers",
    "kofistreambot",
    "tangiabot",
    "blerp",
    "pokemoncommunitygame",
    "own3d",
    "creatisbot",
    "frostytoolsdotcom",
];

/// The people of a `texts` setting: logins in lower case and without `@`, and ids behind `id:`.
pub fn listed(settings: &Settings, name: &str) -> Vec<String> {
    let login = |login: String| login.trim().trim_start_matches('@').to_lowercase();
    settings.texts(name).into_iter().map(login).collect()
}

/// Whether somebody stands in such a list, by login or by id.
pub fn is_listed(list: &[String], person: &Person) -> bool {
    list.iter().any(|entry| match entry.strip_prefix(ID) {
        Some(id) => *id == *person.id,
        None => entry.eq_ignore_ascii_case(&person.login),
    })
}

/// Whether an entry of such a list can be anybody.
pub fn is_person(entry: &str) -> bool {
    let name = entry.strip_prefix(ID).unwrap_or(entry);
    !name.is_empty() && !name.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_known_by_login_or_by_id_and_digits_are_a_login() {
        let list = ["ann", "id:42", "77"].map(str::to_owned);
        let person = |id: &str, login: &str| Person {
            id: id.to_owned(),
            login: login.to_owned(),
            name: login.to_owned(),
        };
        for (id, login, expected) in [
            ("1", "ann", true),
            ("42", "bob", true),
            ("2", "77", true),
            ("77", "bob", false),
            ("421", "id", false),
            ("1", "anna", false),
        ] {
            assert_eq!(is_listed(&list, &person(id, login)), expected, "{id} {login}");
        }
        assert!(is_person("ann") && is_person("id:42"));
        assert!(!is_person("") && !is_person("id:") && !is_person("ann bob"));
    }
}
