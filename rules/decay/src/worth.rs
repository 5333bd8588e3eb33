//! What other events than faves add: follows, subscriptions, gifts, bits, raids, rewards.

use heat_rule::{Happening, Interests, Kind, Settings};

/// The names that `events` may have, each with the kind of event that it is about.
const WORTH: [(&str, Kind); 7] = [
    ("follow", Kind::Follows),
    ("subscription", Kind::Subscriptions),
    ("gift", Kind::Gifts),
    ("bit", Kind::Cheers),
    ("raid", Kind::Raids),
    ("viewer", Kind::Raids),
    ("redemption", Kind::Redemptions),
];

/// The most degrees that one of them may add.
const MOST: f64 = 1_000_000.0;

/// How many degrees each of them adds.
pub(crate) struct Worth([f64; WORTH.len()]);

impl Worth {
    /// Reads the setting. An error says what it may have.
    pub(crate) fn read(settings: &Settings) -> Result<Self, String> {
        let mut worth = [0.0; WORTH.len()];
        for (name, degrees) in settings.numbers("events") {
            let Some(place) = WORTH.iter().position(|(known, _)| *known == name) else {
                let known = WORTH.map(|(known, _)| known).join(", ");
                return Err(format!("`events` has no {name:?}; it may have {known}"));
            };
            if !(0.0..=MOST).contains(&degrees) {
                return Err(format!(
                    "`events` has {degrees} for {name}; write a number from 0 to {MOST}"
                ));
            }
            worth[place] = degrees;
        }
        Ok(Self(worth))
    }

    /// The kinds of event that add something.
    pub(crate) fn interests(&self, interests: Interests) -> Interests {
        let mut kinds: Vec<Kind> = Vec::new();
        for ((_, kind), degrees) in WORTH.into_iter().zip(self.0) {
            if degrees > 0.0 && !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds.into_iter().fold(interests, Interests::kind)
    }

    /// How many degrees an event adds; none for an event that is not among them.
    pub(crate) fn of(&self, what: &Happening) -> Option<f64> {
        let [follow, subscription, gift, bit, raid, viewer, redemption] = self.0;
        Some(match what {
            Happening::Follow(_) => follow,
            Happening::Subscription(_) => subscription,
            Happening::Gift(given) => gift * f64::from(given.count),
            Happening::Cheer(cheer) => bit * f64::from(cheer.bits),
            Happening::Raid(it) => raid + viewer * f64::from(it.viewers),
            Happening::Redemption(_) => redemption,
            _ => return None,
        })
    }
}
