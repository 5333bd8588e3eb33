//! The ids of logged events, without the rest of them: a start needs those of the last minutes, and has no time to spare.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::error::StoreError;
use crate::store::log::{decode, unpack};
use crate::store::snapshot::Snapshot;

/// What of a record says which event it is of. None: it is of none.
struct RecordId<'a>(Option<TakenEvent<'a>>);

/// As in [`crate::store::record::Record::Event`].
#[derive(Deserialize)]
struct TakenEvent<'a> {
    now: u64,
    #[serde(borrow)]
    event: EventName<'a>,
}

/// As in [`crate::contract::Event`].
#[derive(Deserialize)]
struct EventName<'a> {
    id: &'a str,
    channel: &'a str,
}

impl<'de> Deserialize<'de> for RecordId<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;

        impl<'de> Visitor<'de> for IdVisitor {
            type Value = RecordId<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<RecordId<'de>, M::Error> {
                match map.next_key::<&str>()? {
                    Some("Event") => Ok(RecordId(Some(map.next_value()?))),
                    Some(_) => map.next_value::<IgnoredAny>().map(|_| RecordId(None)),
                    None => Ok(RecordId(None)),
                }
            }
        }

        deserializer.deserialize_map(IdVisitor)
    }
}

impl Snapshot {
    /// Tells channel and id of each event that was taken in from this time on, oldest first.
    pub(crate) fn each_id_since(
        &self,
        at: u64,
        mut tell: impl FnMut(&str, &str),
    ) -> Result<(), StoreError> {
        let Some(first) = self.first_since(at)? else { return Ok(()) };
        for row in self.tables.log()?.range(first..)? {
            let bytes = unpack(row?.1.value().3)?;
            let records: Vec<RecordId<'_>> = decode(&bytes)?;
            let taken = records.iter().filter_map(|record| record.0.as_ref());
            taken.filter(|it| it.now >= at).for_each(|it| tell(it.event.channel, it.event.id));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Event, Happening, MqttMessage};
    use crate::store::log::encode;
    use crate::store::record::Record;

    #[test]
    fn ids_are_those_of_the_events_among_all_records() -> Result<(), StoreError> {
        let event = |id: &str, payload: &[u8]| {
            let payload = payload.to_vec();
            let what = MqttMessage { topic: "a/b".to_owned(), payload, retained: true };
            let (id, channel) = (id.to_owned(), "seaside".to_owned());
            Event { id, channel, at: 3, what: Happening::Mqtt(what) }
        };
        let event = |now, id: &str| Record::Event { now, event: Box::new(event(id, b"\xff{}")) };
        let channel = || "seaside".to_owned();
        let records = vec![
            event(5, "one"),
            Record::Timer { now: 6, channel: channel(), slot: channel(), name: "Event".to_owned() },
            event(7, "🔥 \"two\""),
            Record::Gap { now: 8, channel: channel(), from: 0, why: String::new() },
        ];
        let bytes = encode(&records)?;
        let found: Vec<RecordId<'_>> = decode(&bytes)?;
        let found = found.iter().map(|record| record.0.as_ref());
        let found: Vec<_> =
            found.map(|it| it.map(|it| (it.now, it.event.id, it.event.channel))).collect();
        let expected =
            [Some((5, "one", "seaside")), None, Some((7, "🔥 \"two\"", "seaside")), None];
        assert_eq!(found, expected);
        Ok(())
    }
}
