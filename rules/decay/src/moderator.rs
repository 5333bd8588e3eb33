//! What moderators and the channel's owner can do in chat: `?heat set 50` and `?heat reset`.

use heat_rule::typed::plain;
use heat_rule::{Call, Command, Level, ONE_FAVE, Order, log, thousandths};

use crate::configured::Configured;
use crate::memory::Memory;
use crate::{Decay, HOTTEST, heat, stream};

/// Obeys a moderator's command, if it is one of this rule's. False when it changes nothing.
pub(crate) fn obey(
    call: &mut Call<Decay>,
    settings: &Configured,
    command: &Command,
    memory: &mut Memory,
) -> bool {
    let Some(order) = Order::read(command, &["set", "reset"]) else { return false };
    log(Level::Info, &format!("{} {} {:?} by {}", command.name, order.word, order.rest, order.by));
    if order.word == "reset" {
        stream::begin(settings, memory, call.now());
        return true;
    }
    let lowest = settings.floor;
    let highest = settings.cap.min(HOTTEST);
    let wanted =
        thousandths::read(&plain(order.rest)).map(|number| number as f64 / ONE_FAVE as f64);
    match wanted.filter(|wanted| (lowest..=highest).contains(wanted)) {
        Some(wanted) => {
            memory.set(heat::within(settings, wanted), call.now());
            true
        }
        None => {
            log(Level::Warn, &format!("refused to set {:?}", order.rest));
            let (name, example) = (&command.name, 50.0f64.clamp(lowest, highest));
            call.say(format!(
                "A number from {lowest} to {highest} must follow, such as: {name} set {example}"
            ));
            false
        }
    }
}
