//! Whose faves count.

use heat_rule::NewFave;
use heat_rule::people::is_listed;

use crate::configured::Configured;
use crate::message;

/// Whether a fave of this person counts. One of nobody, by MQTT, does: whoever may publish there was chosen in another place.
pub(crate) fn may(settings: &Configured, fave: &NewFave) -> bool {
    if message::is_nobodys(fave) {
        return true;
    }
    let owner = fave.standing.is_some_and(|standing| standing.broadcaster);
    let allowed = settings.allow.is_empty() || is_listed(&settings.allow, &fave.person);
    allowed && (settings.broadcaster || !owner) && !is_listed(&settings.deny, &fave.person)
}
