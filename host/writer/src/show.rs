//! One output on its way into its file: what to show (`meter`), when to write (`outlet`), where (`file`).

use std::time::Instant;

use crate::file::{self, Outcome, Target};
use crate::meter::Meter;
use crate::outlet::Outlet;
use crate::report;
use crate::texts::Output;

pub(crate) struct Show {
    meter: Meter,
    outlet: Outlet,
    target: Target,
    /// Whether the daemon's status is about this output.
    follows_daemon: bool,
    /// Whether the offline text is wanted.
    offline: bool,
    /// Whether the last write failed, which was reported.
    failing: bool,
    print: bool,
}

impl Show {
    /// A file without a text gets one at once, since OBS shows nothing for a missing file.
    pub(crate) fn new(output: Output, follows_daemon: bool, print: bool) -> Self {
        let target = Target::open(output.path);
        let keep = target.text().is_some();
        let mut show = Self {
            meter: Meter::new(output.source, output.look, keep),
            outlet: Outlet::new(output.every),
            target,
            follows_daemon,
            offline: false,
            failing: false,
            print,
        };
        show.want_current();
        show
    }

    pub(crate) fn follows_daemon(&self) -> bool {
        self.follows_daemon
    }

    pub(crate) fn take(&mut self, topic: &str, payload: &[u8]) {
        if !self.meter.source().takes(topic) {
            return;
        }
        if let Some(news) = self.meter.take(topic, payload) {
            report::say(news);
        }
        self.want_current();
    }

    pub(crate) fn set_offline(&mut self, offline: bool) {
        if !self.meter.has_offline_text() || offline == self.offline {
            return;
        }
        self.offline = offline;
        if offline {
            self.want_current();
        } else {
            self.outlet.want(self.meter.text_after_offline().to_owned());
        }
    }

    pub(crate) fn waits_for_offline(&self) -> bool {
        self.meter.has_offline_text() && !self.offline
    }

    fn want_current(&mut self) {
        if let Some(text) = self.meter.text(self.offline) {
            self.outlet.want(text.to_owned());
        }
    }

    /// A file that somebody deleted, or whose drive was away, is made again, also while the value stays the same.
    pub(crate) fn look(&mut self) {
        if self.outlet.last().is_none()
            && !self.target.is_there()
            && let Some(text) = self.target.text()
        {
            self.outlet.want(text.to_owned());
        }
    }

    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        self.outlet.due(now)
    }

    pub(crate) async fn write_if_due(&mut self, now: Instant) {
        if let Some(text) = self.outlet.ready(now) {
            let done = self.target.set(text).await;
            self.note(done);
        }
    }

    /// Writes what is pending, due or not: the program ends.
    pub(crate) async fn write_last(&mut self) {
        if let Some(text) = self.outlet.last() {
            let done = self.target.set(text).await;
            self.note(done);
        }
    }

    fn note(&mut self, done: std::io::Result<Outcome>) {
        let path = self.target.path();
        let was_failing = std::mem::replace(&mut self.failing, done.is_err());
        match &done {
            Err(error) if !was_failing => report::say(file::explain(path, error)),
            Ok(_) if was_failing => report::say(format!("{} is written again", path.display())),
            _ => {}
        }
        let changed = matches!(done, Ok(Outcome::Written));
        if changed && self.print {
            report::print(self.target.text().unwrap_or_default());
        }
        match done {
            Ok(_) => self.outlet.written(Instant::now(), changed),
            Err(_) => self.outlet.failed(Instant::now()),
        }
    }

    pub(crate) fn report_silence(&self) {
        if !self.meter.has_heard() {
            let filter = self.meter.source().filter();
            report::say(format!(
                "no value on {filter} yet: is the daemon running, is the name right, may this user read it?"
            ));
        }
    }
}
