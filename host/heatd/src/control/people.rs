//! Looks people up as others call them.

use heat_engine::{Identity, Snapshot};

use super::error::Error;

/// Whoever is known so in a channel, by id, login or name. The log is read, so this takes time.
pub(crate) fn known_as(snapshot: &Snapshot, channel: &str, named: &str) -> Result<Identity, Error> {
    let named = named.trim().trim_start_matches('@');
    if named.is_empty() {
        return Err(Error::because("say who: `user` is an id, a login or a name"));
    }
    let who = snapshot.identify(channel, named)?;
    if who.ids().next().is_none() {
        return Err(Error::Unknown(format!(
            "nobody is known as {named:?} in #{channel}, neither by id nor by login nor by name"
        )));
    }
    Ok(who)
}
