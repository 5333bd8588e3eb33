//! A formula whose description breaks its own bounds.

use heat_rule::{About, Call, Event, Formula, formula};

struct Liar;

impl Formula for Liar {
    fn about() -> About {
        About::new("liar", "1.0.0", "Describes a default that it does not allow.").duration(
            "half_life",
            5,
            (10, 20),
            "A time.",
        )
    }

    fn handle(_call: &mut Call<Self>, _event: &Event) -> Result<(), String> {
        Ok(())
    }
}

formula!(Liar);
