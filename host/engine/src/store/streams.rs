//! When a channel's streams were, as far back as the log goes.

use redb::ReadableTable;

use crate::contract::Happening;
use crate::error::StoreError;
use crate::store::log::Block;
use crate::store::record::Record;
use crate::store::snapshot::Snapshot;
use crate::store::tables::Stream;

/// A stream that was, or is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastStream {
    /// When it started, in milliseconds since 1970.
    pub from: u64,
    /// When it ended; none while it is live.
    pub to: Option<u64>,
}

impl Snapshot {
    /// The last streams of a channel, the newest first, at most so many. The log is read backwards until they are found: not for the engine's
    /// thread. A stream whose start the log no longer has is left out, unless it is live.
    pub fn last_streams(&self, channel: &str, most: usize) -> Result<Vec<PastStream>, StoreError> {
        let mut found = Vec::new();
        let mut end = None;
        if let Some(Stream { live, since }) = self.stream(channel)? {
            match live {
                true => found.push(PastStream { from: since, to: None }),
                false => end = Some(since),
            }
        }
        let newest = found.first().map(|stream: &PastStream| stream.from);
        for row in self.tables.log()?.iter()?.rev() {
            if found.len() >= most {
                break;
            }
            for record in Block::streams(row?.1.value().3)?.into_iter().rev() {
                let Record::Event { now, event } = record else { continue };
                if event.channel != channel {
                    continue;
                }
                match event.what {
                    Happening::StreamEnd => end = Some(now),
                    // The one that is live has no end, and is there already.
                    Happening::StreamStart if newest.is_some_and(|newest| newest <= now) => {
                        end = None;
                    }
                    Happening::StreamStart => {
                        found.extend(end.take().map(|to| PastStream { from: now, to: Some(to) }));
                    }
                    _ => {}
                }
            }
        }
        found.truncate(most);
        Ok(found)
    }
}
