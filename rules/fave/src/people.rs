//! Whose faves count.

use heat_rule::NewFave;

use crate::configured::Configured;
use crate::message;

/// Whether a fave of this person counts. One of nobody, by MQTT, does: whoever may publish there was chosen in another place.
pub(crate) fn may(settings: &Configured, fave: &NewFave) -> bool {
    if message::is_nobodys(fave) {
        return true;
    }
    let login = &fave.person.login;
    let owner = fave.standing.is_some_and(|standing| standing.broadcaster);
    let allowed = settings.allow.is_empty() || settings.allow.contains(login);
    allowed && (settings.broadcaster || !owner) && !settings.deny.contains(login)
}
