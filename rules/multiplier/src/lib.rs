//! `multiplier`: a fave weighs more when its person subscribes, cheers or is somebody here, and while a boost is on.
//!
//! `factors` has what a fave brings with it, `boosts` what is on for a time, `causes` what starts one, and `moderator` the commands for it.
//! `configured` has the settings.

mod boosts;
mod causes;
mod configured;
mod factors;
mod moderator;

use heat_rule::role::Verdict;
use heat_rule::{
    About, Call, Event, Fave, Happening, Interests, Multiplier, Settings, Weight, multiplier,
};

use crate::configured::Configured;

/// The greatest factor of a setting, and of a moderator's boost.
const GREATEST: f64 = 100.0;

/// The longest boost of a setting, in milliseconds.
const DAY: u64 = 86_400_000;

/// The heaviest fave that the contract lets pass, in thousandths.
const HEAVIEST: i128 = 1_000_000_000;

/// What stands for a factor of 1. Factors are whole numbers of thousandths, as weights are.
pub(crate) const ONE: i64 = 1000;

struct MultiplierRule;

impl Multiplier for MultiplierRule {
    fn about() -> About {
        let factor = (0.0, GREATEST);
        About::new("multiplier", env!("CARGO_PKG_VERSION"), "Lets faves weigh more by subscription, standing and bits, and while a boost is on.")
            .numbers("tiers", &[("prime", 1.5), ("one", 1.5), ("two", 2.0), ("three", 3.0)], "Factors of subscribers: prime, one, two, three. In chat Prime counts as one.")
            .numbers("standing", &[], "Factors of broadcaster, moderator, vip, first_message (the person's first line ever) and returning; the greatest counts.")
            .numbers("bits", &[], "Factors of lines that carry bits, by the least number of bits: { \"100\" = 2, \"1000\" = 5 }.")
            .number("cap", 10.0, (1.0, 10_000.0), "The greatest factor of one fave, everything together.")
            .number("raid_boost", 2.0, factor, "Factor after a raid. 1: no boost.")
            .duration("raid_duration", 300_000, (0, DAY), "How long that boost lasts.")
            .integer("raid_viewers", 10, (0, 1_000_000), "The least viewers of a raid that counts.")
            .number("gift_boost", 2.0, factor, "Factor after many gifted subscriptions. 1: no boost.")
            .duration("gift_duration", 180_000, (0, DAY), "How long that boost lasts.")
            .integer("gift_count", 5, (1, 1000), "How many must be gifted, by all together, within `gift_window`.")
            .duration("gift_window", 30_000, (0, 3_600_000), "The time in which gifts count together.")
            .number("sub_boost", 1.0, factor, "Factor after a subscription of a person's own. 1: no boost.")
            .duration("sub_duration", 60_000, (0, DAY), "How long that boost lasts.")
            .number("cheer_boost", 1.0, factor, "Factor after a cheer. 1: no boost.")
            .duration("cheer_duration", 60_000, (0, DAY), "How long that boost lasts.")
            .integer("cheer_bits", 100, (1, 1_000_000), "The least bits of a cheer that counts.")
            .text("moderator_command", "?heat", 50, "The command of moderators and the owner: boost 2 5m, boost off. Empty for none.")
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        Ok(Configured::read(settings)?.interests())
    }

    fn fave(call: &mut Call<Self>, fave: &Fave) -> Result<Verdict, String> {
        let settings = configured::of_instance()?;
        let boost = if settings.any_boost() { boosts::greatest(call) } else { ONE };
        let weight = weigh(fave.weight, factors::of(&settings, fave), boost, settings.cap);
        Ok(if weight == fave.weight { Verdict::Keep } else { Verdict::Weigh(weight) })
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let settings = configured::of_instance()?;
        match &event.what {
            Happening::Command(command) => moderator::obey(call, command),
            other => causes::heed(call, &settings, other),
        }
        Ok(())
    }
}

/// The product of a weight and its factors, at most the cap in all, to the nearest thousandth, a half away from 0, and never 0. A weight
/// below 0 is the mirror of the one above: what is added and taken away again under the same factors leaves nothing.
fn weigh(weight: Weight, factors: [i64; 3], boost: i64, cap: i64) -> Weight {
    let whole = i128::from(ONE).pow(4);
    let product: i128 = factors.into_iter().chain([boost]).map(i128::from).product();
    let product = product.min(i128::from(cap) * i128::from(ONE).pow(3));
    let size = (i128::from(weight.unsigned_abs()) * product + whole / 2) / whole;
    weight.signum() * i64::try_from(size.clamp(1, HEAVIEST)).unwrap_or(ONE)
}

multiplier!(MultiplierRule);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_rounded_once_and_never_to_nothing() {
        assert_eq!(weigh(1000, [1500, 1500, ONE], 2000, 10_000), 4500);
        assert_eq!(weigh(1, [1500, ONE, ONE], ONE, 10_000), 2);
        assert_eq!(weigh(1, [1499, ONE, ONE], ONE, 10_000), 1);
        assert_eq!(weigh(1, [1, 1, 1], ONE, 10_000), 1);
        assert_eq!(weigh(1000, [100_000; 3], 100_000, 7000), 7000);
        for weight in [1, 333, 1000, 2500] {
            let of = |weight| weigh(weight, [1499, ONE, ONE], 1500, 10_000);
            assert_eq!(of(-weight), -of(weight));
        }
        assert_eq!(weigh(1_000_000_000, [100_000; 3], 100_000, 10_000_000), 1_000_000_000);
    }
}
