//! `{{name}}`: the fave of somebody who chats for the first time weighs more.
//!
//! What a rule can be told and can answer stands in wit/, from rule.wit on; what it is written with, in sdk/heat-rule.

use heat_rule::{About, Call, Fave, Multiplier, multiplier, role::Verdict};

struct Rule;

impl Multiplier for Rule {
    /// What the rule says of itself, and its settings, each with a default. People set them in heatd's configuration.
    fn about() -> About {
        About::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            "Multiplies the faves of people who chat for the first time.",
        )
        .integer("factor", 2, (1, 100), "What a newcomer's fave is multiplied with.")
    }

    /// Called for each fave before it is counted. A rule that has to remember something does so with `call.put` and
    /// `state::get`, and never in a variable: an instance lives for at most 64 events.
    fn fave(call: &mut Call<Self>, fave: &Fave) -> Result<Verdict, String> {
        let newcomer = fave.standing.is_some_and(|standing| standing.first_message);
        if !newcomer {
            return Ok(Verdict::Keep);
        }
        Ok(Verdict::Weigh(fave.weight * call.settings().integer("factor")))
    }
}

multiplier!(Rule);
