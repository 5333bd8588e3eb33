//! The run that a person is left out of: from a checkpoint that does not know them, through a log without them.

use std::sync::Arc;

use crate::error::StoreError;
use crate::guest::rule::Rule;
use crate::guest::sandbox::Sandbox;
use crate::run::error::RunError;
use crate::run::library::Library;
use crate::run::seed::Seed;
use crate::run::{Changes, Run};
use crate::store::forget::Erasure;
use crate::store::log::{encode, pack};
use crate::store::snapshot::Snapshot;

impl Erasure {
    /// Runs the rules again without the person, to the end of the log as this snapshot has it, and makes the checkpoints on the way
    /// anew. None: there is no checkpoint from before the person, so their state cannot be made again.
    ///
    /// `progress` is told the number of the record and how many there are. Takes as long as the log is: not for the engine's thread.
    pub fn run(
        &mut self,
        sandbox: &Arc<Sandbox>,
        snapshot: &Arc<Snapshot>,
        rules: &[(String, Rule)],
        progress: impl FnMut(u64, u64),
    ) -> Result<Option<Run>, RunError> {
        let Some(seed) = self.seed(snapshot)? else { return Ok(None) };
        let next = seed.next_record();
        let library = Library::new(sandbox, Arc::clone(snapshot), rules);
        let (left_out, without) = (self.gone().clone(), Some(self.who.clone()));
        let changes = Changes { left_out, without, ..Changes::default() };
        let mut run = Run::begin(seed, library, changes)?;
        self.replay(snapshot, &mut run, next, progress)?;
        Ok(Some(run))
    }

    /// What a run without the person begins from. None: there is no checkpoint from before.
    fn seed(&self, snapshot: &Snapshot) -> Result<Option<Seed>, StoreError> {
        // Who has left nothing in the log has left nothing to be run without.
        let Some(first) = self.first else { return Ok(None) };
        let seed = Seed::before_record(snapshot, &self.channel, first)?;
        Ok(seed.map(|mut seed| {
            seed.without(&self.who);
            seed
        }))
    }

    /// Lets a run, which begins from a checkpoint before all of it, follow the log without the person, and makes the checkpoints on
    /// the way again.
    fn replay(
        &mut self,
        snapshot: &Snapshot,
        run: &mut Run,
        next: u64,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<(), RunError> {
        let mut due: Vec<u64> =
            self.checkpoints.range(next + 1..).map(|(number, _)| *number).collect();
        due.reverse();
        let end = snapshot.next_record()?;
        for block in snapshot.blocks(next)? {
            let (number, records) = block?;
            progress(number.saturating_sub(next), end.saturating_sub(next));
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
