//! What is written down of every change: an entry of the audit log, and the chain that is live from there on.

use std::sync::Arc;

use crate::contract::digest::Digest;
use crate::engine::Engine;
use crate::engine::request::ChangeRequest;
use crate::guest::rule::Rule;
use crate::store::changes::AuditEntry;
use crate::store::record::Record;

impl Engine {
    /// Notes in the audit log what was done, or why it was not.
    pub fn audit(
        &mut self,
        channel: &str,
        slot: &str,
        from: Option<Digest>,
        to: Option<&Rule>,
        order: &ChangeRequest,
        refused: Option<String>,
    ) {
        let entry = AuditEntry {
            at: self.now,
            channel: channel.to_owned(),
            slot: slot.to_owned(),
            action: order.action,
            by: order.by.clone(),
            from,
            to: to.map(Rule::digest),
            given: to.map(|rule| rule.given.to_vec()).unwrap_or_default(),
            refused,
            note: order.note.clone(),
        };
        self.pending.overlay().admin_rows().audit_entries.push(entry);
    }

    /// Notes which rules are live from here on, in which slot that is the one from before, and which slot was removed.
    pub(crate) fn record_chain(
        &mut self,
        channel: &Arc<str>,
        rolled_back: Option<&str>,
        removed: Option<&str>,
    ) {
        let Some(chain) = self.channels.get(channel) else { return };
        let live = chain.slots.iter().filter(|slot| slot.breaker.is_on()).map(|slot| {
            (slot.key.slot.to_string(), slot.rule.digest(), (*slot.rule.settings).clone())
        });
        let slots = live.collect();
        let (now, channel) = (self.now, channel.to_string());
        let (rolled_back, removed) = (rolled_back.map(str::to_owned), removed.map(str::to_owned));
        self.pending.record(Record::Chain { now, channel, slots, rolled_back, removed });
    }
}
