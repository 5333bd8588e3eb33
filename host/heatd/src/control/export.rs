//! Everything that is counted and logged, as lines of JSON: from one snapshot, a part at a time. docs/export.md says what a line has.

mod record;

use std::io::Write;

use heat_engine::{CountKind, CountRow, Snapshot, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::Error;
use super::handle::Control;
use crate::clock::now;

/// The version of the format. A reader refuses a later one.
const VERSION: u64 = 1;

/// How large a part grows before it is sent, in bytes.
const PART: usize = 64 << 10;

/// What is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExportScope {
    /// Counts of faves.
    Counts,
    /// Records of the log.
    Log,
    /// Both.
    #[default]
    All,
}

/// An export that can be written.
pub(crate) struct Exported {
    snapshot: Snapshot,
    identity: u64,
    channel: Option<String>,
    what: ExportScope,
}

impl Control {
    /// The store as of now, of one channel or of all.
    pub(crate) fn export(
        &self,
        channel: Option<String>,
        what: ExportScope,
    ) -> Result<Exported, Error> {
        // 0 is for a store that has no name.
        let name = fastrand::u64(1..);
        let identity =
            self.on_engine_thread("export.name", move |access| access.engine.name_store(name))?;
        // Once the name is durable.
        let snapshot =
            self.on_engine_thread("export.snapshot", |access| access.engine.snapshot())?;
        Ok(Exported { snapshot, identity, channel, what })
    }
}

impl Exported {
    /// Writes all lines. `send` takes a part, and says whether anybody wants more.
    pub(crate) fn write(&self, send: impl FnMut(Vec<u8>) -> bool) -> Result<(), StoreError> {
        let mut lines = ExportWriter { part: Vec::with_capacity(PART + 4096), send, is_open: true };
        lines.add(&self.header()?);
        let (mut counts, mut records) = (0_u64, 0_u64);
        if self.what != ExportScope::Log {
            for row in self.snapshot.counts()? {
                let row = row?;
                if self.is_wanted(&row.channel) && lines.is_open {
                    lines.add(&count(&row));
                    counts += 1;
                }
            }
        }
        if self.what != ExportScope::Counts {
            for block in self.snapshot.blocks(0)? {
                for record in block?.1 {
                    if self.is_wanted(record.channel()) {
                        lines.add(&record::line(&record));
                        records += 1;
                    }
                }
                if !lines.is_open {
                    break;
                }
            }
        }
        lines.add(&json!({ "line": "end", "counts": counts, "records": records }));
        lines.flush();
        Ok(())
    }

    fn is_wanted(&self, channel: &str) -> bool {
        self.channel.as_ref().is_none_or(|it| it == channel)
    }

    fn header(&self) -> Result<Value, StoreError> {
        let what = match self.what {
            ExportScope::Counts => "counts",
            ExportScope::Log => "log",
            ExportScope::All => "all",
        };
        let sources = self.snapshot.sources()?;
        Ok(json!({
            "line": "header", "format": "heat-export", "version": VERSION, "heatd": env!("CARGO_PKG_VERSION"), "at": now(),
            "store": format!("{:016x}", self.identity), "includes": sources, "channel": self.channel, "what": what,
            "rows": self.snapshot.count_rows()?, "next_record": self.snapshot.next_record()?,
            "log_begins": self.snapshot.oldest()?,
        }))
    }
}

fn count(row: &CountRow) -> Value {
    let of = match row.kind {
        CountKind::Channel => "channel",
        CountKind::Item => "item",
        CountKind::Person => "person",
        CountKind::PersonItem => "person-item",
    };
    let mut line = json!({
        "line": "count", "channel": row.channel, "of": of, "faves": row.tally.faves, "weight": record::weight(row.tally.weight),
    });
    match &row.person {
        Some(person) => line["person"] = record::person(person),
        None => line["people"] = row.tally.people.into(),
    }
    if matches!(row.kind, CountKind::Item | CountKind::PersonItem) {
        line["item"] = row.item.as_str().into();
    }
    line
}

/// Lines on their way, a part at a time.
struct ExportWriter<S> {
    part: Vec<u8>,
    send: S,
    is_open: bool,
}

impl<S: FnMut(Vec<u8>) -> bool> ExportWriter<S> {
    fn add(&mut self, line: &Value) {
        // Writing into memory does not fail.
        let _ = writeln!(self.part, "{line}");
        if self.part.len() >= PART {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART + 4096));
        self.is_open = self.is_open && (self.send)(part);
    }
}
