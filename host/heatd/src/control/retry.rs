//! Makes calls again that failed: the dead letters of a slot.

use heat_engine::Action;

use super::answers::RetryAnswer;
use super::error::Error;
use super::handle::Control;

impl Control {
    /// Makes the calls again with what is live now, one or all of a slot. One that fails again leaves a dead letter again.
    pub(crate) fn retry(
        &self,
        channel: &str,
        slot: &str,
        letter: Option<u64>,
        by: &str,
    ) -> Result<RetryAnswer, Error> {
        let snapshot = self.present(channel)?.snapshot;
        let mine = snapshot.dead_letters()?.into_iter().filter(|(number, it)| {
            it.channel == channel
                && it.slot == slot
                && letter.is_none_or(|wanted| wanted == *number)
        });
        let mine: Vec<_> = mine.collect();
        if mine.is_empty() {
            return Err(Error::Unknown(format!(
                "slot {slot} of #{channel} has no such dead letter"
            )));
        }
        self.note(channel, Action::Retry, by, &format!("calls of slot {slot}"))?;
        let (mut again, mut failed) = (0, 0);
        for (number, letter) in mine {
            let decision = self
                .change("dead_letters.retry", move |access| access.engine.retry(number, &letter))?;
            again += 1;
            failed += u64::from(decision.answers.iter().any(|answer| answer.outcome.is_err()));
        }
        let message = format!("{again} calls made again, {failed} failed as before");
        Ok(RetryAnswer { message, again, failed })
    }
}
