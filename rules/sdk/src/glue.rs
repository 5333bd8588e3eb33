//! What stands between the traits and the component's exports. Authors do not call it; the macros do.

use std::sync::Once;

use crate::bindings::Description;
use crate::bindings::heat::rules::about::Role;
use crate::role::Verdict;
use crate::{
    About, Call, Effect, Event, Formula, Handler, Happening, Level, Multiplier, Timestamp,
};

/// The functions that the macros call.
pub struct Plumbing;

impl Plumbing {
    /// The description of a rule: what it says of itself, and its role.
    pub fn describe(about: About, role: Role) -> Description {
        Description {
            name: about.name.to_owned(),
            version: about.version.to_owned(),
            summary: about.summary.to_owned(),
            role,
            state_version: about.state_version,
            settings: about.settings,
        }
    }

    /// One call of a handler.
    pub fn handle_as_handler<R: Handler>(
        now: Timestamp,
        event: &Event,
    ) -> Result<Vec<Effect>, String> {
        answer(now, |call| R::handle(call, event))
    }

    /// One call of a formula.
    pub fn handle_as_formula<R: Formula>(
        now: Timestamp,
        event: &Event,
    ) -> Result<Vec<Effect>, String> {
        answer(now, |call| R::handle(call, event))
    }

    /// One call of a multiplier: faves go to a function of their own, which answers with a verdict.
    pub fn handle_as_multiplier<R: Multiplier>(
        now: Timestamp,
        event: &Event,
    ) -> Result<Vec<Effect>, String> {
        answer(now, |call| {
            let Happening::Fave(fave) = &event.what else { return R::handle(call, event) };
            match R::fave(call, fave)? {
                Verdict::Keep => {}
                Verdict::Weigh(weight) => call.effects.push(Effect::Weigh(weight)),
                Verdict::Drop => call.effects.push(Effect::Drop),
            }
            Ok(())
        })
    }
}

/// Lets a rule answer, and returns its effects when it does so without an error.
fn answer<R>(
    now: Timestamp,
    ask: impl FnOnce(&mut Call<R>) -> Result<(), String>,
) -> Result<Vec<Effect>, String> {
    log_panics();
    let mut call = Call::new(now);
    ask(&mut call)?;
    Ok(call.effects)
}

/// A panic ends the call as a trap without words; this puts its message and place into the daemon's log first.
fn log_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| crate::log(Level::Warn, &panic.to_string())));
    });
}
