//! A multiplier that multiplies, and drops faves for nothing.

use heat_rule::role::Verdict;
use heat_rule::{About, Call, Fave, Multiplier, multiplier};

struct Weigher;

impl Multiplier for Weigher {
    fn about() -> About {
        About::new("weigher", "1.0.0", "Multiplies each fave, and drops those for nothing.")
            .integer("times", 2, (-10, 10), "What each weight is multiplied by.")
    }

    fn fave(call: &mut Call<Self>, fave: &Fave) -> Result<Verdict, String> {
        if fave.item == "nothing" {
            return Ok(Verdict::Drop);
        }
        Ok(Verdict::Weigh(fave.weight * call.settings().integer("times")))
    }
}

multiplier!(Weigher);
