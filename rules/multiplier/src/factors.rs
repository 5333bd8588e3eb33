//! The factors that a fave brings with it: of the person's subscription, of what the person is here, and of the line's bits.

use heat_rule::{Fave, Standing, Tier};

use crate::ONE;
use crate::configured::Configured;

/// The three factors of a fave, in thousandths. One whose person is not known in the channel, such as one by MQTT, has the bits alone.
pub(crate) fn of(settings: &Configured, fave: &Fave) -> [i64; 3] {
    let (tier, standing) = match &fave.standing {
        Some(standing) => (of_tier(settings, standing), of_standing(settings, standing)),
        None => (ONE, ONE),
    };
    [tier, standing, of_bits(settings, fave.bits)]
}

fn of_tier(settings: &Configured, standing: &Standing) -> i64 {
    let [prime, one, two, three] = settings.tiers;
    match standing.subscription {
        None => ONE,
        Some(Tier::Prime) => prime,
        Some(Tier::One) => one,
        Some(Tier::Two) => two,
        Some(Tier::Three) => three,
    }
}

/// The greatest factor of what the person is.
fn of_standing(settings: &Configured, standing: &Standing) -> i64 {
    let is = [
        standing.broadcaster,
        standing.moderator,
        standing.vip,
        standing.first_message,
        standing.returning,
    ];
    let factors = settings.standing.iter().zip(is).filter(|(_, is)| *is);
    factors.filter_map(|(factor, _)| *factor).max().unwrap_or(ONE)
}

/// The factor of the most bits that the line reaches.
fn of_bits(settings: &Configured, bits: u32) -> i64 {
    let reached = settings.bits.iter().find(|(least, _)| bits >= *least);
    reached.map_or(ONE, |(_, factor)| *factor)
}
