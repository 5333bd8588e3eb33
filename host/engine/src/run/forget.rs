//! The run that a person is left out of: from a checkpoint that does not know them, through a log without them.

use crate::error::StoreError;
use crate::run::Run;
use crate::run::error::RunError;
use crate::run::seed::Seed;
use crate::store::forget::Forgetting;
use crate::store::log::{encode, pack};
use crate::store::snapshot::Snapshot;

impl Forgetting {
    /// What a run without the person begins from. None: there is no checkpoint from before.
    pub fn seed(&self, snapshot: &Snapshot) -> Result<Option<Seed>, StoreError> {
        // Who has left nothing in the log has left nothing to be run without.
        let Some(first) = self.first else { return Ok(None) };
        let seed = Seed::before_record(snapshot, &self.channel, first)?;
        Ok(seed.map(|mut seed| {
            seed.without(&self.who);
            seed
        }))
    }

    /// Lets a run, which begins from a checkpoint before all of it, follow the log without the person, and makes the checkpoints on
    /// the way anew.
    pub fn replay(
        &mut self,
        snapshot: &Snapshot,
        run: &mut Run,
        next: u64,
        mut progress: impl FnMut(u64),
    ) -> Result<(), RunError> {
        let mut due: Vec<u64> =
            self.checkpoints.range(next + 1..).map(|(number, _)| *number).collect();
        due.reverse();
        for block in snapshot.blocks(next)? {
            let (number, records) = block?;
            progress(number);
            while let Some(number) = due.pop_if(|due| *due <= number) {
                self.remake(run, number)?;
            }
            for record in &records {
                run.follow(record)?;
            }
        }
        while let Some(number) = due.pop() {
            self.remake(run, number)?;
        }
        Ok(())
    }

    fn remake(&mut self, run: &mut Run, number: u64) -> Result<(), StoreError> {
        let Some((at, made)) = self.checkpoints.get_mut(&number) else { return Ok(()) };
        let mut state = run.checkpoint()?;
        state.at = *at;
        if made.replace(pack(&encode(&state)?)?).is_none() {
            (self.lost.remade, self.lost.dropped) = (self.lost.remade + 1, self.lost.dropped - 1);
        }
        Ok(())
    }
}
