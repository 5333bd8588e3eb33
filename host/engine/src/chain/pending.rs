//! What the events since the last commit have decided: the overlay, the records, and what leaves after the commit.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::chain::timers::Timers;
use crate::contract::digest::Digest;
use crate::contract::{ClipRequest, Delivery, Event, Happening, Message, NewFave};
use crate::error::{Fault, StoreError};
use crate::overlay::Overlay;
use crate::overlay::waiting::Waiting;
use crate::store::dead_letter::DeadLetter;
use crate::store::record::Record;
use crate::store::tables::SlotKey;

/// How many rows of a generation that is gone one commit removes.
const REMOVED_AT_ONCE: usize = 200;

/// A line that a rule wants to have said in chat. It is said at most once, after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    /// Login of the channel.
    pub channel: Arc<str>,
    /// The slot whose rule asks for it, or `heatd`.
    pub slot: Arc<str>,
    /// The line.
    pub text: String,
    /// When the rule asked, in milliseconds since 1970: dropped when it cannot be said within 10 seconds.
    pub at: u64,
    /// The line of chat that it answers, where there is one: it is not said when that is removed.
    pub cause: Option<LineRef>,
    /// Whether it is said as a reply to that line.
    pub is_reply: bool,
}

/// A line of chat that something is said in answer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRef {
    /// Twitch's id of the line. Empty for an order that did not come by chat.
    pub message: String,
    /// Who has written it.
    pub login: String,
}

impl LineRef {
    /// The line that an event is; none for another event.
    pub(crate) fn of(what: &Happening) -> Option<Self> {
        let line = match what {
            Happening::Chat(line) => line,
            Happening::Command(command) => &command.line,
            // A fave that is retried: its line is long gone.
            Happening::Fave(fave) => {
                return Some(Self { message: String::new(), login: fave.person.login.clone() });
            }
            _ => return None,
        };
        Some(Self { message: line.message.clone(), login: line.person.login.clone() })
    }
}

/// What is decided and not committed. It knows by itself whether a commit is due: whatever changes it says so.
pub(crate) struct Pending {
    /// Lent to a guest for the time of its call.
    overlay: Option<Box<Overlay>>,
    pub(crate) timers: Timers,
    records: Vec<Record>,
    /// Whether there is a log; a run has none.
    is_logged: bool,
    says: Vec<Say>,
    /// The line of chat that is being decided on.
    line: Option<LineRef>,
    /// Messages to be sent at most once: they leave after the commit and are not kept.
    passing: Vec<Message>,
    /// Roughly how large the records are, in bytes.
    bytes: usize,
    /// Messages that no broker has acknowledged.
    outbox: Waiting,
    /// Clips that nobody has made.
    clips: u64,
    /// Generations that nothing goes on with; their rows go a few with each commit.
    removals: VecDeque<Arc<SlotKey>>,
    /// Something besides the overlay is pending that must be durable before anyone outside hears of it.
    urgent: bool,
    /// Something besides the overlay is pending at all.
    dirty: bool,
}

/// What an accepted answer means for the fave or the event that it answers.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) faves: Vec<NewFave>,
    pub(crate) weight: Option<i64>,
    pub(crate) dropped: bool,
}

impl Pending {
    pub(crate) fn overlay(&mut self) -> &mut Overlay {
        self.overlay.as_mut().expect("the overlay is lent only while a guest runs")
    }

    /// Nothing but a first commit.
    pub(crate) fn new(overlay: Overlay, is_logged: bool, outbox: Waiting, clips: u64) -> Self {
        Self {
            overlay: Some(Box::new(overlay)),
            timers: Timers::default(),
            records: Vec::new(),
            is_logged,
            says: Vec::new(),
            line: None,
            passing: Vec::new(),
            bytes: 0,
            outbox,
            clips,
            removals: VecDeque::new(),
            urgent: true,
            dirty: true,
        }
    }

    /// The overlay, to be read while other parts are.
    pub(crate) fn read(&self) -> &Overlay {
        self.overlay.as_ref().expect("the overlay is lent only while a guest runs")
    }

    /// Lends the overlay to a guest.
    pub(super) fn lend(&mut self) -> Box<Overlay> {
        self.overlay.take().expect("the overlay is lent only while a guest runs")
    }

    /// The overlay is back.
    pub(super) fn give_back(&mut self, overlay: Box<Overlay>) {
        self.overlay = Some(overlay);
    }

    /// Whether there is a log; a run has none.
    pub(crate) fn is_logged(&self) -> bool {
        self.is_logged
    }

