//! Turns a slot off and on, and brings back what was live in it before.

use heat_engine::{Action, ChangeError, ChangeRequest, Status};
use tracing::info;

use super::answers::{MessageAnswer, RollBackAnswer};
use super::error::Error;
use super::handle::Control;

impl Control {
    /// Brings back the rule before. While it stands by it goes on where it is; later, what was live before is deployed again.
    pub(crate) fn roll_back(
        &self,
        channel: &str,
        slot: &str,
        by: &str,
    ) -> Result<RollBackAnswer, Error> {
        let order = ChangeRequest::new(Action::RollBack, by, "");
        let (name, of) = (channel.to_owned(), slot.to_owned());
        let (back, snapshot) = self.on_engine_thread("swap.back", move |access| {
            let back = match access.engine.roll_back(&name.as_str().into(), &of, &order) {
                Ok(()) => {
                    let mut standings = access.engine.slot_statuses().into_iter();
                    standings.find(|it| it.channel == name && it.slot == of)
                }
                Err(ChangeError::Rejected(_)) => None,
                Err(ChangeError::Store(error)) => return Err(error),
            };
            Ok((back, access.engine.snapshot()?))
        })?;
        let Some(back) = back else {
            // No rule stands by any more.
            let deployed = self.deploy_previous(channel, slot, &snapshot, by)?;
            return Ok(RollBackAnswer::Deployed(Box::new(deployed)));
        };
        // In the words of every other exchange. The engine cannot say it: it rolls back in replays, too.
        info!(
            channel,
            rule = slot,
            digest = back.digest,
            action = "rollback",
            by,
            "rule exchanged"
        );
        let message = format!(
            "the rule before is live again in slot {slot} of #{channel}, as if it had been all the time"
        );
        Ok(RollBackAnswer::StoodBy(MessageAnswer::new(message)))
    }

    /// Turns a slot on or off.
    pub(crate) fn set_enabled(
        &self,
        channel: &str,
        slot: &str,
        on: bool,
        by: &str,
    ) -> Result<MessageAnswer, Error> {
        let (status, action, word) = match on {
            true => (Status::On, Action::Enable, "on"),
            false => (Status::Disabled, Action::Disable, "off"),
        };
        let order = ChangeRequest::new(action, by, "");
        let (name, of) = (channel.to_owned(), slot.to_owned());
        self.change("rule.turn", move |access| {
            access.engine.set_status(&name.as_str().into(), &of, status, &order)
        })?;
        Ok(MessageAnswer::new(format!("slot {slot} of #{channel} is {word}")))
    }
}
