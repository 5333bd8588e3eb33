//! Outputs: which slot shows what.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::ReadableTable;

use super::{Overlay, ShownOutput};
use crate::error::StoreError;
use crate::store::tables::SlotKey;

/// Who shows the outputs that no rule shows: `stream`, which says whether the channel is live. No slot may have this name.
pub const HOST: &str = "heatd";

impl Overlay {
    /// What a rule shows under this name, if one does. Outputs of heatd itself are not among them: a run does not have those.
    pub(crate) fn shown_by_a_rule(
        &self,
        channel: &Arc<str>,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        let output = self.output(channel, name)?;
        Ok(output.filter(|(slot, _)| **slot != *HOST).and_then(|(_, text)| text))
    }

    /// Shows a text in the name of a slot; none takes the output back. Whoever reads it waits for the commit.
    pub(crate) fn show(
        &mut self,
        channel: &Arc<str>,
        output: String,
        slot: Arc<str>,
        text: Option<String>,
    ) {
        self.outputs.insert((Arc::clone(channel), output), (slot, text));
        self.mark_urgent();
    }

    /// Keeps the name of an output that shows nothing yet.
    pub(crate) fn name_output(&mut self, channel: &Arc<str>, output: String, slot: Arc<str>) {
        self.outputs.insert((Arc::clone(channel), output), (slot, None));
        self.dirty = true;
    }

    /// What was shown in a channel since the last commit is not shown: the channel did not start.
    pub(crate) fn unshow(&mut self, channel: &str) {
        self.outputs.retain(|(of, _), _| **of != *channel);
    }

    /// Who shows an output, and what.
    pub(crate) fn output(
        &self,
        channel: &Arc<str>,
        name: &str,
    ) -> Result<Option<ShownOutput>, StoreError> {
        if let Some(output) = self.outputs.get(&(Arc::clone(channel), name.to_owned())) {
            return Ok(Some(output.clone()));
        }
        let row = self.snapshot.tables.outputs()?.get((&**channel, name))?;
        Ok(row.map(|row| (Arc::from(row.value().0), row.value().1.map(str::to_owned))))
    }

    /// Every output below the changes, with the slot that shows it.
    pub(crate) fn stored_outputs(
        &self,
    ) -> Result<Vec<((Arc<str>, String), ShownOutput)>, StoreError> {
        self.snapshot
            .tables
            .outputs()?
            .iter()?
            .map(|row| {
                let (key, value) = row?;
                let ((channel, name), (slot, text)) = (key.value(), value.value());
                Ok((
                    (Arc::from(channel), name.to_owned()),
                    (Arc::from(slot), text.map(str::to_owned)),
                ))
            })
            .collect()
    }

    /// How many outputs a slot has ever shown.
    pub(crate) fn outputs_of(&self, slot: &SlotKey) -> Result<usize, StoreError> {
        Ok(self.shown_by(&slot.channel, &slot.slot)?.len())
    }

    /// The outputs that a slot has ever shown, as they stand.
    pub(crate) fn shown_by(
        &self,
        channel: &Arc<str>,
        slot: &str,
    ) -> Result<BTreeMap<String, Option<String>>, StoreError> {
        let mut shown = BTreeMap::new();
        for row in self.snapshot.tables.outputs()?.range((&**channel, "")..)? {
            let (key, value) = row?;
            let ((of, name), (owner, text)) = (key.value(), value.value());
            if of != &**channel {
                break;
            }
            if owner == slot {
                shown.insert(name.to_owned(), text.map(str::to_owned));
            }
        }
        let first = (Arc::clone(channel), String::new());
        for ((_, name), (owner, text)) in
            self.outputs.range(first..).take_while(|((of, _), _)| of == channel)
        {
            match **owner == *slot {
                true => drop(shown.insert(name.clone(), text.clone())),
                false => drop(shown.remove(name)),
            }
        }
        Ok(shown)
    }
}