    /// Whether anything has to be committed.
    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty || !self.removals.is_empty() || self.read().is_dirty()
    }

    /// Whether somebody outside waits for the commit.
    pub(crate) fn is_urgent(&self) -> bool {
        self.urgent || self.read().is_urgent()
    }

    /// A commit has something to do that is not in here.
    pub(crate) fn mark_dirty(&mut self) {
        self.dirty = true;
    }

    /// Somebody outside waits for the commit.
    pub(crate) fn mark_urgent(&mut self) {
        (self.dirty, self.urgent) = (true, true);
    }

    /// An event of so many bytes was taken in.
    pub(crate) fn took(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.dirty = true;
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn outbox(&self) -> Waiting {
        self.outbox
    }

    pub(crate) fn clips(&self) -> u64 {
        self.clips
    }

    /// The generations that are going to be removed.
    pub(crate) fn leaving(&self) -> impl Iterator<Item = &Arc<SlotKey>> {
        self.removals.iter()
    }

    /// Says a line in chat after the commit.
    /// Sets the line of chat that is being decided on; none for another event.
    pub(crate) fn decides_on(&mut self, what: &Happening) {
        self.line = LineRef::of(what);
    }

    /// The line of chat that is being decided on.
    pub(crate) fn line(&self) -> Option<&LineRef> {
        self.line.as_ref()
    }

    pub(crate) fn say(&mut self, say: Say) {
        self.says.push(say);
        self.mark_urgent();
    }

    /// Sends a message after the commit: until a broker acknowledges it, or at most once.
    pub(crate) fn publish(&mut self, message: Message) {
        match message.delivery {
            Delivery::AtLeastOnce => {
                self.outbox.add(&message);
                self.overlay().publish(message);
            }
            Delivery::AtMostOnce => self.passing.push(message),
        }
        self.mark_urgent();
    }

    /// A broker has acknowledged a message.
    pub(crate) fn sent(&mut self, number: u64) -> Result<(), StoreError> {
        if let Some(bytes) = self.overlay().sent(number)? {
            self.outbox.remove(bytes);
        }
        Ok(())
    }

    /// Asks for a clip.
    pub(crate) fn clip(&mut self, channel: &Arc<str>, clip: ClipRequest) {
        self.overlay().clip(channel, clip);
        self.clips += 1;
    }

    /// Everything is durable: what has to leave now is handed out.
    pub(crate) fn committed(&mut self) -> (Vec<Say>, Vec<Message>) {
        self.records.clear();
        (self.urgent, self.dirty, self.bytes) = (false, false, 0);
        (std::mem::take(&mut self.says), std::mem::take(&mut self.passing))
    }

    pub(crate) fn record(&mut self, record: Record) {
        self.record_at(self.records.len(), || record);
    }

    /// Puts a record before what came of it. Nothing is made of it where there is no log.
    pub(crate) fn record_at(&mut self, place: usize, record: impl FnOnce() -> Record) {
        if self.is_logged {
            self.records.insert(place, record());
        }
        self.dirty = true;
    }

    pub(crate) fn fault(
        &mut self,
        (slot, digest): (&SlotKey, Digest),
        now: u64,
        call: u32,
        fault: &Fault,
        event: &Event,
    ) {
        self.bytes += 500;
        if !self.is_logged {
            return;
        }
        self.overlay().admin_rows().dead_letters.push(DeadLetter {
            at: now,
            channel: slot.channel.to_string(),
            slot: slot.slot.to_string(),
            digest,
            call,
            cause: fault.to_string(),
            event: event.clone(),
        });
        self.record(Record::Fault {
            now,
            channel: slot.channel.to_string(),
            slot: slot.slot.to_string(),
            digest,
            call,
            cause: fault.to_string(),
        });
    }

    /// Throws away these letters of a slot.
    pub(crate) fn drop_dead_letters(
        &mut self,
        (channel, slot): (&str, &str),
        is_one: impl Fn(&DeadLetter) -> bool,
    ) -> Result<(), StoreError> {
        let is_it = |letter: &DeadLetter| {
            letter.channel == channel && letter.slot == slot && is_one(letter)
        };
        let stored = self.overlay().snapshot().dead_letters()?;
        let stored = stored.into_iter().filter(|(_, letter)| is_it(letter));
        let kept = self.overlay().admin_rows();
        kept.answered.extend(stored.map(|(number, _)| number));
        kept.dead_letters.retain(|letter| !is_it(letter));
        Ok(())
    }

    /// Nothing goes on with this generation.
    pub(crate) fn remove_later(&mut self, key: SlotKey) {
        let key = Arc::new(key);
        self.timers.forget(&key);
        self.removals.push_back(key);
    }

    /// Nothing of a channel is to be removed any more: its rows are others now.
    pub(crate) fn keep_rows(&mut self, channel: &str) {
        self.removals.retain(|key| *key.channel != *channel);
    }

    /// Removes some rows of generations that nothing goes on with.
    pub(crate) fn remove_some(&mut self) -> Result<(), StoreError> {
        let Some(key) = self.removals.front().map(Arc::clone) else { return Ok(()) };
        let overlay = self.overlay();
        let entries = overlay.scan_state(&key, "", None, REMOVED_AT_ONCE)?;
        let alarms = overlay.alarms(&key)?;
        if entries.is_empty() && alarms.is_empty() {
            overlay.forget(&key);
            self.removals.pop_front();
            return Ok(());
        }
        for entry in entries {
            overlay.put_state(&key, entry.key, None);
        }
        for (name, _) in alarms {
            overlay.set_timer(&key, name, None);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Person;
    use crate::store::Store;
    use crate::store::tables::Stream;

    fn ann() -> Person {
        Person { id: "1".into(), login: "ann".into(), name: "Ann".into() }
    }

    fn message(delivery: Delivery) -> Message {
        Message { topic: "deck/lamp".to_owned(), payload: b"on".to_vec(), delivery }
    }

    /// Does one thing to a group in which nothing is pending, and says whether a commit is due then, and whether somebody waits for it.
    fn after(change: impl FnOnce(&mut Pending)) -> Result<(bool, bool), StoreError> {
        let store = Store::in_memory()?;
        let mut pending =
            Pending::new(Overlay::new(store.snapshot()?)?, true, Waiting::default(), 0);
        pending.committed();
        assert!(!pending.is_dirty() && !pending.is_urgent(), "nothing has happened");
        change(&mut pending);
        let found = (pending.is_dirty(), pending.is_urgent());
        // A generation that is removed goes with the next commits; all else is done with the first.
        pending.removals.clear();
        store.write(|transaction| pending.read().write(transaction, 0))?;
        pending.overlay().written(store.snapshot()?);
        pending.committed();
        assert!(!pending.is_dirty() && !pending.is_urgent(), "all of it is committed");
        Ok(found)
    }

    #[test]
    fn whatever_somebody_outside_waits_for_makes_the_group_urgent() -> Result<(), StoreError> {
        const NOTHING: (bool, bool) = (false, false);
        const CAN_WAIT: (bool, bool) = (true, false);
        const URGENT: (bool, bool) = (true, true);
        let channel: Arc<str> = "seaside".into();
        let key = SlotKey { channel: Arc::clone(&channel), slot: "heat".into(), generation: 0 };
        let slot = Arc::new(key.clone());
        let text = || Some("7".to_owned());
        let clip = || ClipRequest { title: "a moment".to_owned(), seconds: 30 };
        let say = || Say {
            channel: Arc::clone(&channel),
            slot: "greeter".into(),
            text: "hello".to_owned(),
            at: 0,
            cause: None,
            is_reply: false,
        };
        let record =
            || Record::Gap { now: 1, channel: channel.to_string(), from: 0, why: String::new() };
        // What can be seen outside: outputs, faves, messages, lines, clips, streams.
        let shown =
            |it: &mut Pending| it.overlay().show(&channel, "heat".into(), "heat".into(), text());
        assert_eq!(after(shown)?, URGENT, "an output");
        let taken =
            |it: &mut Pending| it.overlay().show(&channel, "heat".into(), "heat".into(), None);
        assert_eq!(after(taken)?, URGENT, "an output that is taken back");
        assert_eq!(
            after(|it| it.overlay().add(&channel, &ann(), "pie", (1, 1_000)).expect("counted"))?,
            URGENT,
            "a fave"
        );
        assert_eq!(
            after(|it| it.overlay().take(&channel, "1", "pie", (1, 1_000)).expect("counted"))?,
            URGENT,
            "a fave less"
        );
        assert_eq!(after(|it| it.publish(message(Delivery::AtLeastOnce)))?, URGENT, "a message");
        assert_eq!(
            after(|it| it.publish(message(Delivery::AtMostOnce)))?,
            URGENT,
            "a passing message"
        );
        assert_eq!(after(|it| it.say(say()))?, URGENT, "a chat line");
        assert_eq!(after(|it| it.clip(&channel, clip()))?, URGENT, "a clip");
        let stream = Stream { live: true, since: 1 };
        assert_eq!(after(|it| it.overlay().set_stream(&channel, stream))?, URGENT, "a stream");
        assert_eq!(after(Pending::mark_urgent)?, URGENT);
        // What is only to be kept.
        let put = |it: &mut Pending| it.overlay().put_state(&slot, "key".to_owned(), Some(vec![1]));
        assert_eq!(after(put)?, CAN_WAIT, "state");
        assert_eq!(
            after(|it| it.overlay().set_timer(&slot, "tick".to_owned(), Some(5)))?,
            CAN_WAIT,
            "a timer"
        );
        assert_eq!(
            after(|it| it.overlay().name_output(&channel, "song".into(), "heatd".into()))?,
            CAN_WAIT
        );
        let row = (&channel, "file", "1", "pie");
        assert_eq!(after(|it| it.overlay().set_imported(row, (1, 1_000)))?, CAN_WAIT, "an import");
        assert_eq!(
            after(|it| it.overlay().admin_rows().identity = Some(7))?,
            CAN_WAIT,
            "rows that are seldom written"
        );
        assert_eq!(after(|it| it.sent(7).expect("read"))?, NOTHING, "what was not sent");
        assert_eq!(after(|it| it.record(record()))?, CAN_WAIT, "a record");
        assert_eq!(after(|it| it.took(10))?, CAN_WAIT, "an event");
        assert_eq!(after(|it| it.remove_later(key.clone()))?, CAN_WAIT, "a generation");
        // What is read.
        let read = |it: &mut Pending| {
            it.overlay().state(&slot, "key").expect("read");
            it.overlay().channel_tally(&slot).expect("read");
            it.overlay().keep_small(&slot).expect("read");
        };
        assert_eq!(after(read)?, NOTHING);
        Ok(())
    }
}
