//! People whose lines are not counted, by login.

use crate::Settings;

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

/// The logins of a `texts` setting, in lower case and without `@`.
pub fn logins(settings: &Settings, name: &str) -> Vec<String> {
    let login = |login: String| login.trim().trim_start_matches('@').to_lowercase();
    settings.texts(name).into_iter().map(login).collect()
}
