//! What an event is worth, and from whom it comes.

use heat_rule::{Happening, ONE_FAVE, Person};

use crate::configured::Configured;

/// Points that somebody brings.
pub(crate) struct Given {
    /// The id of the person; empty for all who stay unnamed.
    pub(crate) by: String,
    pub(crate) points: u64,
}

/// The points of an event, or none when it brings none.
pub(crate) fn of(settings: &Configured, what: &Happening) -> Option<Given> {
    let (person, points) = match what {
        Happening::Cheer(cheer) => (cheer.person.as_ref(), settings.points_of_bits(cheer.bits)),
        Happening::Subscription(it) => (Some(&it.person), settings.points_of_tier(it.tier)),
        Happening::Gift(gift) => {
            let points = settings.points_of_tier(gift.tier).saturating_mul(gift.count.into());
            (gift.person.as_ref(), points)
        }
        // A fave that is taken back takes nobody off the train.
        Happening::Fave(fave) => {
            let weight = u128::try_from(fave.weight).unwrap_or(0);
            let points = weight * u128::from(settings.points_of_fave()) / ONE_FAVE as u128;
            (Some(&fave.person), u64::try_from(points).unwrap_or(u64::MAX))
        }
        _ => return None,
    };
    let by = person.map_or_else(String::new, |Person { id, .. }| id.clone());
    (points > 0).then_some(Given { by, points })
}
